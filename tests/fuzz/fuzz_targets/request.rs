//! Requests of HTTP to a whole server: a line with method and address, lines of headers, and behind an
//! empty line the body. Whatever they are, each is answered, in good form and never with the server's
//! own failure; so are those that come after it.
//!
//! What they change stays: a finding may take more than the last input. The bounds are small, so that
//! there is little.

#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use gz_monitor::alert::{self, Rules};
use gz_monitor::clock::Clock;
use gz_monitor::hub::{self, Hub, Place};
use gz_monitor::pipeline::{self, Handle, Kept, Limits};
use gz_monitor::scheduler::Controls;
use gz_monitor::server::{self, App, Listener, Past, TokensFile, WebSocketConfig};
use gz_monitor::units::{ByteSize, HumanDuration};
use gz_monitor::{query, task};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// The headers that say something here; the others are hyper's, and `inbound`'s of an upgrade.
const HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "authorization",
    "content-type",
    "cookie",
    "idempotency-key",
    "if-none-match",
    "origin",
    "x-forwarded-for",
];

static SERVER: LazyLock<Mutex<Server>> = LazyLock::new(|| Mutex::new(Server::start()));

fuzz_target!(|input: &[u8]| {
    let Some(request) = read(input) else { return };
    let (is_api, is_head) = (request.uri().path().starts_with("/api/"), request.method() == "HEAD");
    // It looks at the machine, which takes its time.
    if request.uri().path().ends_with("doctor") {
        return;
    }
    let answer = SERVER.lock().expect("no panic before").ask(request);
    check(&answer, is_api && !is_head);
});

fn read(input: &[u8]) -> Option<Request<Full<Bytes>>> {
    let end = input.windows(2).position(|two| two == b"\n\n").unwrap_or(input.len());
    let body = Bytes::copy_from_slice(input.get(end + 2..).unwrap_or_default());
    let mut lines = input[..end].split(|byte| *byte == b'\n');
    let line = lines.next()?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (method, address) = (&line[..space], &line[space + 1..]);
    // It would be of a proxy, or end what HTTP is spoken.
    if !address.starts_with(b"/") || method == b"CONNECT" {
        return None;
    }
    let mut request =
        Request::builder().method(method).uri(address).header(header::HOST, "localhost");
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (str::from_utf8(&line[..colon]).ok()?, line[colon + 1..].trim_ascii());
        if HEADERS.contains(&name) {
            request = request.header(name, value);
        }
    }
    let headers = request.headers_mut()?;
    headers.entry(header::CONTENT_TYPE).or_insert(const { json() });
    request.body(Full::new(body)).ok()
}

const fn json() -> http::HeaderValue {
    http::HeaderValue::from_static("application/json")
}

/// What every answer has to be.
fn check(answer: &Response<Bytes>, is_api: bool) {
    let (status, headers, body) = (answer.status(), answer.headers(), answer.body());
    // There is no room for another, or nobody who does it here.
    let is_bounds =
        matches!(status, StatusCode::INSUFFICIENT_STORAGE | StatusCode::SERVICE_UNAVAILABLE);
    assert!(is_bounds || !status.is_server_error(), "{answer:?}");
    assert!(!status.is_informational(), "{answer:?}");
    // More headers than may be are refused before anybody looks at the request.
    if status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE {
        return;
    }
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers.contains_key("content-security-policy"));
    if !is_api || body.is_empty() {
        return;
    }
    let value: Value = serde_json::from_slice(body).expect("an answer of JSON");
    let kind = headers[header::CONTENT_TYPE].to_str().expect("ASCII");
    if kind == "application/problem+json" {
        assert_eq!(value["status"], status.as_u16());
        assert!(value["code"].is_string() && value["detail"].is_string());
        return;
    }
    assert_eq!(kind, "application/json");
    // The next page is at a place that can be asked for.
    if let Some(next) = value["next"].as_str() {
        next.parse::<Place>().expect("a place");
    }
}

struct Server {
    runtime: Runtime,
    socket: PathBuf,
    sender: Option<SendRequest<Full<Bytes>>>,
    /// It serves for as long as this lives.
    _asking: mpsc::Sender<tokio::sync::oneshot::Sender<()>>,
}

impl Server {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let name = format!("gz-monitor-fuzz-{}.sock", std::process::id());
        let socket = std::env::temp_dir().join(name);
        let _ = std::fs::remove_file(&socket);
        let _asking = runtime.block_on(serve(&socket));
        Self { runtime, socket, sender: None, _asking }
    }

    fn ask(&mut self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let Self { runtime, socket, sender, .. } = self;
        runtime.block_on(async {
            // One that is not ready was closed after the last answer.
            let ready = match sender.as_mut() {
                Some(sender) => sender.ready().await.is_ok(),
                None => false,
            };
            if !ready {
                let stream = UnixStream::connect(socket).await.expect("it listens");
                let (new, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
                tokio::spawn(connection);
                *sender = Some(new);
            }
            let sender = sender.as_mut().expect("it is connected");
            let answer = sender.send_request(request).await.expect("an answer");
            let (head, body) = answer.into_parts();
            let body = body.collect().await.expect("a whole answer").to_bytes();
            Response::from_parts(head, body)
        })
    }
}

async fn serve(socket: &std::path::Path) -> mpsc::Sender<tokio::sync::oneshot::Sender<()>> {
    let alerts = alert::Config { max_alerts: 20, max_silences: 5, ..Default::default() };
    let (rules, _) = Rules::read(&alerts, &query::Config::default());
    let limits = Limits {
        tasks: task::Config { max_tasks: 20, max_ended: 10, ..Default::default() },
        rules: Arc::new(rules),
        ..Limits::default()
    };
    let hub = Arc::new(Hub::new("fuzz".to_owned(), &hub::Config::default()));
    let (handle, inputs) = Handle::new(&limits, Kept::default(), 16, hub.clone(), Clock::start());
    let (steps, mut done) = mpsc::channel::<pipeline::Step>(16);
    tokio::spawn(pipeline::run(handle.clone(), inputs, steps));
    let settled = handle.clone();
    tokio::spawn(async move {
        while let Some(mut step) = done.recv().await {
            settled.hub.publish(std::mem::take(&mut step.messages));
            settled.settle(step.number);
            step.answer(true);
        }
    });
    let (reloads, _) = server::reload_requests();
    let config = server::Config {
        max_request_rate: 0,
        max_body_size: ByteSize(1_024),
        request_timeout: HumanDuration::secs(600),
        ..server::Config::default()
    };
    let (websocket, query) = (WebSocketConfig::default(), query::Config::default());
    let (controls, past) = (Controls::default(), Past::default());
    let app = App::new(handle, controls, reloads, past, config, websocket, query).expect("threads");
    // Whoever comes by the socket is an admin, and whoever bears a token is not what they say.
    app.adopt_tokens(Some(TokensFile::credential("/nowhere".into())), Some(Vec::new())).await;
    let listener = Listener::Unix(UnixListener::bind(socket).expect("a socket"));
    let endpoint = Arc::new(server::routes(app.clone()));
    let (asking, asked) = mpsc::channel(1);
    tokio::spawn(server::serve(listener, endpoint, app, asked));
    asking
}
