//! The server that is measured: this crate's, from the socket to the hub, without collectors and
//! storage. Messages are published straight into the hub.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gz_monitor::clock::Clock;
use gz_monitor::hub::{self, Draft, Hub, Subject};
use gz_monitor::pipeline::{self, Handle, Kept, Limits};
use gz_monitor::scheduler::Controls;
use gz_monitor::server::{self, App, Certificate, Listener, Past, TlsConfig, WebSocketConfig};
use gz_monitor::{query, units};
use tokio::sync::mpsc;

use super::certificate::{CERTIFICATE, KEY};
use super::server::Publish;

/// Nobody is asked whether it is still there: the reference does not ask either.
const NEVER: units::HumanDuration = units::HumanDuration(Duration::from_secs(24 * 60 * 60));

pub async fn start(certificate: Option<&Path>) -> anyhow::Result<(SocketAddr, Publish)> {
    let (clock, config) = (Clock::start(), hub::Config::default());
    let hub = Arc::new(Hub::new("bench".to_owned(), &config));
    let (limits, kept) = (Limits::default(), Kept::default());
    let (handle, inputs) = Handle::new(&limits, kept, config.broadcast_buffer, hub.clone(), clock);
    let (steps, _) = mpsc::channel(1);
    tokio::spawn(pipeline::run(handle.clone(), inputs, steps));
    let (requests, _) = server::reload_requests();
    let http = server::Config {
        max_connections: 100_000,
        max_request_rate: 0,
        ..server::Config::default()
    };
    let websocket = WebSocketConfig { ping_interval: NEVER, ..WebSocketConfig::default() };
    let query = query::Config::default();
    let past = Past::default();
    let app = App::new(handle, Controls::default(), requests, past, http, websocket, query)?;
    if let Some(folder) = certificate {
        let file = |name| folder.join(name).display().to_string().try_into();
        let tls = TlsConfig {
            certificate: Some(file(CERTIFICATE).map_err(anyhow::Error::msg)?),
            key: Some(file(KEY).map_err(anyhow::Error::msg)?),
            ..TlsConfig::default()
        };
        app.adopt_certificate(Certificate::load(&tls, jiff::Timestamp::now())?);
    }
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let endpoint = Arc::new(server::routes(app.clone()));
    let (asking, asked) = mpsc::channel(1);
    tokio::spawn(server::serve(Listener::Tcp(listener), endpoint, app, asked));
    let publish = move |task: String, _, data| {
        // It serves for as long as this lives.
        let _serving = &asking;
        let draft = Draft { subject: Subject::TaskUpdate(task.into()), data };
        hub.publish(hub.number(vec![draft], clock.now()));
    };
    Ok((address, Box::new(publish)))
}
