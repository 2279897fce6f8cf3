//! HTTP for all: REST, WebSocket, metrics and the dashboard.
//!
//! [`serve`] accepts connections and speaks HTTP/1.1 with hyper, so that sockets stay in our hands
//! (time-outs, limits, the upgrade); routes, extractors and answers are poem's.

mod accept;
mod app;
mod auth;
mod config;
mod connection;
mod counts;
mod credential_file;
mod dashboard;
mod exposition;
mod gate;
mod groups;
mod hardening;
mod history;
mod limits;
mod meter;
mod methods;
mod pace;
mod problem;
mod prometheus;
mod reload;
mod rest;
mod routes;
mod socket;
mod tally;
mod tls;
pub mod ws;

pub use accept::serve;
pub use app::{App, Past};
pub use auth::{
    AuthConfig, AuthReason, AuthVitals, EditError, Fingerprint, NewToken, Role, Secret, Token,
    TokenError, TokensFile, TokensFileError, add, are_groups, revoke,
};
pub use config::{Config, WebSocketConfig, usual_sockets};
pub use credential_file::CredentialFile;
pub use exposition::{Format, expose};
pub use gate::{ListedHost, ListedOrigin, ListedProxy, ProxyHeader, Reason};
pub use meter::HttpTotals;
pub use problem::Problem;
pub use reload::{ReloadOutcome, ReloadRefusal, ReloadRequest, ReloadRequests, reload_requests};
pub use rest::parse_body;
pub use routes::routes;
pub use socket::Listener;
pub use tls::{
    Certificate, ClientCertificates, ClientName, Failure, Standing, TlsClient, TlsConfig, TlsError,
    Validity,
};
