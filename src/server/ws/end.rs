//! How a connection ends, and what is said then.

use bytes::Bytes;

use super::{CloseCode, Violation, frame};

/// How a session ends.
#[derive(Debug)]
pub(super) enum End {
    /// The client is gone, or was never alive.
    Lost,
    /// The client closed; its code is to be returned.
    Closed(Option<u16>),
    /// We close.
    Close(CloseCode, &'static str),
}

impl End {
    /// The code that describes it (RFC 6455 section 7.4.1); 1005 and 1006 never travel.
    pub(super) fn code(&self) -> u16 {
        match self {
            End::Lost => 1006,
            End::Closed(code) => code.unwrap_or(1005),
            End::Close(code, _) => (*code).into(),
        }
    }

    /// The frame with which we part, if there is anybody to take it.
    pub(super) fn farewell(&self) -> Option<Bytes> {
        match self {
            End::Lost => None,
            End::Closed(code) => Some(frame::close_reply(*code)),
            End::Close(code, reason) => Some(frame::close(*code, reason)),
        }
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        End::Close(violation.code, violation.reason)
    }
}
