//! `[hub]`: how much of the stream is kept for clients that are behind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::ByteSize;

/// How much of the stream is kept for clients that are behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Messages that a client may be behind before states that have a successor are skipped for it.
    pub client_buffer: usize,
    /// Bytes of messages that a client may be behind before the same.
    pub client_bytes: ByteSize,
    /// Batches and commands that may wait for the pipeline; who sends more has to wait.
    pub broadcast_buffer: usize,
    /// Messages kept for clients that are behind.
    pub log_messages: usize,
    /// Bytes of messages kept for clients that are behind, in every encoding that a client has needed.
    pub log_bytes: ByteSize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            client_buffer: 256,
            client_bytes: ByteSize(1 << 20),
            broadcast_buffer: 100,
            log_messages: 10_000,
            log_bytes: ByteSize(4 << 20),
        }
    }
}
