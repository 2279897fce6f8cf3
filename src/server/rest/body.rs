//! A request's JSON body, refused with the reason and the place.

use bytes::Bytes;
use http::{StatusCode, header};
use poem::error::ReadBodyError;
use poem::{FromRequest, Request, RequestBody};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::Problem;
use crate::server::App;

/// A body of JSON, within `server.max_body_size`.
pub(super) struct JsonBody<T>(pub(super) T);

impl<'a, T: DeserializeOwned> FromRequest<'a> for JsonBody<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(parse(&read(request, body).await?)?))
    }
}

/// A body of any JSON, as it was sent, within `server.max_body_size`.
pub(super) struct AnyJson(pub(super) Box<RawValue>);

impl<'a> FromRequest<'a> for AnyJson {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = read(request, body).await?;
        Ok(Self(serde_json::from_slice(&bytes).map_err(|error| broken(&error))?))
    }
}

async fn read(request: &Request, body: &mut RequestBody) -> poem::Result<Bytes> {
    let limit = request.data::<App>().map_or(0, |app| *app.config().max_body_size);
    check_content_type(request)?;
    let read = body.take()?.into_bytes_limit(limit as usize).await;
    let bytes = read.map_err(|error| match error {
        ReadBodyError::PayloadTooLarge => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("The body may have {limit} bytes (server.max_body_size)."),
        ),
        error => Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", error.to_string()),
    })?;
    Ok(bytes)
}

fn check_content_type(request: &Request) -> Result<(), Problem> {
    let value = request.headers().get(header::CONTENT_TYPE);
    let kind = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = format!("Content-Type must be application/json, not {essence:?}.");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail))
}

/// What a body of JSON says. JSON that is broken is 400; JSON that is whole but not what is wanted is
/// 422. Any bytes do, so this is where a fuzzer begins.
///
/// # Errors
/// The answer.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // Derived code would take an array for a struct, by the order of its fields.
    let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() && !is_object {
            not_an_object()
        } else if inner.is_data() {
            let place = if place == "." { String::new() } else { format!("{place}: ") };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Problem::new(status, "invalid_body", format!("{place}{inner}"))
        } else {
            broken(&inner)
        }
    })?;
    json.end().map_err(|error| broken(&error))?;
    if is_object { Ok(value) } else { Err(not_an_object()) }
}

fn not_an_object() -> Problem {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "invalid_body", "The body must be a JSON object.")
}

fn broken(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("The body is no JSON: {error}."))
}
