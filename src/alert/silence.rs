//! Silences: alerts of some labels are not heard for some time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha1::{Digest, Sha1};

use super::{Alert, Matcher, matcher};
use crate::bounds::OutOfBounds;

/// Bytes that a name or a comment may have.
const TEXT_BYTES_MAX: usize = 1024;
/// Conditions that one silence may have.
const MATCHERS_MAX: usize = 32;
/// No silence is longer: what is never to be heard is not to be a rule.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

/// Alerts that are not heard until some time.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    pub id: Arc<str>,
    /// All of them have to hold; never empty.
    pub matchers: Vec<Matcher>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub by: String,
    /// May be empty.
    pub comment: String,
}

/// What somebody wants silenced.
#[derive(Debug, Clone)]
pub struct NewSilence {
    pub matchers: Vec<Matcher>,
    pub duration: SignedDuration,
    pub by: String,
    pub comment: String,
}

/// Why something is not silenced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    #[error("there is no silence {0:?}")]
    NotFound(String),
    #[error("a silence has 1 to {MATCHERS_MAX} conditions")]
    Matchers,
    #[error("a silence lasts longer than nothing, and no longer than {} days", LONGEST.as_hours() / 24)]
    Duration,
    #[error(transparent)]
    Length(#[from] OutOfBounds),
    #[error("there are {0} silences, as many as may be (alerts.max_silences)")]
    Full(usize),
}

impl Silence {
    /// One that begins now.
    ///
    /// # Errors
    /// All of [`SilenceError`] but the first and the last.
    pub(super) fn new(new: NewSilence, now: Timestamp) -> Result<Self, SilenceError> {
        if !(1..=MATCHERS_MAX).contains(&new.matchers.len()) {
            return Err(SilenceError::Matchers);
        }
        if new.duration <= SignedDuration::ZERO || new.duration > LONGEST {
            return Err(SilenceError::Duration);
        }
        OutOfBounds::check("by", new.by.len(), TEXT_BYTES_MAX)?;
        if !new.comment.is_empty() {
            OutOfBounds::check("comment", new.comment.len(), TEXT_BYTES_MAX)?;
        }
        let ends_at = now.checked_add(new.duration).map_err(|_| SilenceError::Duration)?;
        let mut digest = Sha1::new_with_prefix(now.as_nanosecond().to_be_bytes());
        new.matchers.iter().for_each(|it| digest.update(it.to_string()));
        digest.update(&new.by);
        let id = digest.finalize()[..5]
            .iter()
            .fold("silence-".to_owned(), |id, byte| format!("{id}{byte:02x}"));
        let NewSilence { matchers, by, comment, .. } = new;
        Ok(Self { id: id.into(), matchers, starts_at: now, ends_at, by, comment })
    }

    /// Whether this alert is not to be heard now.
    pub(super) fn covers(&self, alert: &Alert, now: Timestamp) -> bool {
        now < self.ends_at && matcher::all(&self.matchers, alert)
    }

    /// What an alert says of it.
    pub(super) fn words(&self) -> String {
        match self.comment.as_str() {
            "" => format!("{} of {}", self.id, self.by),
            comment => format!("{} of {}: {comment}", self.id, self.by),
        }
    }
}
