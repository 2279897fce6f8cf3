//! HTTP for all: REST, WebSocket, metrics and the dashboard.
//!
//! [`serve`] accepts connections and speaks HTTP/1.1 with hyper, so that sockets stay in our hands
//! (time-outs, limits, the upgrade); routes, extractors and answers are poem's.

mod accept;
mod app;
mod config;
mod connection;
mod counts;
mod dashboard;
mod exposition;
mod gate;
mod groups;
mod hardening;
mod history;
mod limits;
mod meter;
mod methods;
mod problem;
mod prometheus;
mod reload;
mod rest;
mod routes;
mod socket;
mod tls;
pub mod ws;

pub use accept::serve;
pub use app::{App, Past};
pub use config::{Config, WebSocketConfig, usual_sockets};
pub use exposition::{Format, expose};
pub use gate::{ListedHost, ListedOrigin, Reason};
pub use meter::HttpTotals;
pub use reload::{ReloadOutcome, ReloadRefusal, ReloadRequest, ReloadRequests, reload_requests};
pub use routes::routes;
pub use socket::Listener;
pub use tls::{Certificate, CertificateFile, Failure, Standing, TlsConfig, TlsError, Validity};
