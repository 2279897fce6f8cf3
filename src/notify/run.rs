//! The task that listens for alerts, keeps what is to be told, and has it delivered.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::deliver::{Outcome, Parcel};
use super::follow::Follower;
use super::group::later;
use super::handle::{COMMANDS_MAX, Command, Shared, Trial, Untried};
use super::keeping::Keeping;
use super::outbox::Outbox;
use super::plan::Plan;
use super::{Channel, Config, Handle, Kept, Labels, Ledger, Notice, Payload, Vitals};
use crate::hub::{Archive, Hub};
use crate::plugin::process::Launcher;

/// With nothing to be done, it is looked so often whether that is so.
const IDLE: Duration = Duration::from_secs(60);
/// At the end, deliveries that are under way have so long.
const GRACE: Duration = Duration::from_secs(3);
/// Trials at the same time.
const TRIALS_MAX: usize = 4;

/// All alerts as they are now, and the number of the last event that is in that.
pub type Look = Arc<dyn Fn() -> (Vec<Notice>, u64) + Send + Sync>;

/// What the notifier is given.
pub struct Means {
    pub hub: Arc<Hub>,
    /// The events that have left the hub's log, if somebody keeps them.
    pub archive: Option<Arc<dyn Archive>>,
    /// Where it keeps what it knows, if that is to outlive it.
    pub ledger: Option<Arc<dyn Ledger>>,
    /// What was kept.
    pub kept: Kept,
    /// What fires, for when no event tells it.
    pub look: Look,
    pub launcher: Arc<Launcher>,
    /// What this host is called.
    pub host: String,
}

/// Starts the notifier.
pub fn start(config: &Config, means: Means) -> Handle {
    let (commands, received) = mpsc::channel(COMMANDS_MAX);
    let shared = Shared {
        config: config.clone(),
        plan: Plan::new(config),
        outbox: Outbox::new(config),
        vitals: Vitals::default(),
    };
    let handle = Handle { shared: Arc::new(Mutex::new(shared)), commands };
    let notifier = Notifier {
        shared: handle.shared.clone(),
        commands: received,
        follower: Follower::new(means.hub, means.archive),
        keeping: Keeping::new(means.ledger),
        look: means.look,
        launcher: means.launcher,
        host: means.host.into(),
        flights: JoinSet::new(),
        trials: JoinSet::new(),
        limiters: HashMap::new(),
    };
    tokio::spawn(notifier.run(means.kept));
    handle
}

struct Notifier {
    shared: Arc<Mutex<Shared>>,
    commands: mpsc::Receiver<Command>,
    follower: Follower,
    keeping: Keeping,
    look: Look,
    launcher: Arc<Launcher>,
    host: Arc<str>,
    /// Deliveries under way.
    flights: JoinSet<(u64, Outcome)>,
    trials: JoinSet<()>,
    /// By channel, with the number of notifications a minute that it is for.
    limiters: HashMap<String, (u32, DefaultDirectRateLimiter)>,
}

impl Notifier {
    async fn run(mut self, kept: Kept) {
        self.begin(kept);
        loop {
            self.turn().await;
            let wake = self.next_look();
            let is_on = self.is_on();
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Configure(config)) => self.configure(*config),
                    Some(Command::Test(channel, reply)) => self.try_out(&channel, reply),
                    Some(Command::End(ended)) => {
                        self.end().await;
                        // Who asked may have gone.
                        let _ = ended.send(());
                        return;
                    }
                    None => return self.end().await,
                },
                Some(landed) = self.flights.join_next() => {
                    if let Ok((number, outcome)) = landed {
                        self.landed(number, outcome);
                    }
                }
                Some(_) = self.trials.join_next() => {}
                () = self.follower.rung(), if is_on => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    /// Without a channel nobody is to be told anything.
    fn is_on(&self) -> bool {
        !self.shared.lock().config.channel.is_empty()
    }

    fn begin(&mut self, kept: Kept) {
        let seq = kept.seq;
        self.keeping.take_in(&mut self.shared.lock(), kept, Timestamp::now());
        if !self.is_on() {
            return self.rest();
        }
        self.follower.seq = seq;
        // Of a place that is none of this line nothing is known.
        if seq == 0 || seq > self.follower.head() {
            self.look_anew();
        }
    }

