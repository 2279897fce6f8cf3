//! `cargo xtask fuzz`: the targets of tests/fuzz as they are, without instrumentation. Each is given its
//! seeds, and then some thousand inputs that are made of them blindly: libFuzzer makes none where it does
//! not see what code they reach.
//!
//! That finds what has come back and what is easy to find; for the rest there is `cargo fuzz`, whose
//! build takes long (tests/fuzz/README.md).

mod mutate;

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use fastrand::Rng;

use crate::repository_root;

/// One input may take no longer, nor all of them more memory; a debug build on a busy machine is slow.
const BOUNDS: [&str; 2] = ["-timeout=60", "-rss_limit_mb=2048"];
/// Of an input that fails so much is printed.
const SHOWN_BYTES: usize = 512;

/// What to run.
#[derive(Args)]
pub struct Options {
    /// Targets: names of tests/fuzz/fuzz_targets; all if none is named.
    targets: Vec<String>,
    /// Inputs that are made for each, beside its seeds.
    #[arg(long, value_name = "COUNT", default_value_t = 3_000)]
    inputs: usize,
    /// Other inputs for another number.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

/// Builds and runs them; a failure exit code if one has failed.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let root = repository_root()?;
    let targets = chosen(&root, &options.targets)?;
    build(&root)?;
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = target.run(options).unwrap_or_else(|error| {
                        failed.fetch_add(1, Ordering::Relaxed);
                        format!("FAILED: {error:#}")
                    });
                    // Nobody reads it: then there is nothing to do but to go on.
                    let _ = writeln!(std::io::stdout(), "fuzz {}: {told}", target.name);
                }
            });
        }
    });
    Ok(if failed.into_inner() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A target that is built.
struct Target {
    name: String,
    program: PathBuf,
    seeds: PathBuf,
    /// Where the inputs go that are made; those that fail lie beside it.
    made: PathBuf,
}

fn chosen(root: &Path, wanted: &[String]) -> anyhow::Result<Vec<Target>> {
    let home = root.join("tests/fuzz");
    let mut names = Vec::new();
    for entry in fs::read_dir(home.join("fuzz_targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort_unstable();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(name)) {
        bail!("there is no target {unknown:?}; there are {}", names.join(", "));
    }
    names.retain(|name| wanted.is_empty() || wanted.contains(name));
    let target = |name: String| Target {
        program: root.join("target/debug").join(&name),
        seeds: home.join("seeds").join(&name),
        made: root.join("target/fuzz").join(&name),
        name,
    };
    Ok(names.into_iter().map(target).collect())
}

/// The versions are those that everything else is tested with.
fn build(root: &Path) -> anyhow::Result<()> {
    fs::copy(root.join("Cargo.lock"), root.join("tests/fuzz/Cargo.lock"))?;
    let status = Command::new("cargo")
        .args(["build", "--manifest-path=tests/fuzz/Cargo.toml", "--target-dir=target", "--bins"])
        .current_dir(root)
        .status()
        .context("cargo does not start")?;
    ensure!(status.success(), "the targets do not build");
    Ok(())
}

impl Target {
    /// What was run, in words.
    fn run(&self, options: &Options) -> anyhow::Result<String> {
        if self.made.exists() {
            fs::remove_dir_all(&self.made)?;
        }
        fs::create_dir_all(&self.made)?;
        let mut paths = Vec::new();
        let folder = fs::read_dir(&self.seeds);
        for entry in folder.with_context(|| format!("no seeds in {}", self.seeds.display()))? {
            paths.push(entry?.path());
        }
        paths.sort_unstable();
        ensure!(!paths.is_empty(), "no seeds in {}", self.seeds.display());
        let mut seeds = Vec::new();
        for path in &paths {
            self.call(path.as_os_str(), Some(path))?;
            seeds.push(fs::read(path)?);
        }
        let mut random = Rng::with_seed(options.seed);
        for index in 0..options.inputs {
            let input = mutate::mutated(&seeds, &mut random);
            fs::write(self.made.join(index.to_string()), input)?;
        }
        let output = self.call(self.made.as_os_str(), None)?;
        let inputs = count_of(&String::from_utf8_lossy(&output.stderr));
        ensure!(inputs >= options.inputs as u64, "only {inputs} inputs were tried");
        Ok(format!("{} seeds and {inputs} inputs", seeds.len()))
    }

    /// Runs the program on a file, or on those of a folder; an error that shows the input if it fails. That is `input`, or the one that
    /// libFuzzer has left behind.
    fn call(&self, what: &OsStr, input: Option<&Path>) -> anyhow::Result<Output> {
        let prefix = format!("{}-", self.made.display());
        let output = Command::new(&self.program)
            .args(BOUNDS)
            .arg(format!("-artifact_prefix={prefix}"))
            .args(["-runs=0", "-print_final_stats=1"])
            .arg(what)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} does not start", self.program.display()))?;
        if output.status.success() {
            return Ok(output);
        }
        let log = String::from_utf8_lossy(&output.stderr);
        bail!("{}\n{}\n{log}", output.status, failed_by(input, &log)?)
    }
}

/// The input that has failed, in words: `input`, or the one that libFuzzer says it has left behind.
fn failed_by(input: Option<&Path>, log: &str) -> anyhow::Result<String> {
    let left = log.lines().find_map(|line| line.split_once("Test unit written to "));
    match input.or_else(|| left.map(|(_, path)| Path::new(path))) {
        Some(path) => show(path),
        None => Ok("it is not known which input it was".to_owned()),
    }
}

/// An input, where it is and what is in it.
fn show(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path)?;
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    Ok(format!("the input is {} ({} bytes): {}", path.display(), bytes.len(), shown.escape_ascii()))
}

/// How many inputs there were, by libFuzzer's last figures.
fn count_of(log: &str) -> u64 {
    let line = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_is_built() {
        let root = repository_root().unwrap();
        let manifest = fs::read_to_string(root.join("tests/fuzz/Cargo.toml")).unwrap();
        for target in chosen(&root, &[]).unwrap() {
            let seeds = fs::read_dir(&target.seeds).map_or(0, Iterator::count);
            assert!(seeds > 0, "{} has no seeds", target.name);
            assert!(manifest.contains(&format!("name = \"{}\"", target.name)), "{}", target.name);
        }
        assert!(chosen(&root, &["no-such".to_owned()]).is_err());
    }

    #[test]
    fn inputs_are_counted() {
        let log = "Done 5 runs\nstat::number_of_executed_units: 12345\nstat::peak_rss_mb: 9\n";
        assert_eq!((count_of(log), count_of("")), (12_345, 0));
    }

    #[test]
    fn an_input_that_fails_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let (seed, crash) = (write("seed", "a\n\u{1}"), write("crash-1", "boom"));
        let log =
            format!("==1== ERROR\nartifact_prefix='x'; Test unit written to {}\n", crash.display());
        let told = failed_by(Some(&seed), &log).unwrap();
        assert!(told.ends_with("seed (3 bytes): a\\n\\x01"), "{told}");
        let told = failed_by(None, &log).unwrap();
        assert!(told.ends_with("crash-1 (4 bytes): boom"), "{told}");
        assert_eq!(failed_by(None, "").unwrap(), "it is not known which input it was");
    }
}
