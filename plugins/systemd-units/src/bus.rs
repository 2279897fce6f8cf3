//! The connection to the bus, and what is asked over it; every answer has its time.

use std::path::Path;
use std::time::Duration;

use gz_monitor_sdk::{Error, Result};
use serde::Serialize;
use zbus::wire::DynamicDeserialize;
use zbus::{Address, Connection, DynamicType, OwnedObjectPath, OwnedVariant, connection, fdo};
use zruntime::SharedRuntime;

use crate::units::{Manager, Properties, Unit};

const SYSTEMD: &str = "org.freedesktop.systemd1";
const MANAGER_PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// A row of `ListUnits`: name, description, load state, active state, sub state, followed unit, path,
/// and the job that is queued: number, type, path.
type Row =
    (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

/// Why there is no answer.
pub enum Fault {
    /// systemd has answered that it will not say.
    Refused(String),
    /// Nothing is to be had over this connection any more.
    Broken(Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(why) => Error::Unavailable(why),
            Fault::Broken(error) => error,
        }
    }
}

/// A connection to the bus that systemd is on.
pub struct Bus(Connection);

/// An address from the configuration.
///
/// # Errors
/// It is none.
pub fn check(address: String) -> Result<String> {
    match address.parse::<Address>() {
        Ok(_) => Ok(address),
        Err(error) => Err(Error::Config(format!("address: {address:?}: {error}"))),
    }
}

/// The address of a socket.
///
/// # Errors
/// Its path is not UTF-8.
pub fn address_of(socket: &Path) -> Result<String> {
    let path = socket.to_str().ok_or("the path of the system bus is not UTF-8")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_/.\\*".contains(c);
    let mut address = "unix:path=".to_owned();
    for c in path.chars() {
        if plain(c) {
            address.push(c);
        } else {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| address += &format!("%{byte:02x}"));
        }
    }
    Ok(address)
}

impl Bus {
    /// Connects; the whole of it may take `timeout`, and so may every later answer.
    pub fn connect(address: &str, timeout: Duration) -> Result<Self> {
        let failed = |why: String| Error::Unavailable(format!("{address}: {why}"));
        let runtime = SharedRuntime::current()?;
        let built = zbus::block_on(async {
            let builder = connection::Builder::address(address).method_timeout(timeout);
            runtime.timeout(timeout, builder.build()).await
        });
        match built {
            Ok(Ok(connection)) => Ok(Self(connection)),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("the bus did not let us in within {timeout:?}"))),
        }
    }

    pub fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Every unit that systemd has loaded.
    pub fn list_units(&self) -> std::result::Result<Vec<Unit>, Fault> {
        let rows: Vec<Row> = self.call(MANAGER_PATH, MANAGER, "ListUnits", &())?;
        let units = rows.into_iter().map(|(name, _, load_state, active_state, _, _, path, ..)| {
            Unit { name, load_state, active_state, path: path.to_string() }
        });
        Ok(units.collect())
    }

    /// What systemd says of itself.
    pub fn manager(&self) -> std::result::Result<Manager, Fault> {
        let get = |name: &str| {
            let value: OwnedVariant =
                self.call(MANAGER_PATH, PROPERTIES, "Get", &(MANAGER, name))?;
            String::try_from(value).map_err(|error| broken(name, &error))
        };
        Ok(Manager {
            state: get("SystemState")?,
            version: get("Version")?,
            virtualization: get("Virtualization")?,
        })
    }

    /// The properties of a unit, those of all its interfaces in one answer (which is what systemd
    /// makes of an empty interface; systemctl(1) asks so too).
    pub fn properties(&self, unit: &Unit) -> std::result::Result<Properties, Fault> {
        self.call(&unit.path, PROPERTIES, "GetAll", &"")
    }

    fn call<T>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &(impl Serialize + DynamicType),
    ) -> std::result::Result<T, Fault>
    where
        T: for<'m> DynamicDeserialize<'m>,
    {
        let call = self.0.call_method(Some(SYSTEMD), path, Some(interface), method, body);
        let answer = zbus::block_on(call).map_err(|error| fault(method, &error))?;
        answer.body().deserialize().map_err(|error| broken(method, &error))
    }
}

/// Tells answers that are errors from answers that do not come.
fn fault(method: &str, error: &zbus::Error) -> Fault {
    let refused = match error {
        zbus::Error::MethodError(..) => true,
        zbus::Error::FDO(error) => matches!(
            **error,
            fdo::Error::UnknownObject(_)
                | fdo::Error::UnknownMethod(_)
                | fdo::Error::UnknownInterface(_)
                | fdo::Error::UnknownProperty(_)
                | fdo::Error::InvalidArgs(_)
                | fdo::Error::AccessDenied(_)
                | fdo::Error::Failed(_)
        ),
        _ => false,
    };
    if refused { Fault::Refused(format!("{method}: {error}")) } else { broken(method, error) }
}

fn broken(what: &str, error: &zbus::Error) -> Fault {
    Fault::Broken(Error::Unavailable(format!("systemd does not answer {what}: {error}")))
}
