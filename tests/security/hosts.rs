//! By which names the daemon is called: a page's own name that leads here (DNS rebinding) is none.

use std::net::TcpListener;

use crate::support::{Daemon, daemon};
use crate::{REQUESTS, ask, ask_by_socket, exchange, request};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_name_that_only_leads_here_gets_nothing() {
    let daemon = daemon().start().await;
    let port = daemon.address.port();
    for (method, path) in REQUESTS {
        for host in [format!("evil.example:{port}"), "evil.example".to_owned()] {
            let origin = format!("http://{host}");
            let answered = ask(&daemon, &request(method, path, &[("Host", &host)])).await;
            assert_eq!(answered.status, 421, "{method} {path}: {answered:?}");
            assert_eq!(answered.header("content-type"), "application/problem+json");
            if method != "HEAD" {
                assert_eq!(answered.code(), "host_refused", "{method} {path}");
                assert!(answered.body.contains("server.hosts"), "{}", answered.body);
            }
            // A page that was bound to us says that it is at home.
            let headers =
                [("Host", &*host), ("Origin", &origin), ("Sec-Fetch-Site", "same-origin")];
            let answered = ask(&daemon, &request(method, path, &headers)).await;
            assert_eq!(answered.status, 421, "{method} {path}: {answered:?}");
            assert!(!answered.headers.contains("access-control"), "{answered:?}");
        }
    }
    let tasks = daemon.get("/api/v1/tasks").await.json();
    assert_eq!(tasks["tasks"], serde_json::json!([]), "no task was made");
}

#[tokio::test]
async fn our_own_names_get_everything() {
    let daemon = daemon().start().await;
    let port = daemon.address.port();
    for host in [format!("localhost:{port}"), format!("127.0.0.1:{port}"), "localhost:1".to_owned()]
    {
        for (method, path) in REQUESTS {
            let answered = ask(&daemon, &request(method, path, &[("Host", &host)])).await;
            let status = answered.status;
            assert!(!matches!(status, 403 | 421), "{method} {path}: {answered:?}");
            if path == "/ws" {
                assert_eq!(status, 101, "{answered:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_has_one_host() {
    let daemon = daemon().start().await;
    let both = [("Host", "localhost"), ("Host", "localhost")];
    for (what, text) in [
        ("none", request("GET", "/healthz", &[])),
        ("two", request("GET", "/healthz", &both)),
        ("two", request("GET", "/ws", &both)),
        ("no name", request("GET", "/healthz", &[("Host", "a b")])),
        ("empty", request("GET", "/healthz", &[("Host", "")])),
        ("an old one without", "GET /healthz HTTP/1.0\r\n\r\n".to_owned()),
        ("a whole address without", request("GET", "http://localhost/healthz", &[])),
    ] {
        let answered = ask(&daemon, &text).await;
        assert_eq!((answered.status, &*answered.code()), (400, "invalid_host"), "{what}");
    }
    let old = ask(&daemon, "GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(old.status, 200, "{old:?}");
}

#[tokio::test]
async fn a_whole_address_counts_instead_of_the_header() {
    let daemon = daemon().start().await;
    for (target, host, status) in [
        ("http://evil.example/healthz", "localhost", 421),
        ("http://localhost/healthz", "evil.example", 200),
        ("https://localhost/healthz", "localhost", 421),
    ] {
        let answered = ask(&daemon, &request("GET", target, &[("Host", host)])).await;
        assert_eq!(answered.status, status, "{target} {host}: {answered:?}");
    }
}

async fn status(daemon: &Daemon, path: &str, host: &str) -> u16 {
    ask(daemon, &request("GET", path, &[("Host", host)])).await.status
}

#[tokio::test]
async fn prometheus_by_a_name_that_is_listed() {
    let daemon = daemon().config("[server]\nhosts = [\"host.lan\"]").start().await;
    let port = daemon.address.port();
    for path in ["/metrics", "/api/v1/query?query=1", "/ws", "/dashboard"] {
        assert!(status(&daemon, path, &format!("host.lan:{port}")).await < 400, "{path}");
        assert!(status(&daemon, path, "HOST.LAN").await < 400, "{path}");
        assert_eq!(status(&daemon, path, &format!("other.lan:{port}")).await, 421, "{path}");
    }
}

#[tokio::test]
async fn a_reload_brings_another_list_to_connections_that_are_open() {
    let daemon = daemon().start().await;
    let mut stream = TcpStream::connect(daemon.address).await.expect("a connection");
    let text = request("GET", "/healthz", &[("Host", "host.lan")]);
    assert_eq!(exchange(&mut stream, &text).await.status, 421);
    for (config, status) in [("[server]\nhosts = [\"host.lan\"]", 200), ("", 421)] {
        std::fs::write(daemon.path().join("gz-monitor.toml"), config).expect("a file");
        assert_eq!(daemon.post_nothing("/api/v1/reload").await.status, 200);
        assert_eq!(exchange(&mut stream, &text).await.status, status, "{config}");
    }
}

#[tokio::test]
async fn addresses_of_both_kinds() {
    let config = "[server]\nhost = \"0.0.0.0\"\ninsecure = true";
    let daemon = daemon().config(config).start().await;
    let port = daemon.address.port();
    assert_eq!(status(&daemon, "/healthz", &format!("127.0.0.1:{port}")).await, 200);
    // Linux connects it to itself, and browsers have done so too.
    assert_eq!(status(&daemon, "/healthz", &format!("0.0.0.0:{port}")).await, 421);
    assert_eq!(status(&daemon, "/healthz", &format!("192.0.2.7:{port}")).await, 421);
    let Ok(socket) = TcpListener::bind("[::1]:0") else {
        return eprintln!("skipped: there is no IPv6");
    };
    drop(socket);
    let daemon = crate::support::daemon().config("[server]\nhost = \"::1\"").start().await;
    let port = daemon.address.port();
    assert_eq!(status(&daemon, "/healthz", &format!("[::1]:{port}")).await, 200);
    assert_eq!(status(&daemon, "/healthz", &format!("localhost:{port}")).await, 200);
}

#[tokio::test]
async fn a_socket_that_the_service_manager_opened() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let daemon = daemon().inherits(socket, "gz-monitor.socket").start().await;
    let port = daemon.address.port();
    assert_eq!(status(&daemon, "/metrics", &format!("127.0.0.1:{port}")).await, 200);
    assert_eq!(status(&daemon, "/metrics", &format!("evil.example:{port}")).await, 421);
}

#[tokio::test]
async fn a_unix_socket_is_localhost() {
    let builder = daemon();
    let path = builder.path().join("s");
    let hosts = "hosts = [\"host.lan\"]";
    let config = format!("[server]\nsocket = {:?}\n{hosts}", path.display().to_string());
    let daemon = builder.config(&config).start().await;
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:8080", 200),
        ("host.lan", 200),
        ("unix", 421),
        ("evil.example", 421),
    ] {
        let answered = ask_by_socket(&path, &request("GET", "/healthz", &[("Host", host)])).await;
        assert_eq!(answered.status, status, "{host}: {answered:?}");
    }
    let foreign = [("Host", "localhost"), ("Origin", "http://evil.example")];
    let answered = ask_by_socket(&path, &request("POST", "/api/v1/reload", &foreign)).await;
    assert_eq!(answered.status, 403, "{answered:?}");
    drop(daemon);
}
