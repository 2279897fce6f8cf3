//! Evaluates rules, round by round, on a thread of its own, and hands what they give to the pipeline.
//!
//! One round at a time: what comes due meanwhile is left out and counted. A round reads the state as
//! any query does, so that it holds up nobody.

mod probe;
mod schedule;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use crate::alert::{self, Outcome, Round, Rule, Rules, Ruling};
use crate::pipeline::{Handle, Input};
use crate::store::history::Shelf;
pub use probe::Probe;
use probe::{Asked, Pulse};
use schedule::Schedule;

/// New rules are noticed within this time.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// The evaluation of rules, for as long as this lives.
pub struct Evaluator {
    task: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
    probe: Probe,
}

impl Evaluator {
    /// Has `spawn` start the evaluation of the rules that the pipeline has, whichever they are.
    pub fn start(
        pipeline: Handle,
        shelf: Option<Arc<dyn Shelf>>,
        spawn: impl FnOnce(BoxFuture<'static, ()>) -> JoinHandle<()>,
    ) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (probe, asked) = probe::channel();
        let task = spawn(Box::pin(run(pipeline, shelf, is_over.clone(), asked)));
        Self { task, is_over, probe }
    }

    /// Finds out whether it gets on.
    pub fn probe(&self) -> Probe {
        self.probe.clone()
    }
}

impl Drop for Evaluator {
    fn drop(&mut self) {
        // A round that is under way ends with the rule that it is at.
        self.is_over.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

async fn run(
    pipeline: Handle,
    shelf: Option<Arc<dyn Shelf>>,
    is_over: Arc<AtomicBool>,
    mut asked: Asked,
) {
    let mut schedule = Schedule::default();
    let mut failing = BTreeMap::new();
    loop {
        let rules = pipeline.read(|state, _| state.alerts.rules().clone());
        let now = pipeline.clock.now();
        let due = schedule.take_due(rules.iter().map(|rule| rule.interval), now.uptime);
        if due.intervals.is_empty() {
            let until_next = due.next.map_or(BETWEEN_LOOKS, |next| next.saturating_sub(now.uptime));
            asked.answer_during(tokio::time::sleep(until_next.min(BETWEEN_LOOKS))).await;
            continue;
        }
        let is_due = |rule: &&Arc<Rule>| due.intervals.contains(&rule.interval);
        let wanted: Vec<Arc<Rule>> = rules.iter().filter(is_due).cloned().collect();
        let (handle, shelf, is_over) = (pipeline.clone(), shelf.clone(), is_over.clone());
        let pulse = Pulse::default();
        let beating = pulse.clone();
        let work = move || {
            let reader = handle.reader();
            let at = now.wall;
            let rulings = wanted.iter().map_while(|rule| {
                let is_on = !is_over.load(Ordering::Relaxed);
                let shelf = shelf.clone();
                let judge = |expired: &dyn Fn() -> bool| {
                    alert::judge(rule, &rules, at, shelf, &reader, expired)
                };
                is_on.then(|| ruling(rule, &rules, judge, &is_over, &beating))
            });
            Round { at, rulings: rulings.collect(), skipped: due.skipped }
        };
        let work = tokio::task::spawn_blocking(work);
        let Ok(round) = asked.answer_while_beating(&pulse, work).await else { continue };
        tell(&round, &mut failing);
        let sent = pipeline.send(Input::Evaluated(Box::new(round)));
        if asked.answer_during(sent).await.is_err() {
            return;
        }
    }
}

/// What a rule comes to, within the time that a query may take.
fn ruling(
    rule: &Rule,
    rules: &Rules,
    judge: impl FnOnce(&dyn Fn() -> bool) -> Result<Outcome, String>,
    is_over: &AtomicBool,
    pulse: &Pulse,
) -> Ruling {
    let begin = Instant::now();
    let deadline = begin + *rules.query().timeout;
    let expired = || {
        pulse.beat();
        is_over.load(Ordering::Relaxed) || Instant::now() >= deadline
    };
    pulse.beat();
    // One rule on which evaluation breaks is no reason to do without all others.
    let outcome = catch_unwind(AssertUnwindSafe(|| judge(&expired)));
    let fault = |_| Err("its evaluation failed for a fault of the daemon; see its log".to_owned());
    let outcome = outcome.unwrap_or_else(fault);
    Ruling { rule: rule.id.clone(), outcome, took: begin.elapsed() }
}

/// Has the log tell once of a rule that begins to fail, and once that it works again.
fn tell(round: &Round, failing: &mut BTreeMap<Arc<str>, String>) {
    for Ruling { rule, outcome, .. } in &round.rulings {
        match outcome {
            Err(error) if failing.get(rule) != Some(error) => {
                tracing::warn!(rule_id = &**rule, error, "rule not evaluated");
                failing.insert(rule.clone(), error.clone());
            }
            Err(_) => {}
            Ok(_) => {
                if failing.remove(rule).is_some() {
                    tracing::info!(rule_id = &**rule, "rule evaluated again");
                }
            }
        }
    }
}
