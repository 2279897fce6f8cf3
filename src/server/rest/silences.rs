//! Silences: made, listed and ended.

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Path};
use poem::{IntoResponse, Response};

use super::{Json, JsonBody, Problem, Result};
use crate::alert;
use crate::api::{NewSilence, Silence, Silences};
use crate::pipeline::{Answer, Command, Pipeline};
use crate::server::App;
use crate::server::auth::Caller;

/// `GET /api/v1/silences`.
#[handler]
pub(crate) async fn list(Data(app): Data<&App>) -> Json {
    let look = |state: &Pipeline, _| state.alerts.silences().map(Silence::from).collect();
    let silences = app.pipeline.read_settled(look).await;
    Json::ok(&Silences { silences })
}

/// `POST /api/v1/silences`: silences alerts from now on.
#[handler]
pub(crate) async fn create(
    Data(app): Data<&App>,
    Data(caller): Data<&Caller>,
    JsonBody(mut new): JsonBody<NewSilence>,
) -> Result<Json> {
    let by = caller.sign(new.by.take()).await;
    let new = new.signed(by).map_err(|error: alert::MatcherError| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_silence", error.to_string())
    })?;
    match app.pipeline.command(Command::AddSilence(new)).await??.answer {
        Answer::Silence(silence) => {
            Ok(Json::with_status(StatusCode::CREATED, &Silence::from(&silence)))
        }
        answer => unreachable!("a new silence is answered with it, not {answer:?}"),
    }
}

/// `DELETE /api/v1/silences/{id}`.
#[handler]
pub(crate) async fn remove(Data(app): Data<&App>, Path(id): Path<String>) -> Result<Response> {
    app.pipeline.command(Command::RemoveSilence { id }).await??;
    Ok(StatusCode::NO_CONTENT.into_response())
}
