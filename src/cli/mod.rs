//! The commands of `gz-monitor`, one file each.

mod address;
mod alert;
pub mod check_config;
mod connection;
mod doctor;
mod doctor_report;
mod exit;
mod follower;
mod local_socket;
mod notify;
mod once;
mod own_token;
mod plugin;
mod plugin_check;
mod plugin_course;
mod plugin_exec;
mod plugin_host;
mod plugin_list;
mod plugin_new;
mod plugin_table;
mod query;
mod query_table;
mod reload;
mod request;
mod server;
mod status;
mod task;
mod token;
mod token_table;
mod trust;
mod watch;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use gz_monitor_sdk::ABI_VERSION;

use crate::config::{Override, Sources};
use exit::Failure;

const AFTER_HELP: &str = "\
Nothing has to be configured: `gz-monitor server` collects this host and prints the address of its
dashboard. Settings come from the file, then from variables such as GZ_MONITOR__SERVER__PORT=9090,
then from flags; `gz-monitor check-config --show` prints those in force, and where each was said.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 78 wrong configuration.";

/// Monitors this host: metrics, tasks and alerts as a live stream.
#[derive(Debug, Parser)]
#[command(name = "gz-monitor", version = version(), arg_required_else_help = true)]
#[command(after_help = AFTER_HELP)]
struct Cli {
    /// Read this file, with alerts.d and conf.d [default: /etc/gz-monitor/gz-monitor.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    invocation: Invocation,
}

#[derive(Debug, Subcommand)]
enum Invocation {
    #[command(flatten)]
    Plain(Command),
    /// The same commands by their older name: `gz monitoring server`
    #[command(subcommand, hide = true)]
    Monitoring(Command),
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon in the foreground
    #[command(alias = "run")]
    Server(server::Args),
    /// Check the configuration, and report every mistake at once
    CheckConfig(check_config::Args),
    /// Collect once, without a daemon, and print the metrics
    Once(once::Args),
    /// Have a running daemon read its configuration again, and say what has changed
    Reload(reload::Args),
    /// Show the state of a running daemon and its host
    Status(status::Args),
    /// Ask a running daemon with PromQL
    Query(query::Args),
    /// Run commands as tasks, and look at the tasks that there are
    #[command(subcommand)]
    Task(task::Command),
    /// Make tokens, by which others may use the daemon, list and revoke them
    #[command(subcommand)]
    Token(token::Command),
    /// Look at alerts, take them on, and test rules on the past
    #[command(subcommand)]
    Alert(alert::Command),
    /// Silence alerts for some time
    #[command(subcommand)]
    Silence(alert::silence::Command),
    /// Try out where notifications of alerts go, and see how that fares
    #[command(subcommand)]
    Notify(notify::Command),
    /// Say what keeps the collectors of a running daemon from data, and what mends it
    Doctor(doctor::Args),
    /// Plugins, and the collectors that they are
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// What the daemon runs a library in
    #[command(hide = true)]
    PluginHost(plugin_host::Args),
    /// What the daemon starts programs with: takes limits upon itself and becomes the program
    #[command(hide = true)]
    PluginExec(plugin_exec::Args),
    /// Print a running daemon's messages as they come, one a line
    Watch(watch::Args),
}

/// Runs the program with these arguments, the first of which is its name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(message) => {
            // To a closed pipe nothing can be said.
            let _ = message.print();
            return ExitCode::from(u8::try_from(message.exit_code()).unwrap_or(exit::USAGE));
        }
    };
    let (Invocation::Plain(command) | Invocation::Monitoring(command)) = cli.invocation;
    match run(command, cli.config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The commands and their flags, for manual pages and the completions of shells.
pub fn command() -> clap::Command {
    Cli::command()
}

fn run(command: Command, config: Option<PathBuf>) -> Result<(), Failure> {
    match command {
        Command::Server(args) => server::run(&args, config),
        Command::CheckConfig(args) => check_configuration(&args, config),
        Command::Once(args) => once::run(&args, config),
        Command::Reload(args) => reload::run(&args, config),
        Command::Status(args) => status::run(&args, config),
        Command::Query(args) => query::run(&args, config),
        Command::Task(command) => task::run(&command, config),
        Command::Token(command) => token::run(&command, config),
        Command::Alert(command) => alert::run(&command, config),
        Command::Silence(command) => alert::silence::run(&command, config),
        Command::Notify(command) => notify::run(&command, config),
        Command::Doctor(args) => doctor::run(&args, config),
        Command::Plugin(command) => plugin::run(&command, config),
        Command::PluginHost(args) => plugin_host::run(&args),
        Command::PluginExec(args) => plugin_exec::run(&args),
        Command::Watch(args) => watch::run(&args, config),
    }
}

fn check_configuration(args: &check_config::Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let sources = Sources::of_process(file, Vec::<Override>::new());
    let (mut out, mut err) = (std::io::stdout().lock(), std::io::stderr().lock());
    let plugins = crate::daemon::Plugins::default();
    let code = plugins
        .with_checks(|checks| check_config::run(args, &sources, checks, &mut out, &mut err))?;
    drop(err);
    if code != 0 {
        server::tell_refused(&plugins);
    }
    if code == 0 { Ok(()) } else { Err(Failure::Silent(code)) }
}

fn version() -> String {
    let (major, minor) = ABI_VERSION;
    let (version, commit) = (env!("CARGO_PKG_VERSION"), env!("GZ_MONITOR_COMMIT"));
    format!("{version} (commit {commit}, plugin ABI {major}.{minor})")
}
