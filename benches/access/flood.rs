//! What one address that asks without end costs the others: how long a client waits that asks a
//! hundred times a second, while all is calm and under each flood, in turns. What floods has the lowest
//! priority: a client elsewhere would take no processor from those that wait.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;
use rustix::process::setpriority_process;
use rustix::thread::gettid;

use super::client::Client;
use super::daemon::{Daemon, Plan};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FLOODER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const INTERVAL: Duration = Duration::from_millis(10);
/// Connections that flood at once.
const FLOODERS: usize = 16;

/// What an address does without end.
#[derive(Clone, Copy)]
struct Flood {
    name: &'static str,
    token: Option<&'static str>,
    /// Whether each request has a connection of its own.
    connects: bool,
}

const FLOODS: [Flood; 3] = [
    Flood { name: "requests without a token", token: None, connects: false },
    Flood { name: "requests with a wrong token", token: Some("gzm_wrong"), connects: false },
    Flood { name: "connections", token: None, connects: true },
];

/// A table of it.
pub fn measure(is_test: bool) -> anyhow::Result<String> {
    let (rounds, requests) = if is_test { (1, 10) } else { (5, 400) };
    let plan = Plan { name: "token", token: true, tls: false, bounded: true };
    let daemon = Daemon::start(plan)?;
    let mut client = Client::connect(&daemon, HERE, daemon.token.as_deref())?;
    let mut report = String::from(
        "\n| Flood | Requests/s of it | calm p50 | p99 | flooded p50 | p99 | p50 to calm | p99 to calm |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for flood in FLOODS {
        let (mut calm, mut flooded, mut rate) = (Vec::new(), Vec::new(), 0.0);
        for _ in 0..rounds {
            calm.extend(waits(&mut client, requests)?);
            let (stop, asked, begin) = (AtomicBool::new(false), AtomicU64::new(0), Instant::now());
            let waited = thread::scope(|scope| {
                for _ in 0..FLOODERS {
                    scope.spawn(|| flood.run(&daemon, &stop, &asked));
                }
                let waited = waits(&mut client, requests);
                stop.store(true, Ordering::Relaxed);
                waited
            });
            flooded.extend(waited?);
            rate += asked.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64();
        }
        let [[calm_median, calm_late], [median, late]] =
            [&mut calm[..], &mut flooded[..]].map(percentiles);
        writeln!(
            report,
            "| {} | {:.0} | {calm_median:.0} µs | {calm_late:.0} µs | {median:.0} µs | {late:.0} µs | \
             {:.2} | {:.2} |",
            flood.name,
            rate / f64::from(rounds),
            median / calm_median,
            late / calm_late,
        )?;
    }
    Ok(report)
}

impl Flood {
    fn run(&self, daemon: &Daemon, stop: &AtomicBool, asked: &AtomicU64) {
        // Linux has a priority for each thread (setpriority(2)).
        setpriority_process(Some(gettid()), 19).expect("a thread may step back");
        let mut client = None;
        while !stop.load(Ordering::Relaxed) {
            if client.is_none() || self.connects {
                client = Client::connect(daemon, FLOODER, self.token).ok();
            }
            // A connection that is refused or closed is followed by the next one.
            let answered = client.as_mut().is_some_and(|client| client.ask().is_ok());
            if !answered {
                client = None;
            }
            asked.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// How long each of so many requests takes, one of which is due every so often.
fn waits(client: &mut Client, requests: u32) -> anyhow::Result<Vec<Duration>> {
    let begin = Instant::now();
    let mut waits = Vec::new();
    for index in 0..requests {
        let due = begin + INTERVAL * index;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let asked = Instant::now();
        let status = client.ask()?;
        ensure!(status == 200, "the client that keeps to the bounds is answered {status}");
        waits.push(asked.elapsed());
    }
    Ok(waits)
}

/// The median and the 99th percentile, in microseconds.
fn percentiles(waits: &mut [Duration]) -> [f64; 2] {
    waits.sort_unstable();
    [50, 99].map(|percent| {
        let rank = (waits.len() * percent / 100).min(waits.len() - 1);
        waits[rank].as_secs_f64() * 1e6
    })
}
