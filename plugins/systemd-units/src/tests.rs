//! The plugin on a bus.

mod fake;

use std::fs;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use gz_monitor_sdk::{Collector as _, Error, Host, Kind, Sink};
use tempfile::TempDir;

use crate::bus::Bus;
use crate::units::{NOT_SET, Unit};
use crate::{Result, SystemdUnits};
use fake::{BusDaemon, Fake, Property};

/// A unit that is there.
pub fn unit(name: &str, active_state: &str) -> Unit {
    let (name, active_state) = (name.to_owned(), active_state.to_owned());
    Unit { name, load_state: "loaded".to_owned(), active_state, path: "/".to_owned() }
}

/// A bus with a systemd on it, and the plugin's log.
struct Scene {
    folder: TempDir,
    bus: Option<BusDaemon>,
    fake: Fake,
    log: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (bus, fake) = (BusDaemon::start(folder.path()), Fake::new());
        fake.serve(&bus);
        Self { folder, bus: Some(bus), fake, log: Arc::default() }
    }

    fn host(&self) -> Host {
        let log = self.log.clone();
        Host::new(self.folder.path().into(), move |level, text| {
            log.lock().unwrap().push(format!("{level:?} {text}"));
        })
    }

    /// The plugin with more configuration than the address.
    fn plugin(&self, config: &str) -> Result<SystemdUnits> {
        let address = format!("unix:path={}/bus", self.folder.path().display());
        let config = format!("{{\"address\": \"{address}\"{config}}}");
        SystemdUnits::init(serde_json::from_str(&config).unwrap(), self.host())
    }

    fn end_bus(&mut self) {
        self.bus = None;
    }

    fn restart_bus(&mut self) {
        self.end_bus();
        let bus = BusDaemon::start(self.folder.path());
        self.fake.serve(&bus);
        self.bus = Some(bus);
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.fake.state().calls)
    }
}

/// The samples of a collection, sorted, as `name{label="value"} 1`; counters begin with `+`.
fn collect(plugin: &mut SystemdUnits) -> (Vec<String>, Result) {
    let mut lines = Vec::new();
    let mut emit = |sample: gz_monitor_sdk::SampleRef<'_>| {
        let labels: Vec<_> = sample.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let sign = if sample.kind == Kind::Counter { "+" } else { "" };
        lines.push(format!("{sign}{}{{{}}} {}", sample.name, labels.join(","), sample.value));
    };
    let result = plugin.collect(&mut Sink::new(&mut emit));
    lines.sort();
    (lines, result)
}

/// The samples of a collection that goes well, those that contain `text`.
fn found(plugin: &mut SystemdUnits, text: &str) -> Vec<String> {
    let (mut lines, result) = collect(plugin);
    result.unwrap();
    lines.retain(|line| line.contains(text));
    lines
}

const RUNNING: [(&str, Property); 8] = [
    ("Type", Property::Text("notify")),
    ("ActiveEnterTimestamp", Property::Long(1_700_000_000_500_000)),
    ("NRestarts", Property::Number(3)),
    ("CPUUsageNSec", Property::Long(2_500_000_000)),
    ("MemoryCurrent", Property::Long(4096)),
    ("TasksCurrent", Property::Long(7)),
    ("TasksMax", Property::Long(NOT_SET)),
    ("LastTriggerUSec", Property::Long(0)),
];

#[test]
fn a_service_that_runs() {
    let scene = Scene::new();
    scene.fake.add("ssh.service", "active", &RUNNING);
    let mut plugin = scene.plugin("").unwrap();
    assert_eq!(
        collect(&mut plugin).0,
        [
            "+gz_systemd_unit_cpu_seconds_total{name=ssh.service} 2.5",
            "+node_systemd_service_restart_total{name=ssh.service} 3",
            "gz_systemd_unit_memory_current_bytes{name=ssh.service} 4096",
            "gz_systemd_units_left_out{} 0",
            "node_systemd_system_running{} 1",
            "node_systemd_unit_start_time_seconds{name=ssh.service} 1700000000.5",
            "node_systemd_unit_state{name=ssh.service,state=activating,type=notify} 0",
            "node_systemd_unit_state{name=ssh.service,state=active,type=notify} 1",
            "node_systemd_unit_state{name=ssh.service,state=deactivating,type=notify} 0",
            "node_systemd_unit_state{name=ssh.service,state=failed,type=notify} 0",
            "node_systemd_unit_state{name=ssh.service,state=inactive,type=notify} 0",
            "node_systemd_unit_tasks_current{name=ssh.service} 7",
            "node_systemd_units{state=activating} 0",
            "node_systemd_units{state=active} 1",
            "node_systemd_units{state=deactivating} 0",
            "node_systemd_units{state=failed} 0",
            "node_systemd_units{state=inactive} 0",
            "node_systemd_version{version=252.22-1~deb12u1} 252.22",
            "node_systemd_virtualization_info{virtualization_type=none} 1",
        ]
    );
}

