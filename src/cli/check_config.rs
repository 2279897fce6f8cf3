//! `gz-monitor check-config`: says all that is wrong with the configuration, or that nothing is.

use std::io::{self, Write};

use crate::config::{self, Checks, Sources};

/// The exit code for a configuration that is not valid: EX_CONFIG of sysexits(3).
pub const EX_CONFIG: u8 = 78;

/// The flags of `check-config`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Print the configuration that holds, each value with the place where it was said
    #[arg(long)]
    pub show: bool,
}

/// Checks what `sources` say. The verdict, or with `--show` the configuration, is written to `out`,
/// what is wrong to `err`. Returns the exit code: 0, or [`EX_CONFIG`].
///
/// # Errors
/// Those of writing.
pub fn run(
    args: &Args,
    sources: &Sources,
    checks: &Checks<'_>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<u8> {
    let loaded = match config::load(sources, checks) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let noun = if problems.count() == 1 { "problem" } else { "problems" };
            writeln!(err, "{problems}")?;
            writeln!(err, "configuration is not valid: {} {noun}", problems.count())?;
            return Ok(EX_CONFIG);
        }
    };
    for warning in &loaded.warnings {
        writeln!(err, "warning: {warning}")?;
    }
    if args.show {
        write!(out, "{}", config::show(&loaded))?;
        return Ok(0);
    }
    writeln!(out, "configuration is valid")?;
    match loaded.files.as_slice() {
        [] => writeln!(out, "no file was read: everything not set elsewhere has its default")?,
        files => {
            for file in files {
                writeln!(out, "read {}", file.display())?;
            }
        }
    }
    Ok(0)
}
