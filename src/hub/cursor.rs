//! A client's place in the log, and what is due to it.

use std::collections::HashSet;

use super::feed::around;
use super::log::Log;
use super::{Filter, Gap, Hub, Message, Piece, Reason, Subject, Type};

/// Messages handed out at once are bounded by bytes, so that a client that catches up neither holds
/// the log's lock for long nor needs a large buffer: a socket takes no more at a time, and there may be
/// ten thousand such clients.
const BYTES_PER_TAKE: usize = 64 << 10;

/// A client's place in the log: the number of the next message it has not been given.
#[derive(Debug, Clone, Copy)]
pub struct Cursor {
    next: u64,
}

/// What is due to a client.
#[derive(Debug, Default)]
pub struct Due {
    /// What the log no longer holds. It comes before everything else that is due.
    pub older: Option<Older>,
    /// Messages, oldest first, and what was dropped between them.
    pub pieces: Vec<Piece>,
    /// States left out because a newer one is due as well.
    pub conflated: u64,
    /// Whether the cursor has reached the end.
    pub complete: bool,
}

/// A run of the stream that has left the log, both ends included.
#[derive(Debug, Clone, Default)]
pub struct Older {
    pub from: u64,
    pub to: u64,
    /// The states in it that nothing has come in the place of, oldest first.
    pub states: Vec<Message>,
}

impl Cursor {
    pub(super) fn new(next: u64) -> Self {
        Self { next }
    }

    /// The number of the last message that it has moved past.
    pub fn position(self) -> u64 {
        self.next - 1
    }

    /// The number of the first message that it has not moved past.
    pub fn next(self) -> u64 {
        self.next
    }

    /// Moves on, no further than to `until`, and returns what `filter` matches on the way. If the
    /// client is `slow` and beyond the bounds, events that are beyond them are dropped.
    pub fn take(&mut self, hub: &Hub, filter: &Filter, until: u64, slow: bool) -> Due {
        let log = hub.log.lock();
        let mut due = Due::default();
        let (bounds, lag) = (log.bounds(), log.lag(self.next));
        let behind = lag.is_beyond(bounds);
        // What is dropped is numbered below this.
        let kept = if behind && slow { log.within(bounds) } else { 0 };
        if self.next < log.tail() {
            let states = log.last_states(self.next).filter(|state| filter.matches(&state.subject));
            let (from, to) = (self.next, log.tail() - 1);
            let older = Older { from, to, states: states.cloned().collect() };
            self.next = log.tail();
            if kept == 0 {
                due.older = Some(older);
            } else {
                due.pieces = older.dropped(filter);
            }
            return due;
        }
        // A cursor may be ahead of what is published: it was made when more had its number already.
        let newest = if behind { self.newest_states(&log, filter, until) } else { HashSet::new() };
        let (mut bytes, mut dropped) = (0, None::<Gap>);
        for message in log.since(self.next).take_while(|message| message.seq <= until) {
            if bytes >= BYTES_PER_TAKE {
                due.pieces.extend(dropped.map(Piece::Lost));
                return due;
            }
            self.next = message.seq + 1;
            if !filter.matches(&message.subject) {
                continue;
            }
            if behind && message.subject.is_state() && !newest.contains(&message.seq) {
                due.conflated += 1;
                continue;
            }
            if message.seq < kept && !message.subject.is_state() {
                let from = dropped.map_or(message.seq, |gap| gap.from);
                dropped = Some(Gap { from, to: message.seq, reason: Reason::Slow });
                continue;
            }
            due.pieces.extend(dropped.take().map(Piece::Lost));
            bytes += message.text.len();
            due.pieces.push(Piece::Message(message.clone()));
        }
        due.pieces.extend(dropped.map(Piece::Lost));
        due.complete = true;
        due
    }

