//! Alerts as clients see and report them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alert;
use crate::sample::rfc3339;
use crate::severity::Severity;

/// An alert: `alert.data`, and what REST answers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Alert {
    /// Stable for a rule and its labels.
    pub id: String,
    pub rule_id: String,
    pub rule_name: String,
    /// "pending", "firing", "silenced" or "resolved".
    pub status: &'static str,
    pub severity: Severity,
    pub message: String,
    /// What tells it from other alerts of its rule.
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// What was measured.
    pub value: Option<f64>,
    /// The bound it passed.
    pub threshold: Option<f64>,
    /// Since when its condition holds; RFC 3339, UTC.
    pub starts_at: String,
    /// When it was resolved; RFC 3339, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<String>,
    /// Who has taken it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledgement: Option<Acknowledgement>,
    /// What keeps it silent, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silenced_by: Option<String>,
    /// True if it came and went so often that its end is waited for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
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
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            value: alert.value,
            threshold: alert.threshold,
            starts_at: rfc3339(alert.starts_at),
            ends_at: alert.ends_at.map(rfc3339),
            acknowledgement: alert.acknowledgement.as_ref().map(Acknowledgement::from),
            silenced_by: alert.silenced_by.clone(),
            flapping: alert.flapping,
            durable: None,
        }
    }
}

/// That somebody knows of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Acknowledgement {
    pub by: String,
    pub comment: String,
    /// RFC 3339, UTC.
    pub at: String,
}

impl From<&alert::Acknowledgement> for Acknowledgement {
    fn from(alert::Acknowledgement { by, comment, at }: &alert::Acknowledgement) -> Self {
        Self { by: by.clone(), comment: comment.clone(), at: rfc3339(*at) }
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
    /// They tell alerts of one rule apart: 32 at most.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What there is to know besides: 32 at most.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
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
            labels: report.labels,
            annotations: report.annotations,
            message: report.message,
            value: report.value,
            threshold: report.threshold,
        }
    }
}
