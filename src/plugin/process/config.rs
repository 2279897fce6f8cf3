//! `[collector.config]` of a program.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::Limits;
use super::lent::CREDENTIALS_DIRECTORY;
use crate::units::{ByteSize, HumanDuration};

/// How a program is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Once per interval; what it prints until its end is one collection.
    #[default]
    Once,
    /// It runs on and prints when it likes; a collection is what came since the last one.
    Stream,
    /// It runs on, reads `{"type":"collect"}` and answers with samples and `{"type":"end"}`.
    Request,
}

/// What to run and within what bounds.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The program's path and its arguments.
    pub command: Vec<String>,
    #[serde(default)]
    pub mode: Mode,
    /// Variables of the daemon's environment that it gets; no others.
    #[serde(default = "default_environment")]
    pub environment: Vec<String>,
    /// Its address space: `RLIMIT_AS` counts every mapping, used or not.
    #[serde(default = "default_address_space")]
    pub max_address_space: ByteSize,
    /// Processor time until it is killed; for a program that runs on, over its whole life.
    #[serde(default = "default_cpu_time")]
    pub max_cpu_time: HumanDuration,
    /// Its open files.
    #[serde(default = "default_open_files")]
    pub max_open_files: u64,
    /// Processes and threads of its user, those that are not its own included, unless that is root.
    #[serde(default = "default_processes")]
    pub max_processes: u64,
    /// What it may print in one collection.
    #[serde(default = "default_output")]
    pub max_output: ByteSize,
    /// One line of it; longer ones are dropped and counted.
    #[serde(default = "default_line")]
    pub max_line: ByteSize,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(config: &Map<String, Json>) -> Result<Self, String> {
        let json = Json::Object(config.clone());
        let config: Self =
            serde_path_to_error::deserialize(json).map_err(|error| error.to_string())?;
        if config.command.iter().any(|argument| argument.contains('\0')) {
            return Err("command: a NUL byte cannot be passed to a program".to_owned());
        }
        let bounds = [
            ("max_address_space", *config.max_address_space),
            ("max_output", *config.max_output),
            ("max_line", *config.max_line),
            ("max_open_files", config.max_open_files),
            ("max_processes", config.max_processes),
        ];
        if let Some((key, _)) = bounds.iter().find(|(_, bound)| *bound == 0) {
            return Err(format!("{key}: nothing can be done with 0"));
        }
        if config.environment.iter().any(|name| name == CREDENTIALS_DIRECTORY) {
            let text = "environment: CREDENTIALS_DIRECTORY comes by itself with `credentials`";
            return Err(text.to_owned());
        }
        match config.command.first() {
            Some(program) if program.starts_with('/') => Ok(config),
            Some(program) => Err(format!("command: {program:?} must be an absolute path")),
            None => Err("command: it must name a program".to_owned()),
        }
    }

    /// This command, with nothing but defaults.
    pub fn of(command: impl Into<Vec<String>>) -> Self {
        Self {
            command: command.into(),
            mode: Mode::default(),
            environment: default_environment(),
            max_address_space: default_address_space(),
            max_cpu_time: default_cpu_time(),
            max_open_files: default_open_files(),
            max_processes: default_processes(),
            max_output: default_output(),
            max_line: default_line(),
        }
    }

    /// What the kernel holds it to.
    pub(super) fn limits(&self) -> Limits {
        Limits {
            address_space: *self.max_address_space,
            // In whole seconds, and none at all would kill it at once.
            cpu_seconds: self.max_cpu_time.as_secs().max(1),
            open_files: self.max_open_files,
            processes: self.max_processes,
        }
    }
}

fn default_environment() -> Vec<String> {
    ["PATH", "LANG", "LC_ALL", "TZ"].map(str::to_owned).into()
}

fn default_address_space() -> ByteSize {
    ByteSize(1 << 30)
}

fn default_cpu_time() -> HumanDuration {
    HumanDuration::secs(3600)
}

fn default_open_files() -> u64 {
    256
}

/// Enough for a desktop's user, whose other programs count.
fn default_processes() -> u64 {
    4096
}

fn default_output() -> ByteSize {
    ByteSize(16 << 20)
}

fn default_line() -> ByteSize {
    ByteSize(64 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(config: &Json) -> Result<Config, String> {
        Config::parse(config.as_object().expect("an object"))
    }

    #[test]
    fn defaults() {
        let config = parse(&json!({"command": ["/bin/true"]})).expect("valid");
        assert_eq!((config.mode, config.max_open_files), (Mode::Once, 256));
        let expected =
            Limits { address_space: 1 << 30, cpu_seconds: 3600, open_files: 256, processes: 4096 };
        assert_eq!(config.limits(), expected);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |config: Json, expected: &str| {
            let error = parse(&config).expect_err("not valid");
            assert!(error.contains(expected), "{error}");
        };
        check(json!({}), "command");
        check(json!({"command": []}), "must name a program");
        check(json!({"command": ["true"]}), "absolute path");
        check(json!({"command": ["/bin/true", "a\0b"]}), "NUL");
        check(json!({"command": ["/bin/true"], "mode": "twice"}), "mode");
        check(json!({"command": ["/bin/true"], "max_line": "0B"}), "max_line");
        check(json!({"command": ["/bin/true"], "max_open_files": 0}), "max_open_files");
        let environment = json!(["PATH", "CREDENTIALS_DIRECTORY"]);
        check(json!({"command": ["/bin/true"], "environment": environment}), "`credentials`");
        check(json!({"command": ["/bin/true"], "shell": true}), "shell");
    }

    /// In whole seconds; none at all would kill it at once.
    #[test]
    fn processor_time() {
        for (text, expected) in [("100ms", 1), ("1s", 1), ("90s", 90)] {
            let config = json!({"command": ["/bin/true"], "max_cpu_time": text});
            assert_eq!(parse(&config).expect("valid").limits().cpu_seconds, expected, "{text}");
        }
    }
}
