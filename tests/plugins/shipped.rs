//! `plugins/systemd-units` and `plugins/nvidia`: built, put into a plugin folder and run, against a
//! systemd and a GPU that are not real.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::folder::{Folder, compile, text};
use crate::support::run;
use crate::{until_collected, until_value, values, with_plugins};

/// Builds a package's library, or one of its examples, and says where it is.
fn build(package: &str, what: &[&str], target: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--offline", "--message-format", "json", "-p", package]).args(what);
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let artifacts = String::from_utf8(output.stdout).expect("JSON");
    let artifact = artifacts.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let is_it = message["target"]["name"] == target && message["filenames"].is_array();
        is_it.then(|| PathBuf::from(message["filenames"][0].as_str().expect("a path")))
    });
    artifact.expect("cargo says what it has built")
}

/// A plugin folder with the library of a package.
fn folder_with(package: &str, target: &str) -> Folder {
    let folder = Folder::new();
    let copy = folder.beside("copy");
    fs::copy(build(package, &["--lib"], target), &copy).expect("a copy");
    folder.put(&copy, "plugin.so");
    folder
}

/// `examples/fake_systemd.rs`; it ends when this is dropped.
struct FakeSystemd {
    child: Child,
    address: String,
}

impl FakeSystemd {
    fn start(folder: &Folder) -> Self {
        let program =
            build("gz-monitor-systemd-units", &["--example=fake_systemd"], "fake_systemd");
        let mut fake = Command::new(program);
        fake.arg(folder.beside("")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = fake.spawn().expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let address = output.lines().next().expect("a line").expect("an address");
        Self { child, address }
    }
}

impl Drop for FakeSystemd {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn systemd_units() {
    let folder = folder_with("gz-monitor-systemd-units", "gz_systemd_units");
    let systemd = FakeSystemd::start(&folder);
    let config = format!("{{\"address\": \"{}\"}}", systemd.address);
    let file = folder.file("plugin.so");
    let (code, out, err) = run(&["plugin", "check", text(&file), "--collector-config", &config]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("  collected   10 of 10 times, 24 samples the last time"), "{out}");

    let config = format!(
        "[[collector]]\nplugin = \"systemd-units\"\ninterval = \"100ms\"\n\
         config = {{ address = \"{}\", exclude = [\"ssh.*\"] }}\n",
        systemd.address
    );
    let daemon = with_plugins(&folder, &config).start().await;
    until_collected(&daemon, "systemd-units").await;
    until_value(&daemon, "node_systemd_units", "state=failed", 1.0).await;
    let states = values(&daemon, "node_systemd_unit_state", "name=backup.service").await;
    assert_eq!(states, [0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(values(&daemon, "gz_systemd_unit_cpu_seconds_total", "").await, [0.0; 0]);
}

#[tokio::test]
async fn nvidia() {
    let folder = folder_with("gz-monitor-nvidia", "gz_nvidia");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/nvidia/src/tests/fake_nvml.c");
    let library = folder.beside("libnvidia-ml.so.1");
    let place = format!("-DFOLDER=\"{}\"", folder.beside("").display());
    compile("cc", &["-std=gnu11", "-shared", "-fPIC", &place, source, "-o", text(&library)]);
    let config = format!(
        "[[collector]]\nplugin = \"nvidia\"\ninterval = \"100ms\"\n\
         config = {{ library = \"{}\" }}\n",
        library.display()
    );
    let daemon = with_plugins(&folder, &config).start().await;
    until_collected(&daemon, "nvidia").await;
    until_value(&daemon, "nvidia_gpu_power_watts", "uuid=GPU-0", 70.5).await;
    until_value(&daemon, "nvidia_gpu_up", "index=1", 1.0).await;
    fs::write(folder.beside("lost1"), "").expect("a file");
    until_value(&daemon, "nvidia_gpu_up", "index=1", 0.0).await;
    assert_eq!(values(&daemon, "nvidia_gpu_up", "index=0").await, [1.0]);
}
