//! The writer shards: a few threads that own the sockets of all WebSocket clients.
//!
//! Once a connection is upgraded it goes to one of them, and nothing of it is left in the runtime. A
//! shard waits for its sockets and for the hub, and never for a lock, a disk or a client; what takes
//! time is fetched by a task of the runtime, which sends a letter.

mod client;
mod ending;
mod flush;
mod inbox;
mod publish;
mod receive;
#[cfg(test)]
mod tests;
mod thread;
mod timers;
mod tls;
mod transport;
mod vitals;

pub(in crate::server) use client::Arrival;
pub(in crate::server) use transport::Transport;
pub use vitals::{Histogram, Laggards, Vitals};

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use mio::Poll;
use parking_lot::Mutex;
use tokio::runtime;
use tokio::sync::oneshot;

use super::super::WebSocketConfig;
use super::super::auth::{AuditLog, Grant};
use super::super::counts::Counts;
use super::super::history::History;
use crate::hub::Client;
use crate::pipeline::Handle;
use inbox::{Inbox, Letter};
use thread::{Shard, WAKER};

/// The threads that own the clients, and the way to each.
pub(in crate::server) struct Shards {
    inboxes: Vec<Arc<Inbox>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    next: AtomicUsize,
    pub(in crate::server) vitals: Arc<Vitals>,
}

impl Shards {
    /// Starts the threads.
    ///
    /// # Errors
    /// If there is no thread or no descriptor to be had, or no runtime to fetch what takes time.
    pub(in crate::server) fn start(
        pipeline: &Handle,
        history: &Arc<History>,
        (counts, audit): (&Arc<Counts>, &Arc<AuditLog>),
        config: &WebSocketConfig,
    ) -> io::Result<Self> {
        let runtime = runtime::Handle::try_current().map_err(io::Error::other)?;
        let count = config.shards();
        let vitals = Arc::new(Vitals::new(count));
        let (mut inboxes, mut threads) = (Vec::new(), Vec::new());
        for index in 0..count {
            let poll = Poll::new()?;
            let inbox = Arc::new(Inbox::new(poll.registry(), WAKER)?);
            let bell = Arc::downgrade(&inbox);
            pipeline.hub.listen(move || {
                if let Some(inbox) = bell.upgrade() {
                    inbox.ring();
                }
            });
            let shard = Shard::new(
                index,
                (poll, inbox.clone()),
                (vitals.clone(), counts.clone(), audit.clone()),
                (pipeline.clone(), history.clone()),
                runtime.clone(),
                config.clone(),
            );
            let name = format!("clients-{index}");
            let thread = std::thread::Builder::new().name(name).spawn(move || shard.run());
            inboxes.push(inbox);
            threads.push(thread?);
        }
        Ok(Self { inboxes, threads: Mutex::new(threads), next: AtomicUsize::new(0), vitals })
    }

    /// Hands a client over.
    pub(in crate::server) async fn admit(&self, arrival: Arrival) {
        let next = self.next.fetch_add(1, Ordering::Relaxed) % self.inboxes.len();
        // They end when the daemon does, and its connections with it.
        let _ = self.inboxes[next].send(Letter::Arrival(Box::new(arrival))).await;
    }

    /// Who is connected, the longest connected first.
    pub(in crate::server) async fn list(&self) -> Vec<Client> {
        let mut all = Vec::new();
        for clients in self.ask(Letter::List).await {
            all.extend(clients);
        }
        all.sort_unstable_by_key(|client: &Client| client.number);
        all
    }

    /// Sends the client of this number away; whether it was here.
    pub(in crate::server) async fn send_away(&self, number: u64) -> bool {
        self.ask(|reply| Letter::End(number, reply)).await.contains(&true)
    }

    /// Sends away the clients that went on by one of these grants.
    pub(in crate::server) async fn dismiss(&self, ended: HashSet<Grant>) {
        if ended.is_empty() {
            return;
        }
        let ended = Arc::new(ended);
        for inbox in &self.inboxes {
            // One that has ended has no clients.
            let _ = inbox.send(Letter::Dismiss(ended.clone())).await;
        }
    }

    /// Returns when every shard has had a look at its letters; false if one has ended.
    pub(in crate::server) async fn are_answering(&self) -> bool {
        self.ask(Letter::Probe).await.len() == self.inboxes.len()
    }

    /// Asks all shards, and gives the answers of those that have not ended.
    async fn ask<T>(&self, letter: impl Fn(oneshot::Sender<T>) -> Letter) -> Vec<T> {
        let mut answers = Vec::new();
        for inbox in &self.inboxes {
            let (reply, answer) = oneshot::channel();
            if inbox.send(letter(reply)).await.is_ok() {
                answers.push(answer);
            }
        }
        let mut all = Vec::new();
        for answer in answers {
            all.extend(answer.await);
        }
        all
    }

    /// Adopts new limits.
    pub(in crate::server) fn configure(&self, config: &WebSocketConfig) {
        self.inboxes.iter().for_each(|inbox| inbox.configure(config.clone()));
    }

    #[cfg(test)]
    fn is_closing(&self) -> bool {
        self.inboxes.iter().all(|inbox| inbox.is_closing())
    }

    /// Has every client go, once it has what was published.
    pub(in crate::server) fn close(&self) {
        self.inboxes.iter().for_each(|inbox| inbox.close());
    }

    /// Ends the threads, and with them every connection that is left. It may take a moment.
    pub(in crate::server) fn cut(&self) {
        self.inboxes.iter().for_each(|inbox| inbox.cut());
        for thread in self.threads.lock().drain(..) {
            // A panic has been reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        self.inboxes.iter().for_each(|inbox| inbox.cut());
    }
}
