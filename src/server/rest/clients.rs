//! Who is connected by WebSocket.

use poem::handler;
use poem::web::Data;

use super::Json;
use crate::api::{Client, Clients};
use crate::server::App;

/// `GET /api/v1/clients`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    let clients = app.pipeline.hub.clients.list();
    Json::ok(&Clients { clients: clients.iter().map(|client| Client::from(&**client)).collect() })
}
