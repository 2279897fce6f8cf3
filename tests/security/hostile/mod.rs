//! Clients that mean ill, below what HTTP and WebSocket libraries let one say: each is answered within
//! bounds or cut off, somebody else is served meanwhile, and nothing of it is left.

mod bombs;
mod framing;
mod guesses;
mod heads;
mod names;
mod paths;
mod slow;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Daemon, PATIENCE, daemon, until};
use crate::{ask, request};

/// A daemon that has little patience, and what it holds while nobody asks.
struct Target {
    daemon: Daemon,
    files: u64,
    threads: u64,
}

impl Target {
    async fn start(config: &str) -> Self {
        let short = "header_timeout = \"300ms\"\nrequest_timeout = \"1s\"";
        Self::patient(&format!("{short}\n{config}")).await
    }

    /// One that waits as long as usual.
    async fn patient(config: &str) -> Self {
        // Between two rounds of collectors the runtime's threads for them end, however many there were.
        let calm = "[collectors]\ninterval = \"30s\"\n";
        let config = format!("[server]\nmax_request_rate = 0\n{config}\n{calm}");
        let daemon = daemon().config(&config).start().await;
        // What comes with the first client stays.
        drop(daemon.websocket().await);
        is_served(&daemon).await;
        Self { files: daemon.open_files(), threads: daemon.threads(), daemon }
    }

    /// Somebody else is served, and no more is held than before.
    async fn is_as_before(&self) {
        is_served(&self.daemon).await;
        let (files, threads) = (self.files, self.threads);
        until(&format!("it holds {files} files and {threads} threads"), async || {
            let held = (self.daemon.open_files(), self.daemon.threads());
            (held.0 <= files && held.1 <= threads).then_some(())
        })
        .await;
    }
}

/// A client that means well has an answer.
async fn is_served(daemon: &Daemon) {
    let host = daemon.address.to_string();
    let answered = ask(daemon, &request("GET", "/healthz", &[("Host", &host)])).await;
    assert_eq!((answered.status, answered.body.as_str()), (200, "ok\n"));
}

/// Sends these bytes, and has all that is said until the connection ends; it has to.
async fn say(daemon: &Daemon, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(daemon.address).await.expect("a connection");
    // It may hang up in the middle.
    let _ = stream.write_all(bytes).await;
    ending(&mut stream).await
}

/// What is said until the connection ends.
async fn ending(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of each answer.
fn statuses(answers: &str) -> Vec<u16> {
    let lines = answers.split("HTTP/1.").skip(1);
    lines.filter_map(|rest| rest.get(2..5)?.parse().ok()).collect()
}
