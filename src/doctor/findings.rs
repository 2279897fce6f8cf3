//! From facts to what is wrong, why, and what mends it. Pure.

use super::drop_in::{self, DropIn};
use super::{Facts, Psi, Reach, cause};
use crate::plugin::Capabilities;

/// How bad it is. The order is that of showing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A collector gets nothing, or the daemon cannot be reached.
    Error,
    /// Something is missing.
    Warning,
    /// As it is meant to be, and good to know.
    Info,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// The collector that it is about, if it is about one.
    pub collector: Option<String>,
    /// What is wrong, in a line.
    pub what: String,
    pub why: String,
    /// What to do; empty if there is nothing to be done.
    pub remedy: String,
    pub drop_in: Option<DropIn>,
}

/// What to do with a drop-in.
const EDIT: &str = "add the drop-in with `systemctl edit gz-monitor`, and restart it";

/// Files that the daemon needs besides connections: listeners, plugins, /proc.
const OWN_FILES: u64 = 128;

impl Finding {
    /// One that nothing mends, yet.
    pub(super) fn new(severity: Severity, what: impl Into<String>, why: impl Into<String>) -> Self {
        let (what, why) = (what.into(), why.into());
        Self { severity, collector: None, what, why, remedy: String::new(), drop_in: None }
    }

    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }

    pub(super) fn drop_in(self, drop_in: DropIn) -> Self {
        let remedy = if self.remedy.is_empty() { EDIT.to_owned() } else { self.remedy };
        Self { remedy, drop_in: Some(drop_in), ..self }
    }

    pub(super) fn of(self, collector: &str) -> Self {
        Self { collector: Some(collector.to_owned()), ..self }
    }
}

/// What follows from `facts`, the worst first.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut all: Vec<Finding> = facts.ill.iter().map(|ill| cause::of(ill, facts)).collect();
    all.extend(lacking_capabilities(facts));
    all.extend(degraded(facts));
    all.extend(plugins(facts));
    all.extend(daemon(facts));
    all.sort_by_key(|finding| finding.severity);
    all
}

/// Entries that name what the daemon has not, where the collector does well all the same.
fn lacking_capabilities(facts: &Facts) -> impl Iterator<Item = Finding> {
    let is_ill = |name: &str| facts.ill.iter().any(|ill| ill.name == name);
    facts.children.iter().filter(move |(name, _)| !is_ill(name)).filter_map(|(name, wanted)| {
        let missing = wanted.capabilities.without(facts.process.permitted);
        (!missing.is_empty()).then(|| {
            let why = format!("its entry names {missing}, which the daemon has not");
            Finding::new(Severity::Warning, "runs without a capability", why)
                .drop_in(drop_in::capabilities(&missing.list()))
                .of(name)
        })
    })
}

/// Collectors that are well and see less than there is.
fn degraded(facts: &Facts) -> Vec<Finding> {
    let (around, mut all) = (&facts.around, Vec::new());
    let runs = |name: &str| facts.running.iter().any(|one| one == name);
    if !around.sees_processes {
        let ptrace = Capabilities::from_bits(1 << 19).list();
        for name in ["processes", "system"].into_iter().filter(|name| runs(name)) {
            let why = "/proc/1/stat cannot be read: /proc is mounted with hidepid, or the service \
                       has ProtectProc=, and the daemon has no CAP_SYS_PTRACE";
            let finding =
                Finding::new(Severity::Warning, "counts only its own user's processes", why);
            all.push(finding.drop_in(drop_in::capabilities(&ptrace)).of(name));
        }
    }
    for home in around.hidden_homes.iter().filter(|_| runs("filesystem")) {
        let what = format!("cannot see file systems at or below {home}");
        let why = format!("an empty file system is mounted over {home}: ProtectHome=");
        let finding = Finding::new(Severity::Warning, what, why);
        all.push(finding.drop_in(drop_in::service(&["ProtectHome=read-only"])).of("filesystem"));
    }
    for mount in &facts.silent_mounts {
        let what = format!("gets no figures of {mount}");
        let why = "statvfs(3) failed or did not return (node_filesystem_device_error is 1)";
        let finding = Finding::new(Severity::Warning, what, why);
        let log = "the log says how: journalctl -u gz-monitor COLLECTOR=filesystem";
        all.push(finding.remedy(log).of("filesystem"));
    }
    if !around.has_sys {
        for name in ["network", "cpu", "system"].into_iter().filter(|name| runs(name)) {
            let finding = Finding::new(
                Severity::Warning,
                "lacks what /sys tells: speeds, frequencies, temperatures",
                "there is no /sys/class",
            );
            all.push(finding.remedy("mount sysfs where the daemon runs").of(name));
        }
    }
    all
}

