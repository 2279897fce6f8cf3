//! Messages to groups, by whichever way they come.

use serde_json::value::RawValue;

use super::App;
use crate::api::Published;
use crate::group::{self, Publisher};
use crate::pipeline::{Command, CommandError, Done};

/// Why a message to a group is not published.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Group(#[from] group::Error),
    #[error("clients may not publish here (websocket.publish)")]
    NotAllowed,
    #[error("the daemon is stopping; try again when it is back")]
    Stopping,
}

/// Publishes `data`, which is JSON, to the group; returns when that is stored and sent.
pub(super) async fn publish(
    app: &App,
    group: String,
    data: Box<RawValue>,
    from: Publisher,
) -> Result<Published, Refusal> {
    let done = send(app, group.clone(), data, from).await;
    done.map(|Done { seq, durable, .. }| Published { group, seq: seq.unwrap_or_default(), durable })
        .inspect_err(|refusal| {
            app.counts.group_messages_refused.add(match refusal {
                Refusal::Group(group::Error::Name(_)) => "name",
                Refusal::Group(group::Error::Size(_)) => "size",
                Refusal::NotAllowed => "not_allowed",
                Refusal::Stopping => "stopping",
            });
        })
}

async fn send(
    app: &App,
    group: String,
    data: Box<RawValue>,
    from: Publisher,
) -> Result<Done, Refusal> {
    if matches!(from, Publisher::Client(_)) && !app.websocket().publish {
        return Err(Refusal::NotAllowed);
    }
    let command = Command::Publish { group, data, from };
    match app.pipeline.command(command).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(CommandError::Group(error))) => Err(error.into()),
        Ok(Err(error)) => unreachable!("a message to a group is refused as such, not as {error}"),
        Err(_) => Err(Refusal::Stopping),
    }
}
