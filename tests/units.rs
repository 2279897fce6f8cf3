//! The units for systemd, and the drop-ins that are shipped as examples: nothing in them that systemd
//! does not know, and a sandbox no weaker than it was.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `--threshold` of `systemd-analyze security`: a tenth of its figure, 0 being the best.
const EXPOSURE_MAX: &str = "20";

/// The service as it is shipped, but for the program that need not be installed here.
struct Units(tempfile::TempDir);

impl Units {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["gz-monitor.service", "gz-monitor.socket"] {
            let text = fs::read_to_string(shipped(name)).unwrap();
            let text = text.replace("/usr/bin/gz-monitor ", "/bin/true ");
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::create_dir(folder.path().join("gz-monitor.service.d")).unwrap();
        Self(folder)
    }

    fn with(self, drop_in: &str) -> Self {
        fs::write(self.0.path().join("gz-monitor.service.d/example.conf"), drop_in).unwrap();
        self
    }

    fn analyze(&self, arguments: &[&str], unit: &str) -> Output {
        let mut command = Command::new("systemd-analyze");
        command.args(arguments).arg(self.0.path().join(unit));
        command.output().unwrap_or_else(|error| panic!("systemd-analyze: {error}"))
    }

    /// What systemd has to say against a unit; for a key that it does not know it does not fail.
    fn complaints(&self, unit: &str) -> String {
        let output = self.analyze(&["verify", "--man=no"], unit);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn is_safe(&self) -> bool {
        let threshold = format!("--threshold={EXPOSURE_MAX}");
        let check = ["security", "--offline=true", "--no-pager", &threshold];
        self.analyze(&check, "gz-monitor.service").status.success()
    }
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd").join(name)
}

fn systemd_version() -> u32 {
    let output = Command::new("systemd-analyze").arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap()
}

#[test]
fn systemd_knows_all_that_the_units_say() {
    for unit in ["gz-monitor.service", "gz-monitor.socket"] {
        assert_eq!(Units::new().complaints(unit), "", "{unit}");
    }
    let planted = Units::new().with("[Service]\nProtectHone=yes\n");
    assert!(planted.complaints("gz-monitor.service").contains("ProtectHone"));
}

#[test]
fn systemd_knows_all_that_the_examples_say() {
    let mut seen = 0;
    for entry in fs::read_dir(shipped("examples")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# "), "{path:?} does not say what it is for");
        seen += 1;
        if text.contains("notify-reload") && systemd_version() < 253 {
            continue;
        }
        assert_eq!(Units::new().with(&text).complaints("gz-monitor.service"), "", "{path:?}");
    }
    assert!(seen >= 6, "only {seen} examples were found");
}

#[test]
fn the_sandbox_holds() {
    assert!(Units::new().is_safe(), "systemd-analyze security --offline=true gives more than 2.0");
    let weaker = Units::new().with("[Service]\nProtectSystem=no\nNoNewPrivileges=no\n");
    assert!(!weaker.is_safe(), "the check passes whatever the unit says");
}
