//! What the commands that speak to a daemon by HTTP have in common.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, Response};

use super::local_socket::Target;

/// A daemon that has not answered by then is not going to.
const TIMEOUT: Duration = Duration::from_secs(10);

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
        Err(error) if error.is_connect() => {
            bail!("no daemon answers at {target}; start one with `gz-monitor server`")
        }
        Err(error) => Err(error).with_context(|| format!("cannot ask {address}")),
    }
}
