//! What a client says to a group.

use serde_json::value::RawValue;

use super::inbound::fault;
use crate::api::{ErrorCode, ErrorData, Published};
use crate::group::{self, Publisher};
use crate::server::App;
use crate::server::groups::{self, Refusal};

/// Publishes `data`, which is JSON, as the client `client_id`; returns when that is stored and sent.
///
/// # Errors
/// What the client is answered instead.
pub(super) async fn publish(
    app: &App,
    client_id: &str,
    group: String,
    data: String,
) -> Result<Published, ErrorData> {
    let data = RawValue::from_string(data);
    let data = data.map_err(|error| fault(ErrorCode::InvalidJson, error.to_string()))?;
    let from = Publisher::Client(client_id.to_owned());
    groups::publish(app, group, data, from).await.map_err(|refusal| {
        let code = match &refusal {
            Refusal::Group(group::Error::Name(_)) => ErrorCode::InvalidGroup,
            Refusal::Group(group::Error::Size(_)) => ErrorCode::DataTooLarge,
            Refusal::NotAllowed => ErrorCode::NotAllowed,
            Refusal::Stopping => ErrorCode::Stopping,
        };
        fault(code, refusal.to_string())
    })
}
