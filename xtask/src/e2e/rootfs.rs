//! Root filesystems of Debian releases, made by mmdebstrap once and kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::sources;

/// Besides the essential ones. rpm is there to install the .rpm, iproute2 to add an address.
const PACKAGES: &str = "systemd,systemd-sysv,dbus,libpam-systemd,iproute2,procps,rpm";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The root filesystem of a release, made now if there is none of these packages yet.
pub fn ensure(suite: &str, folder: &Path) -> anyhow::Result<PathBuf> {
    let (root, stamp) = (folder.join(suite), folder.join(format!("{suite}.packages")));
    if fs::read_to_string(&stamp).is_ok_and(|made| made == PACKAGES) {
        return Ok(root);
    }
    for old in [&stamp, &root] {
        let removed = Command::new("rm").arg("-rf").arg(old).status();
        removed.with_context(|| format!("cannot remove {}", old.display()))?;
    }
    let signed =
        if Path::new(KEYRING).exists() { format!("[signed-by={KEYRING}] ") } else { String::new() };
    let output = Command::new("mmdebstrap")
        .args(["--variant=minbase", &format!("--include={PACKAGES}"), suite])
        .arg(&root)
        .arg(format!("deb {signed}{} {suite} main", sources::mirror()))
        .stdin(Stdio::null())
        .output()
        .context("mmdebstrap does not start: apt-get install mmdebstrap")?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(15)..].join("\n");
        bail!("mmdebstrap made no root filesystem of {suite}:\n{end}");
    }
    fs::write(&stamp, PACKAGES).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(root)
}
