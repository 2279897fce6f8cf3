//! A receiver of webhooks that does as it is told, and remembers.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::mailbox::tls;
use crate::support::until;

/// What it does with a request.
#[derive(Clone)]
pub enum Manner {
    Answers(u16),
    /// With a header.
    AnswersWith(u16, &'static str, &'static str),
    /// It reads the request, and closes the connection.
    HangsUp,
    /// It reads the request, and that is all.
    Hangs,
}

/// A request that it was sent.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
    /// Whether it was answered with success.
    pub is_taken: bool,
}

impl Seen {
    pub fn key(&self) -> String {
        self.headers["idempotency-key"].to_str().expect("text").to_owned()
    }

    /// The rules that it is about.
    pub fn rules(&self) -> Vec<String> {
        let alerts = self.body["alerts"].as_array().expect("a list");
        alerts.iter().map(|alert| alert["rule_id"].as_str().expect("an id").to_owned()).collect()
    }
}

struct Memory {
    manner: Manner,
    seen: Vec<Seen>,
}

/// The receiver.
pub struct Receiver {
    pub address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
    task: JoinHandle<()>,
}

impl Receiver {
    pub async fn start() -> Self {
        let memory = Memory { manner: Manner::Answers(200), seen: Vec::new() };
        let memory = Arc::new(Mutex::new(memory));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(serve(listener, None, memory.clone()));
        Self { address, memory, task }
    }

    /// One that speaks TLS; and what vouches for it, in PEM.
    pub async fn secured() -> (Self, String) {
        let mut receiver = Self::start().await;
        receiver.go().await;
        let (certificate, acceptor) = tls();
        let listener = TcpListener::bind(receiver.address).await.expect("the same port");
        let memory = receiver.memory.clone();
        receiver.task = tokio::spawn(serve(listener, Some(acceptor), memory));
        (receiver, certificate)
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn be(&self, manner: Manner) {
        self.memory.lock().expect("no panic").manner = manner;
    }

    /// Nobody listens any more.
    pub async fn go(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Somebody listens again, where somebody did.
    pub async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("the same port");
        self.task = tokio::spawn(serve(listener, None, self.memory.clone()));
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.memory.lock().expect("no panic").seen.clone()
    }

    /// What it has taken.
    pub fn taken(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.is_taken).collect()
    }

    /// Waits until it has seen so many requests.
    pub async fn until_seen(&self, count: usize) -> Vec<Seen> {
        until(&format!("{count} requests have come"), async || {
            Some(self.seen()).filter(|seen| seen.len() >= count)
        })
        .await
    }

    /// Waits until it has taken so many.
    pub async fn until_taken(&self, count: usize) -> Vec<Seen> {
        until(&format!("{count} notifications were taken"), async || {
            Some(self.taken()).filter(|taken| taken.len() >= count)
        })
        .await
    }
}

async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, memory: Arc<Mutex<Memory>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let (memory, tls) = (memory.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => speak(stream, memory).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        speak(stream, memory).await;
                    }
                }
            }
        });
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    memory: Arc<Mutex<Memory>>,
) {
    let answer = service_fn(|request| answer(request, memory.clone()));
    // An error is how it hangs up.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

async fn answer(
    request: Request<Incoming>,
    memory: Arc<Mutex<Memory>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
    let manner = {
        let mut memory = memory.lock().expect("no panic");
        let manner = memory.manner.clone();
        let is_taken = match manner {
            Manner::Answers(status) | Manner::AnswersWith(status, ..) => status < 300,
            Manner::HangsUp | Manner::Hangs => false,
        };
        let body = serde_json::from_slice(&body).expect("JSON");
        let path = head.uri.to_string();
        memory.seen.push(Seen { path, headers: head.headers, body, is_taken });
        manner
    };
    let response = |status: u16| Response::builder().status(status);
    let built = match manner {
        Manner::Answers(status) => response(status).body(Full::from("noted")),
        Manner::AnswersWith(status, name, value) => {
            response(status).header(name, value).body(Full::default())
        }
        Manner::HangsUp => return Err(std::io::Error::other("it hangs up")),
        Manner::Hangs => match std::future::pending::<Infallible>().await {},
    };
    Ok(built.expect("a response"))
}
