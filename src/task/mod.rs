//! The registry of tasks: their states, progress and legal transitions.

mod config;

pub use config::Config;
