//! The host's mounts, from /proc/PID/mountinfo (proc(5)).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use gz_monitor_sdk::{Host, Result};

use super::proc_file::{ProcFile, lines};

/// The mounts that somebody wants, read anew only when the table has changed.
pub struct MountTable {
    host: Host,
    file: ProcFile,
    last: Vec<u8>,
    mounts: Vec<Mount>,
}

/// One mount.
#[derive(Debug, Clone, PartialEq)]
pub struct Mount {
    /// What is mounted: a block device's path, or whatever the filesystem calls its source.
    pub device: String,
    /// Where, as the host sees it.
    pub mount_point: String,
    /// Where, as this process reaches it: below the host's root.
    pub path: PathBuf,
    pub fs_type: String,
    pub major: String,
    pub minor: String,
    pub read_only: bool,
}

impl MountTable {
    /// Takes the table of process 1, which shows the host as it is. This process's own is the
    /// second choice: in a sandbox it lacks mounts, and says of others that they are read-only.
    pub fn open(host: &Host) -> Result<Self> {
        let file = ProcFile::open(host, "proc/1/mountinfo")
            .or_else(|_| ProcFile::open(host, "proc/self/mountinfo"))?;
        Ok(Self { host: host.clone(), file, last: Vec::new(), mounts: Vec::new() })
    }

    /// Reads the table. If it has changed, keeps the mounts that `choose` leaves of it.
    pub fn refresh(&mut self, choose: impl FnOnce(Vec<Mount>) -> Vec<Mount>) -> Result<&[Mount]> {
        let text = self.file.read()?;
        if text != self.last {
            let mounts: Vec<_> =
                lines(text).filter_map(|line| read_line(line, &self.host)).collect();
            if mounts.is_empty() {
                return Err(self.file.not_understood());
            }
            self.last.clear();
            self.last.extend_from_slice(text);
            self.mounts = choose(mounts);
        }
        Ok(&self.mounts)
    }
}

/// Reads `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`. A field
/// may be empty, and there are any number of tags before the dash.
fn read_line(line: &[u8], host: &Host) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ').skip(2);
    let (major, minor) = str::from_utf8(fields.next()?).ok()?.split_once(':')?;
    let mount_point = unescape(fields.nth(1)?);
    let options = fields.next()?;
    fields.find(|field| *field == b"-")?;
    let (fs_type, device, super_options) = (fields.next()?, fields.next()?, fields.next()?);
    let has_ro = |options: &[u8]| options.split(|byte| *byte == b',').any(|o| o == b"ro");
    let path = host.path(OsStr::from_bytes(mount_point.strip_prefix(b"/")?));
    Some(Mount {
        device: text(&unescape(device)),
        mount_point: text(&mount_point),
        path,
        fs_type: text(fs_type),
        major: major.to_owned(),
        minor: minor.to_owned(),
        read_only: has_ro(options) || has_ro(super_options),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Undoes the kernel's escapes: white space, `\` and `#` are written as `\` and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, tail)) = rest.split_first() {
        let octal = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok();
        let escaped = (*first == b'\\').then(|| tail.get(..3).and_then(octal)).flatten();
        plain.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[3..] } else { tail };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn host() -> Host {
        Host::new("/host".into(), |_, _| {})
    }

    #[test]
    fn one_line() {
        let check = |line: &str, expected: Option<[&str; 4]>| {
            let mount = read_line(line.as_bytes(), &host());
            let fields = mount.as_ref().map(|m| {
                let flag = if m.read_only { "ro" } else { "rw" };
                [m.device.as_str(), m.mount_point.as_str(), m.fs_type.as_str(), flag]
            });
            assert_eq!(fields, expected, "{line}");
        };
        check(
            "1 2 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
            Some(["/dev/sda1", "/", "ext4", "rw"]),
        );
        check("1 2 8:1 / /a ro master:1 shared:2 - ext4 d rw", Some(["d", "/a", "ext4", "ro"]));
        check("1 2 8:1 / /a rw - ext4 d errors=x,ro", Some(["d", "/a", "ext4", "ro"]));
        check("1 2 8:1 / /a rw,errors=remount-ro - ext4 d rw", Some(["d", "/a", "ext4", "rw"]));
        check("1 2 0:5 / /a\\040b\\134 rw - tmpfs  rw", Some(["", "/a b\\", "tmpfs", "rw"]));
        check("1 2 8:1 / /a rw ext4 d rw", None);
        check("1 2 8:1 / /a rw - ext4", None);
        check("1 2 8 / /a rw - ext4 d rw", None);
        check("", None);
    }

    #[test]
    fn a_mount_is_reached_below_the_root() {
        let path = |point: &str| {
            let line = format!("1 2 8:1 / {point} rw - ext4 d rw");
            read_line(line.as_bytes(), &host()).unwrap().path
        };
        assert_eq!(path("/"), PathBuf::from("/host/"));
        assert_eq!(path("/srv/data"), PathBuf::from("/host/srv/data"));
    }

    proptest! {
        #[test]
        fn escapes_are_undone(name in prop::collection::vec(1u8.., 0..20)) {
            let escaped: Vec<u8> = name
                .iter()
                .flat_map(|byte| match byte {
                    b' ' | b'\t' | b'\n' | b'\\' | b'#' => format!("\\{byte:03o}").into_bytes(),
                    byte => vec![*byte],
                })
                .collect();
            prop_assert_eq!(unescape(&escaped), name);
        }

        #[test]
        fn any_line_is_read_or_refused(line: Vec<u8>) {
            let _ = read_line(&line, &host());
        }
    }
}
