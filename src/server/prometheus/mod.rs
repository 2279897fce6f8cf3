//! The paths of Prometheus' HTTP API that read: queries, series, labels and what is known of metrics.
//! Requests and answers have its form, so that Grafana and whatever else speaks to it works.

mod answer;
mod metadata;
mod parameters;
mod queue;
mod rules;

pub(super) use metadata::{list_labels, list_metadata, list_series, list_values, show_build};
pub(super) use queue::Queue;
pub(super) use rules::{list_rules, replay_rules};

use std::time::Duration;

use poem::web::Data;
use poem::{Body, Request, Response, handler};

use super::App;
use crate::api::{QueryAnswer, QueryData};
use crate::query::{self, Query, Steps};
use answer::{Refusal, answer, success};
use parameters::Parameters;

/// `GET` and `POST /api/v1/query`: `query`, `time`, `timeout`.
#[handler]
pub(super) async fn at_one_time(request: &Request, body: Body, Data(app): Data<&App>) -> Response {
    let result = async {
        let parameters = Parameters::read(request, body, app).await?;
        let now = app.pipeline.clock.now().wall.as_millisecond();
        let at = parameters.time("time")?.unwrap_or(now);
        let work = app.queue.enter(parameters.duration("timeout")?).await?;
        let (app, text) = (app.clone(), parameters.text("query").to_owned());
        let data = work
            .run(move |work| {
                let query = parse(&text, work.config())?.reaching(app.past.shelf.clone());
                let outcome =
                    query.instant(at, &app.pipeline.reader(), work.config(), &|| work.expired())?;
                Ok(QueryData::at(at, outcome))
            })
            .await?;
        Ok(success(&QueryAnswer::new(data)))
    };
    answer(result.await)
}

/// `GET` and `POST /api/v1/query_range`: `query`, `start`, `end`, `step`, `timeout`.
#[handler]
pub(super) async fn over_time(request: &Request, body: Body, Data(app): Data<&App>) -> Response {
    let result = async {
        let parameters = Parameters::read(request, body, app).await?;
        let start = parameters.required_time("start")?;
        let end = parameters.required_time("end")?;
        let step = milliseconds(parameters.required_duration("step")?);
        let work = app.queue.enter(parameters.duration("timeout")?).await?;
        let steps = Steps::new(start, end, step, work.config())?;
        let (app, text) = (app.clone(), parameters.text("query").to_owned());
        let data = work
            .run(move |work| {
                let query = parse(&text, work.config())?.reaching(app.past.shelf.clone());
                let series = query
                    .range(steps, &app.pipeline.reader(), work.config(), &|| work.expired())?;
                Ok(QueryData::over_time(series))
            })
            .await?;
        Ok(success(&QueryAnswer::new(data)))
    };
    answer(result.await)
}

fn parse(text: &str, config: &query::Config) -> Result<Query, Refusal> {
    Query::parse(text, config).map_err(|error| Refusal::of_parameter("query", error))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
