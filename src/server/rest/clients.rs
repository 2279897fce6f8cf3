//! Who is connected by WebSocket.

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Path};

use super::Json;
use crate::api::{Client, Clients};
use crate::hub::client_number;
use crate::server::App;
use crate::server::problem::Problem;

/// `GET /api/v1/clients`.
#[handler]
pub(crate) async fn list(Data(app): Data<&App>) -> Json {
    let clients = app.shards.list().await.into_iter().map(Client::from).collect();
    Json::ok(&Clients { clients })
}

/// `DELETE /api/v1/clients/{id}`: it is sent away. The answer does not wait until it has gone.
#[handler]
pub(crate) async fn close(
    Data(app): Data<&App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let is_here = match client_number(&id) {
        Some(number) => app.shards.send_away(number).await,
        None => false,
    };
    is_here.then_some(StatusCode::NO_CONTENT).ok_or_else(|| {
        let shown: String = id.chars().take(64).collect();
        let detail = format!("There is no client {shown:?}; GET /api/v1/clients lists them.");
        Problem::new(StatusCode::NOT_FOUND, "client_not_found", detail)
    })
}
