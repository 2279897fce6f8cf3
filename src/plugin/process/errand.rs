//! A program that is given something on its standard input, is run to its end, and heard out.

use std::io::Write as _;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use super::{Config, Launcher, finish};
use crate::plugin::Capabilities;
use crate::units::ByteSize;

/// What a program is run for, and within what bounds. It has none of the daemon's capabilities.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The program by its path, and its arguments.
    pub command: Vec<String>,
    /// Variables that it gets beside those that every program does.
    pub variables: Vec<(String, String)>,
    pub input: Vec<u8>,
    /// When it is killed, with all of its process group.
    pub deadline: Instant,
    /// Bytes of its output that are read.
    pub max_output: u64,
}

impl Errand {
    /// Runs it; what it has printed if its exit code is 0.
    ///
    /// # Errors
    /// How it failed, with its last words.
    pub async fn run(self, launcher: Arc<Launcher>) -> Result<Vec<u8>, String> {
        let (reply, answer) = oneshot::channel();
        // A thread of its own: one of the runtime's would hold up the end of the daemon.
        let builder = thread::Builder::new().name("errand".to_owned());
        let spawned = builder.spawn(move || drop(reply.send(self.run_here(&launcher))));
        spawned.map_err(|error| format!("cannot start a thread: {error}"))?;
        answer.await.unwrap_or_else(|_| Err("it came to no end".to_owned()))
    }

    fn run_here(self, launcher: &Launcher) -> Result<Vec<u8>, String> {
        let max_output = ByteSize(self.max_output);
        let config = Config { max_output, ..Config::of(self.command) };
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, text)| (&**name, &**text)).collect();
        let started = launcher.start(&config, Capabilities::NONE, &variables);
        let mut process = started.map_err(|error| format!("cannot be started: {error}"))?;
        let (stdin, input) = (process.stdin.take(), self.input);
        // It need not read, and may print first. When it ends, so does this.
        let writer = thread::Builder::new().name("errand-input".to_owned()).spawn(move || {
            if let Some(mut stdin) = stdin {
                let _ = stdin.write_all(&input);
            }
        });
        let finished = finish(process, self.deadline, self.max_output);
        if let Ok(writer) = writer {
            let _ = writer.join();
        }
        finished
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The program under test is not built for this; what it would become is started as it is.
    fn errand(command: &[&str], input: &str) -> Errand {
        Errand {
            command: command.iter().map(|&word| word.to_owned()).collect(),
            variables: Vec::new(),
            input: input.as_bytes().to_vec(),
            deadline: Instant::now() + Duration::from_secs(60),
            max_output: 100,
        }
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_says_so() {
        let launcher = Arc::new(Launcher::new("/nonexistent/gz-monitor".to_owned()));
        let error = errand(&["/bin/true"], "").run(launcher).await.expect_err("it cannot");
        assert!(error.contains("cannot be started"), "{error}");
    }
}
