//! Everything that a daemon listens on while it runs, exchanged by a reload.

use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::sync::Arc;

use poem::Response;
use poem::endpoint::BoxEndpoint;
use tokio::sync::mpsc;

use super::control::SocketFile;
use super::hang::can_hang;
use super::http_probe::{Asking, HttpProbe};
use super::sockets::{ListenError, Sockets, control, listen};
use crate::server::{self, App, Listener};
use crate::systemd::sockets;

/// Sockets that are served.
pub(super) struct Listeners {
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    app: App,
    probe: HttpProbe,
    main: Vec<Serving>,
    /// Whether the service manager has opened the main ones, so that addresses are its business.
    of_unit: bool,
    control: Option<Serving>,
}

/// One that is served, until it is dropped.
struct Serving {
    place: String,
    address: Option<SocketAddr>,
    /// The one of a path.
    file: Option<SocketFile>,
    /// The name by which the service manager keeps it.
    kept: Option<String>,
    /// Ends the serving when it is dropped.
    asking: Asking,
}

impl Listeners {
    /// Serves `sockets`.
    pub(super) fn start(
        sockets: Sockets,
        endpoint: Arc<BoxEndpoint<'static, Response>>,
        app: App,
    ) -> Self {
        let Sockets { main, of_unit, control } = sockets;
        let start = |listener| {
            let kept = if of_unit { None } else { keep(&listener) };
            Serving { kept, ..Serving::start(listener, None, &endpoint, &app) }
        };
        let main = main.into_iter().map(start).collect();
        let control =
            control.map(|(file, listener)| Serving::start(listener, Some(file), &endpoint, &app));
        let probe = HttpProbe::new(endpoint.clone());
        let listeners = Self { endpoint, app, probe, main, of_unit, control };
        listeners.watch();
        listeners
    }

    /// The TCP address, if there is one.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.main.iter().find_map(|serving| serving.address)
    }

    /// The TCP addresses, and whether the service manager opened their sockets.
    pub(super) fn addresses(&self) -> Vec<(SocketAddr, bool)> {
        let all = self.main.iter().filter_map(|serving| serving.address);
        all.map(|address| (address, self.of_unit)).collect()
    }

    /// Every address and path, as text.
    pub(super) fn places(&self) -> Vec<String> {
        let all = self.main.iter().chain(&self.control);
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
        let is_ours = is_moved && !self.of_unit;
        let main = is_ours.then(|| listen(address)).transpose()?;
        let path = new.socket_path();
        if path.as_deref() != self.control_path() {
            let opened = path.map(control).transpose()?;
            self.control = opened.map(|(file, listener)| {
                tracing::info!(place = %listener, "listening on a new socket");
                Serving::start(listener, Some(file), &self.endpoint, &self.app)
            });
        }
        if let Some(main) = main {
            let main = Listener::Tcp(main);
            let kept = keep(&main);
            let new = Serving::start(main, None, &self.endpoint, &self.app);
            let new = Serving { kept, ..new };
            tracing::info!(address = %new.place, "listening on a new address");
            for old in std::mem::replace(&mut self.main, vec![new]) {
                old.kept.as_deref().inspect(|name| sockets::forget(name));
            }
        } else if is_moved {
            let text = "the service manager opened the sockets: change gz-monitor.socket instead";
            tracing::warn!(key = "server.port", "{text}");
        }
        self.watch();
        Ok(())
    }

    /// No new connections. What the service manager keeps, it keeps.
    pub(super) fn stop(&mut self) {
        self.main.clear();
        self.control = None;
    }

    /// Asks whether all of it is served.
    pub(super) fn probe(&self) -> HttpProbe {
        self.probe.clone()
    }

    fn watch(&self) {
        let all = self.main.iter().chain(&self.control);
        self.probe.watch(all.map(|serving| &serving.asking));
    }

    fn control_path(&self) -> Option<&Path> {
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
        let (asking, asked) = mpsc::channel(1);
        let serving = server::serve(listener, endpoint.clone(), app.clone(), asked);
        tokio::spawn(can_hang("http", serving));
        Self { place, address, file, kept: None, asking }
    }
}

/// Has the service manager keep it, so that no connection is refused while there is no daemon.
fn keep(listener: &Listener) -> Option<String> {
    let Listener::Tcp(socket) = listener else { return None };
    let name = sockets::name_of(listener.address()?);
    sockets::keep(&name, socket.as_fd());
    Some(name)
}