    /// Forgets who was told what; what is to be delivered stays.
    fn rest(&mut self) {
        self.shared.lock().plan.clear();
        self.follower.seq = 0;
    }

    /// Takes in what fires now, whatever was told before.
    fn look_anew(&mut self) {
        let (alerts, seq) = (self.look)();
        self.follower.seq = seq;
        let now = Timestamp::now();
        let mut shared = self.shared.lock();
        let is_active = |alert: &&Notice| alerts.iter().any(|other| other.id == alert.id);
        let gone: Vec<Notice> =
            shared.plan.alerts().into_iter().filter(|a| !is_active(&a)).collect();
        for alert in gone {
            shared.plan.hear(alert.ended(now), now);
        }
        for alert in alerts {
            shared.plan.hear(alert, now);
        }
    }

    async fn turn(&mut self) {
        // What is kept already need not wait until the rest is.
        self.dispatch();
        loop {
            let read = if self.is_on() { self.follower.read().await } else { Default::default() };
            if read.is_torn {
                self.look_anew();
            }
            self.plan(read.alerts);
            let found = self.keeping.store(&self.shared, self.follower.seq).await;
            if let Some(kept) = found {
                self.keeping.take_in(&mut self.shared.lock(), kept, Timestamp::now());
                continue;
            }
            self.dispatch();
            if !read.has_more {
                return;
            }
        }
    }

    /// What was heard becomes notifications, as soon as it is time for them.
    fn plan(&mut self, alerts: Vec<Notice>) {
        let now = Timestamp::now();
        let mut shared = self.shared.lock();
        let Shared { plan, outbox, vitals, .. } = &mut *shared;
        let mut tell = |plan: &mut Plan| {
            for due in plan.take(now) {
                outbox.add(&due.channel, due.payload, now);
            }
        };
        for alert in alerts {
            plan.hear(alert, now);
            // One after the other: where nothing is waited for, each is told.
            tell(plan);
        }
        tell(plan);
        outbox.expire(now);
        for (entry, loss) in outbox.take_lost() {
            *vitals.of(&entry.channel).lost.entry(loss).or_default() += 1;
            let (channel, id, reason) = (&entry.channel, &entry.key, loss.name());
            let (attempts, error) = (entry.attempts, entry.said.as_deref().unwrap_or_default());
            tracing::error!(
                name: "notification_lost", channel, id, reason, attempts, error,
                alerts = entry.alerts.join(","), "a notification was given up"
            );
        }
    }

    /// Sends off what is due, as far as there is room.
    fn dispatch(&mut self) {
        let now = Timestamp::now();
        let mut shared = self.shared.lock();
        while shared.outbox.flying() < shared.config.max_concurrent {
            let Shared { config, outbox, .. } = &mut *shared;
            let picked = outbox.pick(now, |channel| config.channel.contains_key(channel));
            let Some((number, entry, payload)) = picked else { return };
            let (name, key, payload) = (entry.channel.clone(), entry.key.clone(), payload.clone());
            let Some(channel) = config.channel.get(&name).cloned() else { return };
            if let Err(wait) = allow(&mut self.limiters, &name, channel.max_per_minute) {
                outbox.rest(&name, later(now, wait));
                continue;
            }
            outbox.fly(number);
            let (host, launcher) = (self.host.clone(), self.launcher.clone());
            let parcel = Parcel { key, payload, name, channel, host, launcher };
            self.flights.spawn(async move { (number, parcel.deliver().await) });
        }
    }

    fn landed(&mut self, number: u64, outcome: Outcome) {
        let now = Timestamp::now();
        let mut shared = self.shared.lock();
        let Shared { outbox, vitals, .. } = &mut *shared;
        let Some(channel) = outbox.channel_of(number) else { return };
        match outcome {
            Outcome::Sent(said) => {
                let tally = vitals.of(&channel);
                tally.latency += outbox.sent(number, &said, now).unwrap_or_default();
                tally.sent += 1;
                tracing::debug!(channel, said, "notification sent");
            }
            Outcome::Failed { why, not_before } => {
                if outbox.failed(number, &why, not_before, fastrand::f64(), now) {
                    vitals.of(&channel).retried += 1;
                    tracing::warn!(
                        channel,
                        error = why,
                        "a notification failed, and is sent again"
                    );
                }
            }
            Outcome::Refused(why) => outbox.refused(number, &why, now),
        }
    }