    /// The numbers of the states that have no successor among what is due.
    fn newest_states(&self, log: &Log, filter: &Filter, until: u64) -> HashSet<u64> {
        let mut seen: HashSet<&Subject> = HashSet::new();
        let newest = log.since(self.next).rev().filter(|Message { seq, subject, .. }| {
            *seq <= until && subject.is_state() && filter.matches(subject) && seen.insert(subject)
        });
        newest.map(|message| message.seq).collect()
    }
}

impl Older {
    /// All of it but the states is dropped.
    fn dropped(self, filter: &Filter) -> Vec<Piece> {
        let Self { from, to, states } = self;
        let mut pieces = Vec::new();
        if filter.types.iter().any(Type::is_event) {
            around(Gap { from, to, reason: Reason::Slow }, states.into_iter(), &mut pieces);
        } else {
            pieces.extend(states.into_iter().map(Piece::Message));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Config, Draft};
    use crate::sample::Moment;
    use crate::severity::Severity;
    use crate::units::ByteSize;
    use proptest::prelude::*;
    use std::time::Duration;

    const NOW: Moment = Moment { wall: jiff::Timestamp::UNIX_EPOCH, uptime: Duration::ZERO };

    fn hub(client_buffer: usize, log_messages: usize) -> Hub {
        let config = Config { client_buffer, log_messages, ..Config::default() };
        Hub::new("e".to_owned(), &config)
    }

    fn publish(hub: &Hub, subject: Subject) {
        hub.publish(hub.number(vec![Draft { subject, data: "{}".to_owned() }], NOW));
    }

    fn take(hub: &Hub, cursor: &mut Cursor) -> Due {
        cursor.take(hub, &Filter::default(), u64::MAX, false)
    }

    fn seqs(due: &Due) -> Vec<u64> {
        let seq = |piece: &Piece| match piece {
            Piece::Message(message) => message.seq,
            other => panic!("{other:?}"),
        };
        due.pieces.iter().map(seq).collect()
    }

    #[test]
    fn a_client_gets_what_comes_after_it() {
        let hub = hub(10, 10);
        publish(&hub, Subject::SystemStatus);
        let mut cursor = hub.cursor();
        assert!(take(&hub, &mut cursor).pieces.is_empty());
        publish(&hub, Subject::SystemStatus);
        publish(&hub, Subject::TaskUpdate("t".into()));
        let due = take(&hub, &mut cursor);
        assert_eq!(seqs(&due), [2, 3]);
        assert!(due.complete && due.older.is_none());
    }

    #[test]
    fn one_far_behind_gets_all_events_and_the_newest_states() {
        let hub = hub(3, 100);
        let mut cursor = hub.cursor();
        for _ in 0..3 {
            publish(&hub, Subject::SystemStatus);
            publish(&hub, Subject::MetricsUpdate);
            publish(&hub, Subject::Alert(Severity::High));
        }
        let due = take(&hub, &mut cursor);
        assert_eq!(seqs(&due), [3, 6, 7, 8, 9]);
        assert_eq!(due.conflated, 4);
    }

    #[test]
    fn what_left_the_log_is_told_with_the_states_that_were_the_newest() {
        let hub = hub(100, 4);
        let mut cursor = hub.cursor();
        for subject in [Subject::SystemStatus, Subject::MetricsUpdate, Subject::SystemStatus] {
            publish(&hub, subject);
        }
        for _ in 0..7 {
            publish(&hub, Subject::Alert(Severity::High));
        }
        let due = take(&hub, &mut cursor);
        let older = due.older.expect("it is far behind");
        let states: Vec<u64> = older.states.iter().map(|state| state.seq).collect();
        assert_eq!((older.from, older.to, states), (1, 6, vec![2, 3]));
        assert!(due.pieces.is_empty() && !due.complete);
        assert_eq!(seqs(&take(&hub, &mut cursor)), [7, 8, 9, 10]);
    }

    #[test]
    fn what_has_its_number_but_is_not_published_is_not_due_to_who_comes_now() {
        let hub = hub(3, 10);
        let draft = Draft { subject: Subject::TaskUpdate("t".into()), data: "{}".to_owned() };
        let waiting = hub.number(vec![draft; 9], NOW);
        let mut cursor = hub.cursor();
        assert_eq!((cursor.position(), hub.position().1), (9, 0));
        assert!(take(&hub, &mut cursor).complete);
        hub.publish(waiting);
        publish(&hub, Subject::SystemStatus);
        assert_eq!(seqs(&take(&hub, &mut cursor)), [10]);
    }

    #[test]
    fn beyond_its_limit_the_line_gets_another_name_and_the_numbers_go_on() {
        let line = crate::hub::Line { epoch: "e".to_owned(), last: 7, limit: 9 };
        let hub = Hub::on(line, &Config::default());
        for expected in [("e", 8), ("e", 9)] {
            publish(&hub, Subject::SystemStatus);
            let (epoch, seq) = hub.position();
            assert_eq!((&*epoch, seq), expected);
        }
        publish(&hub, Subject::SystemStatus);
        let (epoch, seq) = hub.position();
        assert_eq!(seq, 10);
        assert_ne!(&*epoch, "e");
        hub.allow("e", 100);
        assert_eq!(hub.line().limit, u64::MAX, "the old name has no more say");
    }

    #[test]
    fn the_log_is_bounded_in_bytes() {
        let config = Config { log_bytes: ByteSize(300), ..Config::default() };
        let hub = Hub::new("e".to_owned(), &config);
        for _ in 0..50 {
            publish(&hub, Subject::SystemStatus);
        }
        let usage = hub.usage();
        assert!(usage.bytes <= 300 && usage.messages >= 2, "{usage:?}");
    }

    #[test]
    fn the_bound_in_bytes_counts_every_coding() {
        let config = Config { log_bytes: ByteSize(3_000), ..Config::default() };
        let hub = Hub::new("e".to_owned(), &config);
        let mut cursor = hub.cursor();
        let mut publish_and_take = |coding| {
            for _ in 0..100 {
                publish(&hub, Subject::SystemStatus);
                for piece in take(&hub, &mut cursor).pieces {
                    let Piece::Message(message) = piece else { panic!("{piece:?}") };
                    message.frame(coding, &hub.deflater);
                }
            }
            hub.usage()
        };
        let [plain, _, packed, _] = crate::hub::Coding::ALL;
        let (alone, both) = (publish_and_take(plain), publish_and_take(packed));
        assert!(alone.bytes <= 3_000 && alone.messages > 30, "{alone:?}");
        // The frame of the newest message was made after the bound was looked at.
        assert!(both.bytes <= 3_100 && both.messages < 25, "{both:?}");
    }

    proptest! {
        /// However a client's reads fall between the writes: every event once, in order; states in
        /// order, and the last one of each kind always arrives.
        #[test]
        fn no_event_is_lost_and_the_newest_state_arrives(
            steps in prop::collection::vec((0u8..3, any::<bool>()), 1..60),
        ) {
            let hub = hub(4, 1_000);
            let (mut cursor, mut got) = (hub.cursor(), Vec::new());
            let (mut events, mut last_state) = (Vec::new(), None);
            for (index, (kind, read)) in steps.iter().enumerate() {
                let seq = index as u64 + 1;
                match kind {
                    0 => { last_state = Some(seq); publish(&hub, Subject::SystemStatus) }
                    1 => { events.push(seq); publish(&hub, Subject::Alert(Severity::Low)) }
                    _ => { events.push(seq); publish(&hub, Subject::TaskUpdate("t".into())) }
                }
                if *read {
                    got.extend(seqs(&take(&hub, &mut cursor)));
                }
            }
            got.extend(seqs(&take(&hub, &mut cursor)));
            prop_assert!(got.is_sorted_by(|a, b| a < b));
            prop_assert!(events.iter().all(|seq| got.contains(seq)));
            prop_assert!(last_state.is_none_or(|seq| got.contains(&seq)));
        }
    }
}
