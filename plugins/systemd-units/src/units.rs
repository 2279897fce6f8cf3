//! What systemd says of a unit, and what is remembered of it.

use std::collections::{HashMap, HashSet};

use zbus::{DeserializeDict, Type};

/// A row of `ListUnits` (org.freedesktop.systemd1(5)), as far as it is of use.
#[derive(Debug, Clone)]
pub struct Unit {
    /// With its type: `ssh.service`.
    pub name: String,
    /// `loaded`, `not-found`, `masked` and others.
    pub load_state: String,
    /// `active`, `failed` and others.
    pub active_state: String,
    /// Of its object.
    pub path: String,
}

impl Unit {
    /// The part of the name behind the last dot.
    fn kind(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    /// Whether there is such a unit, and not merely another that names it.
    pub fn is_there(&self) -> bool {
        self.load_state != "not-found" || self.active_state != "inactive"
    }

    /// Whether it does nothing, so that it has no figures either.
    pub fn is_idle(&self) -> bool {
        self.active_state == "inactive"
    }

    /// Whether it is asked for its properties; of the other kinds the state says all.
    pub fn has_properties(&self) -> bool {
        matches!(self.kind(), "service" | "socket" | "timer" | "mount")
    }

    /// Whether its kind has a `Type`.
    fn has_type(&self) -> bool {
        matches!(self.kind(), "service" | "mount")
    }
}

/// Properties of org.freedesktop.systemd1.Unit, .Service, .Socket, .Timer and .Mount; a unit has only
/// those of its kind, and an old systemd lacks some.
#[derive(Debug, Clone, Default, PartialEq, DeserializeDict, Type)]
#[zbus(signature = "a{sv}")]
pub struct Properties {
    /// Of a service how it starts (`simple`, `oneshot`), of a mount the filesystem's.
    #[zbus(rename = "Type")]
    pub kind: Option<String>,
    /// Microseconds since 1970; 0: never.
    #[zbus(rename = "ActiveEnterTimestamp")]
    pub active_enter_usec: Option<u64>,
    /// By `Restart=`, since somebody started it.
    #[zbus(rename = "NRestarts")]
    pub restarts: Option<u32>,
    /// Nanoseconds; [`NOT_SET`] without accounting.
    #[zbus(rename = "CPUUsageNSec")]
    pub cpu_nsec: Option<u64>,
    /// Bytes; [`NOT_SET`] without accounting.
    #[zbus(rename = "MemoryCurrent")]
    pub memory_bytes: Option<u64>,
    /// [`NOT_SET`] without accounting.
    #[zbus(rename = "TasksCurrent")]
    pub tasks: Option<u64>,
    /// [`NOT_SET`]: no limit.
    #[zbus(rename = "TasksMax")]
    pub tasks_max: Option<u64>,
    /// Microseconds since 1970; 0: never.
    #[zbus(rename = "LastTriggerUSec")]
    pub last_trigger_usec: Option<u64>,
    /// Connections that a socket has accepted.
    #[zbus(rename = "NAccepted")]
    pub accepted: Option<u32>,
    /// Connections that a socket has now.
    #[zbus(rename = "NConnections")]
    pub connections: Option<u32>,
    /// Connections that a socket has refused.
    #[zbus(rename = "NRefused")]
    pub refused: Option<u32>,
}

/// What systemd says where it has no figure.
pub const NOT_SET: u64 = u64::MAX;

/// What systemd says of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manager {
    /// As `systemctl is-system-running` has it: `running`, `degraded` and others.
    pub state: String,
    /// `252.22-1~deb12u1`
    pub version: String,
    /// As systemd-detect-virt(1) has it; empty on bare metal.
    pub virtualization: String,
}

/// The `Type` of each unit that was asked, because an idle unit is not asked again, and the label that
/// is made of it must stay the same.
#[derive(Default)]
pub struct Types(HashMap<String, String>);

impl Types {
    /// Forgets the units that are not reported any more.
    pub fn keep_only(&mut self, units: &[Unit]) {
        let names: HashSet<_> = units.iter().map(|unit| &unit.name).collect();
        self.0.retain(|name, _| names.contains(name));
    }

    pub fn learn(&mut self, unit: &Unit, properties: &Properties) {
        if let Some(kind) = &properties.kind {
            self.0.insert(unit.name.clone(), kind.clone());
        }
    }

    /// Whether there is nothing to learn of the unit.
    pub fn knows(&self, unit: &Unit) -> bool {
        !unit.has_type() || self.0.contains_key(&unit.name)
    }

    /// The unit's type, or nothing.
    pub fn of(&self, unit: &Unit) -> &str {
        self.0.get(&unit.name).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::unit;

    #[test]
    fn types_of_units_that_have_gone_are_forgotten() {
        let (stays, goes) = (unit("a.service", "active"), unit("b.service", "active"));
        let simple = Properties { kind: Some("simple".to_owned()), ..Properties::default() };
        let mut types = Types::default();
        types.learn(&stays, &simple);
        types.learn(&goes, &simple);
        types.keep_only(std::slice::from_ref(&stays));
        assert_eq!((types.of(&stays), types.of(&goes)), ("simple", ""));
        assert!(types.knows(&stays) && !types.knows(&goes));
        assert!(types.knows(&unit("a.timer", "active")), "it has none");
    }
}
