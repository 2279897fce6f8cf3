//! What one notification tells, before any channel has given it a form.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::{Labels, Notice};
use crate::sample::rfc3339;
use crate::severity::Severity;

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something fires that was not told of before.
    Firing,
    /// All that was told of is over.
    Resolved,
    /// Nothing is new, but it still fires.
    Repeat,
    /// Nobody has acknowledged it in time.
    Escalation,
    /// Somebody tries the channel out.
    Test,
}

impl Kind {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Firing => "firing",
            Kind::Resolved => "resolved",
            Kind::Repeat => "repeat",
            Kind::Escalation => "escalation",
            Kind::Test => "test",
        }
    }
}

/// What one notification tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    pub kind: Kind,
    /// The route's key, and that of its group.
    pub route: String,
    pub group_key: String,
    pub group: Labels,
    pub created_at: String,
    pub alerts: Vec<Notice>,
    /// Alerts that there was no room for.
    #[serde(default)]
    pub truncated: usize,
}

impl Payload {
    pub(super) fn new(
        kind: Kind,
        route: &str,
        group_key: &str,
        group: &Labels,
        alerts: Vec<Notice>,
        now: Timestamp,
    ) -> Self {
        Self {
            kind,
            route: route.to_owned(),
            group_key: group_key.to_owned(),
            group: group.clone(),
            created_at: rfc3339(now),
            alerts,
            truncated: 0,
        }
    }

    /// Leaves out the alerts behind those that fit, but never the first.
    pub(super) fn within(mut self, bytes: u64) -> Self {
        let size = |alert: &Notice| serde_json::to_vec(alert).map_or(0, |json| json.len() as u64);
        let (mut used, mut fitting) = (0, 0);
        for alert in &self.alerts {
            used += size(alert);
            if used > bytes {
                break;
            }
            fitting += 1;
        }
        if fitting == 0 && !self.alerts.is_empty() {
            self.alerts[0] = self.alerts[0].clone().shortened();
            fitting = 1;
        }
        self.truncated += self.alerts.len().saturating_sub(fitting);
        self.alerts.truncate(fitting);
        self
    }

    /// Whether anything of it still fires.
    pub fn is_firing(&self) -> bool {
        self.alerts.iter().any(Notice::is_firing)
    }

    /// The level of the worst of what fires; if nothing does, of what did.
    pub fn severity(&self) -> Severity {
        let is_firing = self.is_firing();
        let counted = self.alerts.iter().filter(|alert| alert.is_firing() == is_firing);
        counted.map(|alert| alert.severity).max().unwrap_or(Severity::Info)
    }

    /// What tells this notification to this channel from all others, and from none of its repeated
    /// deliveries.
    pub(super) fn key(&self, channel: &str, number: u64) -> String {
        let mut digest = Sha1::new_with_prefix(channel);
        for part in [self.group_key.as_str(), &self.created_at, self.kind.name()] {
            digest.update([0xff_u8]);
            digest.update(part);
        }
        digest.update(number.to_be_bytes());
        digest.finalize()[..16].iter().fold(String::new(), |key, byte| format!("{key}{byte:02x}"))
    }
}
