//! What is installed, as a tree: `target/dist/tree` is gz-monitor, `tree-dev` gz-monitor-dev. Every
//! package is made of these, so that all have the same in them.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::build::Built;
use super::program::{program, run};
use super::release::Release;

/// Files and folders of the repository, and where they go. A folder's files go into one of its name.
const FILES: [(&str, &str); 22] = [
    ("etc/gz-monitor.toml", "etc/gz-monitor/"),
    ("etc/alerts.d", "etc/gz-monitor/alerts.d/"),
    ("packaging/systemd/gz-monitor.service", "usr/lib/systemd/system/"),
    ("packaging/systemd/gz-monitor.socket", "usr/lib/systemd/system/"),
    ("packaging/systemd/gz-monitor.sysusers", "usr/lib/sysusers.d/gz-monitor.conf"),
    ("packaging/systemd/gz-monitor.tmpfiles", "usr/lib/tmpfiles.d/gz-monitor.conf"),
    ("packaging/lintian/gz-monitor", "usr/share/lintian/overrides/"),
    ("CHANGELOG.md", "usr/share/doc/gz-monitor/changelog"),
    ("docs/alerts.md", "usr/share/doc/gz-monitor/"),
    ("docs/protocol.md", "usr/share/doc/gz-monitor/"),
    ("docs/plugins.md", "usr/share/doc/gz-monitor/"),
    ("docs/plugins-shipped.md", "usr/share/doc/gz-monitor/"),
    ("docs/performance.md", "usr/share/doc/gz-monitor/"),
    ("docs/query.md", "usr/share/doc/gz-monitor/"),
    ("docs/scaling.md", "usr/share/doc/gz-monitor/"),
    ("docs/security.md", "usr/share/doc/gz-monitor/"),
    ("docs/storage.md", "usr/share/doc/gz-monitor/"),
    ("docs/tasks.md", "usr/share/doc/gz-monitor/"),
    ("docs/systemd.md", "usr/share/doc/gz-monitor/"),
    ("packaging/systemd/examples", "usr/share/doc/gz-monitor/examples/systemd/"),
    ("plugins/examples/logins.sh", "usr/share/doc/gz-monitor/examples/"),
    ("plugins/examples/queue-depth.py", "usr/share/doc/gz-monitor/examples/"),
];

const DEV_FILES: [(&str, &str); 8] = [
    ("plugins/abi/include/gz_plugin.h", "usr/include/gz-monitor/"),
    ("plugins/abi/include", "usr/share/gz-monitor/plugins/abi/include/"),
    ("plugins/abi/src", "usr/share/gz-monitor/plugins/abi/src/"),
    ("plugins/sdk/src", "usr/share/gz-monitor/plugins/sdk/src/"),
    ("packaging/lintian/gz-monitor-dev", "usr/share/lintian/overrides/"),
    ("plugins/uptime-c/uptime.c", "usr/share/doc/gz-monitor-dev/examples/uptime-c/"),
    ("docs/plugins-libraries.md", "usr/share/doc/gz-monitor-dev/"),
    ("CHANGELOG.md", "usr/share/doc/gz-monitor-dev/changelog"),
];

/// Makes both trees.
pub fn lay_out(root: &Path, dist: &Path, built: &Built, release: &Release) -> anyhow::Result<()> {
    let tree = dist.join("tree");
    put_stripped(&built.daemon, &tree.join("usr/bin/gz-monitor"), 0o755)?;
    symlink("gz-monitor", tree.join("usr/bin/gz"))?;
    for plugin in &built.plugins {
        let file = format!("usr/lib/gz-monitor/plugins/{}.so", plugin.id);
        put_stripped(&plugin.path, &tree.join(file), 0o644)?;
    }
    copy_all(root, &tree, &FILES)?;
    let share = tree.join("usr/share");
    let manual = ["run", "--quiet", "--locked", "--package=gz-monitor-manual", "--"];
    let mut command = program("cargo", root, manual);
    command.arg(&share).args(["--date", &release.day]);
    run(command)?;
    // The page of the short name is the other.
    fs::write(share.join("man/man1/gz.1"), ".so man1/gz-monitor.1\n")?;
    compress(&share.join("man"))?;
    // Not in the packages, which have it made at the installation, but in the archive.
    for folder in ["etc/gz-monitor/conf.d", "usr/lib/gz-monitor/plugins"] {
        fs::create_dir_all(tree.join(folder))?;
    }
    lay_out_dev(root, &dist.join("tree-dev"))?;
    compress(&tree.join("usr/share/doc/gz-monitor/changelog"))?;
    compress(&dist.join("tree-dev/usr/share/doc/gz-monitor-dev/changelog"))
}

