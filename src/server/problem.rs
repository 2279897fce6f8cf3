//! Errors as clients get them: `application/problem+json` (RFC 9457).

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use poem::error::{MethodNotAllowedError, NotFoundError, ParsePathError, ResponseError};
use poem::{Body, Error, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::alert;
use crate::api;
use crate::group;
use crate::pipeline::{Closed, CommandError};
use crate::task;

/// Why a request was not done, in words and in a code for programs.
#[derive(Debug, Clone, Serialize, JsonSchema, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The status' own phrase.
    title: &'static str,
    status: u16,
    /// What programs tell problems apart by, such as "task_not_found".
    code: &'static str,
    /// What is wrong with this request, and what to do.
    detail: Box<str>,
    /// Of a configuration, all that is wrong, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    problems: Vec<String>,
    /// Of a task that cannot become what was asked: what it can become.
    #[serde(skip_serializing_if = "Option::is_none")]
    possible: Option<&'static [task::Status]>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into().into(),
            problems: Vec::new(),
            possible: None,
            headers: Vec::new(),
        }
    }

    pub(super) fn with_problems(self, problems: Vec<String>) -> Self {
        Self { problems, ..self }
    }

    pub(super) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers.into_iter().filter_map(|(name, value)| Some((name?, value))));
        self
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The problem that an error of poem's own stands for.
    fn of(error: &Error) -> Self {
        if error.is::<NotFoundError>() {
            let detail = "There is nothing at this path; /api/v1/openapi.json lists what there is.";
            return Self::new(StatusCode::NOT_FOUND, "unknown_path", detail);
        }
        if error.is::<MethodNotAllowedError>() {
            let detail = "This path does not know this method; see the Allow header.";
            return Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        }
        if error.is::<ParsePathError>() {
            let detail = "The path is not UTF-8 once its % signs are decoded.";
            return Self::new(StatusCode::BAD_REQUEST, "invalid_path", detail);
        }
        let code = if error.status().is_server_error() { "internal" } else { "invalid_request" };
        Self::new(error.status(), code, error.to_string())
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        let body = Body::from_string(api::encode(self));
        let mut response = Response::builder()
            .status(self.status())
            .header(header::CONTENT_TYPE, "application/problem+json")
            .body(body);
        response.headers_mut().extend(self.headers.clone());
        response
    }
}

/// Turns whatever went wrong into a problem.
pub(super) async fn answer(error: Error) -> Response {
    if error.is::<Problem>() {
        return error.into_response();
    }
    Problem::of(&error).as_response()
}

impl From<Closed> for Problem {
    fn from(_: Closed) -> Self {
        let detail = "The daemon is stopping; try again when it is back.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", detail)
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let (status, code) = match &error {
            CommandError::Task(error) => match error {
                task::Error::NotFound(_) => (StatusCode::NOT_FOUND, "task_not_found"),
                task::Error::Exists(_) => (StatusCode::CONFLICT, "task_exists"),
                task::Error::Transition { .. } => (StatusCode::CONFLICT, "illegal_transition"),
                task::Error::Active { .. } => (StatusCode::CONFLICT, "task_active"),
                task::Error::Progress(_)
                | task::Error::Count { .. }
                | task::Error::Beyond { .. } => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "invalid_progress")
                }
                task::Error::Heartbeat(_) => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "invalid_heartbeat")
                }
                task::Error::KeyUsed(_) => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_used")
                }
                task::Error::Length(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_length"),
                task::Error::Full(_) => (StatusCode::INSUFFICIENT_STORAGE, "too_many_tasks"),
            },
            CommandError::Alert(error) => match error {
                alert::Error::NotFound(_) => (StatusCode::NOT_FOUND, "alert_not_found"),
                alert::Error::Resolved(_) => (StatusCode::CONFLICT, "alert_resolved"),
                alert::Error::NotActive(_) => (StatusCode::CONFLICT, "alert_not_active"),
                alert::Error::OfRule(_) => (StatusCode::CONFLICT, "alert_of_rule"),
                alert::Error::Length(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_length"),
                alert::Error::Labels | alert::Error::LabelName(_) => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "invalid_labels")
                }
                alert::Error::Full(_) => (StatusCode::INSUFFICIENT_STORAGE, "too_many_alerts"),
            },
            CommandError::Silence(error) => match error {
                alert::SilenceError::NotFound(_) => (StatusCode::NOT_FOUND, "silence_not_found"),
                alert::SilenceError::Full(_) => {
                    (StatusCode::INSUFFICIENT_STORAGE, "too_many_silences")
                }
                alert::SilenceError::Matchers
                | alert::SilenceError::Duration
                | alert::SilenceError::Length(_) => {
                    (StatusCode::UNPROCESSABLE_ENTITY, "invalid_silence")
                }
            },
            CommandError::Group(error) => match error {
                group::Error::Name(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_group"),
                group::Error::Size(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_length"),
            },
        };
        let possible = match &error {
            CommandError::Task(task::Error::Transition { from, .. }) => Some(from.successors()),
            _ => None,
        };
        Self { possible, ..Self::new(status, code, error.to_string()) }
    }
}
