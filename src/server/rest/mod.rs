//! `/api/v1`: JSON over HTTP, one file per noun.

pub(super) mod alerts;
pub(super) mod audit;
mod body;
pub(super) mod clients;
pub(super) mod collectors;
pub(super) mod doctor;
pub(super) mod events;
pub(super) mod groups;
mod json;
pub(super) mod notifications;
pub(super) mod openapi;
pub(super) mod plugins;
pub(super) mod reload;
pub(super) mod samples;
pub(super) mod session;
pub(super) mod silences;
pub(super) mod status;
pub(super) mod tasks;
pub(super) mod tokens;

use super::problem::Problem;
pub use body::parse as parse_body;
use body::{AnyJson, JsonBody};
use json::Json;

/// What every handler here returns.
type Result<T> = std::result::Result<T, Problem>;
