//! Alerts: fired from outside, resolved and looked at.

use poem::handler;
use poem::web::{Data, Path};

use super::{Json, JsonBody, Problem, Result};
use crate::alert;
use crate::api::{Acknowledge, Alert, AlertDetails, AlertReport, Alerts};
use crate::pipeline::{Answer, Command, CommandError, Done, Pipeline};
use crate::server::App;
use crate::server::auth::Caller;

/// `GET /api/v1/alerts`.
#[handler]
pub(crate) async fn list(Data(app): Data<&App>) -> Json {
    let look = |state: &Pipeline, _| state.alerts.iter().map(Alert::from).collect();
    let alerts = app.pipeline.read_settled(look).await;
    Json::ok(&Alerts { alerts })
}

/// `GET /api/v1/alerts/{id}`.
#[handler]
pub(crate) async fn show(Data(app): Data<&App>, Path(id): Path<String>) -> Result<Json> {
    let look = |state: &Pipeline, _| state.alerts.get(&id).map(AlertDetails::from);
    let alert = app.pipeline.read_settled(look).await;
    let not_found = || Problem::from(CommandError::from(alert::Error::NotFound(id)));
    Ok(Json::ok(&alert.ok_or_else(not_found)?))
}

/// `POST /api/v1/alerts`: fires the rule's alert, or brings the firing one up to date.
#[handler]
pub(crate) async fn fire(
    Data(app): Data<&App>,
    JsonBody(report): JsonBody<AlertReport>,
) -> Result<Json> {
    command(app, Command::FireAlert(report.into())).await
}

/// `POST /api/v1/alerts/{id}/resolve`.
#[handler]
pub(crate) async fn resolve(Data(app): Data<&App>, Path(id): Path<String>) -> Result<Json> {
    command(app, Command::ResolveAlert { id }).await
}

/// `POST /api/v1/alerts/{id}/acknowledge`.
#[handler]
pub(crate) async fn acknowledge(
    Data(app): Data<&App>,
    Data(caller): Data<&Caller>,
    Path(id): Path<String>,
    JsonBody(Acknowledge { by, comment }): JsonBody<Acknowledge>,
) -> Result<Json> {
    let by = caller.sign(by).await;
    command(app, Command::AcknowledgeAlert(alert::Acknowledge { id, by, comment })).await
}

async fn command(app: &App, command: Command) -> Result<Json> {
    let Done { answer, durable, .. } = app.pipeline.command(command).await??;
    match answer {
        Answer::Alert(alert) => {
            let durable = (!durable).then_some(false);
            Ok(Json::ok(&Alert { durable, ..Alert::from(&*alert) }))
        }
        answer => unreachable!("an alert command is answered with its alert, not {answer:?}"),
    }
}
