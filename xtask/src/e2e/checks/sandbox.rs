//! What the unit refuses to whoever gets hold of the daemon: each directive takes effect.

use anyhow::ensure;

use super::{Check, Theme, installed};
use crate::e2e::patience::until;
use crate::e2e::probe::{self, ATTEMPTS};
use crate::e2e::report::{Checked, Outcome, PASSED};
use crate::e2e::site::Site;

pub const THEME: Theme = Theme {
    name: "sandbox",
    prepare,
    checks: &[
        Check { name: "without", run: without },
        Check { name: "directives", run: directives },
        Check { name: "directives-hold-root", run: directives_hold_root },
        Check { name: "capabilities", run: capabilities },
        Check { name: "processes-of-others", run: processes_of_others },
    ],
};

pub fn prepare(site: &Site<'_>) -> anyhow::Result<()> {
    installed(site)?;
    probe::install(site)
}

/// Without the sandbox the same attempts succeed, or fail for another reason: else the next check
/// would prove nothing.
fn without(site: &Site<'_>) -> Checked {
    probe::compare(&probe::bare(site)?, |attempt| attempt.bare)?;
    let differ = ATTEMPTS.iter().filter(|attempt| attempt.bare != attempt.sandboxed).count();
    Ok(Outcome::Passed(format!("{differ} of {} attempts differ", ATTEMPTS.len())))
}

pub fn directives(site: &Site<'_>) -> Checked {
    probe::compare(&probe::sandboxed(site)?, |attempt| attempt.sandboxed)?;
    Ok(PASSED)
}

/// What takes a privilege is refused to root too, who could do it without the sandbox.
fn directives_hold_root(site: &Site<'_>) -> Checked {
    let bare = probe::bare_root(site)?;
    let sandboxed = site.changed(probe::AS_ROOT, || probe::sandboxed(site))?;
    for name in probe::FOR_ROOT {
        let (without, within) = (bare.get(name), sandboxed.get(name));
        ensure!(without == Some(&0), "{name} gives {without:?} without the sandbox");
        ensure!(within == Some(&1), "{name} gives {within:?} in the sandbox, not EPERM");
    }
    Ok(PASSED)
}

/// The two that reading other users' processes takes, and no others (capabilities(7)).
fn capabilities(site: &Site<'_>) -> Checked {
    const DAC_READ_SEARCH: u64 = 1 << 2;
    const SYS_PTRACE: u64 = 1 << 19;
    let status = site.sh(&format!("cat /proc/{}/status", site.main_pid()?))?;
    for set in ["CapEff", "CapPrm", "CapBnd", "CapAmb"] {
        let line = status.lines().find_map(|line| line.strip_prefix(&format!("{set}:\t")));
        let bits = u64::from_str_radix(line.unwrap_or_default(), 16)?;
        ensure!(bits == DAC_READ_SEARCH | SYS_PTRACE, "{set} is {bits:#x}");
    }
    ensure!(status.contains("\nSeccomp:\t2\n"), "no system call filter");
    capabilities_of_programs(site)
}

/// They are the daemon's alone: a program has those that its entry names.
fn capabilities_of_programs(site: &Site<'_>) -> Checked {
    const SYS_PTRACE: u64 = 1 << 19;
    let child = |name: &str, keys: &str| {
        let script = "echo child_rights $((0x$(grep CapEff /proc/self/status | cut -f 2)))";
        format!(
            "[[collector]]\nname = \"{name}\"\ncommand = [\"/bin/sh\", \"-c\", \"{script}\"]\n\
             labels = {{ of = \"{name}\" }}\n{keys}\n"
        )
    };
    let config = child("plain", "") + &child("named", "capabilities = [\"CAP_SYS_PTRACE\"]");
    let samples = site.configured(&config, || {
        until(|| {
            let samples = site.samples("child_rights")?;
            ensure!(samples.len() == 2, "{} samples of two programs", samples.len());
            Ok(samples)
        })
    })?;
    for sample in &samples {
        let expected = if sample["labels"]["of"] == "named" { SYS_PTRACE } else { 0 };
        ensure!(sample["value"].as_f64() == Some(expected as f64), "a program has {sample}");
    }
    Ok(PASSED)
}

/// Root's processes are counted and read, though their user is another one.
fn processes_of_others(site: &Site<'_>) -> Checked {
    let inside: f64 = site.sh("ls -d /proc/[0-9]* | wc -l")?.trim().parse()?;
    let samples = site.samples("node_processes_pids")?;
    let counted = samples.first().and_then(|sample| sample["value"].as_f64()).unwrap_or_default();
    ensure!(counted > inside / 2.0, "{counted} processes of about {inside} are seen");
    Ok(Outcome::Passed(format!("{counted} of about {inside}")))
}
