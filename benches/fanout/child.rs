//! A process that this program has started as another role of itself, spoken to in lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// How long a process may say nothing while something is expected of it.
const PATIENCE: Duration = Duration::from_secs(60);
const LINES_IN_FLIGHT: usize = 64;

/// A process; it ends when this is dropped.
pub struct Child {
    process: Process,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Child {
    pub fn start(arguments: &[String]) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take().context("it has an input")?;
        let output = process.stdout.take().context("it has an output")?;
        let (sender, lines) = sync_channel(LINES_IN_FLIGHT);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process, input, lines })
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn say(&mut self, line: &str) -> anyhow::Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).context("the process is gone")
    }

    /// The next line; `None` if there is none in time.
    pub fn line(&mut self) -> anyhow::Result<Option<String>> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => bail!("the process has ended"),
        }
    }

    /// The rest of the next line, which is to begin with `word`.
    pub fn expect(&mut self, word: &str) -> anyhow::Result<String> {
        let line = self.line()?.with_context(|| format!("no {word:?} in time"))?;
        let rest = line.strip_prefix(word).with_context(|| format!("{line:?}, not {word:?}"))?;
        Ok(rest.trim().to_owned())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that has ended already need not be told.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
