//! Samples outlive the daemon: what was saved is there after a kill, and through any trouble with the
//! disk the history goes on in memory and is written afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::create;
use crate::support::{Builder, Daemon, daemon, until};
use crate::trouble::{SmallDisk, until_alert_is};

/// One collector at a quick pace; everything else is measured once.
const LIVELY: &str = "[status]\ninterval = \"1h\"\n[collectors]\ninterval = \"1h\"\n\
    [[collector]]\nplugin = \"load\"\ninterval = \"100ms\"\n\
    [[collector]]\nplugin = \"gz-monitor\"\ninterval = \"100ms\"\n\
    [history]\nsave_interval = \"100ms\"\n";

fn lively() -> Builder {
    daemon().config(LIVELY)
}

fn database(folder: &Path) -> PathBuf {
    folder.join("state/gz-monitor/gz-monitor.db")
}

/// The samples of one series of the last half hour, as seconds since 1970 and texts.
async fn samples(daemon: &Daemon, name: &str) -> Vec<(f64, String)> {
    let answer = daemon.get(&format!("/api/v1/query?query={name}%5B30m%5D")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = answer.json();
    let values = answer["data"]["result"][0]["values"].as_array().cloned().unwrap_or_default();
    let sample = |pair: &Value| {
        let time = pair[0].as_f64().expect("a time");
        (time, pair[1].as_str().expect("a value").to_owned())
    };
    values.iter().map(sample).collect()
}

/// The value of a series of `/metrics`, written as it is there.
async fn metric(daemon: &Daemon, series: &str) -> Option<f64> {
    let text = daemon.get("/metrics").await.text;
    let values = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    values.map(|value| value.parse().expect("a number")).next()
}

/// Waits until so many more samples were measured.
async fn until_more(daemon: &Daemon, more: usize) -> Vec<(f64, String)> {
    let before = samples(daemon, "node_load1").await.len();
    until("samples come", async || {
        let samples = samples(daemon, "node_load1").await;
        (samples.len() >= before + more).then_some(samples)
    })
    .await
}

/// Waits until the database has what was measured by now.
async fn until_saved(daemon: &Daemon) -> Vec<(f64, String)> {
    let samples = until_more(daemon, 1).await;
    let (last, _) = samples.last().expect("a sample").clone();
    let path = database(daemon.path());
    until("they are saved", async || {
        let connection = rusqlite::Connection::open(&path).ok()?;
        let sql = "SELECT coalesce(max(at), 0) FROM history_rounds";
        let at: i64 = connection.query_row(sql, [], |row| row.get(0)).ok()?;
        (at as f64 / 1000.0 > last).then_some(())
    })
    .await;
    samples
}

#[tokio::test]
async fn a_restart_keeps_it_and_tells_the_gap() {
    let mut daemon = lively().start().await;
    let mut known: Vec<(f64, String)> = Vec::new();
    for is_kill in [true, false, true] {
        let seen = until_more(&daemon, 5).await;
        assert!(known.iter().all(|sample| seen.contains(sample)), "{known:?} in {seen:?}");
        let again = match is_kill {
            true => {
                known = until_saved(&daemon).await;
                daemon.killed()
            }
            false => {
                known = samples(&daemon, "node_load1").await;
                daemon.stopped().await
            }
        };
        daemon = again.start().await;
        let seen = samples(&daemon, "node_load1").await;
        let lost: Vec<_> = known.iter().filter(|sample| !seen.contains(sample)).collect();
        assert!(lost.is_empty(), "{lost:?} are lost (kill: {is_kill})");
        assert!(seen.is_sorted_by(|a, b| a.0 < b.0), "none comes twice: {seen:?}");
        let log = daemon.log();
        let word = if is_kill { "did not end in order" } else { "the daemon did not run" };
        assert!(log.contains("the history has a gap") && log.contains(word), "{log}");
        let reason = if is_kill { "killed" } else { "stopped" };
        let edge =
            |edge: &str| format!("gz_history_gap_{edge}_timestamp_seconds{{reason=\"{reason}\"}}");
        let (start, end) = until("the gap is in the metrics", async || {
            Some((metric(&daemon, &edge("start")).await?, metric(&daemon, &edge("end")).await?))
        })
        .await;
        assert!(start < end && known.last().is_some_and(|last| last.0 <= end), "{start} to {end}");
        // The gap is one: at its end the series is not there.
        let at = (end * 1000.0).floor() / 1000.0;
        let answer = daemon.get(&format!("/api/v1/query?query=node_load1&time={at}")).await.json();
        assert_eq!(answer["data"]["result"].as_array().map(Vec::len), Some(0), "{answer}");
    }
}

#[tokio::test]
async fn a_series_that_is_gone_is_found_by_its_labels() {
    let entry = "[[collector]]\nname = \"gone\"\n\
        command = [\"/bin/sh\", \"-c\", \"echo 'gone_metric{place=\\\"there\\\"} 7'\"]\n";
    let daemon = daemon().config(&format!("{LIVELY}{entry}")).start().await;
    until("it was measured", async || {
        (!samples(&daemon, "gone_metric").await.is_empty()).then_some(())
    })
    .await;
    until_saved(&daemon).await;
    let daemon = daemon.killed().config(LIVELY).start().await;
    assert_eq!(samples(&daemon, "gone_metric").await[0].1, "7");
    let series = daemon.get("/api/v1/series?match[]=%7Bplace%3D%22there%22%7D").await.json();
    assert_eq!(series["data"][0]["__name__"], "gone_metric", "{series}");
    let values = daemon.get("/api/v1/label/place/values").await.json();
    assert_eq!(values["data"][0], "there", "{values}");
}

#[tokio::test]
async fn a_disk_that_fills_is_told_by_samples_alone_and_none_of_them_is_lost() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.state();
    let daemon = daemon().config(&format!("{LIVELY}[storage]\npath = \"{}\"\n", path.display()));
    let daemon = daemon.start().await;
    until_more(&daemon, 3).await;
    disk.fill();
    let firing = until_alert_is(&daemon, "firing").await;
    assert!(firing["message"].as_str().is_some_and(|text| text.contains("full")), "{firing}");
    let meanwhile = until_more(&daemon, 5).await;
    disk.free();
    until_alert_is(&daemon, "resolved").await;
    let saved = metric(&daemon, "gz_history_unwritten_bytes").await;
    until("samples are saved again", async || {
        (metric(&daemon, "gz_history_unwritten_bytes").await > saved).then_some(())
    })
    .await;
    let daemon = daemon.killed().start().await;
    let seen = samples(&daemon, "node_load1").await;
    let lost: Vec<_> = meanwhile.iter().filter(|sample| !seen.contains(sample)).collect();
    assert!(lost.is_empty(), "{lost:?} are lost");
}

