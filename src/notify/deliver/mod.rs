//! Brings a notification to its receiver, once, within its time.

mod address;
mod file;
mod http;
mod mail;
mod program;
mod trust;

pub(super) use address::Address;

use std::sync::Arc;
use std::time::Duration;

use super::channel::Kind;
use super::view::View;
use super::{Channel, Payload};
use crate::plugin::process::Launcher;

/// Bytes of an answer that are read.
const ANSWER_BYTES: usize = 2 << 10;

/// What became of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver has taken it, and said this.
    Sent(String),
    /// It has not, and may another time; not before then, if it said when.
    Failed { why: String, not_before: Option<Duration> },
    /// It has not, and will not.
    Refused(String),
}

impl Outcome {
    fn failed(why: impl Into<String>) -> Self {
        Self::Failed { why: why.into(), not_before: None }
    }
}

/// Everything that one attempt needs.
#[derive(Clone)]
pub(super) struct Parcel {
    pub(super) key: String,
    pub(super) payload: Payload,
    /// The channel and its name.
    pub(super) name: String,
    pub(super) channel: Channel,
    pub(super) host: Arc<str>,
    pub(super) launcher: Arc<Launcher>,
}

impl Parcel {
    /// Makes one attempt.
    pub(super) async fn deliver(self) -> Outcome {
        let limit = *self.channel.timeout;
        match tokio::time::timeout(limit, self.attempt()).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::failed(format!("no answer within {limit:?}")),
        }
    }

    async fn attempt(&self) -> Outcome {
        let view = View::new(&self.key, &self.payload, &self.name, &self.channel, &self.host);
        match self.channel.kind {
            Kind::Email => mail::deliver(&view, &self.channel, &self.host).await,
            Kind::Command => program::deliver(&view, &self.channel, &self.launcher).await,
            Kind::Webhook | Kind::Slack | Kind::Discord | Kind::Teams | Kind::Ntfy => {
                http::deliver(&view, &self.channel).await
            }
        }
    }
}
