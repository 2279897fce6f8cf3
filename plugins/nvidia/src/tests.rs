//! The plugin on a library of the tests' own, `tests/fake_nvml.c`, and on this machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use gz_monitor_sdk::{Collector as _, Error, Host, Kind, Result, SampleRef, Sink};
use tempfile::TempDir;

use crate::Nvidia;

/// A library, its folder, which is also the host's root, and the plugin's log.
struct Scene {
    folder: TempDir,
    log: Arc<Mutex<Vec<String>>>,
}

impl Scene {
    /// With a library that is compiled with these arguments.
    fn new(arguments: &[&str]) -> Self {
        let scene = Self { folder: tempfile::tempdir().unwrap(), log: Arc::default() };
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/fake_nvml.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", source]);
        compiler.arg(format!("-DFOLDER=\"{}\"", scene.folder.path().display()));
        compiler.args(arguments).arg("-o").arg(scene.file("libnvidia-ml.so.1"));
        let output = compiler.output().expect("this test needs cc");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        scene
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The plugin with this library and more configuration.
    fn plugin(&self, config: &str) -> Result<Nvidia> {
        let library = self.file("libnvidia-ml.so.1");
        self.plugin_as(&format!("{{\"library\": \"{}\"{config}}}", library.display()))
    }

    fn plugin_as(&self, config: &str) -> Result<Nvidia> {
        let log = self.log.clone();
        let host = Host::new(self.folder.path().into(), move |level, text| {
            log.lock().unwrap().push(format!("{level:?} {text}"));
        });
        Nvidia::init(serde_json::from_str(config).unwrap(), host)
    }

    /// What was logged since the last time, of a level or above it.
    fn log(&self, levels: &[&str]) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.log.lock().unwrap());
        lines.retain(|line| levels.iter().any(|level| line.starts_with(level)));
        lines
    }
}

/// The samples of a collection as `name{label=value} 1`; counters begin with `+`.
fn collect(plugin: &mut Nvidia) -> (Vec<String>, Result) {
    let mut lines = Vec::new();
    let mut emit = |sample: SampleRef<'_>| {
        let labels: Vec<_> = sample.labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let sign = if sample.kind == Kind::Counter { "+" } else { "" };
        let value = (sample.value * 1e9).round() / 1e9;
        lines.push(format!("{sign}{}{{{}}} {value}", sample.name, labels.join(",")));
    };
    let result = plugin.collect(&mut Sink::new(&mut emit));
    (lines, result)
}

/// The samples of a GPU in a collection that goes well, without its labels and the prefix.
fn of_gpu(plugin: &mut Nvidia, labels: &str) -> Vec<String> {
    let (lines, result) = collect(plugin);
    result.unwrap();
    let mine = lines.iter().filter(|line| line.contains(labels));
    mine.map(|line| line.replace(labels, "").replace("nvidia_gpu_", "").replace("{,", "{"))
        .collect()
}

const FIRST: &str = "uuid=GPU-0,index=0,name=Tesla T4";
const SECOND: &str = "uuid=GPU-1,index=1,name=GeForce";

#[test]
fn a_card_that_has_everything() {
    let scene = Scene::new(&[]);
    scene.write("proc/11/comm", "python3\n");
    let mut plugin = scene.plugin(", \"processes\": 2").unwrap();
    assert_eq!(collect(&mut plugin).0[0], "nvidia_driver_info{version=550.54.15} 1");
    assert_eq!(
        of_gpu(&mut plugin, FIRST),
        [
            "utilization_ratio{} 0.75",
            "memory_utilization_ratio{} 0.5",
            "encoder_utilization_ratio{} 0.25",
            "decoder_utilization_ratio{} 1",
            "memory_total_bytes{} 16000",
            "memory_used_bytes{} 10000",
            "memory_free_bytes{} 5000",
            "memory_reserved_bytes{} 1000",
            "temperature_celsius{} 64",
            "power_watts{} 70.5",
            "power_limit_watts{} 72",
            "+energy_joules_total{} 1234.5",
            "fan_speed_ratio{fan=0} 0.25",
            "fan_speed_ratio{fan=1} 0.5",
            "clock_hertz{clock=graphics} 1000000000",
            "clock_hertz{clock=sm} 1001000000",
            "clock_hertz{clock=memory} 1002000000",
            "clock_hertz{clock=video} 1003000000",
            "throttle_reason{reason=gpu_idle} 0",
            "throttle_reason{reason=sw_power_cap} 1",
            "throttle_reason{reason=sw_thermal_slowdown} 1",
            "+ecc_volatile_errors_total{type=corrected} 1",
            "+ecc_volatile_errors_total{type=uncorrected} 2",
            "+ecc_aggregate_errors_total{type=corrected} 11",
            "+ecc_aggregate_errors_total{type=uncorrected} 12",
            "+pcie_replays_total{} 9",
            "pcie_throughput_bytes_per_second{direction=transmit} 500000",
            "pcie_throughput_bytes_per_second{direction=receive} 700000",
            "processes{} 4",
            "process_memory_bytes{pid=11,comm=python3} 500",
            "process_memory_bytes{pid=10,comm=} 300",
            "up{} 1",
        ]
    );
}

