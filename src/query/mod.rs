//! PromQL over the history: an expression is parsed, the samples that it needs are read, and it is
//! evaluated at one time or at every step of a range.
//!
//! The language is that of Prometheus 3: samples at the start of a range do not belong to it, an
//! instant looks back five minutes, a series whose end is marked is gone at once. docs/query.md says
//! what is left out.

mod aggregate;
mod binary;
mod calendar;
mod condition;
mod config;
mod duration;
mod error;
mod evaluate;
mod function;
mod labels;
mod number;
mod parse;
mod place;
mod prepare;
mod relabel;
mod result;
mod select;
mod window;

pub use config::Config;
pub use duration::duration;
pub use error::Error;
pub use labels::{Labels, NAME};
pub use number::text;
pub use parse::Query;
pub use result::{Outcome, Sample, Series, Steps};
pub use select::Reader;
