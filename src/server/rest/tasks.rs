//! Tasks: reported, changed and looked at.

use http::{StatusCode, header};
use poem::web::{Data, Path};
use poem::{IntoResponse, Request, Response, handler};

use super::{Json, JsonBody, Problem, Result};
use crate::api::{self, NewTask, Removed, Task, TaskChange, Tasks};
use crate::pipeline::{Answer, Command, Done, Pipeline};
use crate::server::App;
use crate::server::connection::Remark;
use crate::task;

/// The header of draft-ietf-httpapi-idempotency-key-header.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// `GET /api/v1/tasks`.
#[handler]
pub(crate) async fn list(Data(app): Data<&App>) -> Json {
    let look = |state: &Pipeline, _| state.tasks.iter().map(Task::from).collect();
    let tasks = app.pipeline.read_settled(look).await;
    Json::ok(&Tasks { tasks })
}

/// `GET /api/v1/tasks/{id}`.
#[handler]
pub(crate) async fn show(Data(app): Data<&App>, Path(id): Path<String>) -> Result<Json> {
    let look = |state: &Pipeline, _| state.tasks.get(&id).map(Task::from);
    let task = app.pipeline.read_settled(look).await;
    Ok(Json::ok(&task.ok_or_else(|| not_found(id))?))
}

/// `POST /api/v1/tasks`: 201 with the task and its address; once for one `Idempotency-Key`.
#[handler]
pub(crate) async fn create(
    Data(app): Data<&App>,
    request: &Request,
    JsonBody(task): JsonBody<NewTask>,
) -> Result<Response> {
    let key = idempotency_key(request)?;
    let (id, name, change) = task.into_parts();
    let task = command(app, Command::CreateTask { id, name, key, change }).await?;
    let location = api::task_path(&task.id);
    Ok(Json::with_status(StatusCode::CREATED, &task)
        .with_header(header::LOCATION, location)
        .into_response())
}

/// `PATCH /api/v1/tasks/{id}`. How far a task has got is data; that its status changes is a change.
#[handler]
pub(crate) async fn update(
    Data(app): Data<&App>,
    Data(remark): Data<&Remark>,
    Path(id): Path<String>,
    JsonBody(change): JsonBody<TaskChange>,
) -> Result<Json> {
    if change.status.is_none() {
        remark.brings_data();
    }
    let change = change.into();
    Ok(Json::ok(&command(app, Command::UpdateTask { id, change }).await?))
}

/// `POST /api/v1/tasks/{id}/stop`: asks its owner to stop.
#[handler]
pub(crate) async fn stop(Data(app): Data<&App>, Path(id): Path<String>) -> Result<Json> {
    Ok(Json::ok(&command(app, Command::StopTask { id }).await?))
}

/// `DELETE /api/v1/tasks/{id}`: 204, or 200 if that is not on disk; only of one that has ended.
#[handler]
pub(crate) async fn delete(Data(app): Data<&App>, Path(id): Path<String>) -> Result<Response> {
    let Done { durable, .. } = app.pipeline.command(Command::DeleteTask { id }).await??;
    Ok(match durable {
        true => StatusCode::NO_CONTENT.into_response(),
        false => Json::ok(&Removed { durable }).into_response(),
    })
}

/// What tells a request that is sent again from a new one.
fn idempotency_key(request: &Request) -> Result<Option<String>> {
    let Some(key) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.to_str().map_err(|_| {
        let detail = "Idempotency-Key may have letters, digits and signs of ASCII only.";
        Problem::new(StatusCode::BAD_REQUEST, "invalid_header", detail)
    })?;
    Ok(Some(key.to_owned()))
}

async fn command(app: &App, command: Command) -> Result<Task> {
    let Done { answer, durable, .. } = app.pipeline.command(command).await??;
    match answer {
        Answer::Task(task) => {
            let durable = (!durable).then_some(false);
            Ok(Task { durable, ..Task::from(&*task) })
        }
        answer => unreachable!("a task command is answered with its task, not {answer:?}"),
    }
}

fn not_found(id: String) -> Problem {
    Problem::from(crate::pipeline::CommandError::from(task::Error::NotFound(id)))
}
