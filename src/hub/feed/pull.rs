//! From the hub's log into the classes.

use super::{Feeds, State};
use crate::hub::Type;

/// What a look at the log has brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulled {
    pub messages: usize,
    /// Whether one of them is not to wait for more.
    pub urgent: bool,
}

impl Feeds {
    /// Puts what was published since the last time into the classes.
    pub fn pull(&mut self) -> Pulled {
        let news = self.hub.news(self.head);
        let mut pulled = Pulled::default();
        self.bounds = news.bounds;
        if news.head == self.head && news.epoch == self.epoch {
            return pulled;
        }
        let mut late = Vec::new();
        match news.messages {
            Some(messages) => {
                pulled.messages = messages.len();
                let (hub, bytes) = (self.hub.clone(), self.bounds.log_bytes);
                for (message, published) in messages {
                    pulled.urgent |= message.subject.kind() == Type::Alert;
                    self.classes.append(&message, published, &hub.deflater, bytes, &mut late);
                    self.head = message.seq;
                    late.drain(..).for_each(|client| self.set_apart(client));
                }
            }
            // The log has turned round since: everybody goes on by itself from where it was.
            None => {
                self.set_all_apart();
                self.head = news.head;
            }
        }
        if news.epoch != self.epoch {
            // Each is told of the new one when it has all of the old one.
            self.set_all_apart();
            self.epoch = news.epoch;
        }
        for client in std::mem::take(&mut self.ahead) {
            self.wake(client);
        }
        pulled
    }

    fn set_all_apart(&mut self) {
        for client in 0..self.feeds.len() as u32 {
            if self.feed(client).is_some_and(|feed| matches!(feed.state, State::Live)) {
                self.set_apart(client);
            }
        }
    }
}
