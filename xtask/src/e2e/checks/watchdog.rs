//! A daemon that hangs, dies or is killed comes back, and one part of it cannot hang in silence.

use std::fs;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Check, Theme, installed};
use crate::e2e::patience::until;
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::{Site, UNIT};

pub const THEME: Theme = Theme {
    name: "watchdog",
    prepare: impatient,
    checks: &[
        Check { name: "fed", run: fed },
        Check { name: "stopped-process", run: stopped_process },
        Check { name: "wedged-pipeline", run: wedged_pipeline },
        Check { name: "killed-daemon", run: killed_daemon },
        Check { name: "killed-child", run: killed_child },
        Check { name: "crashing-library", run: crashing_library },
        Check { name: "stalled-journal", run: stalled_journal },
        Check { name: "wrong-configuration", run: wrong_configuration },
    ],
};

/// Message ids, of docs/systemd.md.
const RELOADED: &str = "1420591a780a4e77a2a0957fb95000b1";
const LOG_LINES_LOST: &str = "0f53f135e5fc4a2e9c1fbf58e027f99b";

/// For sed(1): long enough for a slow machine, short enough to wait for. A unit without a watchdog
/// does not get one.
pub const IMPATIENT: &str = "s/^WatchdogSec=.*/WatchdogSec=2s/";

fn impatient(site: &Site<'_>) -> anyhow::Result<()> {
    installed(site)?;
    site.change(IMPATIENT)?;
    site.restart()
}

/// It stays up for some times the watchdog's time: the pings do come.
fn fed(site: &Site<'_>) -> Checked {
    let before = site.main_pid()?;
    site.run(&["sleep", "5"])?;
    ensure!(site.main_pid()? == before, "killed though nothing was wrong with it");
    Ok(PASSED)
}

pub fn stopped_process(site: &Site<'_>) -> Checked {
    let before = site.main_pid()?;
    site.run(&["kill", "-STOP", &before.to_string()])?;
    site.wait_for_another(before)?;
    site.run(&["journalctl", "--sync"])?;
    let log = site.run(&["journalctl", "--unit", UNIT, "--grep", "Watchdog timeout"])?;
    Ok(Outcome::Passed(log.lines().next_back().unwrap_or_default().to_owned()))
}

/// One part hangs while the rest runs on: as bad, and named. Debug builds can be told to.
fn wedged_pipeline(site: &Site<'_>) -> Checked {
    const HOOKED: &str = "/opt/gz-monitor-e2e/gz-monitor";
    const HOOK: &str = "GZ_MONITOR_DEBUG_HANG";
    let program = fs::read(&site.inputs.hooked).context("the program with hooks")?;
    if !program.windows(HOOK.len()).any(|bytes| bytes == HOOK.as_bytes()) {
        return Ok(Outcome::Skipped(
            "the program cannot be told to hang: --binary FILE".to_owned(),
        ));
    }
    site.copy(&site.inputs.hooked, HOOKED)?;
    let script = format!(
        "{IMPATIENT};s|^ExecStart=.*|ExecStart={HOOKED} server\\nEnvironment={HOOK}=pipeline|"
    );
    let result = site.changed(&script, || {
        let before = site.main_pid()?;
        site.run(&["kill", "-USR1", &before.to_string()])?;
        wait_for_laggard(site, before)
    });
    impatient_again(site)?;
    result
}

fn impatient_again(site: &Site<'_>) -> anyhow::Result<()> {
    site.change(IMPATIENT)?;
    site.restart()
}

fn wait_for_laggard(site: &Site<'_>, before: u32) -> Checked {
    let mut seen = String::new();
    let named = until(|| {
        seen = site.property("StatusText")?;
        ensure!(seen.contains("pipeline"), "the status names no laggard: {seen:?}");
        Ok(())
    });
    site.wait_for_another(before)?;
    named?;
    Ok(Outcome::Passed(seen))
}

fn killed_daemon(site: &Site<'_>) -> Checked {
    let before = site.main_pid()?;
    site.run(&["kill", "-KILL", &before.to_string()])?;
    site.wait_for_another(before)?;
    Ok(PASSED)
}

