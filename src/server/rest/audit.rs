//! What was changed, by whom and from where.

use poem::handler;
use poem::web::Data;

use super::Json;
use crate::api::{Audit, AuditEntry};
use crate::sample::rfc3339;
use crate::server::App;
use crate::server::auth::Deed;

/// `GET /api/v1/audit`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    let (deeds, total) = app.auth.deeds();
    Json::ok(&Audit { changes: deeds.into_iter().map(entry).collect(), total })
}

fn entry(deed: Deed) -> AuditEntry {
    let Deed { at, who, role, from, method, path, status } = deed;
    AuditEntry { at: rfc3339(at), who, role, from: from.to_string(), method, path, status }
}
