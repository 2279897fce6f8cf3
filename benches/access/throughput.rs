//! Requests a second, and processor time of the daemon for each: open to its own machine, with a token,
//! and with a token over TLS.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::client::Client;
use super::daemon::{Daemon, Plan};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const CONNECTIONS: [usize; 2] = [1, 16];
const PLANS: [Plan; 3] = [
    Plan { name: "open", token: false, tls: false, bounded: false },
    Plan { name: "token", token: true, tls: false, bounded: false },
    Plan { name: "token, TLS", token: true, tls: true, bounded: false },
];

#[derive(Clone, Copy, Default)]
struct Turn {
    requests: usize,
    elapsed: Duration,
    cpu: Duration,
}

/// A table of it.
pub fn measure(is_test: bool) -> anyhow::Result<String> {
    let (rounds, requests) = if is_test { (1, 32) } else { (7, 16_000) };
    let daemons = PLANS.map(Daemon::start).into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let mut report = String::from(
        "\n| Connections | Access | Requests/s | CPU µs a request | to open |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for connections in CONNECTIONS {
        let mut sums = vec![Turn::default(); daemons.len()];
        for _ in 0..rounds {
            for (daemon, sum) in daemons.iter().zip(&mut sums) {
                let turn = turn(daemon, connections, requests / connections)?;
                sum.requests += turn.requests;
                sum.elapsed += turn.elapsed;
                sum.cpu += turn.cpu;
            }
        }
        for (daemon, sum) in daemons.iter().zip(&sums) {
            let micros = |sum: &Turn| sum.cpu.as_secs_f64() * 1e6 / sum.requests as f64;
            writeln!(
                report,
                "| {connections} | {} | {:.0} | {:.1} | {:.2} |",
                daemon.plan.name,
                sum.requests as f64 / sum.elapsed.as_secs_f64(),
                micros(sum),
                micros(sum) / micros(&sums[0]),
            )?;
        }
    }
    Ok(report)
}

/// So many requests on each of so many connections, which are there already.
fn turn(daemon: &Daemon, connections: usize, requests: usize) -> anyhow::Result<Turn> {
    let mut clients = (0..connections)
        .map(|_| {
            let mut client = Client::connect(daemon, HERE, daemon.token.as_deref())?;
            ensure!(client.ask()? == 200, "the first request fails");
            Ok(client)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let (begin, before) = (Instant::now(), daemon.cpu_time()?);
    thread::scope(|scope| {
        let asking = clients.iter_mut().map(|client| {
            scope.spawn(move || {
                (0..requests).try_for_each(|_| {
                    let status = client.ask()?;
                    ensure!(status == 200, "the answer is {status}");
                    Ok(())
                })
            })
        });
        let asking: Vec<_> = asking.collect();
        asking.into_iter().try_for_each(|one| one.join().expect("no panic"))
    })?;
    let (elapsed, cpu) = (begin.elapsed(), daemon.cpu_time()? - before);
    Ok(Turn { requests: requests * connections, elapsed, cpu })
}
