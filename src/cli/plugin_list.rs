//! `gz-monitor plugin list`: what can collect, how it fares in a running daemon, and what lies in the
//! plugin folders and cannot.

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::address::DaemonAddress;
use super::exit::Failure;
use super::local_socket::Target;
use super::plugin_table::{self, WIDTH};
use super::request::{self, NoDaemon};
use super::server::plugin_folders;
use crate::api::{PluginKind, Plugins as Inventory};
use crate::config::Sources;
use crate::daemon::Plugins;

/// The flags of `plugin list`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Ask no daemon, and look for plugins in this folder instead of those configured; may be repeated
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    plugin_dir: Vec<PathBuf>,
    /// Print one JSON object: what /api/v1/plugins and /api/v1/collectors answer
    #[arg(long)]
    json: bool,
}

/// What came of the attempt to ask a daemon.
enum Answer {
    Daemon {
        target: Target,
        all: Value,
    },
    /// None answers here.
    None(Target),
    NotAsked,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    match ask(args, file.clone())? {
        Answer::Daemon { target, mut all } => {
            let mut out = io::stdout().lock();
            if args.json {
                all["daemon"] = target.to_string().into();
                return Ok(writeln!(out, "{all}")?);
            }
            // For a person a line is broken; for grep(1) it is not.
            let width = if out.is_terminal() { WIDTH } else { usize::MAX };
            Ok(plugin_table::print(&mut out, &target.to_string(), &all, width)?)
        }
        Answer::None(target) => look(args, file, Some(&target)),
        Answer::NotAsked => look(args, file, None),
    }
}

fn ask(args: &Args, file: Option<PathBuf>) -> Result<Answer, Failure> {
    if !args.plugin_dir.is_empty() {
        return Ok(Answer::NotAsked);
    }
    let target = match args.daemon.resolve(file) {
        // To list what is here tells the same problems, below a list that may explain them.
        Err(Failure::Config(_)) => return Ok(Answer::NotAsked),
        resolved => resolved?,
    };
    match request::block_on(fetch(&target)) {
        Ok(all) => Ok(Answer::Daemon { target, all }),
        // A daemon that was named is to be there.
        Err(error) if error.is::<NoDaemon>() && !args.daemon.is_named() => Ok(Answer::None(target)),
        Err(error) => Err(error.into()),
    }
}

async fn fetch(target: &Target) -> anyhow::Result<Value> {
    let mut all = request::get(target, "plugins").await?;
    let mut collectors = request::get(target, "collectors").await?;
    all["collectors"] = collectors["collectors"].take();
    Ok(all)
}

/// Lists what a daemon that starts now would find.
fn look(args: &Args, file: Option<PathBuf>, silent: Option<&Target>) -> Result<(), Failure> {
    let plugins = Plugins::default();
    let sources = Sources::of_process(file, plugin_folders(&args.plugin_dir).into_iter().collect());
    // To check a configuration the plugin folders are looked through.
    let loaded = plugins.load(&sources);
    let mut out = io::stdout().lock();
    let inventory = plugins.inventory();
    if args.json {
        let Inventory { plugins, refused } = inventory;
        let all = json!({
            "daemon": null, "plugins": plugins, "refused": refused, "collectors": null,
        });
        writeln!(out, "{all}")?;
        loaded.map_err(Failure::Config)?;
        return Ok(());
    }
    print(&inventory, &mut out)?;
    let folders = loaded.map_err(Failure::Config)?.config.plugins.folders;
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    writeln!(out, "\nLibraries are looked for in {}", folders.join(", "))?;
    if let Some(target) = silent {
        writeln!(out, "No daemon answers at {target}: this is what one would find.")?;
    }
    Ok(())
}

fn print(inventory: &Inventory, out: &mut impl Write) -> io::Result<()> {
    let Inventory { plugins, refused } = inventory;
    let width = plugins.iter().map(|plugin| plugin.name.len()).max().unwrap_or_default();
    writeln!(out, "{:width$}  KIND      VERSION  SUMMARY", "NAME")?;
    for plugin in plugins {
        let (kind, version) = match plugin.kind {
            PluginKind::BuiltIn => ("built-in", ""),
            PluginKind::Program => ("program", ""),
            PluginKind::Library => ("library", plugin.version.as_deref().unwrap_or("-")),
        };
        writeln!(out, "{:width$}  {kind:<8}  {version:7}  {}", plugin.name, plugin.summary)?;
        if let (Some(file), Some(abi)) = (&plugin.file, &plugin.abi) {
            writeln!(out, "{:width$}  {file}, ABI {abi}", "")?;
        }
    }
    if !refused.is_empty() {
        writeln!(out, "\nRefused:")?;
    }
    for one in refused {
        writeln!(out, "  {}\n    {}", one.file, one.reason)?;
    }
    Ok(())
}
