//! How far behind a client is, and how far it may be.

/// What has been published and is still due to a client, whether its filter matches or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lag {
    pub messages: u64,
    /// Bytes of those that the log still has.
    pub bytes: u64,
}

/// How far behind a client may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    pub messages: u64,
    pub bytes: u64,
    /// Bytes that one class may keep for its members.
    pub log_bytes: usize,
}

impl Lag {
    /// Whether it is more than may be.
    pub fn is_beyond(self, bounds: Bounds) -> bool {
        self.messages > bounds.messages || self.bytes > bounds.bytes
    }
}
