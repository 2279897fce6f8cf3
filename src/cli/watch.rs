//! `gz-monitor watch`: prints the messages of a running daemon, one a line, until it is stopped.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::either::Either;

use super::address::DaemonAddress;
use super::exit::Failure;
use super::local_socket::Target;
use super::request;
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
    let target = args.daemon.resolve(file)?;
    let filter = Filter {
        types: args.types.clone(),
        task_ids: args.task_ids.clone(),
        alert_level: args.alert_level,
        collectors: args.collectors.clone(),
    };
    // What the daemon would refuse is refused here, before anything is printed.
    hub::Filter::try_from(filter.clone()).map_err(Failure::Usage)?;
    let subscribe = format!(r#"{{"type":"subscribe","filter":{}}}"#, encode(&filter));
    Ok(request::block_on(watch(&target, &subscribe))?)
}

/// Goes on for ever: a daemon that is away is waited for.
async fn watch(target: &Target, subscribe: &str) -> anyhow::Result<()> {
    let mut retry = FIRST_RETRY;
    loop {
        match follow(target, subscribe).await {
            Ok(()) => {
                retry = FIRST_RETRY;
                complain(&format!("the connection to {target} has ended"), retry)?;
            }
            Err(error) if error.is::<io::Error>() => return Err(error),
            Err(error) => complain(&format!("{error:#}"), retry)?,
        }
        sleep(retry.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        retry = (retry * 2).min(LONGEST_RETRY);
    }
}

/// Prints messages until the connection ends. Only a failure to print is an [`io::Error`].
async fn follow(target: &Target, subscribe: &str) -> anyhow::Result<()> {
    let connect = timeout(Duration::from_secs(10), connect(target));
    let connected = connect.await.with_context(|| format!("{target} does not answer"))?;
    let mut socket = match connected {
        Ok(socket) => socket,
        Err(tungstenite::Error::Io(error)) if is_absent(&error) => {
            bail!("no daemon answers at {target}")
        }
        Err(error) => return Err(refused(target, &error)),
    };
    let sent = socket.send(Message::text(subscribe)).await;
    sent.map_err(|error| refused(target, &error))?;
    while let Ok(Some(message)) = timeout(SILENCE, socket.next()).await {
        match message {
            Ok(Message::Text(text)) => print(&text)?,
            Ok(Message::Close(_)) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Ok(())
}

/// A connection to the stream, by whichever kind of socket.
async fn connect(
    target: &Target,
) -> tungstenite::Result<WebSocketStream<Either<TcpStream, UnixStream>>> {
    let url = format!("{}/ws", target.origin().replacen("http", "ws", 1));
    let stream = match target {
        Target::Socket(path) => Either::Right(UnixStream::connect(path).await?),
        Target::Url(origin) => {
            let authority = origin.trim_start_matches("http://");
            let has_port =
                authority.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
            let port = if has_port { "" } else { ":80" };
            Either::Left(TcpStream::connect(format!("{authority}{port}")).await?)
        }
    };
    Ok(client_async(url, stream).await?.0)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
}

/// Not an [`io::Error`], whatever it is inside.
fn refused(target: &Target, error: &tungstenite::Error) -> anyhow::Error {
    if let tungstenite::Error::Http(answer) = error {
        let body = answer.body().as_deref().unwrap_or_default();
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(detail) = problem["detail"].as_str() {
            return anyhow::anyhow!("the daemon at {target} refused: {detail}");
        }
    }
    anyhow::anyhow!("cannot connect to {target}: {error}")
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

fn complain(text: &str, retry: Duration) -> io::Result<()> {
    writeln!(io::stderr().lock(), "gz-monitor: {text}; trying again in about {retry:?}")
}
