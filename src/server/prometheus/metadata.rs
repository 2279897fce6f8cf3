//! What there is to ask for: series, labels, their values, types and units.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use poem::web::{Data, Path};
use poem::{Body, Request, Response, handler};

use super::answer::{Refusal, answer, success};
use super::parameters::Parameters;
use crate::api::{BuildInfo, Metric, MetricMetadata, QueryAnswer};
use crate::catalog;
use crate::query::{Error, Labels, NAME, Query};
use crate::sample::SeriesKey;
use crate::server::App;

/// `GET` and `POST /api/v1/series`: `match[]`, `start`, `end`, `limit`.
#[handler]
pub(in crate::server) async fn list_series(
    request: &Request,
    body: Body,
    Data(app): Data<&App>,
) -> Response {
    let result = async {
        let parameters = Parameters::read(request, body, app).await?;
        if parameters.all("match[]").next().is_none() {
            return Err(Refusal::bad_data("no match[] parameter provided"));
        }
        let limit = parameters.limit()?;
        let keys = matching(app, &parameters).await?;
        let series = keys.iter().take(limit).map(|key| Metric::from(Labels::of(key)));
        Ok(success(&QueryAnswer::new(series.collect::<Vec<_>>())))
    };
    answer(result.await)
}

/// `GET` and `POST /api/v1/labels`: `match[]`, `start`, `end`, `limit`.
#[handler]
pub(in crate::server) async fn list_labels(
    request: &Request,
    body: Body,
    Data(app): Data<&App>,
) -> Response {
    let result = async {
        let parameters = Parameters::read(request, body, app).await?;
        let limit = parameters.limit()?;
        let keys = matching(app, &parameters).await?;
        let mut names: BTreeSet<&str> =
            keys.iter().flat_map(|key| key.labels().map(|(name, _)| name)).collect();
        if !keys.is_empty() {
            names.insert(NAME);
        }
        Ok(success(&QueryAnswer::new(names.into_iter().take(limit).collect::<Vec<_>>())))
    };
    answer(result.await)
}

/// `GET /api/v1/label/NAME/values`: `match[]`, `start`, `end`, `limit`.
#[handler]
pub(in crate::server) async fn list_values(
    request: &Request,
    Path(label): Path<String>,
    Data(app): Data<&App>,
) -> Response {
    let result = async {
        let parameters = Parameters::read(request, Body::empty(), app).await?;
        let limit = parameters.limit()?;
        if label.is_empty() {
            return Err(Refusal::bad_data("invalid label name: \"\""));
        }
        let keys = matching(app, &parameters).await?;
        let values: BTreeSet<&str> = match label.as_str() {
            NAME => keys.iter().map(|key| key.name()).collect(),
            label => keys.iter().filter_map(|key| key.label(label)).collect(),
        };
        Ok(success(&QueryAnswer::new(values.into_iter().take(limit).collect::<Vec<_>>())))
    };
    answer(result.await)
}

/// `GET /api/v1/metadata`: `metric`, `limit`.
#[handler]
pub(in crate::server) async fn list_metadata(request: &Request, Data(app): Data<&App>) -> Response {
    let result = async {
        let parameters = Parameters::read(request, Body::empty(), app).await?;
        let (wanted, limit) = (parameters.text("metric"), parameters.limit()?);
        let metrics = app.pipeline.read(|state, _| {
            let mut metrics: BTreeMap<String, [MetricMetadata; 1]> = BTreeMap::new();
            for (key, series) in state.store.iter() {
                let is_wanted = wanted.is_empty() || wanted == key.name();
                if is_wanted && !metrics.contains_key(key.name()) && metrics.len() < limit {
                    let (kind, unit) = (series.value.kind(), key.unit());
                    let help = catalog::help(key.name()).unwrap_or_default();
                    let metadata = MetricMetadata { kind, help, unit };
                    metrics.insert(key.name().to_owned(), [metadata]);
                }
            }
            metrics
        });
        Ok(success(&QueryAnswer::new(metrics)))
    };
    answer(result.await)
}

/// `GET /api/v1/status/buildinfo`.
#[handler]
pub(in crate::server) fn show_build() -> Response {
    success(&QueryAnswer::new(BuildInfo {
        application: "gz-monitor",
        version: env!("CARGO_PKG_VERSION"),
        revision: env!("GZ_MONITOR_COMMIT"),
    }))
}

/// The series that one of the selectors means, or all, with samples between two times.
async fn matching(app: &App, parameters: &Parameters) -> Result<Vec<Arc<SeriesKey>>, Refusal> {
    let from = parameters.time("start")?.unwrap_or(i64::MIN);
    let to = parameters.time("end")?.unwrap_or(i64::MAX);
    let texts: Vec<String> = parameters.all("match[]").map(str::to_owned).collect();
    let work = app.queue.enter(None).await?;
    let app = app.clone();
    work.run(move |work| {
        let reader = app.pipeline.reader();
        let mut keys: BTreeSet<Arc<SeriesKey>> = BTreeSet::new();
        if texts.is_empty() {
            let mut all = Vec::new();
            reader(&mut |history| all = history.keys_between(from, to));
            keys.extend(all);
            let shelf = app.past.shelf.iter();
            keys.extend(shelf.flat_map(|shelf| shelf.keys(None, from, to)));
        }
        for text in &texts {
            let selector = Query::parse_selector(text, work.config());
            let selector = selector.map_err(|error| Refusal::of_parameter("match[]", error))?;
            let selector = selector.reaching(app.past.shelf.clone());
            keys.extend(selector.series(from, to, &reader));
            if work.expired() {
                return Err(Error::Timeout.into());
            }
        }
        Ok(keys.into_iter().collect())
    })
    .await
}
