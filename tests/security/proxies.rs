//! What a proxy says of whom it asks for: believed of those that are listed, and of nobody else.

use std::net::Ipv4Addr;

use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Builder, Daemon, daemon, until};
use crate::{Answered, ask_by_socket, exchange, request};

/// The last part of 127.0.0.x: of the proxy that is listed, and of somebody who is not.
const PROXY: u8 = 1;
const STRANGER: u8 = 3;

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";

/// A daemon behind 127.0.0.1; `more` is of `[server]`.
fn behind(more: &str) -> Builder {
    daemon().config(&format!("[server]\ntrusted_proxies = [\"127.0.0.1\"]\n{more}\n"))
}

async fn connect_from(daemon: &Daemon, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).expect("an address");
    socket.connect(daemon.address).await.expect("a connection")
}

/// Asks from 127.0.0.`last`.
async fn ask_from(
    daemon: &Daemon,
    last: u8,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
) -> Answered {
    let host = daemon.address.to_string();
    let headers = [&[("Host", host.as_str())], headers].concat();
    let mut stream = connect_from(daemon, last).await;
    exchange(&mut stream, &request(method, path, &headers)).await
}

/// From where the last change came, as it is written down.
async fn last_change(daemon: &Daemon) -> String {
    let answered = ask_from(daemon, STRANGER, ("GET", "/api/v1/audit"), &[]).await;
    let audit: Value = serde_json::from_str(&answered.body).expect("JSON");
    audit["changes"][0]["from"].as_str().expect("an address").to_owned()
}

/// From where it is written down that a change came which bears these headers.
async fn from(daemon: &Daemon, last: u8, headers: &[(&str, &str)]) -> String {
    let made = ask_from(daemon, last, ("POST", "/api/v1/tasks"), headers).await;
    assert_eq!(made.status, 201, "{made:?}");
    last_change(daemon).await
}

#[tokio::test]
async fn a_listed_proxy_is_believed_and_nobody_else() {
    let daemon = behind("").start().await;
    assert_eq!(from(&daemon, PROXY, &[(FOR, "192.0.2.1")]).await, "192.0.2.1");
    assert_eq!(from(&daemon, PROXY, &[(FOR, "2001:db8::7")]).await, "2001:db8::7");
    assert_eq!(from(&daemon, PROXY, &[(FOR, "198.51.100.1, 192.0.2.1")]).await, "192.0.2.1");
    assert_eq!(from(&daemon, PROXY, &[(FOR, "192.0.2.1, 127.0.0.1")]).await, "192.0.2.1");
    let other = [(FOR, "192.0.2.1"), ("Forwarded", "for=192.0.2.2")];
    assert_eq!(from(&daemon, PROXY, &other).await, "192.0.2.1");
    assert!(from(&daemon, PROXY, &[]).await.starts_with("127.0.0.1:"));
    for (name, value) in [(FOR, "192.0.2.1"), (FOR, "nonsense"), ("Forwarded", "for=192.0.2.1")] {
        let told = from(&daemon, STRANGER, &[(name, value), (PROTO, "nonsense")]).await;
        assert!(told.starts_with("127.0.0.3:"), "{told}");
    }
    daemon.until_logged("from=192.0.2.1").await;
}

