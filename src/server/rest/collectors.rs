//! How the collectors are doing.

use std::collections::HashMap;

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Path};

use super::{Json, Problem, Result};
use crate::api::{Collector, Collectors};
use crate::server::App;
use crate::store::Store;

/// `GET /api/v1/collectors`.
#[handler]
pub(crate) fn list(Data(app): Data<&App>) -> Json {
    let collectors = app.pipeline.read(|state, _| {
        let starts = by_collector(&state.store, "gz_plugin_starts_total");
        let memory = by_collector(&state.store, "gz_plugin_resident_memory_bytes");
        let with_process = |(name, status)| Collector {
            starts: starts.get(name).copied(),
            resident_memory_bytes: memory.get(name).copied(),
            ..Collector::from((name, status))
        };
        state.collectors.iter().map(with_process).collect()
    });
    Json::ok(&Collectors { collectors })
}

/// A metric that each collector has one series of at the most, by the collector that brings it.
fn by_collector<'a>(store: &'a Store, name: &'a str) -> HashMap<&'a str, u64> {
    let series = store.named(name);
    series.map(|(_, series)| (&*series.collector, series.value.get() as u64)).collect()
}

/// `POST /api/v1/collectors/{id}/restart`: 202; its failures are forgotten, its source is made
/// again, and it collects at once.
#[handler]
pub(crate) fn restart(Data(app): Data<&App>, Path(name): Path<String>) -> Result<StatusCode> {
    app.controls.restart(&name).map_err(|error| {
        Problem::new(StatusCode::NOT_FOUND, "collector_not_found", error.to_string())
    })?;
    Ok(StatusCode::ACCEPTED)
}
