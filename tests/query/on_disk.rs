//! Samples that are on disk, or there but for the last of them: asked the same, they say the same.

use std::sync::Arc;
use std::time::Duration;

use gz_monitor::clock::Clock;
use gz_monitor::hub::{self, Hub};
use gz_monitor::persist::{self, Folder, Tier};
use gz_monitor::pipeline::{self, Handle, Input, Kept, Limits};
use gz_monitor::sample::{Batch, Moment, Outcome, Rejected, Sample, Value};
use gz_monitor::store::History;
use gz_monitor::store::history::Shelf;
use gz_monitor::units::{ByteSize, HumanDuration};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::prometheus::{AT_MS, EXPRESSIONS, START_MS, ours, samples};
use crate::script::{Metric, key, new_history};
use crate::support::until;

/// What a daemon with these samples leaves behind on a disk.
pub struct Disk {
    pub shelf: Arc<dyn Shelf>,
    _folder: TempDir,
}

impl Disk {
    pub async fn with(samples: &[(Metric, i64, f64)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = Folder::Chosen(folder.path().to_owned());
        let age = HumanDuration::secs(10 * 365 * 86_400);
        let bounds = persist::History {
            save_interval: HumanDuration(Duration::from_millis(100)),
            full: age,
            minutes: age,
            hours: age,
            ..persist::History::default()
        };
        let open = || {
            let clock = Clock::start();
            let now = clock.now().wall;
            let config = persist::Config::default();
            (persist::open(&config, &bounds, &place, now).expect("opened"), clock)
        };
        let (ready, clock) = open();
        let hub = Arc::new(Hub::on(ready.line.clone(), &hub::Config::default()));
        let mut limits = Limits::default();
        limits.store.memory = HumanDuration::secs(365 * 86_400);
        limits.store.max_bytes = ByteSize(1 << 30);
        let (handle, inputs) = Handle::new(&limits, Kept::default(), 100, hub, clock);
        let (steps, stored) = mpsc::channel(100);
        tokio::spawn(pipeline::run(handle.clone(), inputs, steps));
        let storage = ready.start(handle.clone(), stored).expect("started");
        let mut sorted: Vec<_> = samples.iter().collect();
        sorted.sort_by_key(|(_, at, _)| *at);
        for (metric, at, value) in sorted {
            handle.send(Input::Batch(Box::new(batch(metric, *at, *value)))).await.expect("taken");
        }
        let vitals = storage.vitals.clone();
        until("all samples are in rows", || async {
            let kept = vitals.history.lock().tiers.get(Tier::Full).samples;
            (kept == samples.len() as u64).then_some(())
        })
        .await;
        handle.end().await;
        storage.ended().await;
        let shelf = open().0.shelf.expect("a shelf");
        Self { shelf, _folder: folder }
    }
}

/// One sample, of a collector of its own.
fn batch(metric: &Metric, at: i64, value: f64) -> Batch {
    let (key, wall) = (key(metric), Timestamp::from_millisecond(at).expect("a time"));
    let uptime = Duration::from_millis(at as u64);
    Batch {
        collector: key.to_string().into(),
        at: Moment { wall, uptime },
        duration: Duration::ZERO,
        samples: vec![Sample { key, value: Value::Gauge(value), stamp: None }],
        rejected: Rejected::default(),
        outcome: Outcome::Ok,
        broken: false,
    }
}

/// Those of some time on, in memory.
pub fn in_memory(samples: &[(Metric, i64, f64)], from: i64) -> History {
    let mut history = new_history();
    for (metric, at, value) in samples.iter().filter(|(_, at, _)| *at >= from) {
        history.push(&key(metric), Timestamp::from_millisecond(*at).expect("a time"), *value);
    }
    history
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_expression_on_disk_is_as_it_is_in_memory() {
    let samples = samples();
    let disk = Disk::with(&samples).await;
    let whole = in_memory(&samples, i64::MIN);
    let steps = Some((START_MS - 7_111, AT_MS, 61_000));
    let mut compared = 0;
    // All of it on disk, and all but the last 20 minutes.
    for memory in [in_memory(&samples, i64::MAX), in_memory(&samples, AT_MS - 1_200_000)] {
        for text in EXPRESSIONS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            for steps in [None, steps] {
                let expected = ours(&whole, None, text, steps);
                let found = ours(&memory, Some(disk.shelf.clone()), text, steps);
                assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{text} {steps:?}");
                compared += 1;
            }
        }
    }
    assert!(compared > 400, "{compared}");
}
