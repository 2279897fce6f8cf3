//! The state of the host and of the daemon.

use http::StatusCode;
use poem::handler;
use poem::web::Data;

use super::Json;
use crate::alert;
use crate::api::{Health, HealthCheck};
use crate::pipeline::Pipeline;
use crate::server::App;

/// `GET /api/v1/status`: what `system_status` carries.
#[handler]
pub(crate) fn get_status(Data(app): Data<&App>) -> Json {
    Json::ok(&app.pipeline.read(|state, now| state.system_status(now)))
}

/// `GET /api/v1/metrics`: what `metrics_update` carries.
#[handler]
pub(crate) fn get_metrics(Data(app): Data<&App>) -> Json {
    Json::ok(&app.pipeline.read(|state, now| state.metrics(now)))
}

/// `GET /api/v1/health`: whether the daemon itself works, and what does not.
#[handler]
pub(crate) fn get_health(Data(app): Data<&App>) -> Json {
    let (ready, checks) = app.pipeline.read(|state, _| {
        let checks: Vec<HealthCheck> = state
            .collectors
            .iter()
            .map(|(name, status)| HealthCheck {
                name: format!("collector {name}"),
                ok: status.state.is_well(),
                message: status.error.clone(),
            })
            .chain(storage(state))
            .collect();
        (state.collectors.all_reported(), checks)
    });
    let status = if checks.iter().all(|check| check.ok) { "ok" } else { "degraded" };
    Json::ok(&Health { status, ready, checks })
}

/// Storage, while it does not work: then an alert says so.
fn storage(state: &Pipeline) -> Option<HealthCheck> {
    let alert = state.alerts.get(&alert::id_of("storage", &alert::Labels::new()));
    let firing = alert.filter(|alert| alert.state == alert::State::Firing)?;
    let message = Some(firing.message.clone());
    Some(HealthCheck { name: "storage".to_owned(), ok: false, message })
}

/// `GET /healthz`: answered as long as the daemon answers at all.
#[handler]
pub(crate) fn is_live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 once every collector has ended its first collection.
#[handler]
pub(crate) fn is_ready(Data(app): Data<&App>) -> (StatusCode, &'static str) {
    if app.pipeline.read(|state, _| state.collectors.all_reported()) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "waiting for the first collection\n")
    }
}
