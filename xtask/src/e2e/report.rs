//! One line for each check, and the sums.

use std::io::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What became of a check that did not fail.
pub enum Outcome {
    /// With a remark, or none.
    Passed(String),
    /// This machine or this package cannot show it.
    Skipped(String),
}

/// The result of a check; its error is why it failed.
pub type Checked = anyhow::Result<Outcome>;

/// A check that passed and has nothing to add.
pub const PASSED: Outcome = Outcome::Passed(String::new());

struct Sums<W> {
    passed: u32,
    skipped: u32,
    failed: Vec<String>,
    output: W,
}

impl<W: Write> Sums<W> {
    /// A reader that has gone away is no reason to end the run before its time.
    fn print(&mut self, text: &str) {
        let _ = writeln!(self.output, "{text}");
    }
}

/// Where the checks of all containers report to.
pub struct Report<W> {
    started: Instant,
    /// Whether what is skipped has failed: nobody reads "skipped" there.
    is_strict: bool,
    sums: Mutex<Sums<W>>,
}

impl<W: Write> Report<W> {
    pub fn new(output: W, is_strict: bool) -> Self {
        let sums = Sums { passed: 0, skipped: 0, failed: Vec::new(), output };
        Self { started: Instant::now(), is_strict, sums: Mutex::new(sums) }
    }

    /// Prints a line that is no check.
    pub fn line(&self, text: &str) {
        if let Ok(mut sums) = self.sums.lock() {
            sums.print(text);
        }
    }

    /// Prints the line of a check; of one that failed also the end of the journal.
    pub fn add(&self, name: &str, took: Duration, checked: Checked, journal: impl Fn() -> String) {
        let seconds = took.as_secs_f64();
        let checked = match checked {
            Ok(Outcome::Skipped(why)) if self.is_strict => Err(anyhow::anyhow!(why)),
            other => other,
        };
        let journal = if checked.is_err() { journal() } else { String::new() };
        let Ok(mut sums) = self.sums.lock() else { return };
        let text = match checked {
            Ok(Outcome::Passed(note)) => {
                sums.passed += 1;
                let note = if note.is_empty() { note } else { format!(": {note}") };
                format!("ok {name} ({seconds:.1} s){note}")
            }
            Ok(Outcome::Skipped(why)) => {
                sums.skipped += 1;
                format!("skipped {name}: {why}")
            }
            Err(error) => {
                sums.failed.push(name.to_owned());
                format!("FAILED {name}: {error:#}\n{journal}")
            }
        };
        sums.print(text.trim_end());
    }

    /// Prints the sums, the last line as `cargo test` has it. Whether nothing failed.
    pub fn finish(&self) -> bool {
        let Ok(mut sums) = self.sums.lock() else { return false };
        for name in sums.failed.clone() {
            sums.print(&format!("test {name} ... FAILED"));
        }
        let (passed, failed, skipped) = (sums.passed, sums.failed.len(), sums.skipped);
        let word = if failed == 0 { "ok" } else { "FAILED" };
        let seconds = self.started.elapsed().as_secs_f64();
        sums.print(&format!(
            "test result: {word}. {passed} passed; {failed} failed; {skipped} ignored; 0 measured; \
             finished in {seconds:.0} s"
        ));
        failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_counts_where_nobody_reads_it() {
        let check = |is_strict, checked: Checked, expected: &str| {
            let mut output = Vec::new();
            let report = Report::new(&mut output, is_strict);
            report.add("a", Duration::ZERO, checked, || "    its journal\n".to_owned());
            let passed = report.finish();
            let text = String::from_utf8(output).expect("UTF-8");
            assert_eq!(text.rsplit_once("; finished").map(|(start, _)| start), Some(expected));
            assert_eq!(passed, !expected.contains("FAILED"));
        };
        let skipped = || Ok(Outcome::Skipped("no package".to_owned()));
        let ok = |counts: &str| format!("test result: ok. {counts} ignored; 0 measured");
        check(false, Ok(PASSED), &format!("ok a (0.0 s)\n{}", ok("1 passed; 0 failed; 0")));
        check(false, skipped(), &format!("skipped a: no package\n{}", ok("0 passed; 0 failed; 1")));
        let failed = "FAILED a: no package\n    its journal\ntest a ... FAILED\n\
                      test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured";
        check(true, skipped(), failed);
        check(false, Err(anyhow::anyhow!("no package")), failed);
    }
}
