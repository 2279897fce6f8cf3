//! Sessions as browsers have them, and what others try with them; and wrong tokens.

use serde_json::{Value, json};

use crate::support::{Daemon, daemon, until};
use crate::{Answered, ask, request};

/// Logs in by `POST /api/v1/session` with these headers.
async fn log_in(daemon: &Daemon, token: &str, headers: &[(&str, &str)]) -> Answered {
    let host = daemon.address.to_string();
    let headers = [&[("Host", host.as_str())], headers].concat();
    let text = request("POST", "/api/v1/session", &headers);
    let (head, _) = text.split_once("\r\nContent-Length").expect("a length");
    let body = json!({ "token": token }).to_string();
    ask(daemon, &format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await
}

/// The `name=value` of the cookie that an answer sets. The headers are in lower case.
fn attributes(answered: &Answered) -> Vec<String> {
    let cookie = answered.header("set-cookie");
    cookie.split("; ").map(str::to_owned).collect()
}

/// A session's cookie, in the case that it came with.
async fn cookie(daemon: &Daemon, token: &str) -> String {
    let client = reqwest::Client::new();
    let body = json!({ "token": token }).to_string();
    let request = client.post(daemon.url("/api/v1/session")).body(body);
    let answer = request.header("content-type", "application/json").send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 204);
    let cookie = answer.headers()["set-cookie"].to_str().expect("ASCII").to_owned();
    cookie.split(';').next().expect("a value").to_owned()
}

#[tokio::test]
async fn a_cookie_stands_for_a_token_until_the_end_of_the_session() {
    let daemon = daemon().start().await;
    let open = log_in(&daemon, "x", &[]).await;
    assert_eq!((open.status, open.code().as_str()), (409, "no_login"));
    let token = daemon.make_token("me", "operator", &[]);
    daemon.until_known(&token).await;
    let answered = log_in(&daemon, &token, &[]).await;
    assert_eq!((answered.status, answered.header("cache-control")), (204, "no-store"));
    let attributes = attributes(&answered);
    assert!(attributes[0].starts_with("gz-monitor-session=gzm_"), "{attributes:?}");
    assert!(!attributes[0].contains(&token.to_lowercase()), "it is another secret");
    assert_eq!(attributes[1..], ["path=/", "max-age=43200", "httponly", "samesite=strict"]);

    let (one, other) = (cookie(&daemon, &token).await, cookie(&daemon, &token).await);
    assert_ne!(one, other, "each session has its own");
    let session = daemon.session(&[("Cookie", &one)]).await;
    assert_eq!((&session["kind"], &session["token"]), (&json!("session"), &json!("me")));
    let origin = format!("http://{}", daemon.address);
    let offer = format!("Cookie: {one}\r\nOrigin: {origin}\r\n");
    let (mut stream, _) = daemon.raw_with(&offer).await;
    // Out, and nothing goes on by it.
    let headers = [("Cookie", one.as_str()), ("Origin", &origin)];
    let out = daemon.send_with("DELETE", "/api/v1/session", &headers).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("max-age=0"), "{out:?}");
    assert_eq!(stream.close_code().await, 1008);
    assert_eq!(daemon.get_with("/metrics", &[("Cookie", &one)]).await.status, 401);
    assert_eq!(daemon.get_with("/metrics", &[("Cookie", &other)]).await.status, 200);
    // A session ends with its token.
    assert_eq!(daemon.token(&["revoke", "me"]).0, 0);
    until("the session has ended", || async {
        (daemon.get_with("/metrics", &[("Cookie", &other)]).await.status == 401).then_some(())
    })
    .await;
}

#[tokio::test]
async fn logging_in_again_ends_the_session_before() {
    let daemon = daemon().start().await;
    let token = daemon.make_token("me", "viewer", &[]);
    daemon.until_known(&token).await;
    let before = cookie(&daemon, &token).await;
    let origin = format!("http://{}", daemon.address);
    let again = log_in(&daemon, &token, &[("Cookie", &before), ("Origin", &origin)]).await;
    assert_eq!(again.status, 204);
    assert_eq!(daemon.get_with("/metrics", &[("Cookie", &before)]).await.status, 401);
}

#[tokio::test]
async fn there_are_so_many_sessions_and_the_oldest_ends() {
    let daemon = daemon().config("[server.auth]\nmax_sessions = 2").start().await;
    let token = daemon.make_token("me", "viewer", &[]);
    daemon.until_known(&token).await;
    let mut cookies = Vec::new();
    for _ in 0..3 {
        cookies.push(cookie(&daemon, &token).await);
    }
    let mut statuses = Vec::new();
    for cookie in &cookies {
        statuses.push(daemon.get_with("/metrics", &[("Cookie", cookie)]).await.status);
    }
    assert_eq!(statuses, [401, 200, 200]);
}

