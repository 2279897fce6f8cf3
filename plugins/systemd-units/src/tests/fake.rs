//! A bus of the test's own (dbus-daemon(1)) with a service on it that answers as systemd does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use futures_util::StreamExt as _;
use zbus::{Connection, Message, MessageStream, ObjectPath, Variant, connection, message};

/// A bus; it ends when this is dropped.
pub struct BusDaemon {
    child: Child,
    pub address: String,
}

impl BusDaemon {
    /// Starts one that listens at `bus` in this folder.
    pub fn start(folder: &Path) -> Self {
        let (socket, config) = (folder.join("bus"), folder.join("bus.conf"));
        let address = format!("unix:path={}", socket.display());
        let text = format!(
            "<busconfig><listen>{address}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow own=\"*\"/><allow user=\"*\"/>\
             <allow send_destination=\"*\"/><allow receive_sender=\"*\"/></policy></busconfig>"
        );
        fs::write(&config, text).expect("a file");
        let mut daemon = Command::new("dbus-daemon");
        daemon.args(["--nofork", "--nopidfile", "--print-address"]);
        daemon.arg(format!("--config-file={}", config.display()));
        let daemon = daemon.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = daemon.expect("this test needs dbus-daemon");
        // It prints its address once it listens.
        let output = BufReader::new(child.stdout.take().expect("piped"));
        output.lines().next().expect("a line").expect("an address");
        Self { child, address }
    }
}

impl Drop for BusDaemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A row of `ListUnits`.
type Row = (
    String,
    String,
    String,
    String,
    String,
    String,
    ObjectPath<'static>,
    u32,
    String,
    ObjectPath<'static>,
);

/// A unit as the fake has it.
#[derive(Clone)]
pub struct FakeUnit {
    pub load: &'static str,
    pub active: &'static str,
    pub properties: Vec<(&'static str, Property)>,
}

/// A property's value.
#[derive(Clone)]
pub enum Property {
    Number(u32),
    Long(u64),
    Text(&'static str),
}

/// What the fake answers with and what it was asked.
#[derive(Default)]
pub struct State {
    pub units: BTreeMap<String, FakeUnit>,
    /// `ListUnits`, `GetAll ssh.service`.
    pub calls: Vec<String>,
    /// The connections that have called.
    pub callers: BTreeSet<String>,
    /// It does not answer this method.
    pub mute: Option<&'static str>,
    /// It knows nothing of this unit, although it lists it.
    pub refuse: Option<&'static str>,
    pub system_state: &'static str,
}

/// The service on the bus. It ends with the bus.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<State>>);

impl Fake {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State { system_state: "running", ..State::default() })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics")
    }

    pub fn add(&self, name: &str, active: &'static str, properties: &[(&'static str, Property)]) {
        let unit = FakeUnit { load: "loaded", active, properties: properties.to_vec() };
        self.state().units.insert(name.to_owned(), unit);
    }

    /// Takes systemd's name on a bus and answers until the bus ends.
    pub fn serve(&self, bus: &BusDaemon) {
        let fake = self.clone();
        let (connection, mut calls) = zbus::block_on(async {
            let builder = connection::Builder::address(bus.address.as_str());
            let connection = builder.build().await.expect("a connection");
            let calls = MessageStream::from(&connection);
            connection.request_name("org.freedesktop.systemd1").await.expect("the name is free");
            (connection, calls)
        });
        thread::spawn(move || {
            zbus::block_on(async {
                while let Some(Ok(call)) = calls.next().await {
                    if call.message_type() == message::Type::MethodCall {
                        let _ = fake.answer(&connection, &call).await;
                    }
                }
            });
        });
    }

    async fn answer(&self, to: &Connection, call: &Message) -> zbus::Result<()> {
        let header = call.header();
        let method = header.member().expect("a call has a method").to_string();
        let path = header.path().expect("a call has a path").to_string();
        let sender = header.sender().expect("the bus says who calls").to_string();
        let unit = path.rsplit('/').next().unwrap_or_default().replace("_2e", ".");
        self.state().callers.insert(sender);
        if self.state().mute == Some(method.as_str()) {
            return Ok(());
        }
        match method.as_str() {
            "ListUnits" => {
                self.state().calls.push(method);
                let rows = self.rows();
                to.reply(&header, &rows).await
            }
            "Get" => {
                let body = call.body();
                let (_, name): (&str, &str) = body.deserialize()?;
                let value = match name {
                    "SystemState" => self.state().system_state,
                    "Version" => "252.22-1~deb12u1",
                    _ => "",
                };
                to.reply(&header, &Variant::new(value)).await
            }
            "GetAll" => {
                self.state().calls.push(format!("GetAll {unit}"));
                let known = self.state().refuse != Some(unit.as_str());
                let properties = self.state().units.get(&unit).map(|unit| unit.properties.clone());
                let properties = properties.filter(|_| known);
                let Some(properties) = properties else {
                    let name = "org.freedesktop.systemd1.NoSuchUnit";
                    return to.reply_error(&header, name, &"there is no such unit").await;
                };
                // systemd sends hundreds that nobody here wants.
                let mut all = BTreeMap::from([("Environment", Variant::new(vec!["A=1", "B=2"]))]);
                all.extend(properties.iter().map(|(name, value)| (*name, value.variant())));
                to.reply(&header, &all).await
            }
            _ => to.reply_error(&header, "org.freedesktop.DBus.Error.UnknownMethod", &method).await,
        }
    }

    fn rows(&self) -> Vec<Row> {
        let state = self.state();
        let row = |(name, unit): (&String, &FakeUnit)| {
            let text = |text: &str| text.to_owned();
            let (load, active, none) = (text(unit.load), text(unit.active), path_of("none"));
            let path = path_of(name);
            (
                name.clone(),
                text("A unit"),
                load,
                active,
                text("sub"),
                text(""),
                path,
                0,
                text(""),
                none,
            )
        };
        state.units.iter().map(row).collect()
    }
}

impl Property {
    fn variant(&self) -> Variant<'static> {
        match self {
            Property::Number(value) => Variant::new(*value),
            Property::Long(value) => Variant::new(*value),
            Property::Text(value) => Variant::new(*value),
        }
    }
}

/// The object of a unit.
fn path_of(name: &str) -> ObjectPath<'static> {
    let path =
        format!("/org/freedesktop/systemd1/unit/{}", name.replace('.', "_2e").replace('-', "_2d"));
    ObjectPath::try_from(path).expect("the tests' units have plain names")
}
