//! The commands and a daemon that speaks TLS.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use crate::certificates::{Pair, ask_securely, secured};
use crate::support::{Daemon, PROGRAM, run};

fn status(daemon: &Daemon, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(PROGRAM);
    command.arg("status").args(arguments);
    command.env("GZ_MONITOR__SERVER__PORT", daemon.address.port().to_string());
    let output = command.stdin(Stdio::null()).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_configuration_says_that_it_does_and_whom_to_believe() {
    let pair = Pair::new(1, 90);
    let daemon = secured(&pair, "").launch();
    assert_eq!(ask_securely(&daemon, &pair, "GET", "/healthz").await.status, 200);
    let config = daemon.path().join("gz-monitor.toml").display().to_string();
    let (code, out, err) = status(&daemon, &["--config", &config]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(&format!("https://{}", daemon.address)), "{out}");
    let other = daemon.path().join("other.pem");
    std::fs::write(&other, Pair::new(1, 90).certificate).expect("a file");
    let other = other.display().to_string();
    let (code, _, err) = status(&daemon, &["--config", &config, "--ca", &other]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("no TLS with the daemon at https://"), "{err}");
}

#[tokio::test]
async fn an_address_and_a_certificate_by_hand() {
    let pair = Pair::new(1, 90);
    let daemon = secured(&pair, "").launch();
    assert_eq!(ask_securely(&daemon, &pair, "GET", "/healthz").await.status, 200);
    let ca = daemon.path().join("tls.pem").display().to_string();
    let url = format!("https://localhost:{}", daemon.address.port());
    for command in
        [&["status"][..], &["doctor"], &["query", "1"], &["reload"], &["plugin", "restart", "load"]]
    {
        let (code, _, err) = run(&[command, &["--url", &url, "--ca", &ca]].concat());
        assert_eq!(code, 0, "{command:?}: {err}");
    }
    let (code, _, err) = run(&["status", "--url", &url]);
    assert_eq!(code, 1, "this machine's authorities do not know it: {err}");
    let (code, _, err) = run(&["status", "--url", &url, "--ca", "/nowhere"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("/nowhere") && err.contains("--ca"), "{err}");
    let (code, _, err) = run(&["status", "--url", &url.replace("https", "http")]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("speaks HTTPS"), "{err}");

    let mut command = Command::new(PROGRAM);
    command.args(["watch", "--url", &url, "--ca", &ca]).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut watching = command.spawn().expect("the program starts");
    let mut line = String::new();
    BufReader::new(watching.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    watching.kill().expect("killed");
    watching.wait().expect("ended");
    assert!(line.contains("initial_state"), "{line}");
}
