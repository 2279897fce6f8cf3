//! Events of the past, from the hub's log as far as it goes and from the archive beyond it.

use super::App;
use crate::hub::{Ask, Entry, Gap, Page, Place, Reason};

/// How much is read at once.
const MESSAGES_AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 256 << 10;

/// Where a client that comes back is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// The number of the first message that it may have missed.
    pub(super) from: u64,
    /// What it cannot have, because its place is in another number line.
    pub(super) gap: Option<Gap>,
}

impl Start {
    /// Behind `place`, in the line called `epoch` in which `head` was the last number published.
    pub(super) fn after(place: &Place, epoch: &str, head: u64) -> Self {
        if place.epoch == epoch && place.seq <= head {
            return Self { from: place.seq + 1, gap: None };
        }
        // A number that was never given is of another line, too: that of a newer database. What
        // came before this line counts as its number 0.
        Self { from: head + 1, gap: Some(Gap { from: 0, to: head, reason: Reason::Epoch }) }
    }
}

impl Ask {
    /// What is read at once of the events that `filter` matches.
    pub(super) fn of(from: u64, to: u64, filter: crate::hub::Filter) -> Self {
        Self { from, to, filter, messages: MESSAGES_AT_ONCE, bytes: BYTES_AT_ONCE }
    }
}

/// A part of what is asked for.
pub(super) async fn read(app: &App, mut ask: Ask) -> Page {
    if let Some(page) = app.pipeline.hub.read(&ask) {
        return page;
    }
    // What is in the log is there; only what is older has to be read.
    ask.to = ask.to.min(app.pipeline.hub.tail() - 1);
    let lost = |reason| {
        let gap = Gap { from: ask.from, to: ask.to, reason };
        Page { entries: vec![Entry::Lost(gap)], next: ask.to + 1 }
    };
    let Some(archive) = app.past.archive.clone() else { return lost(Reason::Retention) };
    // Nobody closes it.
    let _permit = app.readers.acquire().await;
    let asked = ask.clone();
    let page = tokio::task::spawn_blocking(move || archive.read(&asked)).await;
    page.unwrap_or_else(|_| lost(Reason::Storage))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_good_in_its_own_line_up_to_what_was_published() {
        let check = |epoch: &str, seq, expected: (u64, Option<(u64, u64)>)| {
            let place = Place { epoch: epoch.to_owned(), seq };
            let Start { from, gap } = Start::after(&place, "e", 10);
            assert_eq!((from, gap.map(|gap| (gap.from, gap.to))), expected, "{place}");
        };
        check("e", 0, (1, None));
        check("e", 7, (8, None));
        check("e", 10, (11, None));
        check("e", 11, (11, Some((0, 10))));
        check("f", 7, (11, Some((0, 10))));
        let place = Place { epoch: "f".to_owned(), seq: 7 };
        let gap = Some(Gap { from: 0, to: 0, reason: Reason::Epoch });
        assert_eq!(Start::after(&place, "e", 0), Start { from: 1, gap });
    }
}
