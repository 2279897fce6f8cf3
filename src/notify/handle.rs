//! How others reach the notifier: what is asked of it, and what it shows.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::outbox::Outbox;
use super::plan::Plan;
use super::{Config, Entry, State, Vitals};

/// Commands that may wait; further ones wait to wait.
pub(super) const COMMANDS_MAX: usize = 16;

/// Reaches the notifier. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Mutex<Shared>>,
    pub(super) commands: mpsc::Sender<Command>,
}

/// What the notifier knows. It is locked for moments, and never while anything is waited for.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) plan: Plan,
    pub(super) outbox: Outbox,
    pub(super) vitals: Vitals,
}

/// What is asked of the notifier.
pub(super) enum Command {
    Configure(Box<Config>),
    Test(String, oneshot::Sender<Result<Trial, Untried>>),
    /// It is to end; the answer is that it has.
    End(oneshot::Sender<()>),
}

/// What has become of a trial.
#[derive(Debug, Clone)]
pub struct Trial {
    pub is_delivered: bool,
    /// What the receiver has said, or what went wrong.
    pub said: String,
    pub took: Duration,
}

/// Why a channel was not tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untried {
    #[error("there is no channel {0:?}{1}")]
    Unknown(String, String),
    #[error("other trials are under way; try again when they have ended")]
    Busy,
    #[error("the daemon is stopping")]
    Stopping,
}

/// A channel, and how it fares.
#[derive(Debug, Clone)]
pub struct Standing {
    pub name: String,
    pub kind: &'static str,
    /// Notifications that wait or are under way.
    pub pending: usize,
    /// When the oldest of them was made.
    pub oldest: Option<Timestamp>,
    /// It is left alone until then.
    pub rests_until: Option<Timestamp>,
    /// Its last notification that was delivered.
    pub last_sent: Option<Timestamp>,
    /// What went wrong with those that wait, at last.
    pub error: Option<String>,
    pub tally: super::Tally,
}

impl Handle {
    /// Every channel.
    pub fn channels(&self) -> Vec<Standing> {
        let shared = self.shared.lock();
        let now = Timestamp::now();
        let channels = shared.config.channel.iter();
        channels
            .map(|(name, channel)| {
                let own = || shared.outbox.all().filter(|(_, entry)| entry.channel == *name);
                let waiting = || own().filter(|(_, entry)| entry.state == State::Pending);
                let sent = own().filter(|(_, entry)| entry.state == State::Sent);
                Standing {
                    name: name.clone(),
                    kind: channel.kind.name(),
                    pending: waiting().count(),
                    oldest: waiting().map(|(_, entry)| entry.created).min(),
                    rests_until: shared.outbox.rests_until(name, now),
                    last_sent: sent.filter_map(|(_, entry)| entry.finished).max(),
                    error: waiting().find_map(|(_, entry)| entry.said.clone()),
                    tally: shared.vitals.channels.get(name).cloned().unwrap_or_default(),
                }
            })
            .collect()
    }

    /// The last notifications that are wanted, newest first, and whether there are more.
    pub fn notifications(
        &self,
        limit: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> (Vec<Entry>, bool) {
        let shared = self.shared.lock();
        let mut found = shared.outbox.all().rev().map(|(_, entry)| entry).filter(|e| wanted(e));
        let last = found.by_ref().take(limit).map(Entry::without_payload).collect();
        (last, found.next().is_some())
    }

    /// How notifications fare, in numbers; and how many groups of alerts there are.
    pub fn vitals(&self) -> (Vitals, usize) {
        let shared = self.shared.lock();
        (shared.vitals.clone(), shared.plan.groups())
    }

    /// Has another configuration hold from now on.
    pub async fn configure(&self, config: Config) {
        // It ends with the daemon.
        let _ = self.commands.send(Command::Configure(Box::new(config))).await;
    }

    /// Sends a notification to a channel, now and once, and says what came of it.
    ///
    /// # Errors
    /// [`Untried`].
    pub async fn test(&self, channel: String) -> Result<Trial, Untried> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Test(channel, reply)).await;
        sent.map_err(|_| Untried::Stopping)?;
        answer.await.map_err(|_| Untried::Stopping)?
    }

    /// Ends it; returns when what it knows is kept.
    pub async fn end(&self) {
        let (reply, ended) = oneshot::channel();
        if self.commands.send(Command::End(reply)).await.is_ok() {
            let _ = ended.await;
        }
    }
}
