//! Tokens: made, looked at and revoked.

use http::StatusCode;
use jiff::Timestamp;
use poem::handler;
use poem::web::{Data, Path};

use super::{Json, JsonBody, Problem, Result};
use crate::api::{self, CreatedToken};
use crate::sample::rfc3339;
use crate::server::App;
use crate::server::auth::{NewToken, Role, Secret, Token, add, no_chance, revoke};

/// `GET /api/v1/tokens`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    let now = Timestamp::now();
    let tokens = app.list_tokens().iter().map(|token| shown(token, now)).collect();
    Json::ok(&api::Tokens { tokens })
}

/// `POST /api/v1/tokens`: 201 with the token, which is told this once.
#[handler]
pub(crate) async fn create(
    Data(app): Data<&App>,
    JsonBody(wanted): JsonBody<api::NewToken>,
) -> Result<Json> {
    let role: Role = wanted.role.parse().map_err(|known| invalid(format!("role: {known}.")))?;
    let now = Timestamp::now();
    let ends = wanted.expires_in.map(|span| now.checked_add(*span));
    let expires_at = ends.transpose().map_err(|_| invalid("expires_in: too long.".to_owned()))?;
    let new = NewToken { name: wanted.name, role, expires_at, groups: wanted.groups };
    let secret = Secret::random().map_err(|error| no_chance(&error))?;
    let token = new.keep(&secret, now).map_err(|error| invalid(format!("{error}.")))?;
    let about = shown(&token, now);
    let most = app.config().auth.max_tokens;
    app.edit_tokens(move |all| add(all, token, most)).await?;
    let created = CreatedToken { token: secret.expose().to_owned(), about };
    Ok(Json::with_status(StatusCode::CREATED, &created))
}

/// `DELETE /api/v1/tokens/{id}`: it is no longer good, nor are its sessions and connections.
#[handler]
pub(crate) async fn delete(Data(app): Data<&App>, Path(name): Path<String>) -> Result<StatusCode> {
    app.edit_tokens(move |all| revoke(all, &name).map(drop)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(token: &Token, now: Timestamp) -> api::Token {
    api::Token {
        name: token.name.clone(),
        role: token.role.name().to_owned(),
        created_at: rfc3339(token.created_at),
        expires_at: token.expires_at.map(rfc3339),
        expired: token.is_over(now),
        groups: token.groups.clone(),
    }
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_token", detail)
}
