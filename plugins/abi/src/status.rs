//! What a plugin's function has to say, as a number that may be any.

/// `gz_status`. The header says what a host does on each; one that is none of these it takes for
/// [`Status::ERR_INTERNAL`].
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Status(pub i32);

impl Status {
    /// Done.
    pub const OK: Self = Self(0);
    /// Nothing to report, which is not a failure.
    pub const NO_DATA: Self = Self(1);
    /// Of `reload`: destroy this instance and make a new one.
    pub const RESTART: Self = Self(2);
    /// The configuration cannot work; not tried again before it changes.
    pub const ERR_CONFIG: Self = Self(-1);
    /// What is measured cannot be reached now; tried again.
    pub const ERR_UNAVAILABLE: Self = Self(-2);
    /// The plugin met something that it does not understand; tried again.
    pub const ERR_INTERNAL: Self = Self(-3);
    /// The instance broke half-way and is fit for `destroy` only.
    pub const ERR_PANIC: Self = Self(-4);
}
