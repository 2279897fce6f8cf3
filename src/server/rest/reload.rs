//! Reading the configuration again.

use http::StatusCode;
use poem::handler;
use poem::web::Data;

use super::{Json, Problem, Result};
use crate::api::Reloaded;
use crate::server::{App, ReloadRefusal};

/// `POST /api/v1/reload`: 200 with what has changed; 422 with all that is wrong, 409 if it cannot be
/// applied, and the old configuration stays in force.
#[handler]
pub(crate) async fn reload(Data(app): Data<&App>) -> Result<Json> {
    match app.reload().await? {
        Ok(changes) => Ok(Json::ok(&Reloaded { changes })),
        Err(ReloadRefusal::Invalid { problems, count }) => {
            let noun = if count == 1 { "problem" } else { "problems" };
            let detail = format!(
                "The configuration is not valid: {count} {noun}. The one before it stays in force."
            );
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let problem = Problem::new(status, "invalid_configuration", detail);
            Err(problem.with_problems(problems))
        }
        Err(ReloadRefusal::NotApplied(reason)) => {
            let detail = format!("{reason}. The configuration before stays in force.");
            Err(Problem::new(StatusCode::CONFLICT, "configuration_not_applied", detail))
        }
    }
}
