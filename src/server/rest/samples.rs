//! The latest value of every series.

use http::StatusCode;
use poem::handler;
use poem::web::{Data, Query};

use super::{Json, Problem, Result};
use crate::api::{Samples, TimedSample};
use crate::sample::SeriesKey;
use crate::server::App;

/// `GET /api/v1/samples?name=NAME&label=KEY=VALUE`: those of this name and with all these labels.
#[handler]
pub(crate) fn list(
    Data(app): Data<&App>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Result<Json> {
    let wanted = Wanted::parse(&parameters)?;
    Ok(app.pipeline.read(|state, _| {
        let samples = state.store.iter().filter(|(key, _)| wanted.matches(key));
        Json::ok(&Samples { samples: samples.map(TimedSample::from).collect() })
    }))
}

#[derive(Default)]
struct Wanted<'a> {
    name: Option<&'a str>,
    labels: Vec<(&'a str, &'a str)>,
}

impl<'a> Wanted<'a> {
    fn parse(parameters: &'a [(String, String)]) -> Result<Self> {
        let mut wanted = Self::default();
        for (parameter, value) in parameters {
            match parameter.as_str() {
                "name" if wanted.name.is_some() => {
                    return Err(invalid("name: there may be one".to_owned()));
                }
                "name" => wanted.name = Some(value),
                "label" => {
                    let label = value.split_once('=');
                    wanted.labels.push(label.ok_or_else(|| {
                        invalid(format!("label={value}: write label=NAME=VALUE"))
                    })?);
                }
                _ => return Err(invalid(format!("{parameter}: there are name and label"))),
            }
        }
        Ok(wanted)
    }

    fn matches(&self, key: &SeriesKey) -> bool {
        self.name.is_none_or(|name| key.name() == name)
            && self.labels.iter().all(|(name, value)| key.label(name) == Some(value))
    }
}

fn invalid(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
}
