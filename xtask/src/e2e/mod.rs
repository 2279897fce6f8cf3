//! `cargo xtask e2e`: the package as a sysadmin meets it, on a real systemd in a container.
//!
//! The outer process holds the lock and starts itself again in namespaces of its own (`confine`); the
//! inner one makes root filesystems (`rootfs`), boots them (`container`) and runs the checks.

mod cgroup;
mod checks;
mod confine;
mod container;
mod http;
mod inside;
mod knock;
mod package;
mod patience;
mod probe;
mod report;
mod rootfs;
mod site;
mod sources;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

pub use knock::{Options as KnockOptions, run as knock};

/// What `cargo xtask e2e` can be told.
#[derive(clap::Args)]
pub struct Options {
    /// The .deb to test. Without one: the newest in target/dist, else one made of the debug build.
    #[arg(long, value_name = "FILE")]
    deb: Option<PathBuf>,

    /// The .rpm to test. Without one: the newest in target/dist, else none.
    #[arg(long, value_name = "FILE")]
    rpm: Option<PathBuf>,

    /// The program for a .deb that is made here, and for the checks that need its debug hooks.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,

    /// Releases of Debian to test on.
    #[arg(long, value_name = "SUITE", default_values = ["bookworm", "trixie"])]
    suite: Vec<String>,

    /// Themes to check, all of them if none is named.
    #[arg(value_name = "THEME", value_parser = checks::theme_names())]
    themes: Vec<String>,

    /// Set by the outer process for the inner one: the name of its control group.
    #[arg(long, hide = true, value_name = "CGROUP")]
    confined: Option<String>,
}

/// Runs the checks; a failed one is a failure exit code.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let root = crate::repository_root()?;
    let folder = root.join("target/e2e");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    if let Some(cgroup) = &options.confined {
        return inside::run(options, &root, &folder, cgroup);
    }
    let _lock = lock(&folder)?;
    confine::run()
}

/// Held until the file is closed, so also when this process is killed.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another `cargo xtask e2e` runs in this repository: wait for its end")
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}
