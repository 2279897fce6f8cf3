//! Why a collector fails or is absent: from its own words, and what was seen on the way to what they name.

use std::path::Path;

use super::drop_in::{self, DropIn};
use super::findings::{Finding, Severity};
use super::path::{Step, named_in};
use super::{Facts, Ill, Psi};
use crate::plugin::Capabilities;
use crate::store::CollectorState;

/// CAP_DAC_READ_SEARCH and CAP_NET_RAW of capabilities(7).
const READ_SEARCH: u64 = 1 << 2;
const NET_RAW: u64 = 1 << 13;

/// What is wrong with `ill`.
pub(super) fn of(ill: &Ill, facts: &Facts) -> Finding {
    let severity = match ill.state {
        CollectorState::Absent => Severity::Info,
        _ => Severity::Error,
    };
    let what = match ill.state {
        CollectorState::Absent => "is absent: there is nothing to measure",
        CollectorState::Stopped => "is stopped",
        CollectorState::TimedOut => "does not return in time",
        CollectorState::Broken => "is broken: it has failed again and again",
        _ => "fails",
    };
    let finding = Finding::new(severity, what, &ill.text).of(&ill.name);
    let known =
        [credentials, capabilities, nvidia, bus, psi, proc, path, raw_socket, family, network];
    known
        .iter()
        .find_map(|look| look(ill, facts).map(|cause| cause.apply(&finding)))
        .unwrap_or_else(|| unknown(finding, ill, facts))
}

/// What is known of it.
#[derive(Default)]
struct Cause {
    why: String,
    remedy: Option<String>,
    drop_in: Option<DropIn>,
    /// Its subject is there, so that it is no mere absence.
    is_error: bool,
}

impl Cause {
    fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_error: true, ..Self::default() }
    }

    fn remedy(self, remedy: impl Into<String>) -> Option<Self> {
        Some(Self { remedy: Some(remedy.into()), ..self })
    }

    fn drop_in(self, drop_in: DropIn) -> Option<Self> {
        Some(Self { drop_in: Some(drop_in), ..self })
    }

    /// The collector's own words come first.
    fn apply(self, finding: &Finding) -> Finding {
        let mut finding = finding.clone();
        finding.why = format!("{}; {}", finding.why, self.why);
        if self.is_error {
            finding.severity = Severity::Error;
        }
        if let Some(remedy) = self.remedy {
            finding = finding.remedy(remedy);
        }
        match self.drop_in {
            Some(drop_in) => finding.drop_in(drop_in),
            None => finding,
        }
    }
}

fn unknown(finding: Finding, ill: &Ill, facts: &Facts) -> Finding {
    let name = &ill.name;
    let is_refused = ["Operation not permitted", "Permission denied"];
    if is_refused.iter().any(|text| ill.text.contains(text)) && facts.process.is_filtered {
        let why = format!("{}; the service also filters system calls", finding.why);
        let log = "see what was refused: journalctl -k, and SystemCallLog= of systemd.exec(5)";
        return Finding { why, ..finding }.remedy(log);
    }
    match ill.state {
        CollectorState::Absent => finding,
        CollectorState::Stopped => finding.remedy("change its entry, and `gz-monitor reload`"),
        CollectorState::Broken => {
            finding.remedy(format!("mend it, and `gz-monitor plugin restart {name}`"))
        }
        _ => finding.remedy(format!("its log: journalctl -u gz-monitor COLLECTOR={name}")),
    }
}

fn credentials(ill: &Ill, _: &Facts) -> Option<Cause> {
    let name = ill.text.strip_prefix("credentials: \"")?.split('"').next()?;
    Cause::new("systemd has not handed it over").drop_in(drop_in::credential(name))
}

/// Its entry names what the daemon has not.
fn capabilities(ill: &Ill, facts: &Facts) -> Option<Cause> {
    let wanted = facts.children.get(&ill.name)?.capabilities;
    let missing = wanted.without(facts.process.permitted);
    if missing.is_empty() {
        return None;
    }
    Cause::new(format!("its entry names {missing}, which the daemon has not"))
        .drop_in(drop_in::capabilities(&missing.list()))
}

