//! What the probe's attempts must come to: as the daemon's child, and as the same user without sandbox.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

use super::patience::until;
use super::site::Site;

/// Where the probe lies inside.
pub const PROGRAM: &str = "/opt/gz-monitor-e2e/probe";

// errno(3)
const EPERM: i64 = 1;
const EACCES: i64 = 13;
const ENOENT: i64 = 2;
const EROFS: i64 = 30;
const EAFNOSUPPORT: i64 = 97;
/// Anything: it depends on the machine.
const ANY: i64 = -1;
/// EPERM of a system call filter, or EACCES of the kernel itself where systemd asks that (PR_SET_MDWE).
const REFUSED: i64 = -2;

/// One attempt: its name, what it must come to in the sandbox, what outside it, and the directive that
/// makes the difference. Where there is none to be seen, it takes a privilege that the user lacks too.
pub struct Attempt {
    pub name: &'static str,
    pub sandboxed: i64,
    pub bare: i64,
    pub directive: &'static str,
}

const fn attempt(
    name: &'static str,
    sandboxed: i64,
    bare: i64,
    directive: &'static str,
) -> Attempt {
    Attempt { name, sandboxed, bare, directive }
}

/// All of them.
pub const ATTEMPTS: [Attempt; 38] = [
    attempt("write-etc", EROFS, EACCES, "ProtectSystem"),
    attempt("write-usr", EROFS, EACCES, "ProtectSystem"),
    attempt("write-home", EROFS, 0, "ProtectHome"),
    attempt("read-home", 0, 0, "ProtectHome=read-only shows it"),
    attempt("foreign-tmp", ENOENT, 0, "PrivateTmp"),
    attempt("foreign-device", ENOENT, 0, "PrivateDevices"),
    attempt("null-device", 0, 0, "PrivateDevices leaves it"),
    attempt("read-only-sysctl", 1, ANY, "ProtectKernelTunables"),
    attempt("read-only-sys", 1, ANY, "ProtectKernelTunables"),
    attempt("read-only-cgroup", 1, 0, "ProtectControlGroups"),
    attempt("see-init", 0, 0, "ProtectProc lets CAP_SYS_PTRACE see"),
    attempt("see-init-files", 0, 0, "CAP_SYS_PTRACE"),
    attempt("see-meminfo", 0, 0, "ProcSubset is not pid"),
    attempt("write-state", 0, 0, "StateDirectory"),
    attempt("mode-of-new-file", 0o600, 0o644, "UMask"),
    attempt("setuid-bit", EPERM, 0, "RestrictSUIDSGID"),
    attempt("packet-socket", EAFNOSUPPORT, EPERM, "RestrictAddressFamilies"),
    attempt("raw-socket", EPERM, EPERM, "CapabilityBoundingSet"),
    attempt("netlink-socket", 0, 0, "RestrictAddressFamilies leaves it"),
    attempt("vsock-socket", EAFNOSUPPORT, ANY, "RestrictAddressFamilies"),
    attempt("send-local", 0, 0, "IPAddressAllow"),
    attempt("send-remote", EPERM, 0, "IPAddressDeny"),
    attempt("writable-code", REFUSED, 0, "MemoryDenyWriteExecute"),
    attempt("user-namespace", EPERM, 0, "RestrictNamespaces"),
    attempt("network-namespace", EPERM, EPERM, "RestrictNamespaces"),
    attempt("host-name", EPERM, EPERM, "ProtectHostname"),
    attempt("personality", EPERM, 0, "LockPersonality"),
    attempt("trace", EPERM, 0, "SystemCallFilter"),
    attempt("chroot", EPERM, EPERM, "SystemCallFilter"),
    attempt("load-module", EPERM, EPERM, "ProtectKernelModules"),
    attempt("read-kernel-log", EPERM, EPERM, "ProtectKernelLogs"),
    attempt("mount", EPERM, EPERM, "SystemCallFilter"),
    attempt("make-device", EPERM, EPERM, "CapabilityBoundingSet"),
    attempt("real-time", EPERM, EPERM, "RestrictRealtime"),
    attempt("own-processor", EPERM, 0, "SystemCallFilter"),
    attempt("read-clock", EPERM, 0, "ProtectClock"),
    attempt("set-clock", EPERM, EPERM, "ProtectClock"),
    attempt("no-new-privileges", 1, 0, "NoNewPrivileges"),
];