#[test]
fn what_is_not_set_is_no_sample() {
    let scene = Scene::new();
    let not_set = ["CPUUsageNSec", "MemoryCurrent", "TasksCurrent", "TasksMax"];
    let properties = not_set.map(|name| (name, Property::Long(NOT_SET)));
    scene.fake.add("old.service", "active", &properties);
    let mut plugin = scene.plugin("").unwrap();
    let lines = found(&mut plugin, "name=old.service");
    assert!(lines.iter().all(|line| line.starts_with("node_systemd_unit_state")), "{lines:?}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn sockets_and_timers() {
    let scene = Scene::new();
    let counts = [("NAccepted", 5), ("NConnections", 2), ("NRefused", 1)];
    let counts = counts.map(|(name, count)| (name, Property::Number(count)));
    scene.fake.add("web.socket", "active", &counts);
    let trigger = [("LastTriggerUSec", Property::Long(1_700_000_001_000_000))];
    scene.fake.add("daily.timer", "active", &trigger);
    let mut plugin = scene.plugin("").unwrap();
    assert_eq!(
        found(&mut plugin, "connections"),
        [
            "+node_systemd_socket_accepted_connections_total{name=web.socket} 5",
            "+node_systemd_socket_refused_connections_total{name=web.socket} 1",
            "node_systemd_socket_current_connections{name=web.socket} 2",
        ]
    );
    assert_eq!(
        found(&mut plugin, "last_trigger"),
        ["node_systemd_timer_last_trigger_seconds{name=daily.timer} 1700000001"]
    );
}

#[test]
fn states_of_all_units_and_of_a_rare_kind() {
    let scene = Scene::new();
    scene.fake.state().system_state = "degraded";
    scene.fake.add("a.service", "reloading", &[]);
    scene.fake.add("b.service", "failed", &RUNNING);
    scene.fake.add("-.mount", "active", &[]);
    scene.fake.add("c.device", "active", &[]);
    let mut plugin = scene.plugin("").unwrap();
    assert_eq!(
        found(&mut plugin, "systemd_units{"),
        [
            "node_systemd_units{state=activating} 0",
            "node_systemd_units{state=active} 2",
            "node_systemd_units{state=deactivating} 0",
            "node_systemd_units{state=failed} 1",
            "node_systemd_units{state=inactive} 0",
            "node_systemd_units{state=reloading} 1",
        ]
    );
    let (lines, _) = collect(&mut plugin);
    let ones: Vec<_> =
        lines.iter().filter(|line| line.contains("_state{") && line.ends_with(" 1")).collect();
    assert_eq!(
        ones,
        [
            "node_systemd_unit_state{name=a.service,state=reloading,type=} 1",
            "node_systemd_unit_state{name=b.service,state=failed,type=notify} 1",
        ]
    );
    assert!(lines.contains(&"node_systemd_system_running{} 0".to_owned()));
    assert!(!lines.iter().any(|line| line.contains("start_time")), "it does not run: {lines:?}");
}

#[test]
fn an_idle_unit_is_asked_once_and_keeps_its_type() {
    let scene = Scene::new();
    scene.fake.add("job.service", "inactive", &[("Type", Property::Text("oneshot"))]);
    scene.fake.add("job.timer", "inactive", &[]);
    scene.fake.add("job.target", "active", &[]);
    let mut plugin = scene.plugin(", \"include\": [\"job.*\"]").unwrap();
    for calls in [&["ListUnits", "GetAll job.service"][..], &["ListUnits"]] {
        let idle = "node_systemd_unit_state{name=job.service,state=inactive,type=oneshot} 1";
        assert_eq!(found(&mut plugin, "job.service,state=inactive"), [idle]);
        assert_eq!(scene.calls(), calls);
    }
    scene.fake.add("job.service", "active", &RUNNING);
    assert_eq!(found(&mut plugin, "tasks_current").len(), 1);
    assert_eq!(scene.calls(), ["ListUnits", "GetAll job.service"]);
}

#[test]
fn a_unit_that_goes_meanwhile_is_no_failure() {
    let scene = Scene::new();
    scene.fake.add("gone.service", "active", &RUNNING);
    scene.fake.add("here.service", "active", &RUNNING);
    scene.fake.state().refuse = Some("gone.service");
    let mut plugin = scene.plugin("").unwrap();
    assert_eq!(found(&mut plugin, "memory_current").len(), 1);
    assert_eq!(found(&mut plugin, "name=gone.service").len(), 5);
    assert!(scene.log.lock().unwrap()[0].contains("Debug gone.service: GetAll: "));
    assert_eq!(scene.fake.state().callers.len(), 1);
}

#[test]
fn too_many_units_are_noted_once() {
    let scene = Scene::new();
    for name in ["a.service", "b.service", "c.service"] {
        scene.fake.add(name, "active", &RUNNING);
    }
    let mut plugin = scene.plugin(", \"max_units\": 1").unwrap();
    for _ in 0..2 {
        assert_eq!(found(&mut plugin, "left_out"), ["gz_systemd_units_left_out{} 2"]);
    }
    let text = "Warn 2 units are more than max_units and are not reported";
    assert_eq!(*scene.log.lock().unwrap(), [text]);
    assert_eq!(scene.calls(), ["ListUnits", "GetAll a.service", "ListUnits", "GetAll a.service"]);
}

#[test]
fn a_connection_is_kept_and_made_again_after_it_breaks() {
    let mut scene = Scene::new();
    scene.fake.add("ssh.service", "active", &RUNNING);
    let mut plugin = scene.plugin("").unwrap();
    for _ in 0..3 {
        assert_eq!(found(&mut plugin, "memory").len(), 1);
    }
    assert_eq!(scene.fake.state().callers.len(), 1, "one connection");
    scene.restart_bus();
    while plugin.bus.as_ref().is_some_and(Bus::is_open) {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(found(&mut plugin, "memory").len(), 1, "the break is noticed before it is asked");
    scene.end_bus();
    for _ in 0..2 {
        let error = collect(&mut plugin).1.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
    }
    scene.restart_bus();
    assert_eq!(found(&mut plugin, "memory").len(), 1);
}

#[test]
fn whoever_does_not_answer_is_given_up() {
    let scene = Scene::new();
    scene.fake.add("ssh.service", "active", &RUNNING);
    let mut plugin = scene.plugin(", \"timeout_seconds\": 0.2").unwrap();
    for method in ["Get", "ListUnits", "GetAll"] {
        scene.fake.state().mute = Some(method);
        let error = collect(&mut plugin).1.unwrap_err().to_string();
        let expected = format!("unavailable: systemd does not answer {method}: ");
        assert!(error.starts_with(&expected), "{error}");
    }
    scene.fake.state().mute = None;
    assert_eq!(found(&mut plugin, "memory").len(), 1);

    let socket = scene.folder.path().join("mute");
    let _listener = UnixListener::bind(&socket).unwrap();
    let config =
        format!("{{\"address\": \"unix:path={}\", \"timeout_seconds\": 0.2}}", socket.display());
    let mute = SystemdUnits::init(serde_json::from_str(&config).unwrap(), scene.host());
    let error = mute.err().unwrap().to_string();
    assert!(error.ends_with("mute: the bus did not let us in within 200ms"), "{error}");
}

#[test]
fn nothing_to_report_where_systemd_does_not_run() {
    let scene = Scene::new();
    let start = |config: &str| {
        SystemdUnits::init(serde_json::from_str(config).unwrap(), scene.host()).map(drop)
    };
    let root = scene.folder.path();
    let check = |expected: &str| {
        let error = start("{}").unwrap_err();
        assert!(matches!(error, Error::NoData(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("systemd does not run here");
    fs::create_dir_all(root.join("run/systemd/system")).unwrap();
    check("there is no system bus at ");
    fs::create_dir_all(root.join("run/dbus")).unwrap();
    std::os::unix::fs::symlink(root.join("bus"), root.join("run/dbus/system_bus_socket")).unwrap();
    start("{}").unwrap();
    let config = |config: &str, expected: &str| {
        let error = start(config).unwrap_err();
        assert!(matches!(error, Error::Config(_)), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    config(r#"{"address": "nonsense"}"#, "address: \"nonsense\": ");
    config(r#"{"max_units": 0}"#, "max_units: 0; 1 to 5000");
    config(r#"{"timeout_seconds": 0}"#, "timeout_seconds: 0; 0.01 to 60");
}
