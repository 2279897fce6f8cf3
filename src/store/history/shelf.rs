//! How samples are asked for that are no longer in memory, wherever they are kept.

use std::sync::Arc;

use super::{Bucket, Point};
use crate::sample::SeriesKey;

/// What is kept of one series, in the order of time: the oldest as buckets of an hour, then buckets
/// of a minute, then every sample. None of it overlaps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stored {
    pub hours: Vec<Bucket>,
    pub minutes: Vec<Bucket>,
    pub points: Vec<Point>,
}

impl Stored {
    /// How many samples and buckets there are.
    pub fn len(&self) -> usize {
        self.hours.len() + self.minutes.len() + self.points.len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A series that is asked for, between two times in milliseconds since 1970, both included.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub key: Arc<SeriesKey>,
    pub from: i64,
    pub to: i64,
}

/// Why it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is on disk cannot be read: {0}")]
pub struct Unread(pub String);

/// Who keeps samples that are no longer in memory. Asking takes as long as a disk takes.
pub trait Shelf: Send + Sync {
    /// The series, of a metric or of all, that may have samples between two times.
    fn keys(&self, name: Option<&str>, from: i64, to: i64) -> Vec<Arc<SeriesKey>>;

    /// Whether a series may have samples between two times.
    fn holds(&self, key: &SeriesKey, from: i64, to: i64) -> bool;

    /// Reads what is kept of some series, each sample where that is still kept, else in buckets: of an
    /// hour if `grain` milliseconds are no less, or if nothing finer is left. Of these there may be one
    /// more from before, which may be the latest at the first of the times. `take` gets the place of
    /// each series in `wanted` with what there is, and says whether to go on.
    ///
    /// # Errors
    /// [`Unread`].
    fn read(
        &self,
        wanted: &[Wanted],
        grain: i64,
        take: &mut dyn FnMut(usize, Stored) -> bool,
    ) -> Result<(), Unread>;
}