/// Those that take a privilege: whether a directive refuses them shows only where the user is root.
pub const FOR_ROOT: [&str; 6] =
    ["network-namespace", "host-name", "chroot", "read-kernel-log", "mount", "real-time"];

/// For sed(1): makes the service run as root with everything that root may do.
pub const AS_ROOT: &str =
    "/^User=/d;/^Group=/d;/^CapabilityBoundingSet=/d;/^AmbientCapabilities=/d";

/// What each attempt came to.
pub type Results = BTreeMap<String, i64>;

/// Puts the probe there, and what it looks for.
pub fn install(site: &Site<'_>) -> anyhow::Result<()> {
    site.copy(&site.inputs.probe, PROGRAM)?;
    site.sh("mkdir -p /home/probe && chmod 0777 /home/probe && echo text >/home/probe/file
         chmod 0600 /home/probe/file
         echo text >/tmp/probe-seen
         ip address add 198.51.100.1/32 dev lo
         rm -f /dev/probe-device && mknod -m 0666 /dev/probe-device c 1 3")
        .map(drop)
}

/// The results as the daemon's own samples tell them.
pub fn sandboxed(site: &Site<'_>) -> anyhow::Result<Results> {
    // What is tried is what the daemon itself may do, so that its capabilities are handed on.
    let config = format!(
        "[[collector]]\nname = \"probe\"\ncommand = [\"{PROGRAM}\"]\n\
         capabilities = [\"CAP_DAC_READ_SEARCH\", \"CAP_SYS_PTRACE\"]\n"
    );
    let samples = site.configured(&config, || {
        until(|| {
            let samples = site.samples("probe_result")?;
            let is_whole = samples.len() == ATTEMPTS.len();
            ensure!(is_whole, "{} samples of {}", samples.len(), site.collector("probe")?);
            Ok(samples)
        })
    })?;
    let result = |sample: &serde_json::Value| {
        let name = sample["labels"]["attempt"].as_str()?.to_owned();
        Some((name, format!("{:.0}", sample["value"].as_f64()?).parse().ok()?))
    };
    samples.iter().map(|sample| result(sample).context("a sample of the probe")).collect()
}

/// The results of the same user with the same capabilities, in a unit without a sandbox.
pub fn bare(site: &Site<'_>) -> anyhow::Result<Results> {
    let capabilities = "AmbientCapabilities=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE";
    in_a_unit(site, &["--property=User=gz-monitor", "--property", capabilities])
}

/// The results of root in a unit without a sandbox.
pub fn bare_root(site: &Site<'_>) -> anyhow::Result<Results> {
    in_a_unit(site, &[])
}

fn in_a_unit(site: &Site<'_>, options: &[&str]) -> anyhow::Result<Results> {
    let run = ["systemd-run", "--quiet", "--wait", "--pipe"];
    let text = site.run(&[&run, options, &[PROGRAM]].concat())?;
    let result = |line: &str| {
        let (name, value) = line.strip_prefix("probe_result{attempt=\"")?.split_once("\"} ")?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    Ok(text.lines().filter_map(result).collect())
}

/// Every attempt that came to something else than it must.
pub fn compare(results: &Results, expected: impl Fn(&Attempt) -> i64) -> anyhow::Result<()> {
    let wrong = ATTEMPTS.iter().filter_map(|attempt| {
        let (expected, result) = (expected(attempt), results.get(attempt.name));
        let is_right = result.is_some_and(|&result| match expected {
            ANY => true,
            REFUSED => matches!(result, EPERM | EACCES),
            _ => result == expected,
        });
        (!is_right).then(|| {
            let result = result.map_or_else(|| "nothing".to_owned(), i64::to_string);
            format!("{} gives {result}, not {expected} ({})", attempt.name, attempt.directive)
        })
    });
    let wrong: Vec<String> = wrong.collect();
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_makes_every_attempt() {
        let program = include_str!("probe.c");
        for attempt in &ATTEMPTS {
            let name = attempt.name;
            assert!(program.contains(&format!("(\"{name}\", ")), "probe.c has no {name}");
        }
        let known = |name: &&str| ATTEMPTS.iter().any(|attempt| attempt.name == *name);
        assert!(FOR_ROOT.iter().all(known));
    }
}
