//! `cargo xtask test`: every step runs whatever became of the others, and the last line counts them.

mod need;
mod report;
mod run;
mod steps;
mod tally;

use std::env;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::builder::PossibleValuesParser;

use report::{Report, Verdict};
use steps::{STEPS, Step};

/// The names of the steps, for the command line.
pub fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

/// The steps and what each is for, one per line.
pub fn list_of_steps() -> String {
    let lines = STEPS.iter().map(|step| format!("  {:<9}{}", step.name, step.about));
    ["Steps of `test`:".to_owned()].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// Runs the steps named in `wanted`, or all of them. A failed step is a failure exit code; an error is
/// one of this program itself.
pub fn run(wanted: &[String]) -> anyhow::Result<ExitCode> {
    let root = crate::repository_root()?;
    let is_wanted = |step: &&Step| wanted.is_empty() || wanted.iter().any(|name| name == step.name);
    let chosen: Vec<&Step> = STEPS.iter().filter(is_wanted).collect();
    let strict = is_strict();
    let mut report = Report::new(io::stdout(), chosen.len());
    for step in chosen {
        let started = Instant::now();
        report.open(step.name, step.about)?;
        let verdict = verdict_of(step, &root, strict, &mut report)?;
        report.close(step.name, verdict, started.elapsed())?;
    }
    let passed = report.finish()?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs one step; a thing that it lacks is a failure where `strict`, else a reason to skip it.
fn verdict_of(
    step: &Step,
    root: &Path,
    strict: bool,
    report: &mut Report<impl io::Write>,
) -> io::Result<Verdict> {
    let missing: Vec<String> = step.needs.iter().filter_map(|need| need.missing(root)).collect();
    if !missing.is_empty() {
        let why = missing.join("; ");
        return Ok(if strict { Verdict::Failed(why) } else { Verdict::Skipped(why) });
    }
    let mut note = String::new();
    for action in step.actions {
        if action.is_done(root) {
            continue;
        }
        match run::run(action, root, report)? {
            Ok(tally) => note = tally.to_string(),
            Err(why) => return Ok(Verdict::Failed(why)),
        }
    }
    Ok(Verdict::Passed(note))
}

/// Whether nobody is there to read "skipped".
pub fn is_strict() -> bool {
    is_ci(env::var("CI").ok().as_deref())
}

/// Whether the `CI` variable says that nobody is there to read "skipped".
fn is_ci(variable: Option<&str>) -> bool {
    variable.is_some_and(|value| !["", "0", "false"].contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_is_a_word_that_says_yes() {
        let check = |variable, expected| assert_eq!(is_ci(variable), expected, "{variable:?}");
        check(None, false);
        check(Some(""), false);
        check(Some("false"), false);
        check(Some("0"), false);
        check(Some("true"), true);
        check(Some("1"), true);
    }

    #[test]
    fn every_step_is_listed_once() {
        let mut names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        let listed = list_of_steps();
        assert!(names.iter().all(|name| listed.contains(&format!("\n  {name} "))), "{listed}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), STEPS.len());
    }
}