fn nvidia(ill: &Ill, facts: &Facts) -> Option<Cause> {
    let around = &facts.around;
    if ill.plugin != "nvidia" || !around.has_nvidia || around.opens_nvidia {
        return None;
    }
    Cause::new("the driver is loaded, but /dev/nvidiactl cannot be opened").drop_in(drop_in::gpu())
}

fn bus(ill: &Ill, facts: &Facts) -> Option<Cause> {
    let around = &facts.around;
    if ill.plugin != "systemd-units" || !around.has_systemd || around.reaches_bus {
        return None;
    }
    if around.families.get("AF_UNIX") == Some(&false) {
        let why = "the service may have no sockets of AF_UNIX, by which the system bus is reached";
        return Cause::new(why).drop_in(drop_in::service(&["RestrictAddressFamilies=AF_UNIX"]));
    }
    Cause::new("systemd runs, but nobody answers at /run/dbus/system_bus_socket").remedy(
        "systemctl status dbus.socket, and see that nothing hides /run/dbus from the service",
    )
}

fn psi(ill: &Ill, facts: &Facts) -> Option<Cause> {
    if ill.plugin != "pressure" || ill.state != CollectorState::Absent {
        return None;
    }
    let absence = |why: &str| Cause { is_error: false, ..Cause::new(why) };
    match facts.around.psi {
        Psi::Off => absence("/proc/pressure is there and refuses to be read")
            .remedy("boot with psi=1 on the kernel's command line"),
        Psi::Missing => absence("there is no /proc/pressure")
            .remedy("none, but a kernel built with CONFIG_PSI (4.20 or newer), or no container"),
        Psi::On => absence("/proc/pressure can be read now").remedy("gz-monitor reload"),
    }
}

fn proc(ill: &Ill, facts: &Facts) -> Option<Cause> {
    let path = named_in(&ill.text)?;
    if !path.starts_with("/proc") || facts.around.proc_is_whole {
        return None;
    }
    Cause::new("/proc has nothing but processes (/proc/stat is missing)")
        .drop_in(drop_in::service(&["ProcSubset=all"]))
}

/// It names a path that it may not read, or not see.
fn path(ill: &Ill, facts: &Facts) -> Option<Cause> {
    let (path, text) = (named_in(&ill.text)?, &ill.text);
    let shown = path.display();
    let way = facts.ways.get(&path)?;
    let is_device = path.starts_with("/dev");
    if text.contains("Read-only file system") {
        let folder = path.parent().unwrap_or(Path::new("/")).display().to_string();
        return Cause::new("the service may write only to its own folders (ProtectSystem=strict)")
            .drop_in(drop_in::service(&[&format!("ReadWritePaths={folder}")]));
    }
    let is_denied = text.contains("Permission denied") || text.contains("Operation not permitted");
    let is_hidden = way.missing.is_some() && text.contains("No such file");
    let is_private = facts.around.devices_are_private == Some(true);
    if is_device && is_private && (is_denied || is_hidden) && way.is_on_host != Some(false) {
        return Cause::new(format!("{shown} is not in the service's /dev (PrivateDevices=)"))
            .drop_in(drop_in::device(&path.display().to_string()));
    }
    if !is_denied {
        return None;
    }
    let is_run = text.contains("cannot run ");
    match way.closed_to(facts.process.user, &facts.process.groups, is_run) {
        Some(step) if is_run && !step.is_folder => {
            Cause::new(format!("{} has mode {:o}", step.path.display(), step.mode))
                .remedy(format!("chmod a+rx {}", step.path.display()))
        }
        Some(step) => closed(ill, facts, step),
        None if is_device => Cause::new(format!(
            "its mode would let the daemon open {shown}, but the service may not"
        ))
        .drop_in(drop_in::device(&path.display().to_string())),
        // It was to be made there.
        None if way.missing.as_ref() == Some(&path) => {
            let folder = way.steps.last()?;
            let (at, mode, user) = (folder.path.display(), folder.mode, folder.user);
            Cause::new(format!("the folder {at} has mode {mode:o} and user {user}"))
                .remedy(format!("let the daemon's user write to {at}"))
        }
        None => None,
    }
}

