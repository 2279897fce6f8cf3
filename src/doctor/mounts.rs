//! What a sandbox shows in its table of mounts, /proc/PID/mountinfo (proc(5)).

use std::path::Path;

/// The file systems mounted at one place, as text: (device, options).
fn at<'t>(table: &'t str, point: &str) -> Option<(&'t str, &'t str)> {
    let mount = |line: &'t str| {
        let mut fields = line.split(' ');
        let device = fields.nth(2)?;
        // Then what of it is mounted, and where.
        (fields.nth(1)? == point).then_some((device, fields.next()?))
    };
    // Of those mounted over each other the last one counts.
    table.lines().filter_map(mount).next_back()
}

/// Whether `/` is read-only in this table.
pub(super) fn root_is_read_only(own: &str) -> Option<bool> {
    let (_, options) = at(own, "/")?;
    Some(options.split(',').any(|option| option == "ro"))
}

/// The device of the file system that `path` is on.
fn device_of<'t>(table: &'t str, path: &str) -> Option<&'t str> {
    let mut ancestors = Path::new(path).ancestors().filter_map(Path::to_str);
    ancestors.find_map(|point| at(table, point)).map(|(device, _)| device)
}

/// Whether `path` is on another file system than in the table of the host.
pub(super) fn is_private(own: &str, host: &str, path: &str) -> bool {
    device_of(own, path) != device_of(host, path)
}

/// The folders of homes over which something else is mounted than on the host: an empty file system,
/// unless somebody has bound something there.
pub(super) fn hidden_homes(own: &str, host: &str) -> Vec<String> {
    let is_tmpfs = |point: &str| {
        own.lines().any(|line| line.split(' ').nth(4) == Some(point) && line.contains(" - tmpfs "))
    };
    let homes = ["/home", "/root", "/run/user"].into_iter();
    homes.filter(|home| is_tmpfs(home) && is_private(own, host, home)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:5 / /dev rw,nosuid shared:2 - devtmpfs udev rw
24 22 254:2 / /home rw shared:3 - ext4 /dev/vda2 rw
25 22 0:7 / /run rw shared:4 - tmpfs tmpfs rw
";

    #[test]
    fn the_unit_as_it_is_shipped() {
        let own = "\
90 80 254:1 / / ro,relatime - ext4 /dev/vda1 rw
91 90 0:5 / /dev rw,nosuid - devtmpfs udev rw
92 91 0:60 / /dev ro,nosuid - tmpfs tmpfs rw
93 90 254:2 / /home ro - ext4 /dev/vda2 rw
94 90 0:7 /user /run/user ro - tmpfs tmpfs rw
";
        assert_eq!(root_is_read_only(own), Some(true));
        assert!(is_private(own, HOST, "/dev") && !is_private(own, HOST, "/home"));
        assert!(hidden_homes(own, HOST).is_empty());
    }

    #[test]
    fn a_hidden_home_and_no_sandbox() {
        let own = "\
90 80 254:1 / / rw,relatime - ext4 /dev/vda1 rw
91 90 0:60 / /home ro,nosuid - tmpfs tmpfs ro
92 90 0:60 / /root ro,nosuid - tmpfs tmpfs ro
";
        assert_eq!(hidden_homes(own, HOST), ["/home", "/root"]);
        assert_eq!(root_is_read_only(HOST), Some(false));
        assert!(!is_private(HOST, HOST, "/dev") && hidden_homes(HOST, HOST).is_empty());
        assert_eq!(root_is_read_only(""), None);
    }
}
