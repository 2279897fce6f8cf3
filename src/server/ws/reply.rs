//! Replies, finished: what one client is told, and with what a connection begins.

use bytes::Bytes;

use crate::api::{ErrorData, GapData, Reply, Resumed, Subscribed};
use crate::hub::{self, Coding, Hub, Notice, Place, Voice, Welcome};
use crate::pipeline::Handle;
use crate::sample::Moment;

/// What a client asks for with its handshake: where it wants to go on, if it says so in words that
/// can be understood.
pub(super) type Since = Option<Result<Place, ErrorData>>;

/// The frame of a reply.
pub(super) fn finish(reply: &Reply, coding: Coding, hub: &Hub, now: Moment) -> Bytes {
    hub::finish(reply.encode(now).as_bytes(), coding, &hub.deflater)
}

/// What makes the frames of replies that the hub gives rise to.
pub(super) fn voice(pipeline: Handle) -> Voice {
    Box::new(move |notice, coding| {
        let reply = match notice.clone() {
            Notice::Lost(gap) => {
                let (from, to, reason) = (gap.from, gap.to, gap.reason.name());
                Reply::Gap(GapData { from, to, reason })
            }
            Notice::Resumed(resumed) => {
                let crate::hub::Resumed { from, to, replayed, complete } = resumed;
                Reply::Resumed(Resumed { from, to, replayed, complete })
            }
            Notice::Subscribed(filter) => Reply::Subscribed(Subscribed { filter: filter.into() }),
            Notice::Unsubscribed => Reply::Unsubscribed {},
        };
        finish(&reply, coding, &pipeline.hub, pipeline.clock.now())
    })
}

/// How a client begins: with the state of the whole, and then what comes after it. One that comes back
/// gets first what it has missed.
pub(super) async fn welcome(pipeline: &Handle, since: Since, coding: Coding) -> Welcome {
    let hub = &pipeline.hub;
    let error = match since {
        Some(Ok(place)) => return Welcome::Back(place),
        Some(Err(error)) => Some(Reply::Error(error)),
        None => None,
    };
    let ((initial, epoch), cursor, step) = pipeline.read_and_follow(|state, now| {
        let line = hub.line();
        let initial =
            Reply::InitialState(Box::new(state.initial_state(&line.epoch, line.last, now)));
        (finish(&initial, coding, hub, now), line.epoch)
    });
    // What it is shown is not to be taken back by a crash.
    pipeline.until_settled(step).await;
    let error = error.map(|error| finish(&error, coding, hub, pipeline.clock.now()));
    let replies = error.into_iter().chain([initial]).collect();
    Welcome::New { replies, cursor, epoch: epoch.into() }
}

/// The state of the whole, for a client that has had all up to `seq`. It may show what comes after
/// that.
pub(super) async fn present(pipeline: &Handle, epoch: &str, seq: u64, coding: Coding) -> Bytes {
    let look = pipeline.read_settled(|state, now| {
        let initial = Reply::InitialState(Box::new(state.initial_state(epoch, seq, now)));
        finish(&initial, coding, &pipeline.hub, now)
    });
    look.await
}
