//! One connection: HTTP/1.1 by hyper, requests by poem, and an upgrade that keeps the socket ours.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::uri::Scheme;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use parking_lot::Mutex;
use poem::error::ResponseError;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::either::Either;

use super::auth::{self, Judged, LocalUser, Shown};
use super::gate::{Admitted, Arrival, Sender};
use super::limits::Permit;
use super::problem::Problem;
use super::socket::{self, Accepted, Stream};
use super::tls::ClientCertificate;
use super::{App, Config, hardening, problem, tls};
use crate::audit::Deed;
use crate::hub::Peer;
use crate::sample::brief;

/// When the daemon stops, a connection that has asked nothing yet has this long for it: to be closed
/// without a word looks like a refusal.
const FIRST_REQUEST: Duration = Duration::from_millis(300);

/// Request heads beyond these are answered 431 by hyper.
const MAX_HEADERS: usize = 64;
const MAX_HEAD_BYTES: usize = 16 << 10;

/// hyper's promise of the raw connection. Taken out of the request before poem sees it, because
/// poem would wrap it so that the socket could not be had again.
#[derive(Clone)]
pub(super) struct Upgrade {
    promise: Arc<Mutex<Option<OnUpgrade>>>,
    /// The place that the connection takes up for as long as it lives, upgraded or not.
    pub(super) permit: Arc<Permit>,
}

impl Upgrade {
    /// The promise, once.
    pub(super) fn take(&self) -> Option<OnUpgrade> {
        self.promise.lock().take()
    }
}

/// What the handler of a request has to say about it.
#[derive(Debug, Clone, Default)]
pub(super) struct Remark(Arc<AtomicBool>);