/// What the kernel does to a child for memory: SIGKILL. The daemon stays, the child comes back.
fn killed_child(site: &Site<'_>) -> Checked {
    const CONFIG: &str = "[[collector]]
name = \"child\"
interval = \"200ms\"
config = { mode = \"stream\" }
command = [\"/bin/sh\", \"-c\", \"while :; do echo child_pid $$; sleep 0.1; done\"]
";
    ensure!(site.property("OOMPolicy")? == "continue", "the unit's OOMPolicy is another");
    site.configured(CONFIG, || {
        let daemon = site.main_pid()?;
        let child = until(|| child_other_than(site, 0))?;
        site.run(&["kill", "-KILL", &child.to_string()])?;
        until(|| child_other_than(site, child))?;
        ensure!(site.main_pid()? == daemon, "the daemon went with it");
        Ok(PASSED)
    })
}

fn child_other_than(site: &Site<'_>, old: u64) -> anyhow::Result<u64> {
    let samples = site.samples("child_pid")?;
    let value = samples.first().and_then(|sample| sample["value"].as_f64()).unwrap_or_default();
    let pid = format!("{value:.0}").parse()?;
    ensure!(pid != 0 && pid != old, "no new child: {samples:?}");
    Ok(pid)
}

/// A library of somebody else's that crashes at every collection.
fn crashing_library(site: &Site<'_>) -> Checked {
    const LIBRARY: &str = "/usr/local/lib/gz-monitor/plugins/acts.so";
    const CONFIG: &str = "[[collector]]
plugin = \"acts\"
config = { orders = \"/opt/gz-monitor-e2e/orders\" }
[[collector]]
plugin = \"load\"
interval = \"200ms\"
";
    site.write("/opt/gz-monitor-e2e/orders", "segfault\n")?;
    site.copy(&site.inputs.acts, LIBRARY)?;
    let result = site.configured(CONFIG, || {
        let daemon = site.main_pid()?;
        until(|| {
            let acts = site.collector("acts")?;
            let failures = acts["total_failures"].as_u64().unwrap_or_default();
            ensure!(failures >= 2, "it does not fail: {acts}");
            Ok(())
        })?;
        let last_of_load =
            || site.collector("load").map(|collector| collector["last_success"].clone());
        let before = last_of_load()?;
        until(|| {
            ensure!(last_of_load()? != before, "`load` collects no more");
            Ok(())
        })?;
        ensure!(site.get("/healthz")?.status == 200);
        ensure!(site.main_pid()? == daemon, "the daemon went with it");
        Ok(PASSED)
    });
    site.run(&["rm", LIBRARY])?;
    result
}

/// A journal that takes nothing any more holds nothing up, and has all of the log once it goes on: the
/// queue has room for this much.
fn stalled_journal(site: &Site<'_>) -> Checked {
    site.configured("[[collector]]\nplugin = \"load\"\ninterval = \"200ms\"\n", || {
        let before = site.main_pid()?;
        site.sh("kill -STOP $(pidof systemd-journald)")?;
        let held_up = talk(site).and_then(|()| {
            ensure!(site.get("/healthz")?.status == 200);
            let last_of_load =
                || site.collector("load").map(|collector| collector["last_success"].clone());
            let last = last_of_load()?;
            until(|| {
                ensure!(last_of_load()? != last, "`load` collects no more");
                Ok(())
            })
        });
        site.sh("kill -CONT $(pidof systemd-journald)")?;
        held_up?;
        ensure!(site.main_pid()? == before, "it was started anew");
        until(|| {
            let entries = site.journal()?;
            let count = |id: &str| {
                let ours = |entry: &&Value| entry["_PID"] == *before.to_string();
                entries.iter().filter(ours).filter(|entry| entry["MESSAGE_ID"] == *id).count()
            };
            let (reloads, losses) = (count(RELOADED), count(LOG_LINES_LOST));
            ensure!(reloads == 2, "the journal has {reloads} of 2 reloads");
            ensure!(losses == 0, "it says {losses} times that lines were lost");
            Ok(PASSED)
        })
    })
}

/// Has the daemon log more than the journal's socket holds: of one program it passes on 20 lines.
fn talk(site: &Site<'_>) -> anyhow::Result<()> {
    const TALKER: &str = "/opt/gz-monitor-e2e/talker";
    site.write(
        TALKER,
        "#!/bin/sh\nline=$(printf %01000d 0)\nfor i in $(seq 20); do echo $line >&2; done\n\
         echo talker_sample $$\n",
    )?;
    site.run(&["chmod", "+x", TALKER])?;
    let talker =
        |number| format!("[[collector]]\nname = \"talker-{number}\"\ncommand = [\"{TALKER}\"]\n");
    site.configure("talkers", &(0..40).map(talker).collect::<String>())?;
    // Not by systemctl, which would start a unit whose output wants the journal.
    let reload = ["timeout", "10", "gz-monitor", "reload"];
    let reloaded = site.run(&reload);
    site.run(&["sleep", "2"])?;
    site.unconfigure("talkers")?;
    // The daemon itself logs this one, with the socket full.
    reloaded.and_then(|_| site.run(&reload)).map(drop)
}

/// It does not start, says why, and is not tried again and again.
fn wrong_configuration(site: &Site<'_>) -> Checked {
    site.configure("wrong", "[server]\nprot = 1\n")?;
    let result = refuses_to_start(site);
    site.unconfigure("wrong")?;
    site.restart()?;
    result
}

fn refuses_to_start(site: &Site<'_>) -> Checked {
    let output = site.output(&["systemctl", "restart", UNIT])?;
    ensure!(!output.status.success(), "it starts all the same");
    ensure!(site.property("ExecMainStatus")? == "78", "another exit code");
    ensure!(site.property("ActiveState")? == "failed", "it is tried again");
    site.run(&["journalctl", "--sync"])?;
    let log = site.run(&["journalctl", "--unit", UNIT, "--lines=30", "--output=cat"])?;
    ensure!(log.contains("prot"), "the journal does not name the key: {log}");
    Ok(PASSED)
}
