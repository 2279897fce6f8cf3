//! Everything that a daemon listens on: opened before it starts, exchanged by a reload.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use poem::Response;
use poem::endpoint::BoxEndpoint;
use tokio::net::TcpSocket;
use tokio::sync::watch;

use super::control::SocketFile;
use crate::server::{self, App, Listener};

/// Connections that wait to be accepted, also while there is no daemon to do it.
pub(super) const BACKLOG: u32 = 4096;

/// Where a daemon cannot listen, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place}{}", .advice.map(|advice| format!(": {advice}")).unwrap_or_default())]
pub struct ListenError {
    place: String,
    advice: Option<&'static str>,
    source: io::Error,
}

/// Sockets that are open, and not served yet.
pub struct Sockets {
    main: Listener,
    control: Option<(SocketFile, Listener)>,
}

/// Sockets that are served.
pub(super) struct Listeners {
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    app: App,
    main: Serving,
    control: Option<Serving>,
}

/// One that is served, until it is dropped.
struct Serving {
    place: String,
    address: Option<SocketAddr>,
    /// The one of a path.
    file: Option<SocketFile>,
    stop: watch::Sender<bool>,
}

impl Sockets {
    /// Opens what the configuration says.
    ///
    /// # Errors
    /// [`ListenError`]; nothing stays open.
    pub fn open(config: &server::Config) -> Result<Self, ListenError> {
        let main = Listener::Tcp(listen(SocketAddr::from((config.host, config.port)))?);
        let control = config.socket_path().map(control).transpose()?;
        Ok(Self { main, control })
    }
}

impl Listeners {
    /// Serves `sockets`.
    pub(super) fn start(
        sockets: Sockets,
        endpoint: Arc<BoxEndpoint<'static, Response>>,
        app: App,
    ) -> Self {
        let Sockets { main, control } = sockets;
        let main = Serving::start(main, None, &endpoint, &app);
        let control =
            control.map(|(file, listener)| Serving::start(listener, Some(file), &endpoint, &app));
        Self { endpoint, app, main, control }
    }

    /// The TCP address, if there is one.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.main.address
    }

    /// Every address and path, as text.
    pub(super) fn places(&self) -> Vec<String> {
        let all = [&self.main].into_iter().chain(&self.control);
        all.map(|serving| serving.place.clone()).collect()
    }

    /// Serves what `new` says, and then no longer what it does not say; connections live on.
    ///
    /// # Errors
    /// [`ListenError`], and nothing has changed.
    pub(super) fn adopt(
        &mut self,
        old: &server::Config,
        new: &server::Config,
    ) -> Result<(), ListenError> {
        let address = SocketAddr::from((new.host, new.port));
        let is_moved = address != SocketAddr::from((old.host, old.port));
        let main = is_moved.then(|| listen(address)).transpose()?;
        let path = new.socket_path();
        if path.as_deref() != self.control_path() {
            let opened = path.map(control).transpose()?;
            self.control = opened.map(|(file, listener)| {
                tracing::info!(place = %listener, "listening on a new socket");
                Serving::start(listener, Some(file), &self.endpoint, &self.app)
            });
        }
        if let Some(main) = main {
            self.main = Serving::start(Listener::Tcp(main), None, &self.endpoint, &self.app);
            tracing::info!(address = %self.main.place, "listening on a new address");
        }
        Ok(())
    }

    /// No new connections.
    pub(super) fn stop(&mut self) {
        self.main.stop.send_replace(true);
        self.control = None;
    }

    fn control_path(&self) -> Option<&std::path::Path> {
        Some(self.control.as_ref()?.file.as_ref()?.path())
    }
}

impl Serving {
    fn start(
        listener: Listener,
        file: Option<SocketFile>,
        endpoint: &Arc<BoxEndpoint<'static, Response>>,
        app: &App,
    ) -> Self {
        let place = listener.to_string();
        let place = file.as_ref().map_or(place, |file| file.path().display().to_string());
        let address = listener.address();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(server::serve(listener, endpoint.clone(), app.clone(), stopped));
        Self { place, address, file, stop }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl ListenError {
    fn new(place: &impl fmt::Display, source: io::Error) -> Self {
        Self { place: place.to_string(), advice: None, source }
    }

    fn port(address: SocketAddr, source: io::Error) -> Self {
        let advice = match source.kind() {
            io::ErrorKind::AddrInUse => "another program uses this port; choose one with --port",
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege; choose one with --port"
            }
            io::ErrorKind::AddrNotAvailable => {
                "this machine has no such address; choose one with --host"
            }
            _ => return Self::new(&address, source),
        };
        Self { place: address.to_string(), advice: Some(advice), source }
    }
}

fn listen(address: SocketAddr) -> Result<tokio::net::TcpListener, ListenError> {
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // What is left of connections of the daemon before must not keep this one from the address.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    open().map_err(|error| ListenError::port(address, error))
}

fn control(path: PathBuf) -> Result<(SocketFile, Listener), ListenError> {
    let opened = SocketFile::listen(&path);
    let (file, listener) = opened.map_err(|error| ListenError::new(&path.display(), error))?;
    Ok((file, Listener::Unix(listener)))
}
