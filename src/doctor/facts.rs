//! What is known of a process and of its collectors.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::path::Way;
use crate::plugin::Capabilities;
use crate::plugin::process::Wanted;
use crate::store::CollectorState;

/// What only the daemon's composer knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Setup {
    /// The plugin folders.
    pub folders: Vec<PathBuf>,
    /// What the entries of collectors with a child name.
    pub children: BTreeMap<String, Wanted>,
    /// Where it listens, and whether the service manager opened the socket.
    pub listeners: Vec<(SocketAddr, bool)>,
    /// Connections that it takes at once.
    pub max_connections: usize,
    /// Whether it logs to the journal.
    pub is_journal: bool,
}

/// A collector of which there is something to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Ill {
    pub name: String,
    pub plugin: String,
    pub state: CollectorState,
    /// Why it failed, or is absent.
    pub text: String,
}

/// All that is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    pub process: Process,
    pub around: Surroundings,
    pub folders: Vec<Folder>,
    pub listeners: Vec<Listener>,
    /// Connections that it takes at once; 0 for none.
    pub max_connections: usize,
    /// Names of the collectors that run.
    pub running: Vec<String>,
    pub ill: Vec<Ill>,
    /// What the entries of collectors with a child name.
    pub children: BTreeMap<String, Wanted>,
    /// The ways to the paths that the errors of collectors name.
    pub ways: BTreeMap<PathBuf, Way>,
    /// Mount points of which the collector `filesystem` got no figures.
    pub silent_mounts: Vec<String>,
    /// Files of plugins that are not used, and why.
    pub refused: Vec<(String, String)>,
}

/// What /proc/self/status and the limits of this process say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Process {
    pub pid: u32,
    pub user: u32,
    pub user_name: Option<String>,
    pub groups: Vec<u32>,
    pub effective: Capabilities,
    pub permitted: Capabilities,
    pub no_new_privs: bool,
    /// Whether system calls are filtered (seccomp(2)).
    pub is_filtered: bool,
    pub open_files_max: Option<u64>,
    /// Bytes, the least of its control group and those above.
    pub memory_max: Option<u64>,
}

/// What this process sees of the machine. `None` is what cannot be told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Surroundings {
    /// Whether other users' processes are seen, by /proc/1/stat.
    pub sees_processes: bool,
    /// Whether /proc/PID/io of another user's process can be read.
    pub reads_others_io: Option<bool>,
    /// Whether /proc has more than processes.
    pub proc_is_whole: bool,
    pub has_sys: bool,
    pub root_is_read_only: Option<bool>,
    /// Whether /dev is another one than that of process 1.
    pub devices_are_private: Option<bool>,
    /// Disks of /sys/block without a node in /dev.
    pub hidden_disks: Vec<String>,
    /// Whether a GPU's driver is loaded, and its node in /dev can be opened.
    pub has_nvidia: bool,
    pub opens_nvidia: bool,
    /// Folders of homes that are hidden: an empty file system is mounted over each.
    pub hidden_homes: Vec<String>,
    /// Address families that sockets can be of, and those that they cannot.
    pub families: BTreeMap<&'static str, bool>,
    /// Whether packets from one of this machine's own addresses to itself are let through.
    pub passes_packets: Option<bool>,
    pub state_directory: Option<StateDirectory>,
    pub has_systemd: bool,
    pub reaches_bus: bool,
    pub reaches_journal: bool,
    /// Whether the log is meant to go there.
    pub wants_journal: bool,
    pub psi: Psi,
    /// Whether systemd-timesyncd says that the clock is synchronised.
    pub clock_is_synchronised: Option<bool>,
}

/// Pressure stall information of the kernel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Psi {
    /// There is no /proc/pressure.
    #[default]
    Missing,
    /// The files are there and refuse to be read.
    Off,
    On,
}

/// The folder that systemd made for the daemon's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDirectory {
    pub path: PathBuf,
    pub is_writable: bool,
}

/// A plugin folder; those that are not there have no problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    pub path: PathBuf,
    pub is_there: bool,
    pub problem: Option<String>,
}

/// A place where the daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    pub address: SocketAddr,
    pub reach: Reach,
}

/// Whether a connection to a listener is let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Yes,
    /// Why not, from this address of this machine.
    No(SocketAddr, String),
    /// The socket is another unit's, or there is no address to try from.
    Unknown,
}
