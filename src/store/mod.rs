//! The latest value of every series.

mod config;

pub use config::Config;
