//! CORS: what the pages of listed origins may read, and that nobody else may.

use crate::support::{Daemon, daemon};
use crate::{Answered, ask, request};

const DASH: &str = "https://dash.example";
const CONFIG: &str = "[server]\norigins = [\"https://dash.example\", \"http://b.example:3000\"]";

async fn asked(daemon: &Daemon, method: &str, path: &str, origin: &str) -> Answered {
    let host = daemon.address.to_string();
    let headers = [
        ("Host", &*host),
        ("Origin", origin),
        ("Sec-Fetch-Site", "cross-site"),
        ("Access-Control-Request-Method", "PATCH"),
        ("Access-Control-Request-Headers", "content-type"),
    ];
    ask(daemon, &request(method, path, &headers)).await
}

#[tokio::test]
async fn a_listed_page_reads_and_writes() {
    let daemon = daemon().config(CONFIG).start().await;
    for origin in [DASH, "http://b.example:3000"] {
        for (method, path, status) in [
            ("GET", "/api/v1/status", 200),
            ("GET", "/api/v1/nothing", 404),
            ("GET", "/metrics", 200),
            ("POST", "/api/v1/tasks", 201),
            ("GET", "/ws", 101),
        ] {
            let answered = asked(&daemon, method, path, origin).await;
            assert_eq!(answered.status, status, "{answered:?}");
            assert_eq!(answered.header("access-control-allow-origin"), origin, "{answered:?}");
            assert_eq!(answered.header("vary"), "origin", "{answered:?}");
            assert_eq!(answered.header("access-control-allow-credentials"), "");
        }
    }
}

#[tokio::test]
async fn its_browser_asks_first() {
    let daemon = daemon().config(CONFIG).start().await;
    for (path, methods) in [
        ("/api/v1/tasks", "options, head, get, post"),
        ("/api/v1/tasks/a", "options, head, get, patch, delete"),
        ("/api/v1/status", "options, head, get"),
    ] {
        let answered = asked(&daemon, "OPTIONS", path, DASH).await;
        assert_eq!(answered.status, 204, "{answered:?}");
        assert_eq!(answered.header("access-control-allow-origin"), DASH);
        assert_eq!(answered.header("access-control-allow-methods"), methods);
        let headers = answered.header("access-control-allow-headers");
        assert_eq!(headers, "authorization, content-type, idempotency-key");
        assert_eq!(answered.header("access-control-max-age"), "600");
    }
    let answered = asked(&daemon, "OPTIONS", "/api/v1/tasks", "https://evil.example").await;
    assert_eq!(answered.status, 403, "{answered:?}");
    assert!(!answered.headers.contains("access-control"), "{answered:?}");
}

#[tokio::test]
async fn a_cache_is_told_that_answers_differ() {
    let daemon = daemon().config(CONFIG).start().await;
    let host = daemon.address.to_string();
    let answered = ask(&daemon, &request("GET", "/dashboard/app.js", &[("Host", &host)])).await;
    assert_eq!(answered.header("vary"), "origin", "{answered:?}");
    assert!(!answered.headers.contains("access-control"), "{answered:?}");
}
