//! Parameters as Prometheus takes them: in the address, or in the form that is a request's body.

use std::time::Duration;

use http::{Method, header};
use jiff::Timestamp;
use poem::error::ReadBodyError;
use poem::{Body, Request};

use super::answer::Refusal;
use crate::query;
use crate::server::App;

/// Milliseconds since 1970 that a time may be: the years -9999 to 9999.
const TIMES_MS: std::ops::RangeInclusive<f64> = -377_705_023_201_000.0..=253_402_207_200_000.0;

/// Names and values, in the order in which they were given; those of the body come first.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) async fn read(request: &Request, body: Body, app: &App) -> Result<Self, Refusal> {
        let mut all = Vec::new();
        if request.method() == Method::POST && is_form(request) {
            let limit = *app.config().max_body_size;
            let bytes =
                body.into_bytes_limit(limit as usize).await.map_err(|error| match error {
                    ReadBodyError::PayloadTooLarge => Refusal::too_large(limit),
                    error => Refusal::bad_data(error.to_string()),
                })?;
            all.extend(form_urlencoded::parse(&bytes).into_owned());
        }
        let query = request.uri().query().unwrap_or_default();
        all.extend(form_urlencoded::parse(query.as_bytes()).into_owned());
        Ok(Self(all))
    }

    /// The first value of this name, empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        let named = self.0.iter().find(|(parameter, _)| parameter == name);
        named.map_or("", |(_, value)| value.as_str())
    }

    /// All values of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(parameter, _)| parameter == name);
        named.map(|(_, value)| value.as_str())
    }

    /// A time in milliseconds since 1970, written in seconds since then or as RFC 3339.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.text(name) {
            "" => Ok(None),
            _ => self.required_time(name).map(Some),
        }
    }

    pub(super) fn required_time(&self, name: &str) -> Result<i64, Refusal> {
        let text = self.text(name);
        time(text).ok_or_else(|| invalid(name, text, "timestamp"))
    }

    /// A duration, written in seconds or with units ("1m30s").
    pub(super) fn duration(&self, name: &str) -> Result<Option<Duration>, Refusal> {
        match self.text(name) {
            "" => Ok(None),
            _ => self.required_duration(name).map(Some),
        }
    }

    pub(super) fn required_duration(&self, name: &str) -> Result<Duration, Refusal> {
        let text = self.text(name);
        duration(text).ok_or_else(|| invalid(name, text, "duration"))
    }

    /// How many results are wanted; zero is as many as there are.
    pub(super) fn limit(&self) -> Result<usize, Refusal> {
        let limit = match self.text("limit") {
            "" | "0" => usize::MAX,
            text => text.parse().map_err(|_| {
                Refusal::bad_data("invalid parameter \"limit\": limit must be a number")
            })?,
        };
        Ok(limit)
    }
}

fn is_form(request: &Request) -> bool {
    let value = request.header(header::CONTENT_TYPE).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn invalid(name: &str, text: &str, what: &str) -> Refusal {
    let message = format!("invalid parameter {name:?}: cannot parse {text:?} to a valid {what}");
    Refusal::bad_data(message)
}

fn time(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        let milliseconds = (seconds * 1000.0).round();
        return TIMES_MS.contains(&milliseconds).then_some(milliseconds as i64);
    }
    let at: Timestamp = text.parse().ok()?;
    Some(at.as_millisecond())
}

fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    query::duration(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_rfc_3339() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(time(text), expected, "{text}");
        check("1500000000.781", Some(1_500_000_000_781));
        check("0", Some(0));
        check("-1.5", Some(-1500));
        check("2015-07-01T20:10:51.781Z", Some(1_435_781_451_781));
        check("2015-07-01T22:10:51.781+02:00", Some(1_435_781_451_781));
        for bad in ["", "now", "NaN", "Inf", "1e300", "2015-07-01", "5m"] {
            check(bad, None);
        }
    }

    #[test]
    fn durations_are_seconds_or_have_units() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(duration(text).map(|it| it.as_millis() as u64), expected, "{text}");
        };
        check("15", Some(15_000));
        check("0.5", Some(500));
        check("1m30s", Some(90_000));
        check("1d", Some(86_400_000));
        for bad in ["", "-5", "NaN", "5x", "m", "1e300"] {
            check(bad, None);
        }
    }
}
