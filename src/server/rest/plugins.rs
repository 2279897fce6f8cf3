//! What plugins there are.

use poem::handler;
use poem::web::Data;

use super::Json;
use crate::server::App;

/// `GET /api/v1/plugins`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    Json::ok(&*app.plugins())
}