#[test]
fn what_a_card_does_not_support_is_no_sample_and_one_line() {
    let scene = Scene::new(&[]);
    let mut plugin = scene.plugin("").unwrap();
    let present = [
        "memory_total_bytes{} 16000",
        "memory_used_bytes{} 10000",
        "memory_free_bytes{} 5000",
        "memory_reserved_bytes{} 1000",
        "temperature_celsius{} 64",
        "up{} 1",
    ];
    assert_eq!(of_gpu(&mut plugin, SECOND), present);
    let lines = scene.log(&["Debug", "Warn", "Error"]);
    let expected = "Debug GPU 1: no nvidia_gpu_power_watts: the requested operation is not available \
                    on the target device";
    assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
    assert!(lines.iter().all(|line| line.starts_with("Debug GPU 1: no ")), "{lines:#?}");
    assert_eq!(of_gpu(&mut plugin, SECOND), present);
    assert_eq!(scene.log(&["Debug", "Warn", "Error"]), [""; 0]);
}

#[test]
fn a_driver_that_lacks_a_function() {
    let scene = Scene::new(&["-DOLD"]);
    let mut plugin = scene.plugin("").unwrap();
    let lines = of_gpu(&mut plugin, FIRST);
    assert_eq!(lines.len(), 32);
    assert!(!lines.iter().any(|line| line.contains("energy")), "{lines:#?}");
    assert_eq!(scene.log(&["Warn", "Error"]), [""; 0]);
}

#[test]
fn parts_that_can_be_left_out() {
    let scene = Scene::new(&[]);
    let mut plugin = scene.plugin(", \"processes\": 0, \"pcie_throughput\": false").unwrap();
    let lines = of_gpu(&mut plugin, FIRST);
    assert!(!lines.iter().any(|line| line.contains("process")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("throughput")), "{lines:#?}");
}

#[test]
fn a_lost_gpu_is_its_own_failure() {
    let scene = Scene::new(&[]);
    let mut plugin = scene.plugin("").unwrap();
    assert_eq!(of_gpu(&mut plugin, SECOND).len(), 6);
    scene.write("lost1", "");
    scene.log(&[]);
    for _ in 0..2 {
        assert_eq!(of_gpu(&mut plugin, SECOND), ["up{} 0"], "it is still named");
        assert!(of_gpu(&mut plugin, FIRST).len() > 30);
    }
    let why = "device fell off the bus or has otherwise become inacessible";
    assert_eq!(scene.log(&["Warn", "Error"]), [format!("Error GPU 1 does not answer: {why}")]);

    scene.write("lost0", "");
    let (lines, result) = collect(&mut plugin);
    assert_eq!(result.unwrap_err().to_string(), format!("unavailable: no GPU answers: {why}"));
    assert_eq!(lines.len(), 3, "{lines:#?}");
    scene.log(&[]);

    fs::remove_file(scene.file("lost1")).unwrap();
    assert_eq!(of_gpu(&mut plugin, SECOND).len(), 6);
    assert_eq!(scene.log(&["Info"]), ["Info GPU 1 answers again"]);
}

#[test]
fn what_was_read_before_a_gpu_is_lost_is_kept() {
    let scene = Scene::new(&[]);
    let mut plugin = scene.plugin("").unwrap();
    scene.write("breaks0", "");
    let lines = of_gpu(&mut plugin, FIRST);
    assert_eq!(lines[7..], ["memory_reserved_bytes{} 1000", "up{} 0"]);
    assert_eq!(of_gpu(&mut plugin, SECOND).len(), 6);
}

#[test]
fn a_gpu_that_was_lost_from_the_start_has_its_place_for_a_name() {
    let scene = Scene::new(&[]);
    scene.write("lost0", "");
    let mut plugin = scene.plugin("").unwrap();
    assert_eq!(of_gpu(&mut plugin, "uuid=,index=0,name="), ["up{} 0"]);
}

#[test]
fn nothing_to_report_and_what_cannot_work() {
    let check = |scene: &Scene, config: &str, expected: &str| {
        let error = scene.plugin_as(config).map(drop).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    let scene = Scene::new(&[]);
    let library = scene.file("libnvidia-ml.so.1");
    let config = format!("{{\"library\": \"{}\"}}", library.display());
    scene.write("no-driver", "");
    check(&scene, &config, "no data: NVIDIA driver is not loaded");
    let none = Scene::new(&["-DNO_GPU"]);
    let error = none.plugin("").map(drop).unwrap_err().to_string();
    assert_eq!(error, "no data: there is no NVIDIA GPU");
    check(&scene, r#"{"library": "/nonexistent.so"}"#, "unavailable: library: /nonexistent.so: ");
    check(&scene, r#"{"processes": 101}"#, "configuration: processes: 101; 100 at the most");
}

#[test]
fn on_this_machine_it_works_or_has_nothing_to_report() {
    let scene = Scene { folder: tempfile::tempdir().unwrap(), log: Arc::default() };
    match scene.plugin_as("{}") {
        Ok(mut plugin) => collect(&mut plugin).1.unwrap(),
        Err(error) => assert!(matches!(error, Error::NoData(_)), "{error}"),
    }
}
