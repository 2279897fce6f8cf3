//! How full each mounted filesystem is, as node_exporter's `filesystem` names it.

use std::collections::HashSet;
use std::mem;
use std::time::Duration;

use gz_monitor_sdk::{Collector, Error, Host, Level, Result, Sink};
use serde::Deserialize;

use super::mount_table::{Mount, MountTable};
use super::probes::{Answer, Probes, Usage};

/// Which filesystems are reported, and how long one may take to answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Types that are left out. The default is node_exporter's: what holds no files of anybody's.
    pub exclude_types: Vec<String>,
    /// Mount points that are left out, each with everything below it; one that ends in `/` stands
    /// only for what is below it. The default is node_exporter's.
    pub exclude_mount_points: Vec<String>,
    /// A filesystem that has not answered after so many milliseconds is reported with
    /// `node_filesystem_device_error` 1, and not asked again before it has answered.
    pub mount_timeout_ms: u64,
    /// Threads that may wait for filesystems; so many may be stuck before others cannot be asked.
    pub threads_max: usize,
}

const EXCLUDED_TYPES: [&str; 24] = [
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "erofs",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "procfs",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
];

const EXCLUDED_MOUNT_POINTS: [&str; 6] = [
    "/dev",
    "/proc",
    "/run/credentials/",
    "/sys",
    "/var/lib/docker/",
    "/var/lib/containers/storage/",
];

impl Default for Config {
    fn default() -> Self {
        let types = EXCLUDED_TYPES.into_iter().chain(["tracefs"]);
        Self {
            exclude_types: types.map(str::to_owned).collect(),
            exclude_mount_points: EXCLUDED_MOUNT_POINTS.map(str::to_owned).into(),
            mount_timeout_ms: 1_000,
            threads_max: 16,
        }
    }
}

impl Config {
    fn check(&self) -> Result {
        let zero = match (self.mount_timeout_ms, self.threads_max) {
            (0, _) => "mount_timeout_ms",
            (_, 0) => "threads_max",
            _ => return Ok(()),
        };
        Err(Error::Config(format!("{zero} must be at least 1")))
    }

    fn excludes(&self, mount: &Mount) -> bool {
        let point = mount.mount_point.as_str();
        self.exclude_types.contains(&mount.fs_type)
            || self.exclude_mount_points.iter().any(|excluded| is_at_or_below(point, excluded))
    }

    /// Those that are wanted, each once: the same may be mounted over itself.
    fn choose(&self, mut mounts: Vec<Mount>) -> Vec<Mount> {
        let mut seen = HashSet::new();
        mounts.retain(|mount| {
            let key = (mount.device.clone(), mount.mount_point.clone(), mount.fs_type.clone());
            !self.excludes(mount) && seen.insert(key)
        });
        mounts
    }
}

fn is_at_or_below(point: &str, excluded: &str) -> bool {
    let Some(below) = point.strip_prefix(excluded) else { return false };
    if excluded.ends_with('/') {
        !below.is_empty()
    } else {
        below.is_empty() || below.starts_with('/')
    }
}

/// `node_filesystem_*{device,fstype,mountpoint}`. node_exporter's label `device_error` is left out:
/// it is empty but for an error, whose text goes to the log here.
pub struct FileSystem {
    config: Config,
    host: Host,
    table: MountTable,
    probes: Probes,
    /// Mount points that gave an error last time: it is logged once.
    failing: HashSet<String>,
}

impl Collector for FileSystem {
    type Config = Config;

    fn init(config: Config, host: Host) -> Result<Self> {
        config.check()?;
        let table = MountTable::open(&host)?;
        let timeout = Duration::from_millis(config.mount_timeout_ms);
        let probes = Probes::new(config.threads_max, timeout);
        Ok(Self { config, host, table, probes, failing: HashSet::new() })
    }

    fn collect(&mut self, out: &mut Sink<'_>) -> Result {
        let mounts = self.table.refresh(|mounts| self.config.choose(mounts))?;
        let answers = self.probes.ask(mounts.iter().map(|mount| mount.path.as_path()));
        let before = mem::take(&mut self.failing);
        for (mount, answer) in mounts.iter().zip(answers) {
            let usage = match answer {
                Answer::Usage(usage) => Ok(usage),
                Answer::Failed(error) => Err(error.to_string()),
                Answer::Stuck => Err("it does not answer, and is skipped until it does".to_owned()),
                Answer::NoThread => Err("too many others do not answer to ask it".to_owned()),
            };
            if let Err(reason) = &usage {
                if !before.contains(&mount.mount_point) {
                    self.host.log(Level::Warn, &format!("{}: {reason}", mount.mount_point));
                }
                self.failing.insert(mount.mount_point.clone());
            }
            emit(mount, usage.ok(), out);
        }
        Ok(())
    }
}

fn emit(mount: &Mount, usage: Option<Usage>, out: &mut Sink<'_>) {
    let point = ("mountpoint", mount.mount_point.as_str());
    let device = ("device", mount.device.as_str());
    let labels = [device, ("fstype", mount.fs_type.as_str()), point];
    let flag = |set: bool| f64::from(u8::from(set));
    out.gauge("node_filesystem_device_error", flag(usage.is_none()), &labels);
    out.gauge("node_filesystem_readonly", flag(mount.read_only), &labels);
    let Some(usage) = usage else { return };
    out.gauge("node_filesystem_size_bytes", usage.size, &labels);
    out.gauge("node_filesystem_free_bytes", usage.free, &labels);
    out.gauge("node_filesystem_avail_bytes", usage.available, &labels);
    out.gauge("node_filesystem_files", usage.files, &labels);
    out.gauge("node_filesystem_files_free", usage.files_free, &labels);
    let numbers = [device, ("major", &mount.major), ("minor", &mount.minor), point];
    out.gauge("node_filesystem_mount_info", 1.0, &numbers);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluded_mount_points() {
        let config = Config { exclude_types: Vec::new(), ..Config::default() };
        let check = |point: &str, expected: bool| {
            let excluded = config.exclude_mount_points.iter().any(|e| is_at_or_below(point, e));
            assert_eq!(excluded, expected, "{point}");
        };
        for point in ["/dev", "/dev/shm", "/sys/fs/x", "/var/lib/docker/overlay2/1/merged"] {
            check(point, true);
        }
        for point in ["/", "/device", "/var/lib/docker", "/run/credentials", "/run", "/home/dev"] {
            check(point, false);
        }
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let refusal = |json: &str| {
            let config: Config = serde_json::from_str(json).unwrap();
            config.check().unwrap_err().to_string()
        };
        let timeout = refusal(r#"{"mount_timeout_ms": 0}"#);
        assert_eq!(timeout, "configuration: mount_timeout_ms must be at least 1");
        let threads = refusal(r#"{"threads_max": 0}"#);
        assert_eq!(threads, "configuration: threads_max must be at least 1");
    }
}
