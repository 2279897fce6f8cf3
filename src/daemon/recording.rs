//! Recording rules, as a collector like any other: each time, all rules that are due are evaluated, and
//! the others keep their values.
//!
//! A rule that fails has no series until it works again, and holds up no other. What a rule reads of
//! another one is what that gave in the round before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alert::{Health, Recorded, Recording, Rules};
use crate::persist::Vitals;
use crate::plugin::{Context, Failure, Source};
use crate::sample::{BatchBuilder, Moment, Value};
use crate::server::App;

/// A source of the series of recording rules.
pub(super) fn source(app: &App, _: &Arc<Vitals>, context: Context) -> Box<dyn Source> {
    let (rules, results) = (Arc::default(), BTreeMap::new());
    Box::new(Recorder { app: app.clone(), deadline: context.deadline, rules, results })
}

struct Recorder {
    app: App,
    deadline: Duration,
    rules: Arc<Rules>,
    /// The last result of each rule, by its id.
    results: BTreeMap<Arc<str>, Latest>,
}

struct Latest {
    /// Which of its intervals since the start it is of.
    turn: u128,
    recorded: Vec<Recorded>,
    health: Health,
}

impl Source for Recorder {
    fn collect(&mut self, out: &mut BatchBuilder) -> Result<(), Failure> {
        let rules = self.app.pipeline.read(|state, _| state.alerts.rules().clone());
        if !Arc::ptr_eq(&rules, &self.rules) {
            self.results.clear();
            self.rules = rules.clone();
        }
        let (now, begin) = (self.app.pipeline.clock.now(), Instant::now());
        for recording in rules.recordings() {
            self.update(recording, now, begin);
            let Some(latest) = self.results.get(&recording.id) else { continue };
            push(out, recording, latest);
        }
        let health = self.results.iter().map(|(id, latest)| (id.clone(), latest.health.clone()));
        self.app.show_recordings(health.collect());
        Ok(())
    }
}

impl Recorder {
    fn update(&mut self, recording: &Recording, now: Moment, begin: Instant) {
        let turn = now.uptime.as_millis() / recording.interval.as_millis().max(1);
        let before = self.results.get(&recording.id);
        if before.is_some_and(|before| before.turn == turn) {
            return;
        }
        let started = Instant::now();
        let limit = started + *self.rules.query().timeout;
        let limit = limit.min(begin + self.deadline);
        let reader = self.app.pipeline.reader();
        let shelf = self.app.shelf();
        let expired = || Instant::now() >= limit;
        let outcome = recording.evaluate(now.wall, shelf, &reader, self.rules.query(), &expired);
        let (recorded, error) = match outcome {
            Ok(recorded) => (recorded, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        tell(recording, before.and_then(|before| before.health.error.as_deref()), error.as_deref());
        let health = Health { at: now.wall, took: started.elapsed(), error };
        self.results.insert(recording.id.clone(), Latest { turn, recorded, health });
    }
}

fn push(out: &mut BatchBuilder, recording: &Recording, latest: &Latest) {
    let success = Value::Gauge(f64::from(u8::from(latest.health.error.is_none())));
    out.push("gz_recording_rule_success", &[("rule", &*recording.id)], success);
    for one in &latest.recorded {
        let labels = one.labels.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let labels: Vec<(&str, &str)> = labels.collect();
        out.push(&recording.record, &labels, Value::Gauge(one.value));
    }
}

/// Has the log tell once of a rule that begins to fail, and once that it works again.
fn tell(recording: &Recording, before: Option<&str>, error: Option<&str>) {
    let rule_id = &*recording.id;
    match (before, error) {
        (before, Some(error)) if before != Some(error) => {
            tracing::warn!(rule_id, error, "recording rule not evaluated");
        }
        (Some(_), None) => tracing::info!(rule_id, "recording rule evaluated again"),
        _ => {}
    }
}