fn lay_out_dev(root: &Path, tree: &Path) -> anyhow::Result<()> {
    copy_all(root, tree, &DEV_FILES)?;
    let crates = tree.join("usr/share/gz-monitor");
    let read = |path: &str| fs::read_to_string(root.join(path)).context(path.to_owned());
    let write = |path: &Path, text: &str| {
        fs::create_dir_all(path.parent().unwrap_or(tree))?;
        fs::write(path, text).with_context(|| path.display().to_string())
    };
    let workspace = tables(&read("Cargo.toml")?, |name| name.starts_with("workspace"));
    let members = "members = [\"plugins/abi\", \"plugins/sdk\"]";
    let workspace = workspace.lines().map(|line| match line.starts_with("members = ") {
        true => members,
        false => line,
    });
    write(&crates.join("Cargo.toml"), &workspace.collect::<Vec<_>>().join("\n"))?;
    for name in ["plugins/abi/Cargo.toml", "plugins/sdk/Cargo.toml"] {
        let kept = |table: &str| ["package", "lints", "dependencies"].contains(&table);
        write(&crates.join(name), &tables(&read(name)?, kept))?;
    }
    let makefile = read("plugins/uptime-c/Makefile")?;
    let makefile =
        makefile.replace("INCLUDE ?= ../abi/include", "INCLUDE ?= /usr/include/gz-monitor");
    write(&tree.join("usr/share/doc/gz-monitor-dev/examples/uptime-c/Makefile"), &makefile)?;
    Ok(())
}

/// The tables of a manifest whose names `kept` accepts, without comments.
fn tables(manifest: &str, kept: impl Fn(&str) -> bool) -> String {
    let (mut text, mut keeps) = (String::new(), false);
    for line in manifest.lines().filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') {
            keeps = kept(line.trim_matches(['[', ']']));
        }
        if keeps {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn copy_all(root: &Path, tree: &Path, files: &[(&str, &str)]) -> anyhow::Result<()> {
    for (from, to) in files {
        let source = root.join(from);
        let sources: Vec<PathBuf> = match source.is_dir() {
            true => files_below(&source)?,
            false => vec![source.clone()],
        };
        for file in sources {
            let target = match (source.is_dir(), to.ends_with('/')) {
                (true, _) => tree.join(to).join(file.strip_prefix(&source)?),
                (false, true) => tree.join(to).join(file.file_name().unwrap_or_default()),
                (false, false) => tree.join(to),
            };
            put(&file, &target, 0o644)?;
        }
    }
    Ok(())
}

fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() { found.extend(files_below(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

/// Copies a file, and makes the folders above it.
fn put(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    let what = || format!("cannot copy {} to {}", from.display(), to.display());
    fs::create_dir_all(to.parent().unwrap_or(to)).with_context(what)?;
    fs::copy(from, to).with_context(what)?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode)).with_context(what)
}

/// The same of what is run or loaded, without symbols for debuggers: a development build has many.
fn put_stripped(from: &Path, to: &Path, mode: u32) -> anyhow::Result<()> {
    put(from, to, mode)?;
    let arguments = ["--strip-unneeded", "--remove-section=.comment"];
    let mut command = program("strip", Path::new("/"), arguments);
    command.arg(to);
    run(command)
}

/// Compresses a file, or all below a folder, without the time in it.
fn compress(path: &Path) -> anyhow::Result<()> {
    let mut command = program("gzip", Path::new("/"), ["-9", "--no-name", "--recursive"]);
    command.arg(path);
    run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_keeps_the_tables_that_stand_without_the_repository() {
        let manifest = "[package]\nname = \"x\"\n\n# Why.\n[[example]]\nname = \"y\"\n\n[lints]\n\
                        workspace = true\n[package.metadata.deb]\nname = \"z\"\n";
        let kept = tables(manifest, |name| ["package", "lints"].contains(&name));
        assert_eq!(kept, "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n");
    }
}
