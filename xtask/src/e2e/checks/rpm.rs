//! The life of the .rpm, through Debian's rpm: its scriptlets are shell.

use anyhow::{Context as _, ensure};

use super::deb::{CONFIG, EDIT};
use super::{Check, Theme};
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::{Site, UNIT};

pub const THEME: Theme = Theme {
    name: "rpm",
    prepare: |_| Ok(()),
    checks: &[
        Check { name: "install", run: |site| if_there(site, install) },
        Check { name: "upgrade", run: |site| if_there(site, upgrade) },
        Check { name: "erase", run: |site| if_there(site, erase) },
    ],
};

fn if_there(site: &Site<'_>, check: fn(&Site<'_>) -> Checked) -> Checked {
    if site.inputs.rpm.is_none() {
        return Ok(Outcome::Skipped("no package: --rpm FILE, or `cargo xtask dist`".to_owned()));
    }
    check(site)
}

/// Fedora enables services by presets; the container has Debian's, which enable everything.
fn install(site: &Site<'_>) -> Checked {
    let rpm = site.inputs.rpm.as_ref().context("an .rpm")?;
    site.copy(rpm, "/root/package.rpm")?;
    site.run(&["rpm", "--install", "--nodeps", "/root/package.rpm"])?;
    site.run(&["systemctl", "is-enabled", UNIT])?;
    // A package of this kind does not start its service.
    site.run(&["systemctl", "start", UNIT])?;
    ensure!(site.get("/readyz")?.status == 200);
    site.run(&["rpm", "--verify", "--nodeps", "gz-monitor"])?;
    Ok(PASSED)
}

/// To the same version: what the scriptlets do is the same.
fn upgrade(site: &Site<'_>) -> Checked {
    let before = site.main_pid()?;
    site.write(CONFIG, EDIT)?;
    site.run(&["rpm", "--upgrade", "--force", "--nodeps", "/root/package.rpm"])?;
    ensure!(site.sh(&format!("cat {CONFIG}"))? == EDIT.trim_end(), "the edit is lost");
    let after = site.wait_for_another(before)?;
    Ok(Outcome::Passed(format!("process {before}, then {after}")))
}

fn erase(site: &Site<'_>) -> Checked {
    let pid = site.main_pid()?;
    site.run(&["rpm", "--erase", "--nodeps", "gz-monitor"])?;
    ensure!(!site.path(&format!("/proc/{pid}")).exists(), "process {pid} still runs");
    ensure!(!site.path("/usr/bin/gz-monitor").exists(), "the program is still there");
    ensure!(site.path(&format!("{CONFIG}.rpmsave")).exists(), "the edit is lost");
    Ok(PASSED)
}
