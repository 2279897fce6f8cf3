//! Rules as Prometheus answers them, and what they would have done in the past.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use poem::web::Data;
use poem::{Body, Request, Response, handler};

use super::answer::{Refusal, answer, success};
use super::parameters::Parameters;
use crate::alert::{Past, Rule, replay};
use crate::api::{self, QueryAnswer, Replays, RuleGroups};
use crate::sample::rfc3339;
use crate::server::App;

/// How far back, if nobody says so.
const SINCE: Duration = Duration::from_secs(86_400);
/// How far back at most.
const SINCE_MAX: Duration = Duration::from_secs(31 * 86_400);

/// `GET /api/v1/rules`.
#[handler]
pub(in crate::server) async fn list_rules(Data(app): Data<&App>) -> Response {
    let recordings = app.recordings();
    let groups =
        app.pipeline.read_settled(|state, _| RuleGroups::new(&state.alerts, &recordings)).await;
    success(&QueryAnswer::new(groups))
}

/// `GET /api/v1/rules/replay`: `since`, `rule` (may be repeated; all, if absent).
#[handler]
pub(in crate::server) async fn replay_rules(request: &Request, Data(app): Data<&App>) -> Response {
    let result = async {
        let parameters = Parameters::read(request, Body::empty(), app).await?;
        let since = parameters.duration("since")?.unwrap_or(SINCE);
        if since > SINCE_MAX {
            return Err(Refusal::bad_data("invalid parameter \"since\": 31d at most"));
        }
        let rules = app.pipeline.read(|state, _| state.alerts.rules().clone());
        let wanted: Result<Vec<Arc<Rule>>, Refusal> = parameters
            .all("rule")
            .map(|id| {
                let unknown = || Refusal::not_found(format!("there is no rule {id:?}"));
                rules.get(id).cloned().ok_or_else(unknown)
            })
            .collect();
        let mut wanted = wanted?;
        if wanted.is_empty() {
            wanted = rules.iter().cloned().collect();
        }
        let to = app.pipeline.clock.now().wall;
        let from = SignedDuration::try_from(since).ok().and_then(|it| to.checked_sub(it).ok());
        let from = from.ok_or_else(|| Refusal::bad_data("invalid parameter \"since\""))?;
        let mut replays = Vec::new();
        // Each is a query of its own: others get their turn between two of them.
        for rule in wanted {
            let (app, rules) = (app.clone(), rules.clone());
            let work = app.queue.enter(None).await?;
            let replayed = work.run(move |work| {
                let (reader, expired) = (app.pipeline.reader(), || work.expired());
                let shelf = app.past.shelf.as_ref();
                let past = Past { reader: &reader, shelf, expired: &expired };
                let replayed = replay(&rule, &rules, (from, to), past);
                Ok(api::Replay::new(&rule, &replayed, to))
            });
            replays.push(replayed.await?);
        }
        let (from, to) = (rfc3339(from), rfc3339(to));
        Ok(success(&QueryAnswer::new(Replays { from, to, rules: replays })))
    };
    answer(result.await)
}
