//! The packages under test: given, found, or made of the debug build; and the same a version higher.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

const CONTROL: &str = "Package: gz-monitor
Version: 0.0.1
Architecture: amd64
Maintainer: The gz-monitor project <root@localhost>
Description: the debug build of gz-monitor, packed for its tests
";

const POSTINST: &str = "#!/bin/sh
set -e
systemd-sysusers gz-monitor.conf
systemd-tmpfiles --create gz-monitor.conf
systemctl daemon-reload
systemctl enable --quiet gz-monitor.service
systemctl restart gz-monitor.service
";

const PRERM: &str = "#!/bin/sh
set -e
[ \"$1\" != remove ] || systemctl disable --quiet --now gz-monitor.service
";

const POSTRM: &str = "#!/bin/sh
set -e
systemctl daemon-reload
[ \"$1\" != purge ] || rm -rf /var/lib/gz-monitor /etc/gz-monitor
";

/// The newest file of target/dist with this ending.
pub fn newest(root: &Path, ending: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(root.join("target/dist")).ok()?.flatten();
    let named = entries.map(|entry| entry.path()).filter(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        // Beside it lies gz-monitor-dev.
        let is_ours = |name: &str| {
            let rest = name.strip_prefix("gz-monitor").unwrap_or_default();
            rest.starts_with(['_', '-']) && !rest.starts_with("-dev") && rest.ends_with(ending)
        };
        name.is_some_and(|name| is_ours(&name))
    });
    named.max_by_key(|path| fs::metadata(path).and_then(|meta| meta.modified()).ok())
}

/// A .deb of `binary`, the units and the configuration, with the least of scripts.
pub fn make(root: &Path, binary: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let tree = folder.join("made");
    let _ = fs::remove_dir_all(&tree);
    let units = root.join("packaging/systemd");
    let files = [
        (binary.to_owned(), "usr/bin/gz-monitor", 0o755),
        (units.join("gz-monitor.service"), "usr/lib/systemd/system/gz-monitor.service", 0o644),
        (units.join("gz-monitor.socket"), "usr/lib/systemd/system/gz-monitor.socket", 0o644),
        (units.join("gz-monitor.sysusers"), "usr/lib/sysusers.d/gz-monitor.conf", 0o644),
        (units.join("gz-monitor.tmpfiles"), "usr/lib/tmpfiles.d/gz-monitor.conf", 0o644),
        (root.join("etc/gz-monitor.toml"), "etc/gz-monitor/gz-monitor.toml", 0o644),
    ];
    for (from, to, mode) in files {
        let text = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
        write(&tree.join(to), &text, mode)?;
    }
    let control = [
        ("control", CONTROL, 0o644),
        ("conffiles", "/etc/gz-monitor/gz-monitor.toml\n", 0o644),
        ("postinst", POSTINST, 0o755),
        ("prerm", PRERM, 0o755),
        ("postrm", POSTRM, 0o755),
    ];
    for (name, text, mode) in control {
        write(&tree.join("DEBIAN").join(name), text.as_bytes(), mode)?;
    }
    run(Command::new("strip").arg("--strip-debug").arg(tree.join("usr/bin/gz-monitor")))?;
    build(&tree, &folder.join("made.deb"))
}

/// The same package, a version higher and with another configuration.
pub fn raise(deb: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let tree = folder.join("raised");
    let _ = fs::remove_dir_all(&tree);
    run(Command::new("dpkg-deb").arg("--raw-extract").arg(deb).arg(&tree))?;
    let path = tree.join("DEBIAN/control");
    let control = fs::read_to_string(&path).context("a package has a control file")?;
    let raised = control.lines().map(|line| match line.strip_prefix("Version: ") {
        Some(version) => format!("Version: {version}+next\n"),
        None => format!("{line}\n"),
    });
    write(&path, raised.collect::<String>().as_bytes(), 0o644)?;
    let config = tree.join("etc/gz-monitor/gz-monitor.toml");
    let text = fs::read_to_string(&config).context("a package has the configuration")?;
    write(&config, format!("{text}\n# The next version's.\n").as_bytes(), 0o644)?;
    build(&tree, &folder.join("raised.deb"))
}

fn build(tree: &Path, deb: &Path) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("dpkg-deb");
    command.args(["--build", "--root-owner-group", "-Zgzip", "-z1"]).arg(tree).arg(deb);
    run(&mut command)?;
    let _ = fs::remove_dir_all(tree);
    Ok(deb.to_owned())
}

fn write(path: &Path, text: &[u8], mode: u32) -> anyhow::Result<()> {
    let parent = path.parent().context("a file has a folder")?;
    fs::create_dir_all(parent)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// Compiles a C text of the repository.
pub fn compile(source: &Path, options: &[&str], into: &Path) -> anyhow::Result<PathBuf> {
    let mut command = Command::new("cc");
    command.args(["-Wall", "-Wextra", "-O1"]).args(options).arg(source).arg("-o").arg(into);
    run(&mut command)?;
    Ok(into.to_owned())
}

/// Runs a program of this machine that must succeed.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    let why = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {}", output.status, why.trim());
    Ok(())
}
