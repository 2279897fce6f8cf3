//! Who the caller is, and sessions of the dashboard.

use std::collections::HashSet;

use http::header::{CACHE_CONTROL, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use poem::web::Data;
use poem::{IntoResponse, Request, Response, handler};

use super::{Json, JsonBody, Result};
use crate::api::{Login, Session};
use crate::hub::Peer;
use crate::server::App;
use crate::server::auth::{Caller, cookie, forget, is_secure};

/// `GET /api/v1/session`: whom the daemon takes the caller for.
#[handler]
pub(crate) fn show(Data(app): Data<&App>, Data(caller): Data<&Caller>) -> Json {
    Json::ok(&Session {
        required: app.auth_vitals().is_required,
        kind: caller.who.kind(),
        token: caller.who.token().map(str::to_owned),
        certificate: caller.who.certificate().map(str::to_owned),
        role: caller.role.map(|role| role.name()),
        groups: caller.groups.as_ref().map(|groups| groups.to_vec()),
        // Strangers need not know.
        warnings: caller.role.map(|_| app.exposures()).unwrap_or_default(),
    })
}

/// `POST /api/v1/session`: 204 with the cookie of a new session. One that the caller had ends.
#[handler]
pub(crate) async fn begin(
    Data(app): Data<&App>,
    Data(caller): Data<&Caller>,
    Data(peer): Data<&Peer>,
    request: &Request,
    JsonBody(Login { token }): JsonBody<Login>,
) -> Result<Response> {
    let (secret, lifetime, mut ended) = app.auth.log_in(&token, *peer)?;
    ended.extend(end_session(app, caller));
    app.shards.dismiss(ended).await;
    let is_secure = is_secure(request.scheme(), request.headers());
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let cookie = cookie(secret.expose(), lifetime, is_secure);
    response.headers_mut().extend(cookie.map(|value| (SET_COOKIE, value)));
    Ok(response)
}

/// `DELETE /api/v1/session`: the session ends, with its connections.
#[handler]
pub(crate) async fn end(Data(app): Data<&App>, Data(caller): Data<&Caller>) -> Response {
    let ended = end_session(app, caller).into_iter().collect::<HashSet<_>>();
    app.shards.dismiss(ended).await;
    let mut response = StatusCode::NO_CONTENT.into_response();
    forget(response.headers_mut());
    response
}

fn end_session(app: &App, caller: &Caller) -> Option<u64> {
    (caller.who.kind() == "session").then(|| {
        app.auth.log_out(caller.grant);
        caller.grant
    })
}
