//! How long a text that comes from outside may be.

/// A text is empty or too long.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} has {length} bytes; it may have 1 to {limit}")]
pub struct OutOfBounds {
    field: &'static str,
    length: usize,
    limit: usize,
}

impl OutOfBounds {
    /// Refuses a `field` of no bytes, or of more than `limit`.
    ///
    /// # Errors
    /// With what it has and what it may have.
    pub fn check(field: &'static str, length: usize, limit: usize) -> Result<(), Self> {
        let fits = (1..=limit).contains(&length);
        if fits { Ok(()) } else { Err(Self { field, length, limit }) }
    }
}