fn plugins(facts: &Facts) -> Vec<Finding> {
    let mut all = Vec::new();
    for folder in &facts.folders {
        let Some(problem) = &folder.problem else { continue };
        let what = format!("the plugin folder {} is not used", folder.path.display());
        all.push(
            Finding::new(Severity::Error, what, problem)
                .remedy(format!("chown root: {0}; chmod 755 {0}", folder.path.display())),
        );
    }
    let is_folder = |path: &str| facts.folders.iter().any(|folder| folder.path.as_os_str() == path);
    for (path, reason) in facts.refused.iter().filter(|(path, _)| !is_folder(path)) {
        let what = format!("the plugin {path} is not used");
        let finding = Finding::new(Severity::Error, what, reason);
        let remedy = if reason.contains("Permission denied") {
            "let everybody read it: a library runs in a child without the daemon's capabilities"
        } else {
            "mend or replace the file; the daemon sees it by itself"
        };
        all.push(finding.remedy(remedy));
    }
    all
}

fn daemon(facts: &Facts) -> Vec<Finding> {
    let (process, around, mut all) = (&facts.process, &facts.around, Vec::new());
    for listener in &facts.listeners {
        let Reach::No(from, error) = &listener.reach else { continue };
        let who = if from.ip().is_loopback() { "nobody" } else { "no other machine" };
        let what = format!("{who} can connect to {}", listener.address);
        let why = format!("a connection to {from} failed: {error}");
        let finding = Finding::new(Severity::Error, what, why);
        all.push(match around.passes_packets {
            Some(false) if !from.ip().is_loopback() => finding.drop_in(drop_in::remote()),
            _ => finding.remedy("look for a packet filter of this machine: nft list ruleset"),
        });
    }
    let needed = facts.max_connections as u64 + OWN_FILES;
    if let Some(open) = process.open_files_max.filter(|open| *open < needed) {
        let what = format!("{} connections do not fit", facts.max_connections);
        let why = format!(
            "server.max_connections is more than the limit of {open} open files has room for"
        );
        let lines = format!("LimitNOFILE={}", needed.next_power_of_two());
        all.push(Finding::new(Severity::Warning, what, why).drop_in(drop_in::service(&[&lines])));
    }
    if let Some(state) = around.state_directory.as_ref().filter(|state| !state.is_writable) {
        let what = format!("{} cannot be written to", state.path.display());
        let why = "access(2) says so; systemd made the folder for the daemon (StateDirectory=)";
        let drop_in = drop_in::service(&["StateDirectory=gz-monitor", "StateDirectoryMode=0750"]);
        all.push(Finding::new(Severity::Warning, what, why).drop_in(drop_in));
    }
    if around.wants_journal && !around.reaches_journal {
        let why = "nobody answers at /run/systemd/journal/socket";
        let finding = Finding::new(Severity::Warning, "the log does not reach the journal", why);
        all.push(finding.remedy("systemctl status systemd-journald"));
    }
    if around.psi == Psi::Off {
        let finding = Finding::new(
            Severity::Info,
            "the kernel measures no pressure (PSI)",
            "/proc/pressure is there and refuses to be read",
        );
        all.push(finding.remedy("boot with psi=1"));
    }
    if process.user == 0 {
        let why = "its programs are root too, with every capability";
        let finding = Finding::new(Severity::Info, "it runs as root", why);
        all.push(finding.remedy("run it as the service of the package: its user is gz-monitor"));
    }
    all
}
