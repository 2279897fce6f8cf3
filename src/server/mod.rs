//! HTTP for all: REST, WebSocket, metrics and the dashboard.

mod config;
pub mod ws;

pub use config::{Config, WebSocketConfig};
