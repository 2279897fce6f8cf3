//! Why an alert was not changed.

use crate::bounds::OutOfBounds;

/// Labels, and annotations, that a report may have.
pub(super) const LABELS_MAX: usize = 32;

/// Why an alert was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("there is no alert {0:?}")]
    NotFound(String),
    #[error("alert {0:?} is resolved already")]
    Resolved(String),
    #[error("alert {0:?} is not firing")]
    NotActive(String),
    #[error(
        "{0:?} is a rule of this daemon, which alone fires and resolves its alerts; acknowledge or silence them instead"
    )]
    OfRule(String),
    #[error(transparent)]
    Length(#[from] OutOfBounds),
    #[error("there may be {LABELS_MAX} labels and {LABELS_MAX} annotations")]
    Labels,
    #[error("\"{0}\" is no name of a label: letters, digits and _, and no digit first")]
    LabelName(String),
    #[error("{0} alerts are firing, as many as may be")]
    Full(usize),
}
