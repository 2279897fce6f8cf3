//! Heads that are too large or none: refused at once, and many requests in one write.

use super::{Target, say, statuses};

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let target = Target::start("").await;
    let large = "a".repeat(70_000);
    let many: String = (0..70).map(|index| format!("X-{index}: y\r\n")).collect();
    for (what, head) in [
        ("a header", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {large}\r\n\r\n")),
        ("a name", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{large}: x\r\n\r\n")),
        ("a host", format!("GET /healthz HTTP/1.1\r\nHost: {large}\r\n\r\n")),
        ("headers", format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}\r\n")),
        ("an address", format!("GET /{large} HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ("a method", format!("{large} / HTTP/1.1\r\nHost: localhost\r\n\r\n")),
        ("a line without an end", large.clone()),
    ] {
        let answer = say(&target.daemon, head.as_bytes()).await;
        assert!(matches!(statuses(&answer)[..], [400 | 414 | 431]), "{what}: {answer}");
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn what_is_no_head_is_refused() {
    let target = Target::start("").await;
    for head in [
        "GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET\t/healthz\tHTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
        "GET /healthz http/1.1\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX Y: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n: a\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\nHost: localhost\r\nX\u{e9}: a\r\n\r\n",
        "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ] {
        let answer = say(&target.daemon, head.as_bytes()).await;
        assert!(matches!(statuses(&answer)[..], [400..=499]), "{head:?}: {answer}");
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn many_requests_in_one_write_are_answered_in_order() {
    let target = Target::start("").await;
    let labels = 200;
    let mut all: String = (0..labels)
        .map(|index| format!("GET /api/v1/tasks/task-{index} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        .collect();
    all.push_str("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let answers = say(&target.daemon, all.as_bytes()).await;
    let mut expected = vec![404; labels];
    expected.push(200);
    assert_eq!(statuses(&answers), expected);
    let mut from = 0;
    for index in 0..labels {
        let name = format!("\\\"task-{index}\\\"");
        let found = answers[from..].find(&name);
        from += found.unwrap_or_else(|| panic!("{name} comes after those before it: {answers}"));
    }
    target.is_as_before().await;
}
