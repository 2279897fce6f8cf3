//! `plugins/uptime-c`, the worked example: built by its Makefile, checked, installed and run.

use std::fs;
use std::process::Command;

use crate::folder::{Folder, text};
use crate::support::PROGRAM;
use crate::{until_collected, until_value, values, with_plugins};

fn make(target: &str, variables: &[&str]) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/uptime-c");
    let output = Command::new("make").args(["-C", folder, target]).args(variables).output();
    let output = output.expect("this test needs make");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(output.status.success(), "{out}{err}");
    out
}

#[tokio::test]
async fn is_built_checked_installed_and_run() {
    let folder = Folder::new();
    let build = format!("BUILD={}", folder.beside("").display());
    let checked = make("check", &[&build, &format!("GZ_MONITOR={PROGRAM}")]);
    assert!(checked.contains("Nothing is wrong."), "{checked}");
    make("install", &[&build, &format!("PLUGINS={}", text(&folder.path()))]);

    let root = folder.beside("root");
    fs::create_dir_all(root.join("proc")).expect("folders");
    fs::write(root.join("proc/uptime"), "12345.67 23456.78\n").expect("a file");
    let utmp = folder.beside("utmp");
    fs::write(&utmp, [entry(7, ""), entry(7, "10.0.0.1"), entry(7, ":0"), entry(8, "")].concat())
        .expect("a file");
    let config = format!(
        "root = \"{}\"\n[[collector]]\nplugin = \"uptime-c\"\ninterval = \"100ms\"\n\
         config = {{ utmp = \"{}\" }}\n",
        root.display(),
        utmp.display()
    );
    let daemon = with_plugins(&folder, &config).start().await;
    until_collected(&daemon, "uptime-c").await;
    until_value(&daemon, "uptime_seconds", "", 12345.67).await;
    until_value(&daemon, "uptime_idle_seconds", "", 23456.78).await;
    assert_eq!(values(&daemon, "uptime_sessions", "kind=terminal").await, [2.0]);
    assert_eq!(values(&daemon, "uptime_sessions", "kind=remote").await, [1.0]);
}

/// A `struct utmp` of 64-bit Linux, utmp(5): the type at 0, the remote host at 76, 384 bytes.
fn entry(kind: u8, host: &str) -> Vec<u8> {
    let mut entry = vec![0; 384];
    entry[0] = kind;
    entry[76..76 + host.len()].copy_from_slice(host.as_bytes());
    entry
}