#[tokio::test]
async fn by_default_nobody_is_believed() {
    let daemon = daemon().start().await;
    let told = from(&daemon, PROXY, &[(FOR, "192.0.2.1"), (PROTO, "https")]).await;
    assert!(told.starts_with("127.0.0.1:"), "{told}");
    daemon.reload("[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\nproxy_header = \"forwarded\"");
    daemon.until_logged("trusted_proxies").await;
    let headers = [("Forwarded", "for=\"[2001:db8::7]:1\";proto=http"), (FOR, "192.0.2.1")];
    until("it is believed", || async {
        (from(&daemon, PROXY, &headers).await == "2001:db8::7").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused() {
    let daemon = behind("").start().await;
    let many = "x, 127.0.0.1";
    for headers in [[(FOR, "nonsense")], [(FOR, many)], [(PROTO, "wss")], [(PROTO, "https,http")]] {
        for (method, path) in [("GET", "/healthz"), ("POST", "/api/v1/tasks"), ("GET", "/ws")] {
            let answered = ask_from(&daemon, PROXY, (method, path), &headers).await;
            let code = answered.code();
            assert_eq!((answered.status, &*code), (400, "invalid_forwarded"), "{headers:?}");
            assert!(answered.body.contains("server.trusted_proxies"), "{}", answered.body);
        }
    }
    let line = "gz_http_requests_refused_total{reason=\"forwarded\"} 12";
    until("it is counted", || async {
        daemon.get("/metrics").await.text.contains(line).then_some(())
    })
    .await;
    daemon.until_logged("reason=\"forwarded\"").await;
}

#[tokio::test]
async fn a_client_of_the_stream_is_known_by_its_own_address() {
    let daemon = behind("").start().await;
    for (claim, expected) in [("192.0.2.1", "192.0.2.1"), ("x, 2001:db8::7", "2001:db8::7")] {
        let (_open, _) = daemon.raw_with(&format!("{FOR}: {claim}\r\n")).await;
        until("it is listed", || async {
            let clients = daemon.get("/api/v1/clients").await.json();
            let clients = clients["clients"].as_array().expect("a list").clone();
            clients.iter().any(|client| client["address"] == expected).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn wrong_tokens_and_requests_are_counted_by_client() {
    let config = "max_request_rate = 50\n[server.auth]\nmax_failures_per_minute = 2";
    let daemon = behind(config).start().await;
    let token = daemon.make_token("me", "viewer", &[]);
    let bearer = format!("Bearer {token}");
    until("the token is in force", || async {
        let headers = [(FOR, "192.0.2.200"), ("Authorization", &*bearer)];
        let answered = ask_from(&daemon, PROXY, ("GET", "/metrics"), &headers).await;
        let open = ask_from(&daemon, PROXY, ("GET", "/metrics"), &[(FOR, "192.0.2.201")]).await;
        (answered.status == 200 && open.status == 401).then_some(())
    })
    .await;
    let wrong = async |client: &str| {
        let headers = [(FOR, client), ("Authorization", "Bearer gzm_guess")];
        ask_from(&daemon, PROXY, ("GET", "/metrics"), &headers).await.status
    };
    let mut statuses = Vec::new();
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "198.51.100.1, 192.0.2.1", "192.0.2.2"] {
        statuses.push(wrong(client).await);
    }
    assert_eq!(statuses, [401, 401, 429, 429, 401], "a claim is no way around");
    daemon.until_logged("peer=192.0.2.1 ").await;
    // Of IPv6 a network counts as one.
    let ask =
        async |client: &str| ask_from(&daemon, PROXY, ("GET", "/healthz"), &[(FOR, client)]).await;
    let mut refused = ask("2001:db8::1").await;
    while refused.status == 200 {
        refused = ask("2001:db8::1").await;
    }
    assert_eq!((refused.status, &*refused.code()), (429, "too_many_requests"));
    assert_eq!(ask("2001:db8:0:1::1").await.status, 200, "another's");
}

#[tokio::test]
async fn streams_are_counted_by_client_and_the_proxys_connections_are_not() {
    let daemon = behind("max_connections_per_address = 2").start().await;
    let mut idle = Vec::new();
    for _ in 0..5 {
        idle.push(connect_from(&daemon, PROXY).await);
    }
    let mut streams = Vec::new();
    let mut open = async |client: &str| {
        let mut stream = connect_from(&daemon, PROXY).await;
        let host = daemon.address.to_string();
        let text = request("GET", "/ws", &[("Host", &host), (FOR, client)]);
        let answered = exchange(&mut stream, &text).await;
        streams.push(stream);
        (answered.status, answered.code())
    };
    let full = (429, "too_many_connections".to_owned());
    assert_eq!([open("192.0.2.1").await.0, open("192.0.2.1").await.0], [101, 101]);
    assert_eq!(open("192.0.2.1").await, full);
    assert_eq!(open("192.0.2.2").await.0, 101);
    assert_eq!([open("2001:db8::1").await.0, open("2001:db8::2").await.0], [101, 101]);
    assert_eq!(open("2001:db8::3").await, full, "one network");
    drop(streams);
    until("their places are free", || async {
        let text = request("GET", "/ws", &[("Host", "localhost"), (FOR, "192.0.2.1")]);
        let mut stream = connect_from(&daemon, PROXY).await;
        (exchange(&mut stream, &text).await.status == 101).then_some(())
    })
    .await;
    // Whoever comes without the proxy has the bound as ever.
    let (one, two) = (connect_from(&daemon, STRANGER).await, connect_from(&daemon, STRANGER).await);
    let mut third = connect_from(&daemon, STRANGER).await;
    assert_eq!(exchange(&mut third, "").await.status, 429);
    drop((one, two, idle));
}

#[tokio::test]
async fn a_proxy_that_speaks_tls_says_so() {
    let daemon = behind("").start().await;
    let origin = format!("https://{}", daemon.address);
    let told = |last: u8, proto: &'static str, path: &'static str| {
        let (daemon, origin) = (&daemon, &origin);
        async move {
            let headers = [(PROTO, proto), ("Origin", origin), ("Sec-Fetch-Site", "same-origin")];
            ask_from(daemon, last, ("GET", path), &headers).await
        }
    };
    for path in ["/api/v1/status", "/ws"] {
        let allowed = if path == "/ws" { 101 } else { 200 };
        assert_eq!(told(PROXY, "https", path).await.status, allowed, "{path}");
        assert_eq!(told(PROXY, "http", path).await.code(), "origin_refused", "{path}");
        assert_eq!(told(STRANGER, "https", path).await.code(), "origin_refused", "{path}");
    }
    let token = daemon.make_token("me", "viewer", &[]);
    daemon.until_known(&token).await;
    let body = format!("{{\"token\":\"{token}\"}}");
    for (last, attribute) in [(PROXY, true), (STRANGER, false)] {
        let text = format!(
            "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             {PROTO}: https\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answered = exchange(&mut connect_from(&daemon, last).await, &text).await;
        assert_eq!(answered.status, 204, "{answered:?}");
        let cookie = answered.header("set-cookie");
        assert_eq!(cookie.contains("; secure"), attribute, "{cookie}");
        assert_eq!(cookie.starts_with("__host-"), attribute, "{cookie}");
    }
}

#[tokio::test]
async fn a_proxy_on_the_unix_socket_is_believed_and_lends_no_rights() {
    let builder = daemon();
    let socket = builder.path().join("s");
    let config =
        format!("[server]\nsocket = \"{}\"\ntrusted_proxies = [\"unix\"]", socket.display());
    let daemon = builder.config(&config).start().await;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let headers = [&[("Host", "localhost")], headers].concat();
        let method = if path.ends_with("tasks") { "POST" } else { "GET" };
        ask_by_socket(&socket, &request(method, path, &headers)).await
    };
    assert_eq!(ask("/api/v1/tasks", &[(FOR, "192.0.2.1")]).await.status, 201);
    assert_eq!(last_change(&daemon).await, "192.0.2.1");
    assert_eq!(ask("/api/v1/tasks", &[]).await.status, 201);
    assert_eq!(last_change(&daemon).await, "unix");
    assert_eq!(
        from(&daemon, PROXY, &[(FOR, "192.0.2.1")]).await.split(':').next(),
        Some("127.0.0.1")
    );
    for (name, value) in [(FOR, "192.0.2.1"), (PROTO, "https")] {
        let answered = ask("/api/v1/session", &[(name, value)]).await;
        assert!(answered.body.contains("\"kind\":\"anybody\""), "{name}: {answered:?}");
    }
}