/// A step of the way is closed to the daemon's user.
fn closed(ill: &Ill, facts: &Facts, step: &Step) -> Option<Cause> {
    let (path, mode, user) = (step.path.display(), step.mode, facts.process.user);
    let group = step.group_name.clone().unwrap_or_else(|| step.group.to_string());
    let kind = if step.is_folder { "folder" } else { "file" };
    let cause = Cause::new(format!(
        "the {kind} {path} has mode {mode:o}, user {} and group {group}; the daemon is user {user}",
        step.user
    ));
    if step.is_open_to_group() && step.group != 0 {
        return cause.drop_in(drop_in::service(&[&format!("SupplementaryGroups={group}")]));
    }
    let read = Capabilities::from_bits(READ_SEARCH);
    let may = match facts.children.get(&ill.name) {
        Some(_) if facts.process.permitted.has(read) => {
            let remedy = format!(
                "let the daemon's user read {path}, or if it may read every file, in its entry: \
                 capabilities = [\"CAP_DAC_READ_SEARCH\"]"
            );
            return cause.remedy(remedy);
        }
        _ => format!("let the daemon's user read {path}, or give it the right to read every file"),
    };
    cause.remedy(may)?.drop_in(drop_in::capabilities(&read.list()))
}

/// ping(8) and its like.
fn raw_socket(ill: &Ill, facts: &Facts) -> Option<Cause> {
    let text = ill.text.to_lowercase();
    let is_refused = text.contains("not permitted") || text.contains("permission denied");
    if !(text.contains("cap_net_raw") || text.contains("socket") && is_refused) {
        return None;
    }
    let raw = Capabilities::from_bits(NET_RAW);
    let entry = "in its entry: capabilities = [\"CAP_NET_RAW\"]";
    if !facts.process.permitted.has(raw) {
        let how = "add the drop-in with `systemctl edit gz-monitor`, restart it, and";
        return Cause::new("raw sockets take CAP_NET_RAW, which the daemon has not")
            .remedy(format!("{how} {entry}"))?
            .drop_in(drop_in::ping());
    }
    let cause = Cause::new("raw sockets take CAP_NET_RAW, which its entry does not name");
    if facts.children.get(&ill.name)?.capabilities.has(raw) { None } else { cause.remedy(entry) }
}

fn family(ill: &Ill, facts: &Facts) -> Option<Cause> {
    if !ill.text.contains("Address family not supported") {
        return None;
    }
    let families = facts.around.families.iter();
    let closed: Vec<&str> = families.filter(|(_, open)| !**open).map(|(name, _)| *name).collect();
    let why = match &closed[..] {
        [] => "the service may have no sockets of that address family".to_owned(),
        closed => format!(
            "of the usual families the service may have no sockets of {}",
            closed.join(", ")
        ),
    };
    let lines = format!("RestrictAddressFamilies={}", closed.join(" "));
    match &closed[..] {
        [] => Cause::new(why).remedy("add it to RestrictAddressFamilies= of the service"),
        _ => Cause::new(why).drop_in(drop_in::service(&[&lines])),
    }
}

/// It cannot reach another machine, and packets of the service are filtered.
fn network(ill: &Ill, facts: &Facts) -> Option<Cause> {
    let text = ill.text.to_lowercase();
    let is_of_network = ["connect", "timed out", "unreachable", "resolve", "network", "sendto"];
    if facts.around.passes_packets != Some(false) || !is_of_network.iter().any(|w| text.contains(w))
    {
        return None;
    }
    Cause::new("the service may not send packets but to 127.0.0.1 (IPAddressDeny=)")
        .drop_in(drop_in::remote())
}
