//! Facts and what follows from them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::path::Way;
use super::*;
use crate::plugin::Capabilities;
use crate::plugin::process::Wanted;
use crate::store::CollectorState;

/// The service as it is shipped, on a machine where nothing is wrong.
fn service() -> Facts {
    let families = ["AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK"].map(|name| (name, true));
    let unit = ["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE"].map(str::to_owned);
    Facts {
        process: Process {
            pid: 42,
            user: 998,
            groups: vec![998],
            effective: Capabilities::of_names(&unit),
            permitted: Capabilities::of_names(&unit),
            no_new_privs: true,
            is_filtered: true,
            open_files_max: Some(65_536),
            ..Process::default()
        },
        around: Surroundings {
            sees_processes: true,
            reads_others_io: Some(true),
            proc_is_whole: true,
            has_sys: true,
            root_is_read_only: Some(true),
            devices_are_private: Some(true),
            families: families.into_iter().chain([("AF_PACKET", false)]).collect(),
            passes_packets: Some(false),
            has_systemd: true,
            reaches_bus: true,
            reaches_journal: true,
            wants_journal: true,
            psi: Psi::On,
            ..Surroundings::default()
        },
        max_connections: 10_000,
        running: ["cpu", "filesystem", "network", "processes"].map(str::to_owned).into(),
        ..Facts::default()
    }
}

/// Each finding in a line: how bad, whose, what, the remedy or the drop-in.
fn told(facts: &Facts) -> Vec<String> {
    let line = |finding: Finding| {
        let drop_in = finding.drop_in.map(|drop_in| match drop_in.example {
            Some(example) => example.to_owned(),
            None => drop_in.text.trim_end().replace("[Service]\n", "").replace('\n', " "),
        });
        let collector = finding.collector.unwrap_or_default();
        let remedy = drop_in.unwrap_or(finding.remedy);
        format!("{:?} {collector}: {}; {remedy}", finding.severity, finding.what)
    };
    judge(facts).into_iter().map(line).collect()
}

fn ill(plugin: &str, state: CollectorState, text: &str) -> Ill {
    Ill { name: "it".to_owned(), plugin: plugin.to_owned(), state, text: text.to_owned() }
}

/// What is told of a collector that fails with `text`, after `change`.
fn failing(text: &str, change: impl FnOnce(&mut Facts)) -> String {
    let mut facts = service();
    facts.children.insert("it".to_owned(), Wanted::default());
    facts.ill.push(ill("command", CollectorState::Failing, text));
    change(&mut facts);
    told(&facts).join("\n")
}

#[test]
fn of_a_service_that_is_well_there_is_nothing_to_say() {
    assert_eq!(told(&service()), [""; 0]);
}

#[test]
fn what_a_failing_collector_says() {
    let check = |text: &str, expected: &str| {
        let told = failing(text, |_| {});
        assert_eq!(told.strip_prefix("Error it: fails; "), Some(expected), "{text}");
    };
    check("no idea", "its log: journalctl -u gz-monitor COLLECTOR=it");
    check("ping: socket: Operation not permitted", "ping.conf");
    check("missing cap_net_raw+p capability or setuid?", "ping.conf");
    check("connect to mail:25: Operation not permitted", "remote.conf");
    check("credentials: \"key\": absent", "credentials.conf");
    check("bind: Address family not supported", "RestrictAddressFamilies=AF_PACKET");
    check(
        "odd: Operation not permitted",
        "see what was refused: journalctl -k, and SystemCallLog= of systemd.exec(5)",
    );
}

#[test]
fn devices() {
    let check = |path: &str, text: &str, expected: &str| {
        let told = failing(&format!("{path}: {text}"), |facts| {
            let missing = Some(PathBuf::from(path));
            facts.ways.insert(path.into(), Way { missing, ..Way::default() });
        });
        assert_eq!(told.strip_prefix("Error it: fails; "), Some(expected), "{path}");
    };
    check("/dev/sda", "No such file or directory", "smart.conf");
    check("/dev/nvme0", "No such file or directory", "smart.conf");
    check("/dev/nvidia0", "Permission denied", "gpu.conf");
    let absent = failing("/dev/sdx: No such file or directory", |facts| {
        let (missing, is_on_host) = (Some(PathBuf::from("/dev/sdx")), Some(false));
        facts.ways.insert("/dev/sdx".into(), Way { missing, is_on_host, ..Way::default() });
    });
    assert!(absent.ends_with("COLLECTOR=it"), "the machine has none: {absent}");
    let own = "PrivateDevices=no DevicePolicy=closed DeviceAllow=/dev/ipmi0 r";
    check("/dev/ipmi0", "No such file or directory", own);
}

#[test]
fn files_on_this_machine() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown};

    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("a mode");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let tell = |mode: u32, text: &str, capabilities: u64| {
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("a mode");
        failing(text, |facts| {
            // Somebody whom nothing here belongs to.
            (facts.process.user, facts.process.groups) = (4_000_000, vec![4_000_000]);
            facts.process.permitted = Capabilities::from_bits(capabilities);
            let group = |id| Some(format!("group-{id}"));
            facts.ways.insert(file.clone(), Way::to(&file, group));
        })
    };
    let path = file.display().to_string();
    let denied = format!("cat: {path}: Permission denied");
    let told = tell(0o600, &denied, 0);
    assert!(told.ends_with("AmbientCapabilities=CAP_DAC_READ_SEARCH"), "{told}");
    let told = tell(0o600, &denied, 1 << 2);
    assert!(told.ends_with("in its entry: capabilities = [\"CAP_DAC_READ_SEARCH\"]"), "{told}");
    let told = tell(0o644, &format!("cannot run {path}: Permission denied"), 0);
    assert!(told.ends_with(&format!("chmod a+rx {path}")), "{told}");
    if chown(&file, None, Some(6)).is_ok() {
        let told = tell(0o640, &denied, 0);
        assert!(told.ends_with("SupplementaryGroups=group-6"), "{told}");
    }
}

