//! The real filesystems of the host, each device once.
//!
//! sysinfo's list of disks is not used: it asks each for its size in the caller's thread, so that a
//! hung FUSE mount would hang `system` and with it the daemon's status.

use std::time::Duration;

use gz_monitor_sdk::{Host, Result};

use super::mount_table::{Mount, MountTable};
use super::probes::{Answer, Probes};

/// Threads for filesystems that do not answer; those on block devices nearly always do.
const THREADS_MAX: usize = 4;
const TIMEOUT: Duration = Duration::from_secs(1);

/// Types that are on a block device but hold nothing that can fill up.
const READ_ONLY_TYPES: [&str; 5] = ["cramfs", "erofs", "iso9660", "squashfs", "udf"];

/// The real filesystems, by the mount table.
pub struct Disks {
    table: MountTable,
    probes: Probes,
}

/// How full a real filesystem is, in bytes.
pub struct Disk<'m> {
    pub mount: &'m Mount,
    pub total: f64,
    /// Not free, whoever might use the rest.
    pub used: f64,
}

impl Disks {
    /// Fails if there is no mount table.
    pub fn open(host: &Host) -> Result<Self> {
        let probes = Probes::new(THREADS_MAX, TIMEOUT);
        Ok(Self { table: MountTable::open(host)?, probes })
    }

    /// Those that answer.
    pub fn read(&mut self) -> Result<impl Iterator<Item = Disk<'_>>> {
        let mounts = self.table.refresh(real)?;
        let answers = self.probes.ask(mounts.iter().map(|mount| mount.path.as_path()));
        Ok(mounts.iter().zip(answers).filter_map(|(mount, answer)| match answer {
            Answer::Usage(usage) if usage.size > 0.0 => {
                Some(Disk { mount, total: usage.size, used: usage.size - usage.free })
            }
            _ => None,
        }))
    }
}

/// Keeps the real filesystems. Of several mounts of a device (a sandbox makes many, btrfs has
/// subvolumes) it keeps the one with the shortest path.
fn real(mut mounts: Vec<Mount>) -> Vec<Mount> {
    mounts.retain(is_real);
    mounts.sort_by_key(|mount| mount.mount_point.len());
    let mut kept: Vec<Mount> = Vec::new();
    for mount in mounts {
        if !kept.iter().any(|other| other.device == mount.device) {
            kept.push(mount);
        }
    }
    kept
}

/// On a block device, or ZFS, or what a container has for a root. Network filesystems are another
/// machine's.
fn is_real(mount: &Mount) -> bool {
    match mount.fs_type.as_str() {
        "zfs" => true,
        "overlay" => mount.mount_point == "/",
        "devtmpfs" => false,
        fs_type if fs_type.starts_with("fuse.") || READ_ONLY_TYPES.contains(&fs_type) => false,
        _ => mount.device.starts_with("/dev/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(device: &str, mount_point: &str, fs_type: &str) -> Mount {
        Mount {
            device: device.to_owned(),
            mount_point: mount_point.to_owned(),
            path: mount_point.into(),
            fs_type: fs_type.to_owned(),
            major: "8".to_owned(),
            minor: "1".to_owned(),
            read_only: false,
        }
    }

    #[test]
    fn real_filesystems() {
        let check = |device, mount_point, fs_type, expected| {
            assert_eq!(is_real(&mount(device, mount_point, fs_type)), expected, "{fs_type}");
        };
        check("/dev/sda1", "/", "ext4", true);
        check("/dev/sda1", "/", "btrfs", true);
        check("/dev/sdb1", "/media/stick", "fuseblk", true);
        check("tank/home", "/home", "zfs", true);
        check("overlay", "/", "overlay", true);
        check("overlay", "/var/lib/docker/overlay2/1/merged", "overlay", false);
        check("/dev/loop3", "/snap/core/1", "squashfs", false);
        check("/dev/fuse", "/run/user/1/doc", "fuse.portal", false);
        check("server:/srv", "/srv", "nfs4", false);
        check("tmpfs", "/tmp", "tmpfs", false);
    }

    #[test]
    fn each_device_once() {
        let mounts = vec![
            mount("/dev/sda1", "/var/tmp", "ext4"),
            mount("/dev/sda1", "/", "ext4"),
            mount("/dev/sdb1", "/srv", "xfs"),
            mount("/dev/sda1", "/home", "ext4"),
        ];
        let kept = real(mounts);
        let points: Vec<_> = kept.iter().map(|mount| mount.mount_point.as_str()).collect();
        assert_eq!(points, ["/", "/srv"]);
    }
}
