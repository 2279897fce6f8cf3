//! The hub under test, its clients, and the reference: all that was ever published.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::check::Connection;
use super::reference::Reference;
use crate::hub::feed::State;
use crate::hub::{
    Answer, Coding, Config, Draft, Feeds, Filter, Gap, Hub, Line, Membership, Message, Need,
    Notice, Place, Progress, SlowClient, Subject, Voice, Welcome,
};
use crate::sample::Moment;
use crate::units::ByteSize;

pub(super) const NOW: Moment = Moment { wall: jiff::Timestamp::UNIX_EPOCH, uptime: Duration::ZERO };

/// What may happen.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Publish(Vec<Subject>),
    /// Numbers are given, and the messages published only later.
    Number(Vec<Subject>),
    PublishNumbered,
    /// A client comes, or comes back from so far ago.
    Join {
        since: Option<u64>,
    },
    Subscribe {
        client: usize,
        filter: Filter,
        since: Option<u64>,
    },
    Unsubscribe {
        client: usize,
    },
    Ping {
        client: usize,
    },
    /// The connection of a client takes so many bytes more.
    Room {
        client: usize,
        bytes: usize,
    },
    /// So many clients of a pass, or of those that go by themselves, have their turn.
    Pass(usize),
    Turns(usize),
    /// What clients have needed comes.
    Answer,
    SetApart {
        client: usize,
    },
    Leave {
        client: usize,
    },
    Pull,
    /// The archive keeps that many events less.
    Prune(u64),
    NewEpoch,
    /// The daemon ends and starts again with the same number line.
    Restart,
}

/// Everything.
pub(super) struct World {
    policy: SlowClient,
    hub: Arc<Hub>,
    feeds: Feeds,
    reference: Reference,
    numbered: VecDeque<Message>,
    connections: BTreeMap<u32, Connection>,
    needs: VecDeque<(u32, Need)>,
    next: u32,
    pings: u64,
}

fn config() -> Config {
    Config {
        client_buffer: 8,
        client_bytes: ByteSize(1_500),
        log_messages: 24,
        log_bytes: ByteSize(4_000),
        ..Config::default()
    }
}

/// Replies as texts that the check reads.
fn voice() -> Voice {
    Box::new(|notice, _| {
        let text = match notice {
            Notice::Lost(Gap { from, to, reason }) => {
                format!("lost {from} {to} {}", reason.name())
            }
            Notice::Resumed(resumed) => {
                let crate::hub::Resumed { from, to, replayed, complete } = resumed;
                format!("resumed {from} {to} {replayed} {complete}")
            }
            Notice::Subscribed(_) => "subscribed".to_owned(),
            Notice::Unsubscribed => "unsubscribed".to_owned(),
        };
        frame(&text)
    })
}

fn frame(text: &str) -> Bytes {
    crate::hub::Message::kept(0, Subject::SystemStatus, text)
        .frame(Coding::default(), &crate::hub::Deflater::default())
}

impl Feeds {
    fn is_changing(&self, client: u32) -> bool {
        match self.feed(client).map(|feed| &feed.state) {
            Some(State::Behind(behind)) => behind.change.is_some(),
            _ => false,
        }
    }
}

