//! Hosts and origins that look like ours and are not.

use super::Target;
use crate::{ask, request};

const CONFIG: &str = "hosts = [\"monitor.example\"]\norigins = [\"https://monitor.example\"]";

#[tokio::test]
async fn hosts_that_look_like_ours_are_not() {
    let target = Target::start(CONFIG).await;
    let port = target.daemon.address.port();
    for host in [
        "localhost.evil.example",
        "evil.example.localhost.",
        "monitor.example.evil.example",
        "evilmonitor.example",
        "monitor.example@evil.example",
        "evil.example@monitor.example",
        "localhost:80@evil.example",
        "monitor.example/",
        "monitor.example/../evil.example",
        "monitor.example#evil.example",
        "monitor.example?evil.example",
        "monitor.example,evil.example",
        "monitor.example evil.example",
        "monitor\u{2024}example",
        "xn--monitor-9xa.example",
        "monitor.example:0x50",
        "monitor.example:99999",
        "monitor.example:-1",
        "monitor.example:80:80",
        "127.0.0.1.nip.example",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.0.0.1%00.evil.example",
        "[::ffff:192.0.2.7]",
        "[::1%25lo]",
        "[::1",
        "::1",
        "[::1]evil.example",
        "[localhost]",
        "0.0.0.0",
        "[::]",
        "..",
        "*",
        "null",
    ] {
        let answered = ask(&target.daemon, &request("GET", "/metrics", &[("Host", host)])).await;
        assert!(matches!(answered.status, 400 | 421), "{host}: {answered:?}");
        let with_port = format!("{host}:{port}");
        let answered =
            ask(&target.daemon, &request("GET", "/metrics", &[("Host", &with_port)])).await;
        assert!(matches!(answered.status, 400 | 421), "{with_port}: {answered:?}");
    }
    for host in ["MONITOR.example", "monitor.example:8443", "LocalHost"] {
        let answered = ask(&target.daemon, &request("GET", "/metrics", &[("Host", host)])).await;
        assert_eq!(answered.status, 200, "{host}: {answered:?}");
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn whole_addresses_with_tricks_in_them_are_refused() {
    let target = Target::start(CONFIG).await;
    for address in [
        "http://evil.example/metrics",
        "http://monitor.example@evil.example/metrics",
        "http://localhost:80@evil.example/metrics",
        "http://user:secret@localhost/metrics",
        "http://localhost.evil.example/metrics",
        "http:///metrics",
        "ftp://localhost/metrics",
        "https://localhost/metrics",
        "//localhost/metrics",
        "\\\\localhost\\metrics",
        "localhost/metrics",
        "javascript:alert(1)",
    ] {
        let text = request("GET", address, &[("Host", "localhost")]);
        let answered = ask(&target.daemon, &text).await;
        assert!((400..500).contains(&answered.status), "{address}: {answered:?}");
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn origins_that_look_like_ours_are_not() {
    let target = Target::start(CONFIG).await;
    let host = target.daemon.address.to_string();
    let port = target.daemon.address.port();
    let mut origins: Vec<String> = [
        "null",
        "",
        "https://monitor.example.evil.example",
        "https://evilmonitor.example",
        "https://monitor.example@evil.example",
        "https://monitor.example:444",
        "https://monitor.example/",
        "https://monitor.example, https://evil.example",
        "http://monitor.example",
        "HTTPS//monitor.example",
        "https://monitor.example\\evil",
        "https://xn--mnitor-9xa.example",
        "file://",
        "chrome-extension://abcdefghijklmnop",
        "*",
    ]
    .map(str::to_owned)
    .into();
    origins.push(format!("https://{host}"));
    origins.push(format!("http://{host}.evil.example"));
    origins.push(format!("http://127.0.0.1:{}", port ^ 1));
    origins.push(format!("http://[::ffff:192.0.2.7]:{port}"));
    for origin in origins {
        for (method, path) in [("GET", "/metrics"), ("POST", "/api/v1/tasks"), ("GET", "/ws")] {
            let headers = [("Host", host.as_str()), ("Origin", &origin)];
            let answered = ask(&target.daemon, &request(method, path, &headers)).await;
            assert!(matches!(answered.status, 400 | 403), "{origin} {path}: {answered:?}");
            assert!(!answered.headers.contains("access-control"), "{answered:?}");
        }
    }
    // Two of them are none.
    let own = format!("http://{host}");
    let both = [("Host", host.as_str()), ("Origin", &own), ("Origin", "http://evil.example")];
    let answered = ask(&target.daemon, &request("GET", "/metrics", &both)).await;
    assert!(matches!(answered.status, 400 | 403), "{answered:?}");
    target.is_as_before().await;
}
