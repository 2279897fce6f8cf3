//! `gz-monitor watch`: prints the messages of a running daemon, one a line, until it is stopped.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::builder::PossibleValuesParser;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::AUTHORIZATION;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::address::DaemonAddress;
use super::connection::{Connection, connect};
use super::exit::Failure;
use super::follower::Follower;
use super::local_socket::Target;
use super::request::{self, NoDaemon};
use crate::api::Filter;
use crate::hub::{self, Place, Type};
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
    /// Messages of this group too; may be repeated
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// First every event after this place in the stream, as far as they are kept
    #[arg(long, value_name = "EPOCH:SEQ")]
    since: Option<Place>,
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
        groups: args.groups.clone(),
    };
    // What the daemon would refuse is refused here, before anything is printed.
    hub::Filter::try_from(filter.clone()).map_err(Failure::Usage)?;
    let mut follower = Follower::new(args.since.clone());
    Ok(request::block_on(watch(&target, &filter, &mut follower))?)
}

/// Goes on for ever: a daemon that is away is waited for, and what it has published meanwhile is
/// asked for.
async fn watch(target: &Target, filter: &Filter, follower: &mut Follower) -> anyhow::Result<()> {
    let mut retry = FIRST_RETRY;
    loop {
        match follow(target, filter, follower).await {
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
async fn follow(target: &Target, filter: &Filter, follower: &mut Follower) -> anyhow::Result<()> {
    let upgraded = timeout(Duration::from_secs(10), upgrade(target));
    let mut socket = upgraded.await.with_context(|| format!("{target} does not answer"))??;
    let since = follower.connect().map(ToString::to_string);
    let subscribe = json!({ "type": "subscribe", "filter": filter, "since": since });
    let sent = socket.send(Message::text(subscribe.to_string())).await;
    sent.map_err(|error| refused(target, &error))?;
    while let Ok(Some(message)) = timeout(SILENCE, socket.next()).await {
        match message {
            Ok(Message::Text(text)) => {
                print(&text)?;
                // Printed first: what is noted as heard is not asked for again.
                if let Ok(message) = serde_json::from_str::<Value>(&text) {
                    follower.hear(&message);
                }
            }
            Ok(Message::Close(_)) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Ok(())
}

/// A connection to the stream.
pub(super) async fn upgrade(target: &Target) -> anyhow::Result<WebSocketStream<Connection>> {
    let connection = match connect(target).await {
        Err(error) if error.is::<NoDaemon>() => bail!("no daemon answers at {target}"),
        connection => connection?,
    };
    let mut request = format!("{}/ws", target.stream()).into_client_request()?;
    if let Some(token) = target.identity.header() {
        request.headers_mut().insert(AUTHORIZATION, token.try_into()?);
    }
    let upgraded = client_async(request, connection).await;
    Ok(upgraded.map_err(|error| refused(target, &error))?.0)
}

/// Not an [`io::Error`], whatever it is inside.
fn refused(target: &Target, error: &tungstenite::Error) -> anyhow::Error {
    if let tungstenite::Error::Http(answer) = error {
        let body = answer.body().as_deref().unwrap_or_default();
        let problem: Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(detail) = problem["detail"].as_str() {
            let identity = &target.identity;
            return anyhow::anyhow!("the daemon at {target} refused, asked {identity}: {detail}");
        }
    }
    anyhow::anyhow!("cannot connect to {target}: {error}")
}

/// What others put into a message may have line ends, which in JSON are blanks like others.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.replace(['\n', '\r'], " "))?;
    out.flush()
}

fn complain(text: &str, retry: Duration) -> io::Result<()> {
    writeln!(io::stderr().lock(), "gz-monitor: {text}; trying again in about {retry:?}")
}
