//! `gz-monitor plugin list`: what can collect, and what lies in the plugin folders and cannot.

use std::io::{self, Write};
use std::path::PathBuf;

use super::exit::Failure;
use super::server::plugin_folders;
use crate::config::Sources;
use crate::daemon::Plugins;
use crate::plugin::PluginHost;

/// The flags of `plugin list`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Look for plugins in this folder instead of those configured; may be repeated
    #[arg(long, value_name = "DIR")]
    plugin_dir: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let plugins = Plugins::default();
    let sources = Sources::of_process(file, plugin_folders(&args.plugin_dir).into_iter().collect());
    // To check a configuration the plugin folders are looked through.
    let loaded = plugins.load(&sources);
    let mut out = io::stdout().lock();
    print(&plugins.host(), &mut out)?;
    let folders = loaded.map_err(Failure::Config)?.config.plugins.folders;
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    Ok(writeln!(out, "\nLibraries are looked for in {}", folders.join(", "))?)
}

fn print(host: &PluginHost, out: &mut impl Write) -> io::Result<()> {
    let (libraries, all) = (host.libraries(), host.all());
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let refused = host.refused();
    writeln!(out, "{:width$}  KIND      VERSION  SUMMARY", "NAME")?;
    for (name, plugin) in &all {
        let kind = match plugin.revision() {
            0 if !plugin.is_stock() => "program",
            0 => "built-in",
            _ => continue,
        };
        writeln!(out, "{name:width$}  {kind:<8}  {:7}  {}", "", plugin.summary())?;
    }
    for (file, described) in &libraries {
        for one in described {
            let version = if one.version.is_empty() { "-" } else { &one.version };
            writeln!(out, "{:width$}  library   {version:7}  {}", one.id, one.summary)?;
            let (major, minor) = one.abi;
            writeln!(out, "{:width$}  {}, ABI {major}.{minor}", "", file.display())?;
        }
    }
    if !refused.is_empty() {
        writeln!(out, "\nRefused:")?;
    }
    for (path, reason) in &refused {
        writeln!(out, "  {}\n    {reason}", path.display())?;
    }
    Ok(())
}
