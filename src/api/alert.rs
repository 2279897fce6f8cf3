//! Alerts as clients see and report them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alert;
use crate::sample::rfc3339;
use crate::severity::Severity;

/// An alert: `alert.data`, and what REST answers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Alert {
    /// Stable for a rule.
    pub id: String,
    pub rule_id: String,
    pub rule_name: String,
    /// "firing" or "resolved".
    pub status: &'static str,
    pub severity: Severity,
    pub message: String,
    /// What was measured.
    pub value: Option<f64>,
    /// The bound it passed.
    pub threshold: Option<f64>,
    /// RFC 3339, UTC.
    pub starts_at: String,
    /// When it was resolved; RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// In the answer to a request that changed it: false if it is in memory only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub durable: Option<bool>,
}

impl From<&alert::Alert> for Alert {
    fn from(alert: &alert::Alert) -> Self {
        Self {
            id: alert.id.to_string(),
            rule_id: alert.rule_id.clone(),
            rule_name: alert.rule_name.clone(),
            status: alert.state.name(),
            severity: alert.severity,
            message: alert.message.clone(),
            value: alert.value,
            threshold: alert.threshold,
            starts_at: rfc3339(alert.starts_at),
            ends_at: alert.ends_at.map(rfc3339),
            durable: None,
        }
    }
}

/// `GET /api/v1/alerts`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Alerts {
    /// By id.
    pub alerts: Vec<Alert>,
}

/// The body of `POST /api/v1/alerts`: fires the rule's alert, or brings the firing one up to date.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertReport {
    /// What tells this alert from others: 1 to 256 bytes.
    pub rule_id: String,
    /// `rule_id` if absent.
    pub rule_name: Option<String>,
    pub severity: Severity,
    /// 1 to 4096 bytes.
    pub message: String,
    /// What was measured.
    pub value: Option<f64>,
    /// The bound it passed.
    pub threshold: Option<f64>,
}

impl From<AlertReport> for alert::Report {
    fn from(report: AlertReport) -> Self {
        Self {
            rule_name: report.rule_name.unwrap_or_else(|| report.rule_id.clone()),
            rule_id: report.rule_id,
            severity: report.severity,
            message: report.message,
            value: report.value,
            threshold: report.threshold,
        }
    }
}
