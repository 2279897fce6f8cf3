//! Looks at this process and around it. Nothing is changed, and nothing leaves this machine.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{Resource, getrlimit};

use super::path::{Way, named_in};
use super::process_status::{self, name_of};
use super::reach::{passes_packets, reach};
use super::{
    Facts, Folder, Ill, Listener, Process, Psi, Reach, Setup, StateDirectory, Surroundings, mounts,
};
use crate::plugin::trusted;

/// Errors of collectors whose paths are looked at.
const WAYS_MAX: usize = 100;

impl Facts {
    /// Looks at this process, which is the daemon of `setup`, and at what its collectors complain of.
    /// May block.
    pub fn find(setup: &Setup, ill: Vec<Ill>) -> Self {
        let groups = fs::read_to_string("/etc/group").unwrap_or_default();
        let paths = ill.iter().filter_map(|one| named_in(&one.text)).take(WAYS_MAX);
        let way = |path: PathBuf| {
            let way = Way::to(&path, |group| name_of(&groups, group));
            (path, way)
        };
        let listeners = setup.listeners.iter().map(|&(address, of_unit)| {
            // Packets to another unit's socket are that unit's business, but ours go by our filter.
            let reach = if of_unit { Reach::Unknown } else { reach(address) };
            Listener { address, reach }
        });
        let mut around = surroundings();
        around.wants_journal = setup.is_journal;
        Self {
            process: process(),
            around,
            folders: setup.folders.iter().map(|folder| look_at(folder)).collect(),
            listeners: listeners.collect(),
            max_connections: setup.max_connections,
            children: setup.children.clone(),
            ways: paths.map(way).collect(),
            ill,
            ..Self::default()
        }
    }
}

fn process() -> Process {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let process = process_status::read(&status);
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    Process {
        // /proc/self of a process that may not see itself says nothing.
        pid: std::process::id(),
        user_name: name_of(&users, process.user),
        open_files_max: getrlimit(Resource::Nofile).current,
        memory_max: memory_max(),
        ..process
    }
}

/// The least limit of the control groups that this process is in, cgroups(7).
fn memory_max() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let limit = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        let (mount, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|one| one == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let groups = Path::new(group.trim_start_matches('/')).ancestors();
        let read = |group: &Path| {
            let text = fs::read_to_string(Path::new(mount).join(group).join(file)).ok()?;
            text.trim().parse::<u64>().ok()
        };
        groups.filter_map(read).min()
    };
    // Version 1 writes "no limit" as the largest number of whole pages.
    groups.lines().filter_map(limit).filter(|bytes| *bytes < 1 << 62).min()
}

fn surroundings() -> Surroundings {
    let own = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let host = fs::read_to_string("/proc/1/mountinfo").ok();
    let host = host.as_deref();
    Surroundings {
        sees_processes: fs::read("/proc/1/stat").is_ok(),
        reads_others_io: reads_others_io(),
        proc_is_whole: Path::new("/proc/stat").exists(),
        has_sys: Path::new("/sys/class").is_dir(),
        root_is_read_only: mounts::root_is_read_only(&own),
        devices_are_private: host.map(|host| mounts::is_private(&own, host, "/dev")),
        hidden_disks: hidden_disks(),
        has_nvidia: Path::new("/proc/driver/nvidia/version").exists(),
        opens_nvidia: File::options().read(true).write(true).open("/dev/nvidiactl").is_ok(),
        hidden_homes: host.map(|host| mounts::hidden_homes(&own, host)).unwrap_or_default(),
        families: families(),
        passes_packets: passes_packets(),
        state_directory: state_directory(),
        has_systemd: Path::new("/run/systemd/system").is_dir(),
        reaches_bus: UnixStream::connect("/run/dbus/system_bus_socket").is_ok(),
        reaches_journal: UnixDatagram::unbound()
            .is_ok_and(|socket| socket.connect("/run/systemd/journal/socket").is_ok()),
        wants_journal: false,
        psi: psi(),
        // systemd-timesyncd.service(8); adjtimex(2) is refused to a service with ProtectClock=.
        clock_is_synchronised: Path::new("/run/systemd/timesync/synchronized")
            .exists()
            .then_some(true),
    }
}

/// Process 1 stands for those of other users, if it is one.
fn reads_others_io() -> Option<bool> {
    let us = rustix::process::geteuid();
    match fs::metadata("/proc/1") {
        Ok(process) if process.uid() == us.as_raw() && !us.is_root() => None,
        // It is hidden.
        Err(_) => Some(false),
        // The right is asked for when it is read, not when it is opened.
        Ok(_) => Some(fs::read("/proc/1/io").is_ok()),
    }
}

/// Real disks, which have a device behind them.
fn hidden_disks() -> Vec<String> {
    let entries = fs::read_dir("/sys/block").into_iter().flatten().filter_map(Result::ok);
    let real = entries.filter(|entry| entry.path().join("device").exists());
    let names = real.filter_map(|entry| entry.file_name().into_string().ok());
    // "!" stands for a "/".
    let hidden = names.filter(|name| !Path::new("/dev").join(name.replace('!', "/")).exists());
    let mut hidden: Vec<String> = hidden.collect();
    hidden.sort();
    hidden
}

fn families() -> BTreeMap<&'static str, bool> {
    let families = [
        ("AF_UNIX", AddressFamily::UNIX),
        ("AF_INET", AddressFamily::INET),
        ("AF_INET6", AddressFamily::INET6),
        ("AF_NETLINK", AddressFamily::NETLINK),
        ("AF_PACKET", AddressFamily::PACKET),
    ];
    let is_there =
        |family| !matches!(socket(family, SocketType::DGRAM, None), Err(Errno::AFNOSUPPORT));
    families.into_iter().map(|(name, family)| (name, is_there(family))).collect()
}

fn state_directory() -> Option<StateDirectory> {
    let folders = env::var("STATE_DIRECTORY").ok()?;
    let path = PathBuf::from(folders.split(':').next()?);
    let is_writable = accessat(CWD, &path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    Some(StateDirectory { path, is_writable })
}

fn psi() -> Psi {
    let mut first = [0; 1];
    match File::open("/proc/pressure/cpu").and_then(|mut file| file.read(&mut first)) {
        Ok(_) => Psi::On,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Psi::Missing,
        Err(_) => Psi::Off,
    }
}

fn look_at(path: &Path) -> Folder {
    let (is_there, problem) = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (false, None),
        Err(error) => (true, Some(error.to_string())),
        Ok(_) => (true, trusted(path).err()),
    };
    Folder { path: path.to_owned(), is_there, problem }
}
