//! `gz-monitor reload`: has a running daemon read its configuration again, and waits for the outcome.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;

use super::address::DaemonAddress;
use super::check_config::EX_CONFIG;
use super::exit::Failure;
use super::local_socket::Target;
use super::request::{self, Asking};

/// New plugins are described in children, and collectors that hang are waited for.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The flags of `reload`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let target = args.daemon.resolve(file)?;
    let (status, answer) = request::block_on(reload(&target))?;
    match status {
        200 => Ok(tell(&lines(&answer["changes"]))?),
        422 => {
            refuse(&lines(&answer["problems"]))?;
            Err(Failure::Silent(EX_CONFIG))
        }
        _ => {
            let detail = answer["detail"].as_str().unwrap_or("the daemon refused");
            Err(Failure::RunTime(anyhow::anyhow!("configuration not reloaded: {detail}")))
        }
    }
}

async fn reload(target: &Target) -> anyhow::Result<(u16, Value)> {
    let answer = Asking::post(target, "/api/v1/reload").within(TIMEOUT).send().await?;
    let status = answer.status.as_u16();
    if status == 404 {
        bail!("the daemon at {target} knows no reload; is it an older one?");
    }
    Ok((status, answer.json()?))
}

/// Each change on a line of its own.
fn tell(changes: &[&str]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if changes.is_empty() {
        return writeln!(out, "reloaded: nothing has changed");
    }
    changes.iter().try_for_each(|change| writeln!(out, "{change}"))
}

/// As `check-config` says it.
fn refuse(problems: &[&str]) -> io::Result<()> {
    let mut err = io::stderr().lock();
    problems.iter().try_for_each(|problem| writeln!(err, "{problem}"))?;
    writeln!(err, "configuration not reloaded; the one before it stays in force")
}

fn lines(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
