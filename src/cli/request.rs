//! What the commands that speak to a daemon by HTTP have in common.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tokio::runtime;

use super::local_socket::Target;

/// A daemon that has not answered by then is not going to.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Nobody listens where the daemon should.
#[derive(Debug, thiserror::Error)]
#[error("no daemon answers at {0}; start one with `gz-monitor server`")]
pub(super) struct NoDaemon(pub(super) String);

/// Runs what a command asks of a daemon to its end.
///
/// # Errors
/// Those of `asking`, or that no runtime can be made.
pub(super) fn block_on<T>(asking: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(asking)
}

/// A client of the daemon at `target` that does not wait for ever.
///
/// # Errors
/// If it cannot be set up.
pub(super) fn client(target: &Target) -> reqwest::Result<Client> {
    let builder = Client::builder().timeout(TIMEOUT);
    match target {
        Target::Url(_) => builder.build(),
        Target::Socket(path) => builder.unix_socket(path.as_path()).build(),
    }
}

/// Sends a request for `address` to the daemon at `target`.
///
/// # Errors
/// That there is none, or why there is no answer.
pub(super) async fn send(
    request: RequestBuilder,
    target: &Target,
    address: &str,
) -> anyhow::Result<Response> {
    match request.send().await {
        Ok(answer) => Ok(answer),
        Err(error) if error.is_connect() => Err(NoDaemon(target.to_string()).into()),
        Err(error) => Err(error).with_context(|| format!("cannot ask {address}")),
    }
}

/// An answer that is none of a refusal.
///
/// # Errors
/// The daemon's own words for why it refuses, or the status.
pub(super) async fn accepted(response: Response) -> anyhow::Result<Response> {
    let Err(error) = response.error_for_status_ref() else { return Ok(response) };
    let problem: Value = response.json().await.unwrap_or_default();
    match problem["detail"].as_str() {
        Some(detail) => bail!("the daemon refused: {detail}"),
        None => Err(error).context("the daemon refused"),
    }
}

/// What `GET /api/v1/PART` answers.
///
/// # Errors
/// [`NoDaemon`], or why there is no answer of a gz-monitor.
pub(super) async fn get(client: &Client, target: &Target, part: &str) -> anyhow::Result<Value> {
    let address = format!("{}/api/v1/{part}", target.origin());
    let response = send(client.get(&address), target, &address).await?;
    let answer = accepted(response).await?;
    answer.json().await.with_context(|| format!("{address} does not answer as a gz-monitor does"))
}
