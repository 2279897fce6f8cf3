//! How many tests a command ran: each test program prints its own result, and only the sum says
//! anything, since `cargo test` ends with the documentation tests, often "0 passed".

use std::fmt;

/// Names of failed tests that are repeated in the summary; the log has them all.
const NAMES_MAX: usize = 5;

/// What the test programs of one command counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    programs: u64,
    passed: u64,
    failed: u64,
    ignored: u64,
    names: Vec<String>,
}

impl Tally {
    /// Adds one line of output, by libtest ("test result: ok. 3 passed; 0 failed; 1 ignored; …",
    /// "test name ... FAILED") or by Node's spec reporter ("ℹ pass 3", "✖ name (1.5ms)"); any other line
    /// is none.
    pub fn add(&mut self, line: &str) {
        if let Some((_, result)) = line.split_once("test result: ") {
            self.add_result(result);
        } else if let Some((name, verdict)) =
            line.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... "))
            && verdict.contains("FAILED")
        {
            self.names.push(name.to_owned());
        } else if let Some((word, count)) =
            line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' '))
            && let Ok(count) = count.parse::<u64>()
        {
            self.add_node(word, count);
        } else if let Some((name, _)) =
            line.trim_start().strip_prefix("✖ ").and_then(|rest| rest.rsplit_once(" ("))
            && !self.names.iter().any(|known| known == name)
        {
            // Node names a failed test where it ran and again at the end.
            self.names.push(name.to_owned());
        }
    }

    /// Whether a test failed.
    pub fn has_failures(&self) -> bool {
        self.failed > 0
    }

    fn add_result(&mut self, result: &str) {
        let count = |word: &str| {
            let before = result.split_once(word)?.0;
            before.rsplit(' ').next()?.parse::<u64>().ok()
        };
        let (passed, failed, ignored) = (count(" passed"), count(" failed"), count(" ignored"));
        if let (Some(passed), Some(failed), Some(ignored)) = (passed, failed, ignored) {
            self.programs += 1;
            self.passed += passed;
            self.failed += failed;
            self.ignored += ignored;
        }
    }

    fn add_node(&mut self, word: &str, count: u64) {
        match word {
            "tests" => self.programs += 1,
            "pass" => self.passed += count,
            "fail" | "cancelled" => self.failed += count,
            "skipped" | "todo" => self.ignored += count,
            _ => {}
        }
    }
}

impl fmt::Display for Tally {
    /// "13 tests passed, 1 failed, 0 ignored in 2 programs: its_name"; empty where none ran.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { programs, passed, failed, ignored, names } = self;
        if *programs == 0 {
            return Ok(());
        }
        write!(
            f,
            "{passed} tests passed, {failed} failed, {ignored} ignored in {programs} programs"
        )?;
        for (index, name) in names.iter().take(NAMES_MAX).enumerate() {
            write!(f, "{}{name}", if index == 0 { ": " } else { ", " })?;
        }
        let more = names.len().saturating_sub(NAMES_MAX);
        if more > 0 { write!(f, " and {more} more") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: &str) {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.add(line));
        assert_eq!(tally.to_string(), expected);
    }

    #[test]
    fn results_are_added_up() {
        check(&[], "");
        check(&["test result: ok", "error: 2 failed", "ℹ duration_ms 51.2"], "");
        check(
            &[
                "running 3 tests",
                "test a ... ok",
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
                "test b::c ... \u{1b}[31mFAILED\u{1b}[0m",
                "test src/lib.rs - d (line 3) ... FAILED",
                "test result: \u{1b}[31mFAILED\u{1b}[0m. 10 passed; 2 failed; 0 ignored; 0 measured",
            ],
            "13 tests passed, 2 failed, 1 ignored in 2 programs: b::c, src/lib.rs - d (line 3)",
        );
        check(
            &[
                "✔ a page (1.5ms)",
                "✖ it fits (on a phone) (2ms)",
                "ℹ tests 6",
                "ℹ suites 0",
                "ℹ pass 3",
                "ℹ fail 1",
                "ℹ cancelled 0",
                "ℹ skipped 2",
                "✖ failing tests:",
                "✖ it fits (on a phone) (2ms)",
            ],
            "3 tests passed, 1 failed, 2 ignored in 1 programs: it fits (on a phone)",
        );
    }

    #[test]
    fn the_names_of_many_failures_stay_short() {
        let mut lines = ["test x ... FAILED"; 7].to_vec();
        lines.push("test result: FAILED. 0 passed; 7 failed; 0 ignored; 0 measured");
        check(
            &lines,
            "0 tests passed, 7 failed, 0 ignored in 1 programs: x, x, x, x, x and 2 more",
        );
    }
}
