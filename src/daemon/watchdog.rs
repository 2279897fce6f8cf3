//! Feeds the service manager's watchdog for as long as every part of the daemon gets on.
//!
//! Each part is poked, and answers only if it does its ordinary work: a timer alone would go on while
//! the daemon serves nobody. It all happens from a thread of its own, which can still tell who hangs
//! when no other thread runs any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};

use futures_util::future::BoxFuture;
use tokio::runtime;
use tokio::task::JoinHandle;

use super::Daemon;
use super::standing::{Concern, Standing};
use crate::systemd::notify;

/// Rounds in the time that the service manager allows: one that is late is no end yet.
const ROUNDS: u32 = 3;

/// Pokes a part; true if it has answered.
type Poke = Box<dyn Fn() -> BoxFuture<'static, bool> + Send>;

/// One part of the daemon.
struct Part {
    name: &'static str,
    poke: Poke,
    /// Times that it has answered, and how many of them are known.
    answers: Arc<AtomicU64>,
    known: u64,
    waiting: Option<JoinHandle<()>>,
}

/// Ends the feeding when it is dropped.
pub(super) struct Watchdog(#[expect(dead_code, reason = "held for its end")] SyncSender<()>);

impl Watchdog {
    /// Starts to feed the watchdog, if the service manager has one for us.
    pub(super) fn start(daemon: &Daemon, standing: Standing) -> Option<Self> {
        let round = notify::watchdog()? / ROUNDS;
        let mut parts = parts(daemon);
        let runtime = runtime::Handle::current();
        let (stop, stopped) = sync_channel(0);
        let feed = move || {
            let mut lagging = Vec::new();
            loop {
                parts.iter_mut().for_each(|part| part.poke(&runtime));
                if stopped.recv_timeout(round) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                let late =
                    parts.iter_mut().filter_map(|part| (!part.has_advanced()).then_some(part.name));
                tell(&late.collect(), &mut lagging, &standing);
            }
        };
        let thread = std::thread::Builder::new().name("watchdog".to_owned()).spawn(feed);
        if let Err(error) = thread {
            // Without it the service manager ends us, as it should.
            tracing::error!(%error, "cannot start the thread that feeds the watchdog");
        }
        Some(Self(stop))
    }
}

impl Part {
    fn new<F>(name: &'static str, poke: impl Fn() -> F + Send + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let poke: Poke = Box::new(move || Box::pin(poke()));
        Self { name, poke, answers: Arc::default(), known: 0, waiting: None }
    }

    /// Asks, unless the last question is still open.
    fn poke(&mut self, runtime: &runtime::Handle) {
        if self.waiting.as_ref().is_some_and(|waiting| !waiting.is_finished()) {
            return;
        }
        let (poke, answers) = ((self.poke)(), self.answers.clone());
        self.waiting = Some(runtime.spawn(async move {
            if poke.await {
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }

    fn has_advanced(&mut self) -> bool {
        let answers = self.answers.load(Ordering::Relaxed);
        std::mem::replace(&mut self.known, answers) != answers
    }
}

/// What the daemon is made of, in the order of the data.
fn parts(daemon: &Daemon) -> Vec<Part> {
    let scheduler = daemon.scheduler.probe();
    let (pipeline, app) = (daemon.app.pipeline.clone(), daemon.app.clone());
    let (evaluator, http) = (daemon.evaluator.probe(), daemon.listeners.probe());
    vec![
        Part::new("scheduler", move || {
            let scheduler = scheduler.clone();
            async move { scheduler.is_answered().await }
        }),
        Part::new("pipeline", move || {
            let pipeline = pipeline.clone();
            async move { pipeline.applied().await.is_ok() }
        }),
        Part::new("evaluator", move || {
            let evaluator = evaluator.clone();
            async move { evaluator.is_answered().await }
        }),
        Part::new("hub", move || {
            let app = app.clone();
            async move { app.are_clients_served().await }
        }),
        Part::new("http", move || {
            let http = http.clone();
            async move { http.is_answered().await }
        }),
    ]
}

/// Feeds the watchdog, or says who is the reason that it is not fed.
fn tell(late: &Vec<&'static str>, lagging: &mut Vec<&'static str>, standing: &Standing) {
    let names = late.join(", ");
    if late.is_empty() {
        notify::feed_watchdog();
    }
    if late == lagging {
        return;
    }
    if late.is_empty() {
        tracing::info!("every part of the daemon answers again");
        standing.concern(Concern::Watchdog, None);
    } else {
        tracing::error!(
            name: "watchdog_starved",
            parts = names,
            "parts of the daemon do not answer; the watchdog is not fed"
        );
        let text = format!("not answering: {names}");
        // Not the whole line: the state that it is made of may be what hangs.
        notify::status(&text);
        standing.concern(Concern::Watchdog, Some(text));
    }
    lagging.clone_from(late);
}
