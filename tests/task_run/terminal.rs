//! A command at a terminal: it has one as well, and what is typed there reaches it.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::{PROGRAM, daemon};
use crate::{DEFAULT_SIGNALS, QUIET, the_task, until_task};

/// script(1) with our program on a terminal of its own.
fn at_terminal(daemon: &crate::support::Daemon, script: &str) -> Command {
    let url = daemon.url("");
    // No shell stays between: what is typed reaches it too, and some end by an interrupt whatever their
    // command makes of it.
    let line = format!(
        "stty rows 33 cols 77; exec env {DEFAULT_SIGNALS} {PROGRAM} task run --url {url} -- sh -c '{script}'"
    );
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]);
    command.env("XDG_STATE_HOME", daemon.path().join("state")).env("SHELL", "/bin/sh");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

#[tokio::test]
async fn the_command_has_a_terminal_where_we_have_one() {
    let daemon = daemon().config(QUIET).start().await;
    let script =
        "test -t 0 && test -t 1 && test -t 2 && stty size <&1; read line; echo got $line; exit 3";
    let mut child = at_terminal(&daemon, script).spawn().expect("script(1)");
    child.stdin.as_mut().expect("piped").write_all(b"something\n").expect("typed");
    let mut shown = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut shown).expect("read");
    assert!(shown.contains("33 77\r\n"), "{shown:?}");
    assert!(shown.contains("got something\r\n"), "{shown:?}");
    assert!(!shown.contains("\r\r"), "{shown:?}");
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    assert_eq!(the_task(&daemon).await["details"]["output"], json!(["33 77", "got something"]));
}

#[tokio::test]
async fn an_interrupt_at_the_terminal_reaches_it_once() {
    let daemon = daemon().config(QUIET).start().await;
    let script = "trap \"echo one interrupt\" INT; echo \"[1/2]\"; sleep 1000; sleep 1; exit 6";
    let mut child = at_terminal(&daemon, script).spawn().expect("script(1)");
    until_task(&daemon, "it runs", |task| task["processed"] == 1).await;
    child.stdin.as_mut().expect("piped").write_all(b"\x03").expect("typed");
    let mut shown = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut shown).expect("read");
    assert_eq!(shown.matches("one interrupt\r\n").count(), 1, "{shown:?}");
    assert_eq!(child.wait().expect("it ends").code(), Some(6));
    assert_eq!(the_task(&daemon).await["status"], "cancelled");
}
