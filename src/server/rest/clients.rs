//! Who is connected by WebSocket.

use poem::handler;
use poem::web::Data;

use super::Json;
use crate::api::{Client, Clients};
use crate::server::App;

/// `GET /api/v1/clients`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    let hub = &app.pipeline.hub;
    let (_, head) = hub.position();
    let clients = hub.clients.list().iter().map(|client| Client::new(client, head)).collect();
    Json::ok(&Clients { clients })
}
