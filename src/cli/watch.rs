//! `gz-monitor watch`: prints the messages of a running daemon, one a line, until it is stopped.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::runtime;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{self, Message};

use super::address::DaemonAddress;
use super::exit::Failure;
use crate::api::{Filter, encode};
use crate::hub::{self, Type};
use crate::severity::Severity;

const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// The daemon pings well within this; one that is silent for longer is gone.
const SILENCE: Duration = Duration::from_secs(90);

/// The flags of `watch`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    daemon: DaemonAddress,
    /// Only messages of these types; "all" adds raw samples
    #[arg(long, value_name = "TYPE,…", value_delimiter = ',', value_parser = types())]
    types: Vec<String>,
    /// Only alerts at or above this level: info, low, medium, high, critical
    #[arg(long, value_name = "LEVEL", value_parser = severity)]
    alert_level: Option<Severity>,
    /// Only updates of these tasks
    #[arg(long = "task", value_name = "ID")]
    task_ids: Vec<String>,
    /// Only samples of these collectors
    #[arg(long = "collector", value_name = "NAME")]
    collectors: Vec<String>,
}

fn types() -> PossibleValuesParser {
    Type::ALL.map(Type::name).into_iter().chain(["all"]).collect::<Vec<_>>().into()
}

fn severity(text: &str) -> Result<Severity, String> {
    let known = Severity::ALL.into_iter().find(|severity| severity.name() == text);
    known.ok_or_else(|| "there are info, low, medium, high and critical".to_owned())
}

pub(super) fn run(args: &Args, file: Option<PathBuf>) -> Result<(), Failure> {
    let url = args.daemon.resolve(file)?;
    let url = format!("{}/ws", url.replacen("http", "ws", 1));
    let filter = Filter {
        types: args.types.clone(),
        task_ids: args.task_ids.clone(),
        alert_level: args.alert_level,
        collectors: args.collectors.clone(),
    };
    // What the daemon would refuse is refused here, before anything is printed.
    hub::Filter::try_from(filter.clone()).map_err(Failure::Usage)?;
    let subscribe = format!(r#"{{"type":"subscribe","filter":{}}}"#, encode(&filter));
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(watch(&url, &subscribe))?)
}

/// Goes on for ever: a daemon that is away is waited for.
async fn watch(url: &str, subscribe: &str) -> anyhow::Result<()> {
    let mut retry = FIRST_RETRY;
    loop {
        match follow(url, subscribe).await {
            Ok(()) => {
                retry = FIRST_RETRY;
                complain(&format!("the connection to {url} has ended"), retry)?;
            }
            Err(error) if error.is::<io::Error>() => return Err(error),
            Err(error) => complain(&format!("{error:#}"), retry)?,
        }
        sleep(retry.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        retry = (retry * 2).min(LONGEST_RETRY);
    }
}

/// Prints messages until the connection ends. Only a failure to print is an [`io::Error`].
async fn follow(url: &str, subscribe: &str) -> anyhow::Result<()> {
    let connect = timeout(Duration::from_secs(10), connect_async(url));
    let connected = connect.await.with_context(|| format!("{url} does not answer"))?;
    let mut socket = match connected {
        Ok((socket, _)) => socket,
        Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            bail!("no daemon answers at {url}")
        }
        Err(error) => return Err(refused(url, &error)),
    };
    let sent = socket.send(Message::text(subscribe)).await;
    sent.map_err(|error| refused(url, &error))?;
    while let Ok(Some(message)) = timeout(SILENCE, socket.next()).await {
        match message {
            Ok(Message::Text(text)) => print(&text)?,
            Ok(Message::Close(_)) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Ok(())
}

/// Not an [`io::Error`], whatever it is inside.
fn refused(url: &str, error: &tungstenite::Error) -> anyhow::Error {
    anyhow::anyhow!("cannot connect to {url}: {error}")
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn complain(text: &str, retry: Duration) -> io::Result<()> {
    writeln!(io::stderr().lock(), "gz-monitor: {text}; trying again in about {retry:?}")
}
