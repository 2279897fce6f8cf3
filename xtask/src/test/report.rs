//! The log of a run: a rule before each step, its verdict after it, all verdicts again at the end.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

const RULE_WIDTH: usize = 100;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// With a note on what it counted, or an empty one.
    Passed(String),
    /// With the reason.
    Failed(String),
    /// With what was missing.
    Skipped(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, detail) = match self {
            Verdict::Passed(note) => ("passed", note),
            Verdict::Failed(why) => ("FAILED", why),
            Verdict::Skipped(why) => ("skipped", why),
        };
        if detail.is_empty() { f.write_str(word) } else { write!(f, "{word}: {detail}") }
    }
}

/// Writes the log of one run.
pub struct Report<W> {
    out: W,
    steps: usize,
    closed: Vec<(String, Verdict, Duration)>,
}

impl<W: Write> Report<W> {
    /// A log of `steps` steps.
    pub fn new(out: W, steps: usize) -> Self {
        Self { out, steps, closed: Vec::new() }
    }

    /// Announces the next step.
    pub fn open(&mut self, name: &str, about: &str) -> io::Result<()> {
        let title = format!("{}/{} {name}: {about} ", self.closed.len() + 1, self.steps);
        self.rule(&title)
    }

    /// Writes one line of a step's output, or what it is about to run.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// Says how the step went.
    pub fn close(&mut self, name: &str, verdict: Verdict, took: Duration) -> io::Result<()> {
        writeln!(self.out, "── {name} {verdict} ({})", seconds(took))?;
        self.closed.push((name.to_owned(), verdict, took));
        self.out.flush()
    }

    /// Writes every verdict and, as the last line, their numbers; returns whether none failed.
    pub fn finish(mut self) -> io::Result<bool> {
        self.rule("summary ")?;
        let count = |wanted: fn(&Verdict) -> bool| {
            self.closed.iter().filter(|(_, verdict, _)| wanted(verdict)).count()
        };
        let passed = count(|verdict| matches!(verdict, Verdict::Passed(_)));
        let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
        let skipped = count(|verdict| matches!(verdict, Verdict::Skipped(_)));
        for (name, verdict, took) in &self.closed {
            writeln!(self.out, "{name:<9}{:>8}  {verdict}", seconds(*took))?;
        }
        write!(self.out, "{passed} passed, {failed} failed")?;
        if skipped > 0 {
            write!(self.out, ", {skipped} skipped")?;
        }
        writeln!(self.out)?;
        self.out.flush()?;
        Ok(failed == 0)
    }

    fn rule(&mut self, title: &str) -> io::Result<()> {
        let rest = RULE_WIDTH.saturating_sub(title.chars().count() + 3);
        writeln!(self.out, "\n── {title}{}", "─".repeat(rest))?;
        self.out.flush()
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(verdicts: &[Verdict]) -> (String, bool) {
        let mut log = Vec::new();
        let mut report = Report::new(&mut log, verdicts.len());
        for verdict in verdicts {
            report.open("step", "does something").unwrap();
            report.line("its output").unwrap();
            report.close("step", verdict.clone(), Duration::from_millis(1200)).unwrap();
        }
        let passed = report.finish().unwrap();
        (String::from_utf8(log).unwrap(), passed)
    }

    #[test]
    fn the_last_line_counts_the_steps() {
        let check = |verdicts: &[Verdict], last: &str, expected: bool| {
            let (log, passed) = log_of(verdicts);
            assert_eq!((log.lines().last(), passed), (Some(last), expected));
            assert!(log.ends_with('\n'));
        };
        let passed = Verdict::Passed(String::new());
        let failed = Verdict::Failed("exit status: 1".into());
        let skipped = Verdict::Skipped("no node".into());
        check(std::slice::from_ref(&passed), "1 passed, 0 failed", true);
        check(&[passed.clone(), failed.clone()], "1 passed, 1 failed", false);
        check(&[passed.clone(), skipped.clone()], "1 passed, 0 failed, 1 skipped", true);
        check(&[failed, skipped, passed], "1 passed, 1 failed, 1 skipped", false);
    }

    #[test]
    fn a_log_reads_from_top_to_bottom() {
        let (log, _) =
            log_of(&[Verdict::Passed("3 tests passed".into()), Verdict::Failed("x".into())]);
        let log = log.replace('─', "").replace(" \n", "\n");
        let expected = "
 1/2 step: does something
its output
 step passed: 3 tests passed (1.2 s)

 2/2 step: does something
its output
 step FAILED: x (1.2 s)

 summary
step        1.2 s  passed: 3 tests passed
step        1.2 s  FAILED: x
1 passed, 1 failed
";
        assert_eq!(log, expected);
    }
}
