//! Where a client of the stream is in it, so that it goes on from there when it connects again.

use serde_json::Value;

use crate::hub::Place;

/// Where a client is, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Follower {
    place: Option<Place>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It has asked for what it has missed. What comes now is by the default filter.
    Asked,
    /// What it has missed comes.
    Resuming,
    /// What is published comes.
    Live,
}

impl Follower {
    /// One that has everything up to `place`, or wants nothing of the past.
    pub(super) fn new(place: Option<Place>) -> Self {
        Self { place, phase: Phase::Live }
    }

    /// Begins a connection: the place to ask for.
    pub(super) fn connect(&mut self) -> Option<&Place> {
        self.phase = if self.place.is_some() { Phase::Asked } else { Phase::Live };
        self.place.as_ref()
    }

    /// Takes note of a message.
    pub(super) fn hear(&mut self, message: &Value) {
        let seq = message["seq"].as_u64();
        match (message["type"].as_str().unwrap_or_default(), self.phase) {
            ("subscribed", Phase::Asked) => self.phase = Phase::Resuming,
            // The state that follows says which place this is.
            ("resumed", Phase::Resuming) => self.phase = Phase::Live,
            ("initial_state", Phase::Live) => {
                let stream = &message["data"]["stream"];
                if let (Some(epoch), Some(seq)) = (stream["epoch"].as_str(), stream["seq"].as_u64())
                {
                    self.place = Some(Place { epoch: epoch.to_owned(), seq });
                }
            }
            (_, Phase::Resuming | Phase::Live) => {
                if let (Some(place), Some(seq)) = (&mut self.place, seq) {
                    place.seq = place.seq.max(seq);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hear(follower: &mut Follower, messages: &[Value]) -> Option<String> {
        messages.iter().for_each(|message| follower.hear(message));
        follower.clone().connect().map(ToString::to_string)
    }

    fn state(epoch: &str, seq: u64) -> Value {
        json!({"type": "initial_state", "data": {"stream": {"epoch": epoch, "seq": seq}}})
    }

    fn event(seq: u64) -> Value {
        json!({"type": "alert", "seq": seq})
    }

    #[test]
    fn the_place_is_the_last_number_seen() {
        let mut follower = Follower::new(None);
        assert_eq!(follower.connect(), None);
        let heard =
            [state("e", 5), json!({"type": "subscribed"}), event(7), json!({"type": "pong"})];
        assert_eq!(hear(&mut follower, &heard).as_deref(), Some("e:7"));
    }

    #[test]
    fn what_comes_before_the_past_moves_nothing() {
        let mut follower = Follower::new(Some(Place { epoch: "e".to_owned(), seq: 7 }));
        assert!(follower.connect().is_some());
        assert_eq!(hear(&mut follower, &[state("e", 20), event(21)]).as_deref(), Some("e:7"));
        let past = [json!({"type": "subscribed"}), event(9), event(12)];
        assert_eq!(hear(&mut follower, &past).as_deref(), Some("e:12"));
        let end = [json!({"type": "resumed"}), state("e", 21)];
        assert_eq!(hear(&mut follower, &end).as_deref(), Some("e:21"));
        assert_eq!(hear(&mut follower, &[event(25)]).as_deref(), Some("e:25"));
    }

    #[test]
    fn another_line_begins_at_its_own_place() {
        let mut follower = Follower::new(Some(Place { epoch: "e".to_owned(), seq: 70 }));
        follower.connect();
        let heard = [
            state("f", 3),
            json!({"type": "subscribed"}),
            json!({"type": "gap", "data": {"reason": "epoch"}}),
            json!({"type": "resumed"}),
            state("f", 3),
            event(4),
        ];
        assert_eq!(hear(&mut follower, &heard).as_deref(), Some("f:4"));
    }
}
