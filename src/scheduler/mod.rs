//! Runs each collector on its own cadence and keeps the bad ones in quarantine.

mod config;

pub use config::{Config, Instance};
