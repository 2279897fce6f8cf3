//! How the collectors are doing.

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Path};

use super::{Json, Problem, Result};
use crate::api::{Collector, Collectors};
use crate::server::App;

/// `GET /api/v1/collectors`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    let collectors =
        app.pipeline.read(|state, _| state.collectors.iter().map(Collector::from).collect());
    Json::ok(&Collectors { collectors })
}

/// `POST /api/v1/collectors/{id}/restart`: 202; its failures are forgotten, its source is made
/// again, and it collects at once.
#[handler]
pub(crate) fn restart(Data(app): Data<&App>, Path(name): Path<String>) -> Result<StatusCode> {
    app.controls.restart(&name).map_err(|error| {
        Problem::new(StatusCode::NOT_FOUND, "collector_not_found", error.to_string())
    })?;
    Ok(StatusCode::ACCEPTED)
}
