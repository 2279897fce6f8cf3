//! What the commands that speak to a daemon by HTTP have in common.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::runtime;
use tokio::time::timeout;

use super::connection::connect;
use super::local_socket::Target;

/// A daemon that has not answered by then is not going to.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer; the largest are the results of queries.
const ANSWER_MAX: usize = 256 << 20;

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

/// What is asked of a daemon.
pub(super) struct Asking<'a> {
    target: &'a Target,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    limit: Duration,
}

/// What it answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    body: Bytes,
    /// What was asked, for errors.
    address: String,
}

impl<'a> Asking<'a> {
    /// `PATH` of the daemon at `target`, from its slash on.
    pub(super) fn new(method: Method, target: &'a Target, path: impl Into<String>) -> Self {
        let (headers, body) = (Vec::new(), String::new());
        Self { target, method, path: path.into(), headers, body, limit: TIMEOUT }
    }

    pub(super) fn get(target: &'a Target, path: impl Into<String>) -> Self {
        Self::new(Method::GET, target, path)
    }

    pub(super) fn post(target: &'a Target, path: impl Into<String>) -> Self {
        Self::new(Method::POST, target, path)
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn form(self, body: String) -> Self {
        let form = self.header("content-type", "application/x-www-form-urlencoded");
        Self { body, ..form }
    }

    pub(super) fn json(self, body: &Value) -> Self {
        let json = self.header("content-type", "application/json");
        Self { body: body.to_string(), ..json }
    }

    /// Has the daemon take longer than usual.
    pub(super) fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// Asks.
    ///
    /// # Errors
    /// [`NoDaemon`], or why there is no answer.
    pub(super) async fn send(self) -> anyhow::Result<Answer> {
        let address = format!("{}{}", self.target.origin(), self.path);
        let mut request = Request::builder().method(self.method).uri(self.path);
        request = request.header(header::HOST, self.target.host());
        if let Some(token) = self.target.identity.header() {
            request = request.header(header::AUTHORIZATION, token);
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.body)))?;
        let answer = timeout(self.limit, exchange(self.target, request)).await;
        let answer = answer.map_err(|_| anyhow::anyhow!("no answer within {:?}", self.limit));
        match answer.and_then(|answer| answer) {
            Ok((StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, body)) => {
                let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
                let detail = problem["detail"].as_str().unwrap_or("you may not do this.");
                let Target { identity, .. } = self.target;
                bail!("the daemon refused: {detail} It was asked at {} {identity}", self.target)
            }
            Ok((status, body)) => Ok(Answer { status, body, address }),
            Err(error) if error.is::<NoDaemon>() => Err(error),
            Err(error) => Err(error.context(format!("cannot ask {address}"))),
        }
    }
}

async fn exchange(
    target: &Target,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = TokioIo::new(connect(target).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    // The connection ends with the sender.
    let asking = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}"))?;
        anyhow::Ok((status, body.to_bytes()))
    };
    // What is wrong with the connection, the request tells better.
    let (answer, _) = tokio::join!(asking, connection);
    answer
}

impl Answer {
    /// An answer that is none of a refusal.
    ///
    /// # Errors
    /// The daemon's own words for why it refuses, or the status.
    pub(super) fn accepted(self) -> anyhow::Result<Self> {
        if self.status.is_success() {
            return Ok(self);
        }
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        match problem["detail"].as_str() {
            Some(detail) => bail!("the daemon refused: {detail}"),
            None => bail!("the daemon refused: HTTP {}", self.status),
        }
    }

    /// What is in it.
    ///
    /// # Errors
    /// That a gz-monitor would answer otherwise.
    pub(super) fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        let address = &self.address;
        let json = serde_json::from_slice(&self.body);
        json.with_context(|| format!("{address} does not answer as a gz-monitor does"))
    }
}

/// What `GET /api/v1/PART` answers.
///
/// # Errors
/// [`NoDaemon`], or why there is no answer of a gz-monitor.
pub(super) async fn get(target: &Target, part: &str) -> anyhow::Result<Value> {
    Asking::get(target, format!("/api/v1/{part}")).send().await?.accepted()?.json()
}
