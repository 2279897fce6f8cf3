//! How the collectors are doing.

use poem::handler;
use poem::web::Data;

use super::Json;
use crate::api::{Collector, Collectors};
use crate::server::App;

/// `GET /api/v1/collectors`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    let collectors =
        app.pipeline.read(|state, _| state.collectors.iter().map(Collector::from).collect());
    Json::ok(&Collectors { collectors })
}