impl Remark {
    /// It brings data, as collectors do, and changes nothing that somebody would be asked about.
    pub(super) fn brings_data(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_data(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Serves one connection to its end.
pub(super) async fn serve<E>(
    accepted: Accepted,
    peer: Peer,
    endpoint: Arc<E>,
    app: App,
    config: Config,
    permit: Permit,
) where
    E: Endpoint<Output = Response> + 'static,
{
    let Some(stream) = secure(accepted, peer, &app, &config, &permit).await else { return };
    let Ok((local, remote)) = socket::addresses(&stream, peer) else { return };
    let scheme = socket::scheme(&stream);
    let user = match &stream {
        Either::Right(stream) => auth::look(stream, app.auth.operator_group()).await,
        Either::Left(_) => None,
    };
    let known = (permit.shown(), user);
    let permit = Arc::new(permit);
    let asked = Notify::new();
    let service = service_fn(|mut request: Request<Incoming>| {
        asked.notify_one();
        permit.has_asked();
        let promise = request.extensions_mut().remove::<OnUpgrade>();
        let promise = Arc::new(Mutex::new(promise));
        request.extensions_mut().insert(Upgrade { promise, permit: permit.clone() });
        let ends =
            Ends { local: local.clone(), remote: remote.clone(), scheme: scheme.clone(), known };
        answer(request, ends, &*endpoint, &app, &config)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(*config.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let closing = async {
        app.closed().await;
        // Who has only just connected has a request on its way, and gets an answer.
        let _ = timeout(FIRST_REQUEST, asked.notified()).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closing => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// Shakes hands where a certificate is shown. `None` if that comes to nothing.
async fn secure(
    accepted: Accepted,
    peer: Peer,
    app: &App,
    config: &Config,
    permit: &Permit,
) -> Option<Stream> {
    let stream = match accepted {
        Either::Left(stream) => stream,
        Either::Right(stream) => return Some(Either::Right(stream)),
    };
    let Some(certificate) = app.certificate() else {
        return Some(Either::Left(Either::Left(stream)));
    };
    let limit = *config.header_timeout;
    let shaking = tls::accept(stream, &certificate, limit, &app.handshakes);
    let closing = async {
        app.closed().await;
        tokio::time::sleep(FIRST_REQUEST).await;
    };
    let stream = tokio::select! {
        shaken = shaking => shaken?,
        () = closing => return None,
    };
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    if let Some((shown, authorities)) = shown.zip(certificate.authorities)
        && let Some(shown) = ClientCertificate::read(shown)
    {
        permit.show(shown, authorities, peer);
    }
    Some(Either::Left(Either::Right(stream)))
}

/// Both ends of a connection, and how it is spoken on.
struct Ends {
    local: LocalAddr,
    remote: RemoteAddr,
    scheme: Scheme,
    /// What was shown in the handshake of TLS, and who has connected by the Unix socket.
    known: (Option<Shown>, Option<LocalUser>),
}

/// How a request has come, and whose it is.
struct By {
    ends: Ends,
    sender: Sender,
}

async fn answer<E>(
    request: Request<Incoming>,
    ends: Ends,
    endpoint: &E,
    app: &App,
    config: &Config,
) -> Result<
    http::Response<impl hyper::body::Body<Data = Bytes, Error = std::io::Error> + use<E>>,
    Infallible,
>
where
    E: Endpoint<Output = Response>,
{
    let started = Instant::now();
    let local = ends.local.as_socket_addr().map(SocketAddr::ip);
    let sender = app.gate.sender(&request, socket::peer_of(&ends.remote), &ends.scheme);
    let judged = sender.and_then(|sender| {
        app.paces.check_address(sender.peer)?;
        let arrival = Arrival { scheme: sender.scheme.clone(), local };
        Ok((app.gate.judge(&request, &arrival, sender.peer)?, sender))
    });
    let is_trusted = judged.as_ref().is_ok_and(|(admitted, _)| admitted.is_trusted);
    let mut response = match judged {
        Err(problem) => problem.as_response(),
        Ok((admitted, sender)) => {
            let method = request.method().clone();
            let by = By { ends, sender };
            let mut response = authorized(request, by, &admitted, endpoint, app, config).await;
            admitted.complete(&method, response.headers_mut());
            response
        }
    };
    hardening::harden(response.headers_mut(), is_trusted);
    app.meter.record(response.status(), started.elapsed());
    Ok(http::Response::from(response))
}

/// Answers a request that means us, if whoever asks may.
async fn authorized<E>(
    mut request: Request<Incoming>,
    By { ends, sender: Sender { peer, scheme } }: By,
    admitted: &Admitted,
    endpoint: &E,
    app: &App,
    config: &Config,
) -> Response
where
    E: Endpoint<Output = Response>,
{
    let judged = match app.auth.judge(&request, admitted.is_foreign(), peer, ends.known) {
        Ok(judged) => judged,
        Err(problem) => return problem.as_response(),
    };
    if let Err(problem) = app.paces.check_caller(&judged.caller) {
        return problem.as_response();
    }
    let is_secure = auth::is_secure(&scheme, request.headers());
    let deed = judged.changes().then(|| deed(&request, &judged, peer));
    let remark = Remark::default();
    request.extensions_mut().insert(remark.clone());
    request.extensions_mut().insert(judged.caller.clone());
    request.extensions_mut().insert(peer);
    let request = poem::Request::from((request, ends.local, ends.remote, scheme));
    let mut response = match timeout(*config.request_timeout, endpoint.call(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => problem::answer(error).await,
        Err(_) => too_slow(*config.request_timeout),
    };
    if let Some(deed) = deed.filter(|_| !remark.is_data()) {
        app.auth.audit.note(Deed { status: response.status().as_u16(), ..deed });
    }
    // What the handler says of the session counts more.
    let stale = judged.stale().filter(|_| !response.headers().contains_key(SET_COOKIE));
    if let Some(cookie) = stale.and_then(|session| app.auth.renew(session, is_secure)) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// What is asked for, before it is known what comes of it.
fn deed(request: &Request<Incoming>, judged: &Judged, peer: Peer) -> Deed {
    Deed {
        at: Timestamp::now(),
        who: judged.caller.who.to_string(),
        role: judged.caller.role.map(|role| role.name().to_owned()),
        from: peer.to_string(),
        method: request.method().to_string(),
        // Without what comes after the path, where somebody may have put a secret.
        path: brief(request.uri().path()),
        status: 0,
    }
}

fn too_slow(limit: Duration) -> Response {
    let detail = format!("The request was not done within {limit:?}; try again later.");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", detail).as_response()
}
