//! The life of the .deb: installed, upgraded, removed, purged.

use anyhow::ensure;

use super::{Check, Theme, installed};
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::{Site, UNIT};

pub const THEME: Theme = Theme {
    name: "deb",
    prepare: installed,
    checks: &[
        Check { name: "contents", run: contents },
        Check { name: "configuration-is-checked", run: configuration_is_checked },
        Check { name: "upgrade", run: upgrade },
        Check { name: "remove", run: remove },
        Check { name: "purge", run: purge },
        Check { name: "install-again", run: install_again },
    ],
};

pub const CONFIG: &str = "/etc/gz-monitor/gz-monitor.toml";

/// What an administrator has written into the configuration.
pub const EDIT: &str = "[status]\ninterval = \"7s\"\n";

fn contents(site: &Site<'_>) -> Checked {
    let version = site.run(&["gz-monitor", "--version"])?;
    let owner = site.run(&["stat", "--format=%U:%G %a", CONFIG])?;
    ensure!(owner == "root:root 644", "{CONFIG} is {owner}");
    let state = site.run(&["stat", "--format=%U:%G %a", "/var/lib/gz-monitor"])?;
    ensure!(state == "gz-monitor:gz-monitor 750", "the state folder is {state}");
    let plugins = site.run(&["stat", "--format=%U:%G %a", "/usr/local/lib/gz-monitor/plugins"])?;
    ensure!(plugins == "root:root 755", "the plugin folder is {plugins}");
    let conffiles =
        site.run(&["dpkg-query", "--show", "--showformat=${Conffiles}", "gz-monitor"])?;
    ensure!(conffiles.contains(CONFIG), "{CONFIG} is no conffile");
    let changed = site.output(&["dpkg", "--verify", "gz-monitor"])?;
    ensure!(changed.stdout.is_empty(), "{}", String::from_utf8_lossy(&changed.stdout));
    Ok(Outcome::Passed(version))
}

fn configuration_is_checked(site: &Site<'_>) -> Checked {
    site.run(&["gz-monitor", "check-config"])?;
    Ok(PASSED)
}

fn upgrade(site: &Site<'_>) -> Checked {
    let before = site.main_pid()?;
    site.write(CONFIG, EDIT)?;
    site.install_deb(&site.inputs.next_deb)?;
    ensure!(site.sh(&format!("cat {CONFIG}"))? == EDIT.trim_end(), "the edit is lost");
    ensure!(site.path(&format!("{CONFIG}.dpkg-dist")).exists(), "the new one is not beside it");
    let after = site.wait_for_another(before)?;
    let shown = site.run(&["gz-monitor", "check-config", "--show"])?;
    ensure!(shown.contains("7s"), "the edit is not in force: {shown}");
    Ok(Outcome::Passed(format!("process {before}, then {after}")))
}

fn remove(site: &Site<'_>) -> Checked {
    let pid = site.main_pid()?;
    site.run(&["dpkg", "--remove", "gz-monitor"])?;
    ensure!(!site.path(&format!("/proc/{pid}")).exists(), "process {pid} still runs");
    ensure!(site.path(CONFIG).exists(), "the configuration is gone");
    ensure!(site.path("/var/lib/gz-monitor").exists(), "the state is gone");
    ensure!(!site.path("/usr/bin/gz-monitor").exists(), "the program is still there");
    ensure!(!site.path("/usr/lib/systemd/system/gz-monitor.service").exists(), "the unit is");
    Ok(PASSED)
}

/// The system user stays, as Debian's habit is: a number is not given to somebody else.
fn purge(site: &Site<'_>) -> Checked {
    site.run(&["dpkg", "--purge", "gz-monitor"])?;
    for path in ["/etc/gz-monitor", "/var/lib/gz-monitor", "/run/gz-monitor"] {
        ensure!(!site.path(path).exists(), "{path} is still there");
    }
    for folder in ["multi-user.target.wants", "sockets.target.wants"] {
        let left = site.output(&["sh", "-c", &format!("ls /etc/systemd/system/{folder}")])?;
        let left = String::from_utf8_lossy(&left.stdout).into_owned();
        ensure!(!left.contains("gz-monitor"), "{folder} still has {left}");
    }
    let failed = site.run(&["systemctl", "list-units", "--failed", "--plain", "--no-legend"])?;
    ensure!(failed.is_empty(), "failed units: {failed}");
    site.run(&["getent", "passwd", "gz-monitor"])?;
    Ok(PASSED)
}

fn install_again(site: &Site<'_>) -> Checked {
    site.install_deb(&site.inputs.deb)?;
    ensure!(site.run(&["systemctl", "is-active", UNIT])? == "active");
    ensure!(site.get("/readyz")?.status == 200);
    Ok(PASSED)
}
