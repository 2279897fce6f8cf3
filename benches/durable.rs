//! What it costs that a change is on disk before it is acknowledged: acknowledged changes a second, and
//! how long one waits, by the number of writers. `cargo bench --bench durable`; the disk is that of
//! the folder for temporary files.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gz_monitor::clock::Clock;
use gz_monitor::hub::{self, Hub};
use gz_monitor::persist::{self, Folder, History, Sync};
use gz_monitor::pipeline::{self, Command, Handle, Kept, Limits};
use gz_monitor::task::Change;
use tokio::sync::mpsc;

const WRITERS: [usize; 3] = [1, 16, 256];

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench -- --test` only wants to know that it runs.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let time = Duration::from_millis(if is_test { 50 } else { 5_000 });
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut report = String::from("acknowledged changes of tasks\n");
    writeln!(
        report,
        "{:<10}{:>8}{:>12}{:>12}{:>12}",
        "sync", "writers", "per second", "p50 ms", "p99 ms"
    )?;
    for sync in [Sync::Full, Sync::Normal] {
        for writers in WRITERS {
            let mut waits = runtime.block_on(measure(sync, writers, time))?;
            waits.sort_unstable();
            let at = |percent: usize| {
                let rank = (waits.len() * percent / 100).min(waits.len().saturating_sub(1));
                waits.get(rank).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
            };
            let rate = waits.len() as f64 / time.as_secs_f64();
            let name = format!("{sync:?}").to_lowercase();
            writeln!(report, "{name:<10}{writers:>8}{rate:>12.0}{:>12.2}{:>12.2}", at(50), at(99))?;
        }
    }
    std::fs::write("/dev/stdout", report)?;
    Ok(())
}

/// How long each change has waited for its acknowledgement.
async fn measure(
    sync: Sync,
    writers: usize,
    time: Duration,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = persist::Config { sync, ..persist::Config::default() };
    let (clock, place) = (Clock::start(), Folder::Chosen(folder.path().to_owned()));
    let ready = persist::open(&config, &History::default(), &place, clock.now().wall)?;
    let hub_config = hub::Config::default();
    let hub = Arc::new(Hub::on(ready.line.clone(), &hub_config));
    let (limits, kept) = (Limits::default(), Kept::default());
    let (handle, inputs) = Handle::new(&limits, kept, hub_config.broadcast_buffer, hub, clock);
    let (steps, stored) = mpsc::channel(config.queue);
    tokio::spawn(pipeline::run(handle.clone(), inputs, steps));
    let storage = ready.start(handle.clone(), stored)?;
    let end = Instant::now() + time;
    let tasks: Vec<_> = (0..writers).map(|n| tokio::spawn(write(handle.clone(), n, end))).collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await?);
    }
    handle.end().await;
    storage.ended().await;
    Ok(waits)
}

async fn write(handle: Handle, writer: usize, end: Instant) -> Vec<Duration> {
    let id = format!("task-{writer}");
    let (name, change) = ("A job".to_owned(), Change::default());
    let create = Command::CreateTask { id: Some(id.clone()), name, key: None, change };
    let created =
        handle.command(create).await.is_ok_and(|done| done.is_ok_and(|done| done.durable));
    let mut waits = Vec::new();
    while created && Instant::now() < end {
        let progress = Some((waits.len() % 100) as f64);
        let change = Change { progress, ..Change::default() };
        let asked = Instant::now();
        match handle.command(Command::UpdateTask { id: id.clone(), change }).await {
            Ok(Ok(done)) if done.durable => waits.push(asked.elapsed()),
            // What is not on disk is not measured here.
            _ => break,
        }
    }
    waits
}