impl World {
    pub(super) fn new(policy: SlowClient) -> Self {
        let hub = Arc::new(Hub::new("e0".to_owned(), &config()));
        let feeds = Feeds::new(hub.clone(), voice(), policy);
        Self {
            policy,
            hub,
            feeds,
            reference: Reference { epochs: 1, ..Reference::default() },
            numbered: VecDeque::new(),
            connections: BTreeMap::new(),
            needs: VecDeque::new(),
            next: 0,
            pings: 0,
        }
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Publish(subjects) => {
                self.number(subjects);
                self.publish();
            }
            Step::Number(subjects) => self.number(subjects),
            Step::PublishNumbered => self.publish(),
            Step::Join { since } => self.join(since),
            Step::Subscribe { client, filter, since } => {
                self.change(client, Some(filter), since);
            }
            Step::Unsubscribe { client } => self.change(client, None, None),
            Step::Ping { client } => self.ping(client),
            Step::Room { client, bytes } => {
                let Some(client) = self.client(client) else { return };
                self.connection(client).room += bytes;
                self.feeds.wake(client);
            }
            Step::Pass(clients) => self.pass(clients),
            Step::Turns(turns) => self.turns(turns),
            Step::Answer => self.answer(),
            Step::SetApart { client } => {
                if let Some(client) = self.client(client) {
                    self.feeds.set_apart(client);
                }
            }
            Step::Leave { client } => {
                if let Some(client) = self.client(client) {
                    self.leave(client);
                }
            }
            Step::Pull => self.feeds.pull(),
            Step::Prune(fewer) => {
                let pruned = (self.reference.pruned + fewer).min(self.hub.position().1);
                self.reference.pruned = pruned;
                self.reference.kept.retain(|seq, _| *seq > pruned);
            }
            Step::NewEpoch => {
                let line = self.hub.line();
                self.hub.allow(&line.epoch, line.last);
                self.reference.epochs += 1;
            }
            Step::Restart => self.restart(),
        }
    }

    /// Everybody takes what there is, and nothing more happens: then everybody has all.
    pub(super) fn settle(&mut self) {
        self.publish();
        let clients: Vec<u32> = self.connections.keys().copied().collect();
        for client in clients {
            self.connection(client).room = usize::MAX >> 1;
            self.feeds.wake(client);
        }
        for _ in 0..200 {
            self.feeds.pull();
            self.pass(1_000);
            self.turns(1_000);
            self.answer();
        }
        let (epoch, head) = self.hub.position();
        for (client, connection) in &mut self.connections {
            assert!(self.feeds.is_live(*client), "client {client} is not live");
            assert_eq!(self.feeds.lag(*client).messages, 0);
            connection.read(&self.reference, self.policy);
            connection.end(&self.reference, head, &epoch);
        }
        let clients: Vec<u32> = self.connections.keys().copied().collect();
        clients.into_iter().for_each(|client| self.leave(client));
        assert_eq!((self.feeds.classes(), self.hub.clients.count()), (0, 0));
    }

    fn number(&mut self, subjects: Vec<Subject>) {
        let drafts = subjects.into_iter().map(|subject| {
            let data = format!("\"{}\"", "x".repeat(self.next as usize % 90));
            Draft { subject, data }
        });
        self.numbered.extend(self.hub.number(drafts.collect(), NOW));
    }

    fn publish(&mut self) {
        let messages = Vec::from_iter(self.numbered.drain(..));
        for message in &messages {
            self.reference.messages.insert(message.seq, message.subject.clone());
            if !message.subject.is_state() {
                self.reference.kept.insert(message.seq, message.clone());
            }
        }
        self.hub.publish(messages);
    }

    fn join(&mut self, since: Option<u64>) {
        if self.connections.len() >= super::CLIENTS {
            return;
        }
        let client = self.next;
        self.next += 1;
        let membership = Membership::begin(&self.hub, Coding::default());
        let line = self.hub.line();
        let welcome = match since {
            Some(back) => {
                let seq = self.hub.position().1.saturating_sub(back);
                Welcome::Back(Place { epoch: self.hub.position().0.to_string(), seq })
            }
            None => {
                // It is shown what has its number, and some of that may not be published.
                let cursor = self.hub.cursor();
                let replies = vec![frame(&format!("present {} {}", line.epoch, line.last))];
                Welcome::New { replies, cursor, epoch: line.epoch.into() }
            }
        };
        let begin = match &welcome {
            Welcome::Back(place) => Ok(place.seq),
            Welcome::New { .. } => Err(line.last),
        };
        self.feeds.join(client, membership, Coding::default(), welcome);
        let connection = match begin {
            Ok(since) => Connection::new(Some(since), self.feeds.head),
            Err(last) => Connection::new(None, last),
        };
        self.connections.insert(client, connection);
    }

    fn change(&mut self, client: usize, filter: Option<Filter>, since: Option<u64>) {
        let Some(client) = self.client(client) else { return };
        if !self.feeds.is_heard(client) {
            return;
        }
        let (epoch, head) = self.hub.position();
        let remembers = self.feeds.remembers(client);
        let since = since.filter(|_| remembers).map(|back| head.saturating_sub(back));
        let place = since.map(|seq| Place { epoch: epoch.to_string(), seq });
        let wanted = filter.clone().unwrap_or_else(Filter::nothing);
        self.connection(client).changes.push_back((wanted, since, head));
        self.feeds.change(client, filter, place);
    }

    fn ping(&mut self, client: usize) {
        let Some(client) = self.client(client) else { return };
        self.pings += 1;
        let reply = frame(&format!("pong {}", self.pings));
        let (pings, feeds) = (self.pings, &mut self.feeds);
        // If the log has turned round it has to wait for the archive, and its ping does not.
        feeds.pull();
        let owed = feeds.is_live(client).then(|| self.hub.position().1);
        let Some(connection) = self.connections.get_mut(&client) else { return };
        connection.pings.push_back((pings, owed));
        feeds.reply(client, &reply, true, |bytes| connection.write(bytes));
    }

    fn pass(&mut self, clients: usize) {
        self.feeds.pull();
        if !self.feeds.is_passing() && self.feeds.is_due() {
            self.feeds.begin_pass();
        }
        for _ in 0..clients {
            let Some(client) = self.feeds.next_of_pass() else { return };
            let connection = self.connections.get_mut(&client).expect("a connection");
            let _ = self.feeds.deliver(client, |bytes| connection.write(bytes));
        }
    }

    fn turns(&mut self, turns: usize) {
        for _ in 0..turns {
            let Some(client) = self.feeds.next_due() else { return };
            let Some(connection) = self.connections.get_mut(&client) else { continue };
            let is_changing = self.feeds.is_changing(client);
            let progress = self.feeds.advance(client, |bytes| connection.write(bytes));
            if is_changing && !self.feeds.is_changing(client) {
                let from = self.feeds.feed(client).expect("a feed").past.from;
                connection.applied.push_back(from - 1);
            }
            if let Progress::Waiting(Some(need)) = progress {
                self.needs.push_back((client, need));
            }
        }
    }

    fn answer(&mut self) {
        for (client, need) in std::mem::take(&mut self.needs) {
            let answer = match need {
                Need::Read(mut ask) => Answer::Read(match self.hub.read(&ask) {
                    Some(page) => page,
                    None => {
                        ask.to = ask.to.min(self.hub.tail() - 1);
                        self.reference.read(&ask)
                    }
                }),
                Need::Present { epoch, seq, .. } => {
                    let frame = frame(&format!("present {epoch} {seq}"));
                    Answer::Present { epoch, frame }
                }
            };
            self.feeds.answer(client, answer);
        }
    }

    fn leave(&mut self, client: u32) {
        self.feeds.leave(client);
        self.needs.retain(|(one, _)| *one != client);
        if let Some(mut connection) = self.connections.remove(&client) {
            connection.read(&self.reference, self.policy);
        }
    }

    fn restart(&mut self) {
        let clients: Vec<u32> = self.connections.keys().copied().collect();
        clients.into_iter().for_each(|client| self.leave(client));
        let Line { epoch, last, .. } = self.hub.line();
        // What had its number and was not published is lost with the daemon.
        self.numbered.clear();
        let line = Line { epoch, last, limit: u64::MAX };
        self.hub = Arc::new(Hub::on(line, &config()));
        self.feeds = Feeds::new(self.hub.clone(), voice(), self.policy);
    }

    /// One of those that are here.
    fn client(&self, which: usize) -> Option<u32> {
        let count = self.connections.len().max(1);
        self.connections.keys().nth(which % count).copied()
    }

    fn connection(&mut self, client: u32) -> &mut Connection {
        self.connections.get_mut(&client).expect("a connection")
    }
}
