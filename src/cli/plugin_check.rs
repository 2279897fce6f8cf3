//! `gz-monitor plugin check`: tries a library out before the daemon gets it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Map, Value as Json};

use super::exit::Failure;
use super::plugin_course::Course;
use crate::plugin::{self, PluginHost};

/// The flags of `plugin check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The library
    file: PathBuf,
    /// How often each collector collects, without a pause
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    collections: u32,
    /// The configuration that each collector gets
    #[arg(long, value_name = "JSON", default_value = "{}")]
    collector_config: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config: Map<String, Json> =
        serde_json::from_str(&args.collector_config).map_err(|error| {
            Failure::Usage(format!("--collector-config is no JSON object: {error}"))
        })?;
    let file = args.file.canonicalize();
    let file = file.with_context(|| format!("cannot open {}", args.file.display()))?;
    let mut out = io::stdout().lock();
    let host = PluginHost::with_builtins();
    let collectors = host
        .open(&file)
        .map_err(|reason| anyhow::anyhow!("{} is no plugin: {reason}", file.display()))?;
    writeln!(out, "{}", file.display())?;
    note_rights(&file, &mut out)?;
    let mut good = true;
    for (description, factory) in &collectors {
        let name = &description.id;
        let (major, minor) = description.abi;
        let version = if description.version.is_empty() { "-" } else { &description.version };
        writeln!(out, "\n{name}: {}", description.summary)?;
        writeln!(out, "  version     {version}, for plugin ABI {major}.{minor}")?;
        if host.get(name).is_some() {
            writeln!(out, "  WRONG       a built-in plugin has this name")?;
            good = false;
        }
        good &= note_schema(&description.config_schema, &mut out)?;
        let course = Course::take(description, factory, &config, args.collections);
        good &= course.print(args.collections, &mut out)?;
    }
    writeln!(out, "\n{}", if good { "Nothing is wrong." } else { "Something is wrong." })?;
    if good { Ok(()) } else { Err(Failure::Silent(1)) }
}

/// Whether there is a schema of the configuration, and it is one.
fn note_schema(schema: &str, out: &mut impl Write) -> io::Result<bool> {
    if schema.is_empty() {
        writeln!(out, "  config      no schema")?;
        return Ok(true);
    }
    match serde_json::from_str::<Map<String, Json>>(schema) {
        Ok(_) => writeln!(out, "  config      has a schema of {} bytes", schema.len())?,
        Err(error) => {
            writeln!(out, "  WRONG       config_schema is no JSON object: {error}")?;
            return Ok(false);
        }
    }
    Ok(true)
}

/// The daemon would not touch a file, or a folder, that others can change.
fn note_rights(file: &Path, out: &mut impl Write) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    for path in [folder, file] {
        if let Err(reason) = plugin::trusted(path) {
            writeln!(out, "  note: the daemon would refuse {}: {reason}", path.display())?;
        }
    }
    Ok(())
}
