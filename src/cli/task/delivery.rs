//! One request to the daemon, and what its answer means for whoever has to get a report through.

use std::path::PathBuf;

use http::Method;
use serde_json::Value;

use crate::api;
use crate::cli::address::DaemonAddress;
use crate::cli::local_socket::Target;
use crate::cli::request::Asking;

/// Where the daemon is. It is looked for anew each time: one that comes back may listen elsewhere.
#[derive(Debug, Clone)]
pub(super) struct Daemon {
    pub(super) address: DaemonAddress,
    pub(super) file: Option<PathBuf>,
}

/// What has become of a report.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The daemon has it; this is the task.
    Accepted(Value),
    /// It may be accepted another time.
    Later(String),
    /// It will never be.
    Refused { status: u16, detail: String },
}

impl Daemon {
    /// Which way it is reached now.
    pub(super) fn target(&self) -> anyhow::Result<Target> {
        self.address
            .resolve(self.file.clone())
            .map_err(|failure| anyhow::anyhow!(failure.status().0))
    }

    /// Creates a task, once for one key.
    pub(super) async fn create(&self, key: &str, body: &Value) -> Outcome {
        self.send(Method::POST, "/api/v1/tasks", Some(key), body).await
    }

    /// Reports on a task.
    pub(super) async fn update(&self, id: &str, body: &Value) -> Outcome {
        self.send(Method::PATCH, &api::task_path(id), None, body).await
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: &Value) -> Outcome {
        let answer = async {
            let target = self.target()?;
            let mut asking = Asking::new(method, &target, path).json(body);
            if let Some(key) = key {
                asking = asking.header("idempotency-key", key);
            }
            let answer = asking.send().await?;
            let task = answer.json::<Value>().unwrap_or_default();
            anyhow::Ok((answer.status.as_u16(), task))
        };
        match answer.await {
            Err(error) => Outcome::Later(format!("{error:#}")),
            Ok((200..=299, task)) => Outcome::Accepted(task),
            Ok((status, problem)) => {
                let detail = problem["detail"].as_str();
                let detail = detail.map_or(format!("HTTP {status}"), str::to_owned);
                match status {
                    408 | 425 | 429 | 500..=599 => Outcome::Later(detail),
                    _ => Outcome::Refused { status, detail },
                }
            }
        }
    }
}
