//! What keeps collectors from data.

use http::StatusCode;
use poem::handler;
use poem::web::Data;

use super::{Json, Problem, Result};
use crate::api;
use crate::doctor::{Facts, Ill};
use crate::pipeline::Pipeline;
use crate::server::App;
use crate::store::CollectorState;

/// `GET /api/v1/doctor`: the daemon looks at itself. One look at a time, and it may take some seconds.
#[handler]
pub(crate) async fn examine(Data(app): Data<&App>) -> Result<Json> {
    // A path on a dead server may hold up a look for ever; another does not join it.
    let Ok(turn) = app.examinations.clone().acquire_owned().await else { return Err(failed()) };
    let app = app.clone();
    let look = move || {
        let _turn = turn;
        let ill = app.pipeline.read(|state, _| ill(state));
        let mut facts = Facts::find(&app.setup(), ill);
        app.pipeline.read(|state, _| {
            facts.running = state.collectors.iter().map(|(name, _)| name.to_owned()).collect();
            facts.silent_mounts = silent_mounts(state);
        });
        let refused = app.plugins().refused.clone();
        facts.refused = refused.into_iter().map(|one| (one.file, one.reason)).collect();
        api::Doctor::from(&facts)
    };
    let answer = tokio::task::spawn_blocking(look).await.map_err(|_| failed())?;
    Ok(Json::ok(&answer))
}

fn failed() -> Problem {
    let detail = "The look at the daemon came to no end.".to_owned();
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "examination_failed", detail)
}

/// Those that fail, and those that are absent.
fn ill(state: &Pipeline) -> Vec<Ill> {
    let all = state.collectors.iter();
    let ill = all.filter(|(_, c)| !c.state.is_well() || c.state == CollectorState::Absent);
    ill.map(|(name, status)| Ill {
        name: name.to_owned(),
        plugin: status.plugin.clone(),
        state: status.state,
        text: status.error.as_ref().or(status.reason.as_ref()).cloned().unwrap_or_default(),
    })
    .collect()
}

fn silent_mounts(state: &Pipeline) -> Vec<String> {
    let errors = state.store.named("node_filesystem_device_error");
    let silent = errors.filter(|(_, series)| series.value.get() == 1.0);
    let point = |key: &crate::sample::SeriesKey| {
        let mut labels = key.labels();
        labels.find(|(name, _)| *name == "mountpoint").map(|(_, point)| point.to_owned())
    };
    silent.filter_map(|(key, _)| point(key)).collect()
}
