//! Why a request is refused before anybody looks at what it wants.

/// Why a request is refused before anybody looks at what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has no `Host`, or several, or one that is none.
    InvalidHost,
    /// It means somebody else.
    Host,
    /// It comes from a page of somebody else.
    Origin,
    /// A page of somebody else has caused it, in a way that bears no `Origin`.
    Site,
    /// A proxy that is believed has not said properly for whom it asks.
    Forwarded,
}

impl Reason {
    pub const ALL: [Self; 5] =
        [Self::InvalidHost, Self::Host, Self::Origin, Self::Site, Self::Forwarded];

    /// As metrics and the log call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidHost => "invalid_host",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Site => "cross_site",
            Self::Forwarded => "forwarded",
        }
    }
}
