//! `cargo xtask dist`: builds the daemon and its plugins, lays out what is installed, and packs it as
//! .deb, .rpm and .tar.gz into target/dist.

mod build;
mod check;
mod glibc;
mod layout;
mod packages;
mod program;
mod release;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use build::Built;
use program::say;
use release::Release;

/// What to make, and how.
#[derive(clap::Args)]
pub struct Options {
    /// The profile to build with; another than release is for trying packages out.
    #[arg(long, default_value = "release")]
    profile: String,
    /// Look at the packages with lintian and rpmlint afterwards, and fail at what they find.
    #[arg(long)]
    check: bool,
}

/// The files that were made.
pub struct Packages {
    pub deb: PathBuf,
    pub deb_dev: PathBuf,
    pub rpm: PathBuf,
    pub rpm_dev: PathBuf,
    pub tarball: PathBuf,
}

impl Packages {
    /// All of them.
    pub fn paths(&self) -> [&Path; 5] {
        [&self.deb, &self.deb_dev, &self.rpm, &self.rpm_dev, &self.tarball]
    }
}

/// The chore.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let root = &crate::repository_root()?;
    let packages = make(root, &options.profile)?;
    if options.check {
        check::run_linters(root, &packages)?;
    }
    for path in packages.paths() {
        let size = fs::metadata(path)?.len();
        let path = path.strip_prefix(root).unwrap_or(path);
        say(&format!("{:>6} kB  {}", size.div_ceil(1000), path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes the packages of the repository at `root`, built with `profile`.
pub fn make(root: &Path, profile: &str) -> anyhow::Result<Packages> {
    need(root)?;
    let dist = root.join("target/dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).context("cannot empty target/dist")?;
    }
    fs::create_dir_all(&dist).context("cannot make target/dist")?;
    let release = Release::of(root)?;
    say(&format!("packages of gz-monitor {} of {}", release.version, release.day))?;
    let built = Built::new(root, profile)?;
    glibc::check(&built)?;
    layout::lay_out(root, &dist, &built, &release)?;
    packages::pack(root, &dist, &release)
}

/// An error if cargo lacks what packs, before minutes of building.
fn need(root: &Path) -> anyhow::Result<()> {
    for name in ["deb", "generate-rpm"] {
        let version = program::output(program::program("cargo", root, [name, "--version"]));
        version.with_context(|| format!("cargo install --locked cargo-{name}"))?;
    }
    Ok(())
}
