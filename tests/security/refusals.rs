//! That refusals are counted by reason, and said in the log once in a while and not each time.

use crate::support::{daemon, until};
use crate::{ask, request};

#[tokio::test]
async fn refusals_are_counted_and_said_once() {
    let config = "[collectors]\ninterval = \"100ms\"";
    let daemon = daemon().config(config).start().await;
    let requests = [
        ("invalid_host", request("GET", "/metrics", &[])),
        ("host", request("GET", "/metrics", &[("Host", "evil.example")])),
        (
            "origin",
            request(
                "POST",
                "/api/v1/reload",
                &[("Host", "localhost"), ("Origin", "http://evil.example")],
            ),
        ),
        (
            "cross_site",
            request("GET", "/metrics", &[("Host", "localhost"), ("Sec-Fetch-Site", "cross-site")]),
        ),
    ];
    for (_, text) in &requests {
        for _ in 0..5 {
            assert!(matches!(ask(&daemon, text).await.status, 400 | 403 | 421));
        }
    }
    for (reason, _) in &requests {
        let line = format!("gz_http_requests_refused_total{{reason=\"{reason}\"}} 5");
        until(&line, || async { daemon.get("/metrics").await.text.contains(&line).then_some(()) })
            .await;
    }
    let log = daemon.log();
    let said: Vec<&str> = log.lines().filter(|line| line.contains("requests refused")).collect();
    assert_eq!(said.len(), 4, "{said:#?}");
    for words in
        ["reason=\"host\"", "evil.example", "server.hosts", "reason=\"origin\"", "server.origins"]
    {
        assert!(said.iter().any(|line| line.contains(words)), "{words}: {said:#?}");
    }
}
