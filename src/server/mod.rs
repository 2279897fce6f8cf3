//! HTTP for all: REST, WebSocket, metrics and the dashboard.

mod config;

pub use config::{Config, WebSocketConfig};
