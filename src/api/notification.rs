//! Channels and notifications as clients see them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::notify::{Entry, Standing, State, Trial};
use crate::sample::rfc3339;

/// A channel, and how it fares. Counts are since the start of the daemon.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Channel {
    pub name: String,
    /// "webhook", "slack", "discord", "teams", "email", "ntfy" or "command".
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// "ok", or "failing" if the last attempt has failed.
    pub state: &'static str,
    /// Notifications that wait or are under way.
    pub pending: usize,
    pub sent: u64,
    /// Attempts that failed and are made again.
    pub retried: u64,
    /// Given up, by the reason: "room", "age" or "refused".
    pub lost: BTreeMap<&'static str, u64>,
    /// When the oldest of those that wait was made.
    pub oldest_pending: Option<String>,
    pub last_sent: Option<String>,
    /// It is left alone until then.
    pub rests_until: Option<String>,
    /// What went wrong at last with one that waits.
    pub error: Option<String>,
}

impl From<Standing> for Channel {
    fn from(standing: Standing) -> Self {
        let lost = standing.tally.lost.iter().map(|(loss, count)| (loss.name(), *count));
        Self {
            name: standing.name,
            kind: standing.kind,
            state: if standing.error.is_some() { "failing" } else { "ok" },
            pending: standing.pending,
            sent: standing.tally.sent,
            retried: standing.tally.retried,
            lost: lost.collect(),
            oldest_pending: standing.oldest.map(rfc3339),
            last_sent: standing.last_sent.map(rfc3339),
            rests_until: standing.rests_until.map(rfc3339),
            error: standing.error,
        }
    }
}

/// `GET /api/v1/notify/channels`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Channels {
    /// By name.
    pub channels: Vec<Channel>,
}

/// `POST /api/v1/notify/channels/{id}/test`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChannelTest {
    pub channel: String,
    /// Whether the receiver has taken it.
    pub delivered: bool,
    /// What the receiver has answered, or what went wrong.
    pub answer: String,
    /// Seconds.
    pub duration: f64,
}

impl ChannelTest {
    pub fn new(channel: String, trial: Trial) -> Self {
        let Trial { is_delivered: delivered, said: answer, took } = trial;
        Self { channel, delivered, answer, duration: took.as_secs_f64() }
    }
}

/// A notification to one channel.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Notification {
    /// The idempotency key, which every attempt bears.
    pub id: String,
    pub channel: String,
    /// "firing", "resolved", "repeat" or "escalation".
    pub kind: &'static str,
    /// "pending", "sent", or "failed" if it was given up.
    pub state: &'static str,
    /// What its alerts have in common, behind the route.
    pub group: String,
    /// The ids of the alerts that it is about.
    pub alerts: Vec<String>,
    pub attempts: u32,
    /// RFC 3339, UTC, as the times below.
    pub created_at: String,
    /// While it waits: no earlier than this.
    pub next_attempt: Option<String>,
    /// When it was taken or given up.
    pub finished_at: Option<String>,
    /// What the receiver has answered, or what went wrong at last.
    pub answer: Option<String>,
}

impl From<&Entry> for Notification {
    fn from(entry: &Entry) -> Self {
        let is_pending = entry.state == State::Pending;
        Self {
            id: entry.key.clone(),
            channel: entry.channel.clone(),
            kind: entry.kind.name(),
            state: entry.state.name(),
            group: entry.group_key.clone(),
            alerts: entry.alerts.clone(),
            attempts: entry.attempts,
            created_at: rfc3339(entry.created),
            next_attempt: is_pending.then(|| rfc3339(entry.due)),
            finished_at: entry.finished.map(rfc3339),
            answer: entry.said.clone(),
        }
    }
}

/// `GET /api/v1/notifications`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Notifications {
    /// Newest first.
    pub notifications: Vec<Notification>,
    /// Whether there are older ones that were asked for.
    pub more: bool,
}
