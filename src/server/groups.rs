//! Messages to groups, by whichever way they come.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::value::RawValue;

use super::counts::Counts;
use crate::api::Published;
use crate::group::{self, Publisher};
use crate::pipeline::{Command, CommandError, Handle};

/// Why a message to a group is not published.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Group(#[from] group::Error),
    #[error("clients may not publish here (websocket.publish)")]
    NotAllowed,
    #[error(
        "too many messages to groups are not stored yet (websocket.max_publishing); try again later"
    )]
    Busy,
    #[error("the daemon is stopping; try again when it is back")]
    Stopping,
}

impl Refusal {
    /// What metrics call it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Refusal::Group(group::Error::Name(_)) => "name",
            Refusal::Group(group::Error::Size(_)) => "size",
            Refusal::NotAllowed => "not_allowed",
            Refusal::Busy => "busy",
            Refusal::Stopping => "stopping",
        }
    }
}

/// A message of a client that is on its way to the disk.
pub(super) struct Underway(Arc<Counts>);

impl Underway {
    /// One more, unless there are `most` already.
    pub(super) fn begin(counts: &Arc<Counts>, most: usize) -> Option<Self> {
        let before = counts.publishing.fetch_add(1, Ordering::Relaxed);
        let underway = Self(counts.clone());
        (before < most).then_some(underway)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.publishing.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Publishes `data`, which is JSON, to the group; returns when that is stored and sent.
///
/// # Errors
/// [`Refusal`].
pub(super) async fn publish(
    pipeline: &Handle,
    counts: &Counts,
    group: String,
    data: Box<RawValue>,
    from: Publisher,
) -> Result<Published, Refusal> {
    let command = Command::Publish { group: group.clone(), data, from };
    let done = match pipeline.command(command).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(CommandError::Group(error))) => Err(error.into()),
        Ok(Err(error)) => unreachable!("a message to a group is refused as such, not as {error}"),
        Err(_) => Err(Refusal::Stopping),
    };
    let done = done.inspect_err(|refusal| counts.group_messages_refused.add(refusal.name()))?;
    Ok(Published { group, seq: done.seq.unwrap_or_default(), durable: done.durable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_are_underway() {
        let counts = Arc::new(Counts::default());
        let begin = || Underway::begin(&counts, 2);
        let (one, other) = (begin().expect("the first"), begin().expect("the second"));
        assert!(begin().is_none() && begin().is_none());
        drop(one);
        let third = begin().expect("one has arrived");
        assert!(begin().is_none());
        drop((other, third));
        assert_eq!(counts.publishing.load(Ordering::Relaxed), 0);
    }
}
