//! Why something that a plugin has handed over is not taken.

use std::fmt;

use crate::{ABI_MAJOR, TextFault};

/// What is wrong with a plugin's descriptors or samples, with the header's own names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// NULL where something has to be.
    Null {
        /// What is missing.
        what: &'static str,
    },
    /// An address that no such thing can have.
    Misaligned {
        /// What it should have been.
        what: &'static str,
    },
    /// Built against another major.
    Major {
        /// The plugin's.
        plugin: u32,
    },
    /// A struct that says it is shorter than it ever was, or longer than it may be.
    Size {
        /// The struct.
        what: &'static str,
        /// Bytes that it says it has.
        size: usize,
        /// Bytes at the least.
        least: usize,
        /// Bytes at the most.
        most: usize,
    },
    /// Samples that lie so far apart that not all of them are aligned.
    Stride {
        /// Bytes from one to the next.
        stride: usize,
    },
    /// More of something than may be, or none where one has to be.
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many at the most.
        most: usize,
    },
    /// A string that is none.
    Text {
        /// Which.
        what: &'static str,
        /// Why.
        fault: TextFault,
    },
    /// A string of the wrong characters, or an empty one.
    Malformed {
        /// Which.
        what: &'static str,
        /// What it is.
        text: String,
    },
    /// Two collectors of one id.
    Duplicate {
        /// The id.
        id: String,
    },
    /// A sample that is neither gauge nor counter.
    Kind {
        /// What it says it is.
        kind: u32,
    },
    /// One collector's descriptor is at fault.
    Collector {
        /// Its place in the list, from 0.
        index: usize,
        /// What is wrong with it.
        why: Box<Refusal>,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Null { what } => write!(f, "{what} is NULL"),
            Refusal::Misaligned { what } => write!(f, "{what} is not aligned"),
            Refusal::Major { plugin } => {
                write!(f, "built for plugin ABI {plugin}; this program speaks {ABI_MAJOR}")
            }
            Refusal::Size { what, size, least, most } => {
                write!(f, "{what} has {size} bytes; from {least} to {most} are possible")
            }
            Refusal::Stride { stride } => {
                write!(f, "a stride of {stride} bytes leaves samples unaligned")
            }
            Refusal::Count { what, count: 0, .. } => write!(f, "no {what}"),
            Refusal::Count { what, count, most } => {
                write!(f, "{count} {what}; {most} at the most")
            }
            Refusal::Text { what, fault } => write!(f, "{what}: {fault}"),
            Refusal::Malformed { what, text } => write!(f, "{what} cannot be {text:?}"),
            Refusal::Duplicate { id } => write!(f, "two collectors are called {id:?}"),
            Refusal::Kind { kind } => write!(f, "there is no kind {kind} of samples"),
            Refusal::Collector { index, why } => write!(f, "collector {index}: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}