#[tokio::test]
async fn a_disk_that_is_read_only_at_the_start_is_read() {
    let Some(disk) = SmallDisk::mount() else { return };
    let path = disk.state();
    let daemon = daemon().config(&format!("{LIVELY}[storage]\npath = \"{}\"\n", path.display()));
    let daemon = daemon.start().await;
    until_more(&daemon, 5).await;
    let known = samples(&daemon, "node_load1").await;
    // Ended in order, twice: what the first one has left in rounds the second has put into rows.
    let daemon = daemon.stopped().await.start().await.stopped().await;
    disk.remount("ro");
    let daemon = daemon.start().await;
    until_alert_is(&daemon, "firing").await;
    let seen = until_more(&daemon, 3).await;
    assert!(known.iter().all(|sample| seen.contains(sample)), "{known:?} in {seen:?}");
    disk.remount("rw");
    until_alert_is(&daemon, "resolved").await;
    let daemon = daemon.stopped().await.start().await;
    let after = samples(&daemon, "node_load1").await;
    let lost: Vec<_> = seen.iter().filter(|sample| !after.contains(sample)).collect();
    assert!(lost.is_empty(), "{lost:?} are lost");
}

#[tokio::test]
async fn a_file_that_is_gone_is_begun_anew_with_what_is_in_memory() {
    let daemon = lively().start().await;
    let known = until_more(&daemon, 5).await;
    let path = database(daemon.path());
    for end in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{end}", path.display())).expect("removed");
    }
    // No event says so: the samples find it.
    until_alert_is(&daemon, "resolved").await;
    until_saved(&daemon).await;
    let daemon = daemon.killed().start().await;
    let seen = samples(&daemon, "node_load1").await;
    let lost: Vec<_> = known.iter().filter(|sample| !seen.contains(sample)).collect();
    assert!(lost.is_empty(), "{lost:?} are lost");
}

#[tokio::test]
async fn a_file_that_is_cut_off_is_set_aside() {
    let daemon = lively().start().await;
    create(&daemon, "t").await;
    until_more(&daemon, 5).await;
    let stopped = daemon.stopped().await;
    let path = database(stopped.path());
    let file = fs::OpenOptions::new().write(true).open(&path).expect("opened");
    file.set_len(file.metadata().expect("a file").len() / 2).expect("cut off");
    let daemon = stopped.start().await;
    daemon.until_logged("THE DATABASE IS BROKEN").await;
    let names = fs::read_dir(path.parent().expect("a folder")).expect("a folder");
    let is_aside = |name: &str| name.contains(".db.broken-");
    let aside = names.flatten().filter(|it| is_aside(&it.file_name().to_string_lossy())).count();
    assert!(aside >= 1, "the broken file is kept");
    assert!(samples(&daemon, "node_load1").await.len() < 5, "it is begun anew");
    until_saved(&daemon).await;
    let known = samples(&daemon, "node_load1").await;
    let daemon = daemon.stopped().await.start().await;
    let seen = samples(&daemon, "node_load1").await;
    assert!(known.iter().all(|sample| seen.contains(sample)), "{known:?} in {seen:?}");
}

#[tokio::test]
async fn a_disk_that_does_not_answer_holds_up_neither_samples_nor_queries() {
    let daemon = lively().start().await;
    until_saved(&daemon).await;
    // Who writes has to wait for the lock, as for a disk that does not answer.
    let other = rusqlite::Connection::open(database(daemon.path())).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    let meanwhile = until_more(&daemon, 20).await;
    other.execute_batch("ROLLBACK").expect("unlocked");
    until_saved(&daemon).await;
    let daemon = daemon.killed().start().await;
    let seen = samples(&daemon, "node_load1").await;
    let lost: Vec<_> = meanwhile.iter().filter(|sample| !seen.contains(sample)).collect();
    assert!(lost.is_empty(), "{lost:?} are lost");
}

#[tokio::test]
async fn without_storage_there_is_that_of_memory() {
    let config = format!("{LIVELY}[storage]\nenabled = false\n");
    let daemon = daemon().config(&config).start().await;
    until_more(&daemon, 3).await;
    assert_eq!(metric(&daemon, "gz_history_bytes{tier=\"full\"}").await, None);
    let daemon = daemon.killed().start().await;
    let samples = samples(&daemon, "node_load1").await;
    assert!(samples.len() < 3, "{samples:?}");
}
