//! The daemon as hostile pages, wrong names and careful browsers meet it: docs/security.md, line by
//! line.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod audit;
mod author;
mod certificates;
mod client_certificates;
mod cross_origin;
mod exposure;
mod groups;
mod headers;
mod hostile;
mod hosts;
mod local;
mod login;
mod origins;
mod pace;
mod proxies;
mod refusals;
mod roles;
mod tls;
mod tls_files;
mod tls_terminal;
mod tokens;

use std::path::Path;

use serde_json::Value;
use support::{Daemon, PATIENCE};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// One request of every kind that is answered in a way of its own.
const REQUESTS: [(&str, &str); 24] = [
    ("GET", "/"),
    ("GET", "/dashboard"),
    ("GET", "/dashboard/app.js"),
    ("GET", "/ws"),
    ("GET", "/metrics"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/api/v1/status"),
    ("HEAD", "/api/v1/status"),
    ("GET", "/api/v1/events"),
    ("GET", "/api/v1/doctor"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/query?query=1"),
    ("POST", "/api/v1/query?query=1"),
    ("GET", "/api/v1/labels"),
    ("POST", "/api/v1/tasks"),
    ("PATCH", "/api/v1/tasks/a"),
    ("DELETE", "/api/v1/tasks/a"),
    ("POST", "/api/v1/tasks/a/stop"),
    ("POST", "/api/v1/alerts/a/resolve"),
    ("POST", "/api/v1/collectors/load/restart"),
    ("POST", "/api/v1/reload"),
    ("OPTIONS", "/api/v1/tasks"),
    ("GET", "/nowhere"),
];

/// What a request was answered.
#[derive(Debug)]
struct Answered {
    status: u16,
    /// The headers in lower case, a line each.
    headers: String,
    body: String,
}

impl Answered {
    fn code(&self) -> String {
        let problem: Value = serde_json::from_str(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        let start = format!("{name}: ");
        self.headers.lines().find_map(|line| line.strip_prefix(&*start)).unwrap_or_default()
    }
}

/// A request of this kind with these headers; `Host` is one of them. One to `/ws` is an upgrade.
fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    let upgrade = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let body = r#"{"name":"made by a test"}"#;
    let more: &[(&str, &str)] = match (method, path) {
        (_, "/ws") => &upgrade,
        ("POST" | "PATCH", _) => &[("Content-Type", "application/json")],
        _ => &[],
    };
    for (name, value) in headers.iter().chain(more) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    match matches!(method, "POST" | "PATCH") {
        true => text + &format!("Content-Length: {}\r\n\r\n{body}", body.len()),
        false => text + "\r\n",
    }
}

/// Sends `text` as it is.
async fn ask(daemon: &Daemon, text: &str) -> Answered {
    let mut stream = TcpStream::connect(daemon.address).await.expect("a connection");
    exchange(&mut stream, text).await
}

/// The same by a Unix socket.
async fn ask_by_socket(path: &Path, text: &str) -> Answered {
    exchange(&mut UnixStream::connect(path).await.expect("a connection"), text).await
}

/// Sends `text`, and reads one answer to its end.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), text: &str) -> Answered {
    let answered = async {
        stream.write_all(text.as_bytes()).await.expect("sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap_or_else(|_| panic!("no answer to {text}")));
        }
        let head = String::from_utf8(head).expect("ASCII").to_lowercase();
        let (line, headers) = head.split_once("\r\n").expect("a status line");
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let mut answered = Answered { status, headers: headers.to_owned(), body: String::new() };
        let length = answered.header("content-length").parse().unwrap_or(0);
        let mut body = vec![0; if text.starts_with("HEAD ") { 0 } else { length }];
        stream.read_exact(&mut body).await.expect("a body");
        answered.body = String::from_utf8(body).expect("UTF-8");
        answered
    };
    timeout(PATIENCE, answered).await.expect("an answer in time")
}
