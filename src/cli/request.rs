//! What the commands that speak to a daemon by HTTP have in common.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

/// A daemon that has not answered by then is not going to.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Nobody listens where the daemon should.
#[derive(Debug, thiserror::Error)]
#[error("no daemon answers at {0}; start one with `gz-monitor server`")]
pub(super) struct NoDaemon(pub(super) String);

/// A client that does not wait for ever.
///
/// # Errors
/// If it cannot be set up.
pub(super) fn client() -> reqwest::Result<Client> {
    Client::builder().timeout(TIMEOUT).build()
}

/// Sends a request for `address` to the daemon at `url`.
///
/// # Errors
/// That there is none, or why there is no answer.
pub(super) async fn send(
    request: RequestBuilder,
    url: &str,
    address: &str,
) -> anyhow::Result<Response> {
    match request.send().await {
        Ok(answer) => Ok(answer),
        Err(error) if error.is_connect() => Err(NoDaemon(url.to_owned()).into()),
        Err(error) => Err(error).with_context(|| format!("cannot ask {address}")),
    }
}

/// What `GET /api/v1/PART` answers.
///
/// # Errors
/// [`NoDaemon`], or why there is no answer of a gz-monitor.
pub(super) async fn get(client: &Client, url: &str, part: &str) -> anyhow::Result<Value> {
    let address = format!("{url}/api/v1/{part}");
    let response = send(client.get(&address), url, &address).await?;
    let answer = response.error_for_status().context("the daemon refused")?;
    answer.json().await.with_context(|| format!("{address} does not answer as a gz-monitor does"))
}
