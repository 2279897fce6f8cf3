//! What becomes of a client that is too slow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a client that does not take what it is given and is further behind than it may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SlowClient {
    /// It gets every event, and the newest states.
    #[default]
    Conflate,
    /// It gets the newest states, and a gap for the events that are beyond the bounds.
    Drop,
    /// Its connection is closed.
    Disconnect,
}
