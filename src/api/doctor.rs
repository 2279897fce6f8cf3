//! What keeps collectors from data, as clients see it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::doctor::{self, Facts, Psi, Reach};

/// `GET /api/v1/doctor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Doctor {
    /// The daemon's own rights, and what it sees of the machine.
    pub daemon: Rights,
    /// The worst first.
    pub findings: Vec<Finding>,
}

/// What the daemon may do and what it sees. What cannot be told is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rights {
    pub pid: u32,
    /// The number of its user, and the name if it has one.
    pub user: u32,
    pub user_name: Option<String>,
    /// Those in effect, capabilities(7).
    pub capabilities: Vec<String>,
    pub no_new_privileges: bool,
    /// Whether its system calls are filtered, seccomp(2).
    pub system_calls_filtered: bool,
    /// Whether other users' processes are seen.
    pub other_processes: bool,
    /// Whether their /proc/PID/io can be read.
    pub other_processes_io: Option<bool>,
    /// Whether `/` is mounted read-only for it.
    pub root_read_only: Option<bool>,
    /// Whether its /dev is not that of the machine.
    pub private_devices: Option<bool>,
    /// Disks that have no node in its /dev.
    pub hidden_disks: Vec<String>,
    /// Folders of homes over which an empty file system is mounted.
    pub hidden_homes: Vec<String>,
    /// Whether there can be sockets of an address family.
    pub address_families: BTreeMap<String, bool>,
    /// Whether packets to and from this machine's own addresses but 127.0.0.1 are let through.
    pub other_addresses: Option<bool>,
    /// Bytes, the least limit of its control group and those above.
    pub memory_limit_bytes: Option<u64>,
    pub open_files_limit: Option<u64>,
    /// The folder of $STATE_DIRECTORY, if systemd made one.
    pub state_directory: Option<String>,
    pub state_directory_writable: Option<bool>,
    /// Whether journald takes messages.
    pub journal: bool,
    /// Whether the system bus takes connections.
    pub system_bus: bool,
    /// Pressure stall information: "on", "off" or "missing".
    pub pressure: String,
    /// True if systemd-timesyncd says so.
    pub clock_synchronised: Option<bool>,
    pub plugin_folders: Vec<PluginFolder>,
    pub listeners: Vec<Listener>,
}

/// A plugin folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginFolder {
    pub path: String,
    pub exists: bool,
    /// Why it is not used.
    pub problem: Option<String>,
}

/// A TCP address that the daemon listens on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    pub address: String,
    /// Whether a connection from this machine, by the address that others use, is let through.
    pub reachable: Option<bool>,
}

/// One thing that is wrong, or good to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub severity: Severity,
    /// The collector that it is about.
    pub collector: Option<String>,
    pub what: String,
    pub why: String,
    /// What to do; empty if there is nothing to be done.
    pub remedy: String,
    pub drop_in: Option<DropIn>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A collector gets nothing, or the daemon cannot be reached.
    Error,
    /// Something is missing.
    Warning,
    /// As it is meant to be.
    Info,
}

/// What `systemctl edit gz-monitor` takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DropIn {
    /// The file of the examples that it is.
    pub example: Option<String>,
    pub text: String,
}

impl From<&Facts> for Doctor {
    fn from(facts: &Facts) -> Self {
        let findings = doctor::judge(facts).into_iter().map(Finding::from).collect();
        Self { daemon: Rights::from(facts), findings }
    }
}

impl From<&Facts> for Rights {
    fn from(facts: &Facts) -> Self {
        let (process, around) = (facts.process.clone(), facts.around.clone());
        let families = around.families.into_iter();
        let state = around.state_directory;
        Self {
            pid: process.pid,
            user: process.user,
            user_name: process.user_name,
            capabilities: process.effective.list(),
            no_new_privileges: process.no_new_privs,
            system_calls_filtered: process.is_filtered,
            other_processes: around.sees_processes,
            other_processes_io: around.reads_others_io,
            root_read_only: around.root_is_read_only,
            private_devices: around.devices_are_private,
            hidden_disks: around.hidden_disks,
            hidden_homes: around.hidden_homes,
            address_families: families.map(|(name, open)| (name.to_owned(), open)).collect(),
            other_addresses: around.passes_packets,
            memory_limit_bytes: process.memory_max,
            open_files_limit: process.open_files_max,
            state_directory: state.as_ref().map(|state| state.path.display().to_string()),
            state_directory_writable: state.map(|state| state.is_writable),
            journal: around.reaches_journal,
            system_bus: around.reaches_bus,
            pressure: match around.psi {
                Psi::On => "on",
                Psi::Off => "off",
                Psi::Missing => "missing",
            }
            .to_owned(),
            clock_synchronised: around.clock_is_synchronised,
            plugin_folders: facts.folders.iter().map(PluginFolder::from).collect(),
            listeners: facts.listeners.iter().map(Listener::from).collect(),
        }
    }
}

impl From<&doctor::Folder> for PluginFolder {
    fn from(folder: &doctor::Folder) -> Self {
        Self {
            path: folder.path.display().to_string(),
            exists: folder.is_there,
            problem: folder.problem.clone(),
        }
    }
}

impl From<&doctor::Listener> for Listener {
    fn from(listener: &doctor::Listener) -> Self {
        let reachable = match listener.reach {
            Reach::Yes => Some(true),
            Reach::No(..) => Some(false),
            Reach::Unknown => None,
        };
        Self { address: listener.address.to_string(), reachable }
    }
}

impl From<doctor::Finding> for Finding {
    fn from(finding: doctor::Finding) -> Self {
        let severity = match finding.severity {
            doctor::Severity::Error => Severity::Error,
            doctor::Severity::Warning => Severity::Warning,
            doctor::Severity::Info => Severity::Info,
        };
        let drop_in = finding.drop_in.map(|drop_in| DropIn {
            example: drop_in.example.map(str::to_owned),
            text: drop_in.text,
        });
        let doctor::Finding { collector, what, why, remedy, .. } = finding;
        Self { severity, collector, what, why, remedy, drop_in }
    }
}
