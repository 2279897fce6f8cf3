//! gz-monitor: a monitoring daemon for one host. See ARCHITECTURE.md for the map.

pub mod alert;
pub mod api;
pub mod bounds;
pub mod cli;
pub mod clock;
pub mod collectors;
pub mod config;
pub mod daemon;
pub mod doctor;
pub mod evaluator;
pub mod group;
pub mod hub;
pub mod notify;
pub mod persist;
pub mod pipeline;
pub mod plugin;
pub mod query;
pub mod sample;
pub mod scheduler;
pub mod server;
pub mod severity;
pub mod store;
pub mod systemd;
pub mod task;
pub mod telemetry;
pub mod units;
