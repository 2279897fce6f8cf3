//! The inner process: everything that happens in the namespaces of a run.

use std::fs;
use std::io::{self, Stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::checks::{self, Theme};
use super::container::{Container, Plan};
use super::report::Report;
use super::site::{Inputs, Site};
use super::{Options, package, rootfs};

/// Makes what is needed and runs the themes, each in a fresh container, the suites side by side.
pub fn run(
    options: &Options,
    root: &Path,
    folder: &Path,
    cgroup: &str,
) -> anyhow::Result<ExitCode> {
    let runs = folder.join("run");
    fs::create_dir_all(&runs).with_context(|| format!("cannot make {}", runs.display()))?;
    let inputs = inputs(options, root, folder)?;
    let report = Report::new(io::stdout(), crate::test::is_strict());
    report.line(&format!("testing {}", inputs.deb.display()));
    let themes = checks::chosen(&options.themes);
    thread::scope(|scope| {
        let suites: Vec<_> = options
            .suite
            .iter()
            .map(|suite| {
                let job =
                    Job { suite, folder, runs: &runs, cgroup, inputs: &inputs, report: &report };
                scope.spawn({
                    let themes = &themes;
                    move || job.run(themes)
                })
            })
            .collect();
        suites.into_iter().try_for_each(|suite| {
            suite.join().map_err(|_| anyhow::anyhow!("the thread of a suite panicked"))?
        })
    })?;
    Ok(if report.finish() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One release of Debian.
struct Job<'a> {
    suite: &'a str,
    folder: &'a Path,
    runs: &'a Path,
    cgroup: &'a str,
    inputs: &'a Inputs,
    report: &'a Report<Stdout>,
}

impl Job<'_> {
    fn run(&self, themes: &[&Theme]) -> anyhow::Result<()> {
        let started = Instant::now();
        let rootfs = rootfs::ensure(self.suite, self.folder)?;
        self.report.line(&format!(
            "{}: root filesystem ({:.0} s)",
            self.suite,
            started.elapsed().as_secs_f64()
        ));
        for theme in themes {
            let name = format!("{}/{}", self.suite, theme.name);
            if let Err(error) = self.run_theme(theme, &rootfs) {
                self.report.add(&name, Duration::ZERO, Err(error), String::new);
                // Where one cannot begin the others cannot either, and each would take its time-out.
                break;
            }
        }
        Ok(())
    }

    fn run_theme(&self, theme: &Theme, rootfs: &Path) -> anyhow::Result<()> {
        let name = format!("{}-{}", self.suite, theme.name);
        let plan = Plan { rootfs, folder: self.runs, cgroup: self.cgroup, name: &name };
        let site = Site { container: Container::boot(&plan)?, inputs: self.inputs };
        if let Err(error) = (theme.prepare)(&site) {
            bail!("not prepared: {error:#}\n{}", site.journal_tail());
        }
        for check in theme.checks {
            let started = Instant::now();
            let checked = (check.run)(&site);
            let name = format!("{}/{}/{}", self.suite, theme.name, check.name);
            self.report.add(&name, started.elapsed(), checked, || site.journal_tail());
        }
        site.container.power_off()
    }
}

fn inputs(options: &Options, root: &Path, folder: &Path) -> anyhow::Result<Inputs> {
    let given = |path: &PathBuf| {
        ensure!(path.is_file(), "{} is no file", path.display());
        Ok(path.clone())
    };
    let hooked = match &options.binary {
        Some(path) => given(path)?,
        None => {
            let mut cargo = Command::new("cargo");
            package::run(cargo.args(["build", "--bin=gz-monitor"]).current_dir(root))?;
            root.join("target/debug/gz-monitor")
        }
    };
    let deb = match (&options.deb, package::newest(root, ".deb")) {
        (Some(path), _) => given(path)?,
        (None, Some(path)) if options.binary.is_none() => path,
        (None, _) => package::make(root, &hooked, folder)?,
    };
    let rpm = match &options.rpm {
        Some(path) => Some(given(path)?),
        None => package::newest(root, ".rpm"),
    };
    let header = format!("-I{}", root.join("plugins/abi/include").display());
    Ok(Inputs {
        next_deb: package::raise(&deb, folder)?,
        deb,
        rpm,
        hooked,
        probe: package::compile(
            &root.join("xtask/src/e2e/probe.c"),
            &["-static"],
            &folder.join("probe"),
        )?,
        acts: package::compile(
            &root.join("tests/plugins/acts.c"),
            &["-shared", "-fPIC", &header],
            &folder.join("acts.so"),
        )?,
    })
}