#[tokio::test]
async fn a_page_of_another_port_cannot_use_the_cookie() {
    let config = "[server]\norigins = [\"http://127.0.0.1:1\", \"https://monitor.example\"]";
    let daemon = daemon().config(config).start().await;
    let token = daemon.make_token("me", "admin", &[]);
    daemon.until_known(&token).await;
    let cookie = cookie(&daemon, &token).await;
    let own = format!("http://{}", daemon.address);
    let reload = |more: &[(&'static str, &str)]| {
        let headers: Vec<(&str, String)> = [("Cookie", cookie.as_str())]
            .iter()
            .chain(more)
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let daemon = &daemon;
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            daemon.send_with("POST", "/api/v1/alerts/x/resolve", &headers).await.status
        }
    };
    // 404: it was let in.
    assert_eq!(reload(&[("Origin", &own)]).await, 404);
    assert_eq!(reload(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]).await, 404);
    let proxied = [("Origin", "https://monitor.example"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(reload(&proxied).await, 404, "a proxy that speaks TLS");
    assert_eq!(reload(&[]).await, 401, "a browser that says nothing");
    assert_eq!(reload(&[("Origin", "http://127.0.0.1:1")]).await, 401, "listed, and not ours");
    let same_site = [("Origin", "http://127.0.0.1:1"), ("Sec-Fetch-Site", "same-site")];
    assert_eq!(reload(&same_site).await, 401);
    assert_eq!(reload(&[("Origin", "http://evil.example")]).await, 403);
    let stream = daemon.handshake(&format!("Cookie: {cookie}\r\n")).await;
    assert_eq!(stream.status, 401, "a handshake that says not where it is from");
    let foreign = format!("Cookie: {cookie}\r\nOrigin: http://127.0.0.1:1\r\n");
    assert_eq!(daemon.handshake(&foreign).await.status, 401);
}

#[tokio::test]
async fn a_proxy_that_speaks_tls_has_the_cookie_kept_to_tls() {
    let config = "[server]\norigins = [\"https://monitor.example\"]";
    let daemon = daemon().config(config).start().await;
    let token = daemon.make_token("me", "viewer", &[]);
    daemon.until_known(&token).await;
    let answered = log_in(&daemon, &token, &[("Origin", "https://monitor.example")]).await;
    let attributes = attributes(&answered);
    assert!(attributes[0].starts_with("__host-gz-monitor-session="), "{attributes:?}");
    assert!(attributes.contains(&"secure".to_owned()), "{attributes:?}");
}

#[tokio::test]
async fn wrong_tokens_are_slowed_by_address_and_right_ones_are_not() {
    let daemon = daemon().config("[server.auth]\nmax_failures_per_minute = 3").start().await;
    let token = daemon.make_token("me", "viewer", &[]);
    daemon.until_known(&token).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(log_in(&daemon, "gzm_guess", &[]).await.status);
        let bearer = [("Authorization", "Bearer gzm_guess")];
        statuses.push(daemon.get_with("/metrics", &bearer).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429, 429]);
    let slowed = log_in(&daemon, "gzm_guess", &[]).await;
    assert_eq!(slowed.code(), "too_many_failures");
    let wait: u64 = slowed.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(log_in(&daemon, &token, &[]).await.status, 204, "nobody is locked out");
    daemon.until_logged("access refused").await;
    let log = daemon.log();
    assert!(log.contains("reason=\"invalid\"") || log.contains("reason=invalid"), "{log}");
    assert!(log.contains("reason=\"slowed\"") || log.contains("reason=slowed"), "{log}");
    assert!(log.contains("127.0.0.1:"), "with the address: {log}");
    let bearer = format!("Bearer {token}");
    until("it is counted", || async {
        let metrics = daemon.get_with("/metrics", &[("Authorization", &bearer)]).await.body;
        let has = |line: &str| metrics.contains(line);
        let counted = has("gz_auth_refused_total{reason=\"invalid\"} 3")
            && has("gz_auth_refused_total{reason=\"slowed\"} 4")
            && has("gz_auth_required 1")
            && has("gz_auth_tokens 1")
            && has("gz_auth_sessions 1");
        counted.then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_changed_is_written_down() {
    let daemon = daemon().start().await;
    daemon.post("/api/v1/tasks", json!({"id": "a", "name": "by anybody"})).await;
    let admin = daemon.make_token("admin", "admin", &[]);
    let operator = daemon.make_token("ci", "operator", &[]);
    daemon.until_known(&operator).await;
    let by = |token: &str| format!("Bearer {token}");
    let (ci, root) = (by(&operator), by(&admin));
    let stop = "/api/v1/tasks/a/stop?secret=1";
    assert_eq!(daemon.send_with("POST", stop, &[("Authorization", &ci)]).await.status, 200);
    daemon.get_with("/api/v1/tasks", &[("Authorization", &ci)]).await;
    daemon.send_with("DELETE", "/api/v1/tasks/none", &[("Authorization", &root)]).await;
    let audit = daemon.get_with("/api/v1/audit", &[("Authorization", &root)]).await;
    let audit: Value = serde_json::from_str(&audit.body).expect("JSON");
    let changes = audit["changes"].as_array().expect("a list");
    // The tokens were made in their file.
    let by_request = changes.iter().filter(|change| change["who"] != "file");
    let told: Vec<String> = by_request
        .map(|change| {
            let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
            assert!(text("from").starts_with("127.0.0.1:"), "{change}");
            let (who, method, path) = (text("who"), text("method"), text("path"));
            format!("{who}: {method} {path} {}", change["status"])
        })
        .collect();
    let expected = [
        "token admin: DELETE /api/v1/tasks/none 404",
        "token ci: POST /api/v1/tasks/a/stop 200",
        "anybody: POST /api/v1/tasks 201",
    ];
    assert_eq!(told, expected);
    assert_eq!(audit["total"], 5);
    daemon.until_logged("/api/v1/tasks/a/stop").await;
    assert!(!daemon.log().contains("secret=1"));
}