    fn configure(&mut self, config: Config) {
        let was_on = self.is_on();
        let now = Timestamp::now();
        {
            let mut shared = self.shared.lock();
            shared.plan.configure(&config, now);
            shared.outbox.configure(&config, now);
            shared.config = config;
        }
        match (was_on, self.is_on()) {
            (false, true) => self.look_anew(),
            (true, false) => self.rest(),
            _ => {}
        }
    }

    fn try_out(&mut self, name: &str, reply: oneshot::Sender<Result<Trial, Untried>>) {
        let channel = match self.channel_to_try(name) {
            Ok(channel) => channel,
            // Who asked may have gone, here and below.
            Err(untried) => return drop(reply.send(Err(untried))),
        };
        let now = Timestamp::now();
        let alerts = vec![Notice::for_trial(name, now)];
        let kind = super::Kind::Test;
        let payload = Payload::new(kind, "test", "test", &Labels::new(), alerts, now);
        let key = payload.key(name, fastrand::u64(..));
        let (host, launcher) = (self.host.clone(), self.launcher.clone());
        let parcel = Parcel { key, payload, name: name.to_owned(), channel, host, launcher };
        self.trials.spawn(async move {
            let begin = Instant::now();
            let (is_delivered, said) = match parcel.deliver().await {
                Outcome::Sent(said) => (true, said),
                Outcome::Failed { why, .. } | Outcome::Refused(why) => (false, why),
            };
            drop(reply.send(Ok(Trial { is_delivered, said, took: begin.elapsed() })));
        });
    }

    fn channel_to_try(&self, name: &str) -> Result<Channel, Untried> {
        if self.trials.len() >= TRIALS_MAX {
            return Err(Untried::Busy);
        }
        let shared = self.shared.lock();
        shared.config.channel.get(name).cloned().ok_or_else(|| {
            let names: Vec<&str> = shared.config.channel.keys().map(String::as_str).collect();
            let known = match names.is_empty() {
                true => "; [notify.channel.NAME] makes one".to_owned(),
                false => format!("; there are {}", names.join(", ")),
            };
            Untried::Unknown(name.to_owned(), known)
        })
    }

    fn next_look(&self) -> Instant {
        let shared = self.shared.lock();
        let Shared { config, plan, outbox, .. } = &*shared;
        let has_room = outbox.flying() < config.max_concurrent;
        let is_there = |channel: &str| has_room && config.channel.contains_key(channel);
        let due = [plan.due(), outbox.due(is_there)].into_iter().flatten().min();
        let now = Timestamp::now();
        let wait =
            due.map_or(IDLE, |due| Duration::try_from(due.duration_since(now)).unwrap_or_default());
        let retry = self.keeping.next_attempt();
        (Instant::now() + wait.min(IDLE)).min(retry.unwrap_or_else(|| Instant::now() + IDLE))
    }

    async fn end(&mut self) {
        let deadline = Instant::now() + GRACE;
        while !self.flights.is_empty() {
            tokio::select! {
                Some(landed) = self.flights.join_next() => {
                    if let Ok((number, outcome)) = landed {
                        self.landed(number, outcome);
                    }
                }
                () = sleep_until(deadline) => break,
            }
        }
        // What is cut off is delivered again by the next daemon, under the same key.
        self.flights.abort_all();
        self.keeping.store(&self.shared, self.follower.seq).await;
    }
}

/// Whether a channel may be told one thing more now; if not, how long to wait.
fn allow(
    limiters: &mut HashMap<String, (u32, DefaultDirectRateLimiter)>,
    channel: &str,
    per_minute: u32,
) -> Result<(), Duration> {
    let Some(quota) = NonZeroU32::new(per_minute).map(Quota::per_minute) else { return Ok(()) };
    let new = || (per_minute, DefaultDirectRateLimiter::direct(quota));
    let limiter = limiters.entry(channel.to_owned()).or_insert_with(new);
    if limiter.0 != per_minute {
        *limiter = new();
    }
    limiter.1.check().map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
}
