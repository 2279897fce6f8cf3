//! From the hub's log into the classes.

use super::{Feeds, State};
use crate::hub::Type;

impl Feeds {
    /// Puts what was published since the last time into the classes.
    pub fn pull(&mut self) {
        let news = self.hub.news(self.head);
        self.bounds = news.bounds;
        if news.head == self.head && news.epoch == self.epoch {
            return;
        }
        let mut late = Vec::new();
        match news.messages {
            Some(messages) => {
                let (hub, bytes) = (self.hub.clone(), self.bounds.log_bytes);
                for (message, published) in messages {
                    self.classes.append(&message, published, &hub.deflater, bytes, &mut late);
                    self.is_urgent |= message.subject.kind() == Type::Alert;
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
    }

    /// Whether something that is not to wait for more has come since somebody last asked.
    pub fn take_urgent(&mut self) -> bool {
        std::mem::take(&mut self.is_urgent)
    }

    fn set_all_apart(&mut self) {
        for client in 0..self.feeds.len() as u32 {
            if self.feed(client).is_some_and(|feed| matches!(feed.state, State::Live)) {
                self.set_apart(client);
            }
        }
    }
}
