//! What the commands that speak to a daemon by HTTP have in common.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, Response};

/// A daemon that has not answered by then is not going to.
const TIMEOUT: Duration = Duration::from_secs(10);

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
        Err(error) if error.is_connect() => {
            bail!("no daemon answers at {url}; start one with `gz-monitor server`")
        }
        Err(error) => Err(error).with_context(|| format!("cannot ask {address}")),
    }
}
