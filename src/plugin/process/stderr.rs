//! A program's standard error: lines for the log, not more than anybody would read.

use std::time::{Duration, Instant};

use gz_monitor_sdk::{Host, Level};

use crate::plugin::wire::Lines;

const LINES_PER_PERIOD: u32 = 20;
const PERIOD: Duration = Duration::from_secs(60);
const LINE_BYTES_MAX: usize = 1024;

/// Passes lines on, and counts those that it keeps back.
pub(super) struct StandardError {
    lines: Lines,
    speaker: Speaker,
}

struct Speaker {
    host: Host,
    /// The last line, for the message of a failure.
    last: String,
    since: Instant,
    passed: u32,
    kept_back: u64,
}

impl StandardError {
    pub(super) fn new(host: Host) -> Self {
        let (since, passed, kept_back) = (Instant::now(), 0, 0);
        let speaker = Speaker { host, last: String::new(), since, passed, kept_back };
        Self { lines: Lines::new(LINE_BYTES_MAX), speaker }
    }

    /// Takes what the program wrote.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let Self { lines, speaker } = self;
        lines.push(bytes, |line| {
            let line = line.map_or("(a line too long to show)".into(), String::from_utf8_lossy);
            speaker.say(Level::Warn, &line);
        });
    }

    /// The last line needs no end of line.
    pub(super) fn finish(&mut self) {
        let rest = self.lines.finish();
        if !rest.is_empty() {
            self.speaker.say(Level::Warn, &String::from_utf8_lossy(&rest));
        }
    }

    /// Another program begins: what the one before it said explains nothing any more.
    pub(super) fn forget(&mut self) {
        self.lines.finish();
        self.speaker.last.clear();
    }

    /// Passes one line on.
    pub(super) fn say(&mut self, level: Level, line: &str) {
        self.speaker.say(level, line);
    }

    /// The last line that was written, if any.
    pub(super) fn last(&self) -> Option<&str> {
        Some(self.speaker.last.as_str()).filter(|last| !last.is_empty())
    }
}

impl Speaker {
    fn say(&mut self, level: Level, line: &str) {
        let line = &line[..line.floor_char_boundary(LINE_BYTES_MAX)];
        if self.since.elapsed() >= PERIOD {
            if self.kept_back > 0 {
                let text = format!("{} more lines were kept back", self.kept_back);
                self.host.log(Level::Warn, &text);
            }
            (self.since, self.passed, self.kept_back) = (Instant::now(), 0, 0);
        }
        if self.passed < LINES_PER_PERIOD {
            self.passed += 1;
            self.host.log(level, line);
        } else {
            self.kept_back += 1;
        }
        line.clone_into(&mut self.last);
    }
}
