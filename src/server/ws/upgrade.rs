//! `GET /ws`: from a request to a connection that is ours.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::StatusCode;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use poem::web::Data;
use poem::{Request, Response, handler};

use super::handshake;
use super::inbound::fault;
use super::reply::{Since, welcome};
use super::shard::{Arrival, Transport};
use crate::api::ErrorCode;
use crate::hub::{Coding, Membership, NoPlace, Peer};
use crate::server::App;
use crate::server::auth::{Caller, Grant, Rights};
use crate::server::connection::Upgrade;
use crate::server::limits::Permit;
use crate::server::problem::Problem;
use crate::server::socket::Stream;

/// Answers the handshake, and has the client served once the answer is on its way.
#[handler]
pub(crate) fn upgrade(
    request: &Request,
    Data(app): Data<&App>,
    Data(peer): Data<&Peer>,
) -> Result<Response, Problem> {
    let accepted = handshake::judge(
        request.method(),
        request.version(),
        request.headers(),
        app.websocket().deflate,
    );
    let accepted = accepted.map_err(|refusal| {
        app.counts.handshakes_refused.add(refusal.name);
        let problem = Problem::new(refusal.status, "handshake_refused", refusal.reason);
        problem.with_headers(refusal.headers())
    })?;
    let upgrade = request.data::<Upgrade>();
    if let Some(Err(status)) = upgrade.map(|upgrade| upgrade.permit.hand_to(*peer, &app.config())) {
        let detail = "This address has as many connections as it may (server.max_connections_per_address); close one.";
        return Err(Problem::new(status, "too_many_connections", detail));
    }
    let promise = upgrade.and_then(|upgrade| Some((upgrade.take()?, upgrade.permit.clone())));
    let (promise, permit) = promise.ok_or_else(|| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "internal", "This connection cannot be upgraded.")
    })?;
    let caller = request.data::<Caller>().and_then(|caller| Some((caller.rights()?, caller.grant)));
    let (rights, grant) = caller.ok_or_else(|| {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "internal", "It is not known who has connected.")
    })?;
    let (peer, since, coding) = (*peer, since_of(request), accepted.coding());
    app.counts.handshakes.fetch_add(1, Ordering::Relaxed);
    if let Some(Err(error)) = &since {
        app.counts.errors.add(error.code.name());
    }
    let client = Beginning { peer, rights, grant, coding, since };
    tokio::spawn(start(promise, app.clone(), client, permit));
    let mut response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).finish();
    response.headers_mut().extend(accepted.headers());
    Ok(response)
}

/// What is known of a client before it is one.
struct Beginning {
    peer: Peer,
    rights: Rights,
    grant: Grant,
    coding: Coding,
    since: Since,
}

/// Hands the connection over to a shard. Nothing of it stays here.
async fn start(promise: OnUpgrade, app: App, client: Beginning, permit: Arc<Permit>) {
    let Beginning { peer, rights, grant, coding, since } = client;
    let upgraded = match promise.await {
        Ok(upgraded) => upgraded,
        // The client went away before it had our answer.
        Err(error) => return tracing::debug!(%peer, %error, "upgrade failed"),
    };
    let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<Stream>>() else {
        return tracing::error!(%peer, "an upgraded connection is not a socket of ours");
    };
    // A copy, because the original would keep hyper's whole read buffer alive.
    let early = read_buf.to_vec();
    drop(read_buf);
    let membership = Membership::begin(&app.pipeline.hub, coding);
    let connected_at = app.pipeline.clock.now().wall;
    let welcome = welcome(&app.pipeline, since, coding).await;
    let transport = match Transport::new(io.into_inner()) {
        Ok(transport) => transport,
        Err(error) => return tracing::warn!(%peer, %error, "cannot take over a connection"),
    };
    let arrival = Arrival {
        transport,
        early,
        membership,
        permit,
        peer,
        rights,
        grant,
        connected_at,
        coding,
        welcome,
    };
    app.shards.admit(arrival).await;
    // Those of a token that was revoked meanwhile have been sent away already.
    if !app.auth.holds(grant) {
        app.shards.dismiss(HashSet::from([grant])).await;
    }
}

/// `?since=EPOCH:SEQ`. What is wrong with it is said on the connection, where browsers can read it.
fn since_of(request: &Request) -> Since {
    let Ok(parameters) = request.params::<Vec<(String, String)>>() else { return None };
    let (_, text) = parameters.into_iter().find(|(name, _)| name == "since")?;
    Some(text.parse().map_err(|error: NoPlace| fault(ErrorCode::InvalidSince, error.to_string())))
}
