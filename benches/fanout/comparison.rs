//! What is compared with what, in turns: whatever else the machine has to do meets both sides.

use std::io::{self, Write as _};

use super::descriptors;
use super::options::{Kind, Options, Topic};
use super::report;
use super::scenario::{BYTES, LONG_BYTES, Scenario};
use super::side::{Outcome, Plan, Side};

/// Of many clients, those that get a message if each wants one task only.
const FEW: usize = 10;
/// What a process has open besides its connections.
const OTHER_FILES: u64 = 100;
/// Clients that are enough to find out whether it runs.
const TEST_CLIENTS: usize = 20;

/// Two sides, and what is measured on them.
pub struct Comparison {
    pub sides: [Plan; 2],
    pub scenarios: Vec<Scenario>,
}

/// What both sides have done in one scenario: each turn of each.
pub struct Turns {
    pub scenario: Scenario,
    pub turns: Vec<[Outcome; 2]>,
}

/// Measures what the options ask for, and prints tables.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let (counts, rounds) = match options.test {
        true => (vec![TEST_CLIENTS], 1),
        false => (options.clients.clone(), options.rounds.max(1)),
    };
    say(&report::machine())?;
    for topic in [Topic::All, Topic::Few, Topic::Deflate, Topic::Tls] {
        if !options.only.is_empty() && !options.only.contains(&topic) {
            continue;
        }
        // The others are about many clients.
        let counts = match topic {
            Topic::All => counts.clone(),
            Topic::Few | Topic::Deflate | Topic::Tls => {
                counts.iter().max().copied().into_iter().collect()
            }
        };
        say(&report::heading(topic))?;
        for clients in counts {
            if let Some(reason) = impossible(clients) {
                say(&reason)?;
                continue;
            }
            let comparison = Comparison::of(topic, clients, options.test);
            match comparison.measure(rounds) {
                Ok((idle, measured)) => say(&report::rows(&comparison, idle, &measured))?,
                Err(error) => say(&format!("{clients} clients: not measured: {error:#}\n"))?,
            }
        }
    }
    Ok(())
}

/// Why there cannot be so many clients, if so.
fn impossible(clients: usize) -> Option<String> {
    let needed = clients as u64 + OTHER_FILES;
    let limit = descriptors::raise(needed);
    (limit < needed).then(|| {
        format!(
            "{clients} clients are not possible: a process may have {limit} files open, and \
             {needed} are needed; raise the hard limit (ulimit -Hn, or LimitNOFILE= of a unit)\n"
        )
    })
}

impl Comparison {
    fn of(topic: Topic, clients: usize, is_test: bool) -> Self {
        let plan =
            |name, kind, tasks| Plan { name, kind, clients, tasks, deflate: false, tls: false };
        let tasks = (clients / FEW).max(1);
        let all = clients as u64;
        let (sides, scenarios) = match topic {
            Topic::All => (
                [plan("ours", Kind::Ours, 0), plan("poem", Kind::Reference, 0)],
                vec![
                    Scenario::bursts(all, BYTES),
                    Scenario::one_at_a_time(all),
                    Scenario::A_HUNDRED_A_SECOND,
                    Scenario::ONE_A_SECOND,
                ],
            ),
            Topic::Few => {
                let sides = [plan("ours", Kind::Ours, tasks), plan("poem", Kind::Reference, tasks)];
                (sides, vec![Scenario { messages: 300, ..Scenario::one_at_a_time(all) }])
            }
            Topic::Deflate => {
                let deflate = Plan { deflate: true, ..plan("deflate", Kind::Ours, 0) };
                let sides = [deflate, plan("plain", Kind::Ours, 0)];
                (sides, vec![Scenario::bursts(all, LONG_BYTES)])
            }
            Topic::Tls => {
                let tls = Plan { tls: true, ..plan("tls", Kind::Ours, 0) };
                let sides = [tls, plan("plain", Kind::Ours, 0)];
                (sides, vec![Scenario::bursts(all, BYTES), Scenario::one_at_a_time(all)])
            }
        };
        let shorten = |scenario: Scenario| if is_test { scenario.shortened() } else { scenario };
        Self { sides, scenarios: scenarios.into_iter().map(shorten).collect() }
    }

    /// Both sides are there all the time, and have their turns one after the other.
    fn measure(
        &self,
        rounds: usize,
    ) -> anyhow::Result<([Option<super::side::Idle>; 2], Vec<Turns>)> {
        let mut sides = [Side::start(self.sides[0])?, Side::start(self.sides[1])?];
        let idle = [sides[0].idle, sides[1].idle];
        let mut measured = Vec::new();
        for &scenario in &self.scenarios {
            // Buffers grow in the first turn.
            for side in &mut sides {
                side.turn(&Scenario::bursts(self.sides[0].clients as u64 * 100, scenario.bytes))?;
            }
            let mut turns = Vec::new();
            for _ in 0..rounds {
                turns.push([sides[0].turn(&scenario)?, sides[1].turn(&scenario)?]);
            }
            measured.push(Turns { scenario, turns });
        }
        Ok((idle, measured))
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}
