//! Clients that connect all the while notice nothing of a restart but a pause.

use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

use super::{Check, Theme, installed};
use crate::e2e::report::{Checked, Outcome};
use crate::e2e::site::{Site, UNIT};

pub const THEME: Theme = Theme {
    name: "restart",
    prepare: installed,
    checks: &[
        Check { name: "none-refused", run: none_refused },
        Check { name: "none-refused-by-a-crash", run: none_refused_by_a_crash },
        Check { name: "none-refused-with-the-socket", run: none_refused_with_the_socket },
    ],
};

/// The service keeps its sockets in the file descriptor store.
fn none_refused(site: &Site<'_>) -> Checked {
    while_knocking(site, &|| {
        site.restart()?;
        site.restart()
    })
    .and_then(Count::none_refused)
}

/// A client whose answer a crash cuts off is told so; a new one waits and is not refused.
fn none_refused_by_a_crash(site: &Site<'_>) -> Checked {
    while_knocking(site, &|| {
        let before = site.main_pid()?;
        site.run(&["kill", "-KILL", &before.to_string()])?;
        site.wait_for_another(before).map(drop)
    })
    .and_then(Count::none_refused)
}

/// The service manager opens the sockets.
fn none_refused_with_the_socket(site: &Site<'_>) -> Checked {
    site.run(&["systemctl", "stop", UNIT])?;
    site.run(&["systemctl", "enable", "--now", "gz-monitor.socket"])?;
    let counted = started_by_its_socket(site);
    site.run(&["systemctl", "disable", "--now", "gz-monitor.socket"])?;
    site.restart()?;
    counted.and_then(Count::none_refused)
}

fn started_by_its_socket(site: &Site<'_>) -> anyhow::Result<Count> {
    ensure!(site.property("ActiveState")? == "inactive", "it started without a connection");
    ensure!(site.get("/healthz")?.status == 200, "the socket does not start the service");
    while_knocking(site, &|| site.restart())
}

struct Count {
    answered: u64,
    refused: u64,
    cut: u64,
}

impl Count {
    /// How many were accepted and then closed without an answer is said, and is no failure: one may
    /// fall into the moment in which the old process ends.
    fn none_refused(self) -> Checked {
        let Self { answered, refused, cut } = self;
        ensure!(refused == 0, "{refused} of {} were refused", answered + refused + cut);
        ensure!(answered > 0, "none was answered");
        Ok(Outcome::Passed(format!("{answered} answered, {cut} cut off")))
    }
}

/// Has somebody connect all the time while something is done.
fn while_knocking(site: &Site<'_>, deed: &dyn Fn() -> anyhow::Result<()>) -> anyhow::Result<Count> {
    let ourselves = std::env::current_exe().context("where this program lies")?;
    let ourselves = ourselves.to_string_lossy();
    let mut command: Command = site.network_command(&[&ourselves, "knock", "127.0.0.1:8080"]);
    let mut knocker = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let done = deed();
    let counted = end(&mut knocker);
    done?;
    counted
}

fn end(knocker: &mut Child) -> anyhow::Result<Count> {
    drop(knocker.stdin.take());
    let mut text = String::new();
    let mut output = knocker.stdout.take().context("the knocker's output")?;
    std::io::Read::read_to_string(&mut output, &mut text)?;
    knocker.wait()?;
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let mut next = || numbers.next().context("the knocker counts three")?.context("a number");
    Ok(Count { answered: next()?, refused: next()?, cut: next()? })
}
