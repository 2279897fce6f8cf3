//! Packs the trees: .deb by cargo-deb, .rpm by cargo-generate-rpm, .tar.gz by tar, and their sums.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Packages;
use super::program::{output, program, run, say};
use super::release::Release;

/// Makes every package from the trees in `dist`.
pub fn pack(root: &Path, dist: &Path, release: &Release) -> anyhow::Result<Packages> {
    let version = release.version;
    let file = |name: String| dist.join(name);
    let packages = Packages {
        deb: file(format!("gz-monitor_{version}_amd64.deb")),
        deb_dev: file(format!("gz-monitor-dev_{version}_amd64.deb")),
        rpm: file(format!("gz-monitor-{version}.x86_64.rpm")),
        rpm_dev: file(format!("gz-monitor-devel-{version}.noarch.rpm")),
        tarball: file(format!("gz-monitor-{version}-x86_64.tar.gz")),
    };
    fs::write(dist.join("changelog"), release.debian_changelog("gz-monitor"))?;
    fs::write(dist.join("changelog-dev"), release.debian_changelog("gz-monitor-dev"))?;
    deb(root, "gz-monitor", &packages.deb, release)?;
    deb(root, "gz-monitor-sdk", &packages.deb_dev, release)?;
    rpm(root, None, &packages.rpm, release)?;
    rpm(root, Some("plugins/sdk"), &packages.rpm_dev, release)?;
    tarball(root, dist, &packages.tarball, release)?;
    sums(dist, &packages)?;
    Ok(packages)
}

fn deb(root: &Path, package: &str, to: &Path, release: &Release) -> anyhow::Result<()> {
    let arguments =
        ["deb", "--no-build", "--no-strip", "--locked", "--package", package, "--output"];
    let mut command = program("cargo", root, arguments);
    command.arg(to).env("SOURCE_DATE_EPOCH", &release.epoch);
    run(command)
}

fn rpm(root: &Path, folder: Option<&str>, to: &Path, release: &Release) -> anyhow::Result<()> {
    let mut command = program("cargo", root, ["generate-rpm", "--auto-req=builtin"]);
    // The format of Enterprise Linux 9 and of Fedora.
    command.args(["--payload-compress=zstd", "--source-date", &release.epoch, "--output"]).arg(to);
    if let Some(folder) = folder {
        command.args(["--package", folder, "--arch=noarch"]);
    }
    run(command).context("cargo-generate-rpm comes by `cargo install --locked cargo-generate-rpm`")
}

/// Both trees in one folder, with a word on how to install them by hand.
fn tarball(root: &Path, dist: &Path, to: &Path, release: &Release) -> anyhow::Result<()> {
    let name = format!("gz-monitor-{}", release.version);
    for tree in ["tree/.", "tree-dev/."] {
        run(program("cp", dist, ["--archive", "--no-target-directory", tree, &name]))?;
    }
    for (from, to) in [("packaging/tarball.md", "README.md"), ("packaging/copyright", "COPYRIGHT")]
    {
        fs::copy(root.join(from), dist.join(&name).join(to)).context(from)?;
    }
    let time = format!("--mtime=@{}", release.epoch);
    let mut command = program("tar", dist, ["--create", "--sort=name", &time, "--format=gnu"]);
    command.args(["--owner=0", "--group=0", "--numeric-owner", "--use-compress-program=gzip -9n"]);
    command.arg("--file").arg(to).arg(&name);
    run(command)?;
    fs::remove_dir_all(dist.join(&name)).context("cannot remove what is in the archive now")
}

fn sums(dist: &Path, packages: &Packages) -> anyhow::Result<()> {
    let names = packages.paths().map(|path| PathBuf::from(path.file_name().unwrap_or_default()));
    let sums = output(program("sha256sum", dist, names))?;
    fs::write(dist.join("SHA256SUMS"), sums).context("SHA256SUMS")?;
    Ok(say("SHA256SUMS written")?)
}
