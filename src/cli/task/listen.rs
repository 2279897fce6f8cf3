//! Hears on the stream when somebody asks for the end of a task.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::delivery::Daemon;
use crate::cli::watch;

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(10);
/// The daemon pings well within this; one that is silent for longer is gone.
const SILENCE: Duration = Duration::from_secs(90);

/// Returns when the task is asked to stop; a daemon that is away is waited for.
pub(super) async fn stop_requested(daemon: &Daemon, id: &str) {
    let mut retry = FIRST_RETRY;
    loop {
        match follow(daemon, id).await {
            Some(true) => return,
            Some(false) => retry = FIRST_RETRY,
            None => retry = (retry * 2).min(LONGEST_RETRY),
        }
        sleep(retry.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
    }
}

/// Whether it was asked for before the connection ended; `None` if there was none.
async fn follow(daemon: &Daemon, id: &str) -> Option<bool> {
    let target = daemon.target().ok()?;
    let mut socket = timeout(CONNECT, watch::upgrade(&target)).await.ok()?.ok()?;
    let filter = json!({"types": ["task_update"], "task_ids": [id]});
    let subscribe = json!({"type": "subscribe", "filter": filter}).to_string();
    socket.send(Message::text(subscribe)).await.ok()?;
    while let Ok(Some(Ok(message))) = timeout(SILENCE, socket.next()).await {
        let Message::Text(text) = message else { continue };
        if serde_json::from_str(&text).is_ok_and(|message| says_so(&message, id)) {
            return Some(true);
        }
    }
    Some(false)
}

fn says_so(message: &Value, id: &str) -> bool {
    let data = &message["data"];
    let is_asked = |task: &Value| task["id"] == id && task["stop_requested"] == true;
    let active = data["active_tasks"].as_array();
    is_asked(data) || active.is_some_and(|tasks| tasks.iter().any(is_asked))
}
