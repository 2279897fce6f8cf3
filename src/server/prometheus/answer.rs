//! Answers and refusals in Prometheus' form.

use http::{StatusCode, header};
use poem::{Body, Response};
use serde::Serialize;

use crate::api::{self, QueryError};
use crate::query;

/// Why a request is not answered.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn bad_data(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "bad_data", message: message.into() }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, kind: "not_found", message: message.into() }
    }

    /// Nothing is free for it now.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, kind: "unavailable", message: message.into() }
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { status, kind: "internal", message: message.into() }
    }

    pub(super) fn too_large(limit: u64) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let message = format!("the body may have {limit} bytes (server.max_body_size)");
        Self { status, kind: "bad_data", message }
    }

    pub(super) fn of_parameter(name: &str, error: query::Error) -> Self {
        let refusal = Self::from(error);
        Self { message: format!("invalid parameter {name:?}: {}", refusal.message), ..refusal }
    }
}

impl From<query::Error> for Refusal {
    fn from(error: query::Error) -> Self {
        let (status, kind) = match error {
            query::Error::Parse { .. } | query::Error::BadData(_) => {
                (StatusCode::BAD_REQUEST, "bad_data")
            }
            query::Error::Execution(_) => (StatusCode::UNPROCESSABLE_ENTITY, "execution"),
            query::Error::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
        };
        Self { status, kind, message: error.to_string() }
    }
}

pub(super) fn success(value: &impl Serialize) -> Response {
    json(StatusCode::OK, api::encode(value))
}

pub(super) fn answer(result: Result<Response, Refusal>) -> Response {
    result.unwrap_or_else(|Refusal { status, kind, message }| {
        let error = QueryError { status: "error", error_type: kind, error: message };
        json(status, api::encode(&error))
    })
}

fn json(status: StatusCode, body: String) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from_string(body))
}
