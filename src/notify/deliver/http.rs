//! Delivers by HTTP.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::either::Either;

use super::address::Address;
use super::{ANSWER_BYTES, Outcome, file, trust};
use crate::notify::channel::Kind;
use crate::notify::view::View;
use crate::notify::{Channel, body};

const NTFY: &str = "https://ntfy.sh";
const AGENT: &str = concat!("gz-monitor/", env!("CARGO_PKG_VERSION"));

pub(super) async fn deliver(view: &View<'_>, channel: &Channel) -> Outcome {
    match exchange(view, channel).await {
        Ok(outcome) => outcome,
        Err(why) => Outcome::failed(why),
    }
}

/// No error has the address in it: there may be a token in that.
async fn exchange(view: &View<'_>, channel: &Channel) -> Result<Outcome, String> {
    let url = file::secret("url", channel.url.as_ref(), channel.url_file.as_deref()).await?;
    let usual = (channel.kind == Kind::Ntfy).then(|| NTFY.to_owned());
    let url = url.or(usual).ok_or("url: there is none")?;
    let address = Address::parse(&url).ok_or("url: this is no address of the web")?;
    let mut request = Request::post(address.path.as_str());
    if let Some(all) = request.headers_mut() {
        *all = headers(view, channel).await?;
        let host = HeaderValue::from_str(&address.authority).map_err(|_| "url: no such host")?;
        all.insert(header::HOST, host);
    }
    let body = Full::new(Bytes::from(body::json(view, channel)));
    let request = request.body(body).map_err(|_| "url: this is no address of the web")?;
    let stream = connect(&address, channel).await?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| told(&error))?;
    // It ends with the sender, and what is wrong with it the request tells better.
    let asking = async move {
        let response = sender.send_request(request).await.map_err(|error| told(&error))?;
        Ok(judge(response).await)
    };
    let (outcome, _) = tokio::join!(asking, connection);
    outcome
}

async fn connect(
    address: &Address,
    channel: &Channel,
) -> Result<Either<TcpStream, Box<tokio_rustls::client::TlsStream<TcpStream>>>, String> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
    let stream = stream.map_err(|error| format!("cannot connect: {error}"))?;
    if !address.is_secure {
        return Ok(Either::Left(stream));
    }
    let name = ServerName::try_from(address.host.clone());
    let name = name.map_err(|_| "url: no certificate can be for this host")?;
    let connector = TlsConnector::from(Arc::new(trust::client(channel.ca.as_deref()).await?));
    let secured = connector.connect(name, stream).await;
    Ok(Either::Right(Box::new(secured.map_err(|error| format!("no TLS: {error}"))?)))
}

async fn headers(view: &View<'_>, channel: &Channel) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let key = HeaderValue::from_str(view.id).map_err(|_| "the idempotency key is no header")?;
    headers.insert("idempotency-key", key);
    let token =
        file::secret("token", channel.token.as_ref(), channel.token_file.as_deref()).await?;
    let secret = |text: &str| {
        let value = HeaderValue::from_str(text);
        value.map(|mut value| {
            value.set_sensitive(true);
            value
        })
    };
    if let Some(token) = token {
        let value = secret(&format!("Bearer {token}"));
        headers.insert(header::AUTHORIZATION, value.map_err(|_| "token: it is no header")?);
    }
    for (name, text) in &channel.headers {
        let wrong = || format!("headers.{name}: it is no header");
        let value = secret(text.expose()).map_err(|_| wrong())?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
    }
    Ok(headers)
}

/// What an answer means. What a receiver will never take is told from what it may take once it has
/// been mended, on this side or on the other.
async fn judge(response: Response<Incoming>) -> Outcome {
    let (status, not_before) = (response.status(), retry_after(response.headers()));
    let said = said(response).await;
    let answer = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
    if status.is_success() {
        return Outcome::Sent(answer);
    }
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => Outcome::Refused(answer),
        _ => Outcome::Failed { why: answer, not_before },
    }
}

/// In seconds, or until a time (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(until.duration_since(Timestamp::now())).ok()
}

/// The beginning of what a receiver says, on one line.
async fn said(response: Response<Incoming>) -> String {
    let (mut bytes, mut body) = (Vec::new(), response.into_body());
    while bytes.len() < ANSWER_BYTES
        && let Some(Ok(frame)) = body.frame().await
    {
        let chunk = frame.into_data().unwrap_or_default();
        bytes.extend_from_slice(&chunk[..chunk.len().min(ANSWER_BYTES - bytes.len())]);
    }
    crate::sample::brief(String::from_utf8_lossy(&bytes).trim())
}

/// With what is behind it, which says more.
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_to_wait_is_read_in_both_forms() {
        let check = |text: &str, expected: std::ops::Range<u64>| {
            let value = HeaderValue::from_str(text).expect("a header");
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, value)]);
            let seconds = retry_after(&headers).map_or(0, |wait| wait.as_secs());
            assert!(expected.contains(&seconds), "{text}: {seconds}");
        };
        check("120", 120..121);
        check("0.5", 0..1);
        check("Wed, 21 Oct 2015 07:28:00 GMT", 0..1);
        check("soon", 0..1);
        check("Tue, 31 Dec 2199 23:59:59 GMT", 1_000_000_000..u64::MAX);
    }
}
