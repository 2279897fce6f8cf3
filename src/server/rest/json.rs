//! An answer of JSON.

use http::{StatusCode, header};
use poem::{Body, IntoResponse, Response};
use serde::Serialize;

use crate::api;

/// An answer with this status and JSON.
pub(super) struct Json(StatusCode, String);

impl Json {
    pub(super) fn ok(value: &impl Serialize) -> Self {
        Self(StatusCode::OK, api::encode(value))
    }

    pub(super) fn with_status(status: StatusCode, value: &impl Serialize) -> Self {
        Self(status, api::encode(value))
    }
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        Response::builder()
            .status(self.0)
            .header(header::CONTENT_TYPE, "application/json")
            // It is true now and not later.
            .header(header::CACHE_CONTROL, "no-store")
            .body(Body::from_string(self.1))
    }
}
