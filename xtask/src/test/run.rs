//! Runs one command of a step: its two outputs become one log, and its test counts are added up.

use std::io::{self, BufRead, BufReader, IsTerminal, PipeReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::report::Report;
use super::steps::Action;
use super::tally::Tally;

/// How long output may stay open after a command has ended: longer means that a process which the
/// command started still runs, and would hold up whoever reads our output.
const LINGER: Duration = Duration::from_secs(5);

/// Lines on their way from the pipe to the log.
const LINES_IN_FLIGHT: usize = 64;

/// Runs `action` to its end and logs all that it writes. The inner error is why the step failed, the
/// outer one that the log could not be written.
pub fn run(
    action: &Action,
    root: &Path,
    report: &mut Report<impl Write>,
) -> io::Result<Result<Tally, String>> {
    let variables: String =
        action.env.iter().map(|(key, value)| format!("{key}={value:?} ")).collect();
    report.line(&format!("$ {variables}{}", action.argv.join(" ")))?;
    let (child, reader) = match start(action, root) {
        Ok(started) => started,
        Err(error) => return Ok(Err(format!("{} does not start: {error}", action.argv[0]))),
    };
    let (events, inbox) = sync_channel(LINES_IN_FLIGHT);
    let lines = events.clone();
    thread::spawn(move || send_lines(reader, &lines));
    thread::spawn(move || send_exit(child, &events));
    follow(action, &inbox, report)
}

fn start(action: &Action, root: &Path) -> io::Result<(Child, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(action.argv[0]);
    command.args(&action.argv[1..]).current_dir(root.join(action.folder));
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    if io::stdout().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    for (key, value) in action.env {
        command.env(key, value.replace("{root}", &root.to_string_lossy()));
    }
    // The command holds the pipe's other end too and must go before it is read to its end.
    let child = command.spawn()?;
    drop(command);
    Ok((child, reader))
}

enum Event {
    Line(String),
    OutputClosed,
    Exited(io::Result<std::process::ExitStatus>),
}

fn send_lines(reader: PipeReader, events: &SyncSender<Event>) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    // A read error is an end like any other: the exit status says whether something is wrong.
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned();
        line.clear();
        if events.send(Event::Line(text)).is_err() {
            return;
        }
    }
    drop(events.send(Event::OutputClosed));
}

fn send_exit(mut child: Child, events: &SyncSender<Event>) {
    drop(events.send(Event::Exited(child.wait())));
}

fn follow(
    action: &Action,
    inbox: &Receiver<Event>,
    report: &mut Report<impl Write>,
) -> io::Result<Result<Tally, String>> {
    let (mut tally, mut exited, mut closed) = (Tally::default(), None, false);
    while exited.is_none() || !closed {
        let event = match &exited {
            None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(_) => inbox.recv_timeout(LINGER),
        };
        match event {
            Ok(Event::Line(line)) => {
                tally.add(&line);
                report.line(&line)?;
            }
            Ok(Event::OutputClosed) => closed = true,
            Ok(Event::Exited(status)) => exited = Some(status?),
            Err(_) => {
                return Ok(Err("a process that it started still holds its output".to_owned()));
            }
        }
    }
    let program = action.argv[..action.argv.len().min(2)].join(" ");
    Ok(match exited {
        Some(status) if status.success() => Ok(tally),
        Some(_) if tally.has_failures() => Err(tally.to_string()),
        Some(status) => Err(format!("`{program}` ended with {status}")),
        None => Err(format!("`{program}` vanished")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result_of(script: &'static [&'static str]) -> (Result<Tally, String>, String) {
        let mut log = Vec::new();
        let action = Action { argv: script, env: &[("WHERE", "{root}/x")], ..Action::default() };
        let mut report = Report::new(&mut log, 1);
        let result = run(&action, Path::new("/"), &mut report).unwrap();
        (result, String::from_utf8(log).unwrap())
    }

    #[test]
    fn both_outputs_become_one_log() {
        let (result, log) =
            result_of(&["sh", "-c", "echo out; echo err >&2; echo $WHERE; printf end"]);
        assert_eq!(result, Ok(Tally::default()));
        let output: Vec<&str> = log.lines().skip(1).collect();
        assert_eq!(output, ["out", "err", "//x", "end"]);
        assert!(log.starts_with("$ WHERE=\"{root}/x\" sh -c "), "{log}");
    }

    #[test]
    fn a_failure_says_why() {
        let check = |script, expected: &str| assert_eq!(result_of(script).0, Err(expected.into()));
        check(&["sh", "-c", "exit 3"], "`sh -c` ended with exit status: 3");
        check(&["sh", "-c", "kill -9 $$"], "`sh -c` ended with signal: 9 (SIGKILL)");
        let result =
            "echo 'test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured'; exit 101";
        let script: &'static [&'static str] = Box::leak(Box::new(["sh", "-c", result]));
        check(script, "1 tests passed, 2 failed, 0 ignored in 1 programs");
        let (result, _) = result_of(&["no-such-program"]);
        assert!(result.unwrap_err().starts_with("no-such-program does not start: "));
    }

    #[test]
    fn a_process_left_behind_is_a_failure() {
        let (result, log) = result_of(&["sh", "-c", "echo here; sleep 30 & exit 0"]);
        assert_eq!(result, Err("a process that it started still holds its output".into()));
        assert!(log.ends_with("here\n"), "{log}");
    }
}
