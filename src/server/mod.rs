//! HTTP for all: REST, WebSocket, metrics and the dashboard.
//!
//! [`serve`] accepts connections and speaks HTTP/1.1 with hyper, so that sockets stay in our hands
//! (time-outs, limits, the upgrade); routes, extractors and answers are poem's.

mod accept;
mod app;
mod config;
mod connection;
mod dashboard;
mod exposition;
mod limits;
mod meter;
mod methods;
mod problem;
mod prometheus;
mod rest;
mod routes;
pub mod ws;

pub use accept::serve;
pub use app::App;
pub use config::{Config, WebSocketConfig};
pub use exposition::{Format, expose};
pub use meter::HttpTotals;
pub use routes::routes;