#[test]
fn absent_and_stopped() {
    let check = |plugin: &str, state, change: fn(&mut Surroundings), expected: &str| {
        let mut facts = service();
        facts.ill.push(ill(plugin, state, "its reason"));
        change(&mut facts.around);
        assert_eq!(told(&facts).first().map(String::as_str), Some(expected), "{plugin}");
    };
    let absent = CollectorState::Absent;
    let plain = "Info it: is absent: there is nothing to measure; ";
    check("fans", absent, |_| {}, plain);
    check("nvidia", absent, |_| {}, plain);
    let gpu = "Error it: is absent: there is nothing to measure; gpu.conf";
    check("nvidia", absent, |around| around.has_nvidia = true, gpu);
    check("systemd-units", absent, |_| {}, plain);
    let no_bus = |around: &mut Surroundings| {
        around.reaches_bus = false;
        around.families.insert("AF_UNIX", false);
    };
    let unix = "Error it: is absent: there is nothing to measure; RestrictAddressFamilies=AF_UNIX";
    check("systemd-units", absent, no_bus, unix);
    let psi = "Info it: is absent: there is nothing to measure; boot with psi=1 on the kernel's command line";
    check("pressure", absent, |around| around.psi = Psi::Off, psi);
    let stopped = "Error it: is stopped; change its entry, and `gz-monitor reload`";
    check("fans", CollectorState::Stopped, |_| {}, stopped);
    let broken = "Error it: is broken: it has failed again and again; mend it, and `gz-monitor plugin restart it`";
    check("fans", CollectorState::Broken, |_| {}, broken);
}

#[test]
fn of_the_daemon() {
    let check = |change: fn(&mut Facts), expected: &[&str]| {
        let mut facts = service();
        change(&mut facts);
        assert_eq!(told(&facts), expected);
    };
    check(
        |facts| facts.around.sees_processes = false,
        &["Warning processes: counts only its own user's processes; \
           CapabilityBoundingSet=CAP_SYS_PTRACE AmbientCapabilities=CAP_SYS_PTRACE"],
    );
    check(
        |facts| facts.around.hidden_homes.push("/home".to_owned()),
        &["Warning filesystem: cannot see file systems at or below /home; ProtectHome=read-only"],
    );
    check(
        |facts| facts.silent_mounts.push("/mnt".to_owned()),
        &["Warning filesystem: gets no figures of /mnt; the log says how: \
           journalctl -u gz-monitor COLLECTOR=filesystem"],
    );
    check(
        |facts| facts.process.open_files_max = Some(1_024),
        &["Warning : 10000 connections do not fit; LimitNOFILE=16384"],
    );
    check(
        |facts| {
            let address = "192.0.2.7:80".parse().expect("an address");
            let reach = Reach::No(address, "timed out".to_owned());
            facts.listeners.push(Listener { address, reach });
            facts.around.reaches_journal = false;
        },
        &[
            "Error : no other machine can connect to 192.0.2.7:80; remote.conf",
            "Warning : the log does not reach the journal; systemctl status systemd-journald",
        ],
    );
    check(
        |facts| {
            let (path, problem) = (PathBuf::from("/p"), Some("others can write to it".to_owned()));
            facts.folders.push(Folder { path, is_there: true, problem });
            facts.refused.push(("/p".to_owned(), "others can write to it".to_owned()));
            facts.refused.push(("/q/a.so".to_owned(), "Permission denied".to_owned()));
        },
        &[
            "Error : the plugin folder /p is not used; chown root: /p; chmod 755 /p",
            "Error : the plugin /q/a.so is not used; let everybody read it: a library runs in a \
             child without the daemon's capabilities",
        ],
    );
}

#[test]
fn a_capability_that_the_daemon_has_not() {
    let mut facts = service();
    let wanted = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        Wanted { capabilities: Capabilities::of_names(&names), credentials: Vec::new() }
    };
    facts.children = BTreeMap::from([
        ("has".to_owned(), wanted(&["CAP_SYS_PTRACE"])),
        ("it".to_owned(), wanted(&["CAP_SYS_RAWIO"])),
        ("ping".to_owned(), wanted(&["CAP_NET_RAW"])),
    ]);
    facts.ill.push(ill("command", CollectorState::Failing, "no data"));
    assert_eq!(
        told(&facts),
        ["Error it: fails; smart.conf", "Warning ping: runs without a capability; ping.conf"]
    );
}

/// What is shown is what is shipped: every example that a finding may name is there, word for word.
#[test]
fn examples_are_those_that_are_shipped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd/examples");
    let finding = failing("ping: socket: Operation not permitted", |_| {});
    assert!(finding.ends_with("ping.conf"));
    let mut facts = service();
    facts.ill.push(ill(
        "command",
        CollectorState::Failing,
        "ping: socket: Operation not permitted",
    ));
    let drop_in = judge(&facts)[0].drop_in.clone().expect("a drop-in");
    assert_eq!(drop_in.text, std::fs::read_to_string(folder.join("ping.conf")).expect("a file"));
}
