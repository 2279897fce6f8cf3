//! TLS as clients meet it: handshakes that are and are not, WebSocket over it, and limits.

use std::process::Command;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::version::{TLS12, TLS13};
use rustls::{ProtocolVersion, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::certificates::{Offer, Pair, ask_securely, connect, secured, shake, version};
use crate::support::{PATIENCE, until};
use crate::{ask, exchange, request};

pub const ONLY_12: &[&SupportedProtocolVersion] = &[&TLS12];
pub const ONLY_13: &[&SupportedProtocolVersion] = &[&TLS13];

#[tokio::test]
async fn both_versions_and_http_1_alone() {
    let pair = Pair::new(1, 90);
    let daemon = secured(&pair, "").launch();
    let versions = [(ONLY_12, ProtocolVersion::TLSv1_2), (ONLY_13, ProtocolVersion::TLSv1_3)];
    for (versions, expected) in versions {
        let offer = Offer { versions, ..Offer::default() };
        let mut stream = shake(&daemon, &pair, offer).await.expect("a handshake");
        assert_eq!(version(&stream), Some(expected));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let text = request("GET", "/healthz", &[("Host", "localhost")]);
        assert_eq!(exchange(&mut stream, &text).await.status, 200);
        assert_eq!(exchange(&mut stream, &text).await.status, 200, "the connection is kept");
    }
    let offer = Offer { protocols: &["h2", "http/1.1"], ..Offer::default() };
    let stream = shake(&daemon, &pair, offer).await.expect("a handshake");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let offer = Offer { protocols: &["h2"], ..Offer::default() };
    assert!(shake(&daemon, &pair, offer).await.is_err(), "h2 alone is not spoken");
    let offer = Offer { protocols: &[], ..Offer::default() };
    assert!(shake(&daemon, &pair, offer).await.is_ok(), "old clients offer nothing");
    let other = Pair::new(1, 90);
    assert!(shake(&daemon, &other, Offer::default()).await.is_err(), "another is not trusted");
}

#[tokio::test]
async fn the_stream_over_tls() {
    let pair = Pair::new(1, 90);
    let daemon = secured(&pair, "").launch();
    let url = format!("wss://{}/ws", daemon.address);
    let (mut socket, _) = client_async(url, connect(&daemon, &pair).await).await.expect("wss");
    let mut next = async || loop {
        match timeout(PATIENCE, socket.next()).await.expect("in time").expect("open") {
            Ok(Message::Text(text)) => {
                return serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
            }
            other => drop(other.expect("a message")),
        }
    };
    assert_eq!(next().await["type"], "initial_state");
    // More than a record and more than a socket takes at once.
    for _ in 0..50 {
        assert_eq!(ask_securely(&daemon, &pair, "POST", "/api/v1/tasks").await.status, 201);
    }
    let mut updates = 0;
    while updates < 50 {
        updates += u32::from(next().await["type"] == "task_update");
    }
    socket.send(Message::text(r#"{"type":"ping"}"#)).await.expect("sent");
    loop {
        if let Ok(Message::Text(text)) = socket.next().await.expect("open")
            && text.contains("\"pong\"")
        {
            break;
        }
    }
    socket.close(None).await.expect("closed");
}

#[tokio::test]
async fn pages_of_https_are_our_own_and_those_of_http_are_not() {
    let pair = Pair::new(1, 90);
    let daemon = secured(&pair, "").launch();
    let host = daemon.address.to_string();
    for (scheme, status) in [("https", 101), ("http", 403)] {
        let origin = format!("{scheme}://{host}");
        let headers = [("Host", &*host), ("Origin", &*origin)];
        let mut stream = connect(&daemon, &pair).await;
        let answered = exchange(&mut stream, &request("GET", "/ws", &headers)).await;
        assert_eq!(answered.status, status, "{answered:?}");
    }
    let page = ask_securely(&daemon, &pair, "GET", "/dashboard").await;
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("strict-transport-security"), "");
}

#[tokio::test]
async fn who_speaks_plainly_is_told() {
    let pair = Pair::new(1, 90);
    let daemon = secured(&pair, "").launch();
    for method in ["GET", "POST"] {
        let answered = ask(&daemon, &request(method, "/", &[("Host", "localhost")])).await;
        assert_eq!((answered.status, &*answered.code()), (400, "tls_required"), "{answered:?}");
        assert!(answered.body.contains("https://"), "{}", answered.body);
    }
    until("both are counted", || async {
        let text = ask_securely(&daemon, &pair, "GET", "/metrics").await.body;
        text.contains("gz_tls_handshakes_failed_total{reason=\"plain_http\"} 2").then_some(())
    })
    .await;
}

#[tokio::test]
async fn half_a_handshake_is_not_waited_for() {
    let pair = Pair::new(1, 90);
    let more = "max_connections = 2\nheader_timeout = \"500ms\"";
    let daemon = secured(&pair, more).launch();
    let mut halves = Vec::new();
    for start in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut half = TcpStream::connect(daemon.address).await.expect("a connection");
        half.write_all(start).await.expect("sent");
        halves.push(half);
    }
    for half in &mut halves {
        let mut bytes = Vec::new();
        let end = timeout(PATIENCE, half.read_to_end(&mut bytes)).await.expect("an end in time");
        assert!(end.is_err() || bytes.is_empty(), "{bytes:?}");
    }
    until("its place is free, and it is counted", || async {
        let offer = Offer::default();
        let mut stream = shake(&daemon, &pair, offer).await.ok()?;
        let text = request("GET", "/metrics", &[("Host", "localhost")]);
        let answered = exchange(&mut stream, &text).await;
        answered.body.contains("gz_tls_handshakes_failed_total{reason=\"timeout\"} 2").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_half_a_handshake() {
    let pair = Pair::new(1, 90);
    let mut daemon = secured(&pair, "header_timeout = \"1h\"\nshutdown_timeout = \"1h\"").launch();
    assert_eq!(ask_securely(&daemon, &pair, "GET", "/healthz").await.status, 200);
    let half = TcpStream::connect(daemon.address).await.expect("a connection");
    daemon.signal("TERM");
    assert!(daemon.ended().await.success(), "{}", daemon.log());
    drop(half);
}

#[tokio::test]
async fn other_people_s_clients() {
    let pair = Pair::new(1, 90);
    let daemon = secured(&pair, "").launch();
    let file = daemon.path().join("tls.pem").display().to_string();
    let port = daemon.address.port();
    let url = format!("https://localhost:{port}/healthz");
    let resolve = format!("localhost:{port}:127.0.0.1");
    let run = |command: &mut Command| match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            eprintln!("skipped: there is no {:?}", command.get_program());
            None
        }
    };
    let curl = ["-sS", "--noproxy", "*", "--resolve", &resolve, "--cacert", &file, &url];
    if let Some(out) = run(Command::new("curl").args(curl)) {
        assert_eq!(out, "ok\n");
    }
    let address = daemon.address.to_string();
    for version in ["-tls1_2", "-tls1_3"] {
        let arguments = ["s_client", "-connect", &address, "-CAfile", &file, version];
        let mut command = Command::new("openssl");
        command.args(arguments).args(["-verify_return_error", "-alpn", "http/1.1"]);
        if let Some(out) = run(command.stdin(std::process::Stdio::null())) {
            assert!(out.contains("Verify return code: 0 (ok)"), "{out}");
            assert!(out.contains("ALPN protocol: http/1.1"), "{out}");
        }
    }
    let mut old = Command::new("openssl");
    old.args(["s_client", "-connect", &address, "-tls1_1"]).stdin(std::process::Stdio::null());
    if let Ok(output) = old.output() {
        assert!(!output.status.success(), "TLS 1.1 is not spoken");
    }
}
