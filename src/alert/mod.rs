//! Alerts from rules and from outside, their states and their counts.

mod config;

pub use config::Config;
