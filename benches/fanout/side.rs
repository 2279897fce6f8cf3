//! One side of a comparison: a server in a process of its own, and its clients in another.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::child::Child;
use super::histogram::Histogram;
use super::options::Kind;
use super::scenario::{Pace, Scenario};
use super::vitals;

/// Connections that are there before memory is measured: the first ones cost more.
const FIRST: usize = 100;
/// What a server does after the last handshake is done by then.
const SETTLED: Duration = Duration::from_secs(2);

/// What a side is.
#[derive(Clone, Copy)]
pub struct Plan {
    pub name: &'static str,
    pub kind: Kind,
    pub clients: usize,
    /// Tasks that clients subscribe to, each to one; 0 if all get everything.
    pub tasks: usize,
    pub deflate: bool,
    pub tls: bool,
}

/// A server that runs, and its clients.
pub struct Side {
    pub plan: Plan,
    // They go first, so that they do not complain that the server has gone.
    clients: Child,
    server: Child,
    pub idle: Option<Idle>,
}

/// What one connection costs of which nothing is asked.
#[derive(Clone, Copy)]
pub struct Idle {
    /// Bytes that the server has resident.
    pub resident: f64,
    /// Bytes in the kernel, at both ends.
    pub kernel: f64,
    /// Seconds of processor time for the handshake, in the server.
    pub handshake: f64,
}

/// What has come of one turn, or of several.
#[derive(Clone, Default)]
pub struct Outcome {
    pub messages: u64,
    pub deliveries: u64,
    pub bytes: u64,
    /// Not delivered, or not within a minute.
    pub missing: u64,
    pub repeated: u64,
    pub cpu: Duration,
    pub elapsed: Duration,
    pub waits: Histogram,
}

impl Plan {
    fn receivers(&self) -> u64 {
        (self.clients / self.tasks.max(1)) as u64
    }
}

impl Side {
    /// Starts a server and connects the clients.
    pub fn start(plan: Plan) -> anyhow::Result<Self> {
        let kind = match plan.kind {
            Kind::Ours => "ours",
            Kind::Reference => "reference",
        };
        let mut arguments = vec!["server".to_owned(), kind.to_owned()];
        arguments.extend(plan.tls.then(|| "--tls".to_owned()));
        let mut server = Child::start(&arguments)?;
        let listening = server.expect("listening")?;
        let (address, certificate) = listening.split_once(' ').unwrap_or((&listening, ""));
        // The daemon greets with the state of the whole.
        let greetings = u32::from(plan.kind == Kind::Ours);
        let mut arguments = vec!["client".to_owned(), address.to_owned()];
        arguments.push(format!("--greetings={greetings}"));
        arguments.push(format!("--tasks={}", plan.tasks));
        arguments.extend(plan.deflate.then(|| "--deflate".to_owned()));
        arguments.extend(plan.tls.then(|| format!("--tls={certificate}")));
        let clients = Child::start(&arguments)?;
        let mut side = Self { plan, server, clients, idle: None };
        side.connect().with_context(|| format!("{} with {} clients", plan.name, plan.clients))?;
        Ok(side)
    }

    fn connect(&mut self) -> anyhow::Result<()> {
        let first = self.plan.clients.min(FIRST);
        self.clients.say(&format!("connect {first}"))?;
        self.clients.expect("connected")?;
        let rest = self.plan.clients - first;
        if rest == 0 {
            return Ok(());
        }
        thread::sleep(SETTLED);
        let pid = self.server.pid();
        let look = || {
            let memory = [vitals::resident_bytes(pid)?, vitals::kernel_bytes()?];
            anyhow::Ok([memory[0], memory[1], vitals::cpu_nanos(pid)?].map(|number| number as f64))
        };
        let before = look()?;
        self.clients.say(&format!("connect {rest}"))?;
        self.clients.expect("connected")?;
        thread::sleep(SETTLED);
        let after = look()?;
        let [resident, kernel, nanos] =
            std::array::from_fn(|index| (after[index] - before[index]) / rest as f64);
        self.idle = Some(Idle { resident, kernel, handshake: nanos / 1e9 });
        Ok(())
    }

    /// One turn.
    pub fn turn(&mut self, scenario: &Scenario) -> anyhow::Result<Outcome> {
        let receivers = self.plan.receivers();
        let (command, times) = match scenario.pace {
            Pace::Bursts(size) => (format!("burst {size}"), scenario.messages / size),
            Pace::PerSecond(rate) => (format!("rate {rate} {}", scenario.messages), 1),
        };
        let command = format!("{command} {} {}", scenario.bytes, self.plan.tasks.max(1));
        let expected = scenario.messages * receivers;
        self.clients.say(&format!("await {} {times}", expected / times))?;
        self.clients.expect("awaiting")?;
        let (begin, before) = (Instant::now(), vitals::cpu_nanos(self.server.pid())?);
        let mut left = times;
        let report = loop {
            self.server.say(&command)?;
            left -= 1;
            match self.clients.line()? {
                Some(line) if left == 0 => break line,
                Some(_) => {}
                None => {
                    self.clients.say("report")?;
                    break self.clients.line()?.context("no report in time")?;
                }
            }
        };
        let cpu = Duration::from_nanos(vitals::cpu_nanos(self.server.pid())? - before);
        let report = report.strip_prefix("report ").context("a report")?;
        let mut words = report.split(' ');
        let mut number = || words.next().context("a number")?.parse::<u64>().context("a number");
        let (deliveries, bytes, lost, repeated) = (number()?, number()?, number()?, number()?);
        Ok(Outcome {
            messages: scenario.messages,
            deliveries,
            bytes,
            missing: lost.max(expected.saturating_sub(deliveries)),
            repeated,
            cpu,
            elapsed: begin.elapsed(),
            waits: words.next().context("waits")?.parse()?,
        })
    }
}

impl Outcome {
    pub fn add(&mut self, other: &Outcome) {
        self.messages += other.messages;
        self.deliveries += other.deliveries;
        self.bytes += other.bytes;
        self.missing += other.missing;
        self.repeated += other.repeated;
        self.cpu += other.cpu;
        self.elapsed += other.elapsed;
        self.waits.add(&other.waits);
    }

    /// Seconds of processor time for a million deliveries.
    pub fn cpu_per_million(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.deliveries as f64
    }

    /// Milliseconds of processor time for a message.
    pub fn cpu_ms_per_message(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e3 / self.messages as f64
    }
}
