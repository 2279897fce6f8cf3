//! What every answer tells browsers to forbid.

use crate::support::daemon;
use crate::{REQUESTS, ask, request};

#[tokio::test]
async fn every_answer_is_hardened() {
    let daemon = daemon().start().await;
    let host = daemon.address.to_string();
    for (method, path) in REQUESTS.into_iter().filter(|(_, path)| *path != "/ws") {
        for host in [&*host, "evil.example"] {
            let answered = ask(&daemon, &request(method, path, &[("Host", host)])).await;
            let what = format!("{method} {path} of {host}: {answered:?}");
            let policy = answered.header("content-security-policy");
            for directive in [
                "default-src 'none'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'none'",
            ] {
                assert!(policy.contains(directive), "{directive}: {what}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}");
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "deny"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answered.header(name), value, "{name}: {what}");
                assert_eq!(answered.headers.matches(&format!("{name}: ")).count(), 1, "{what}");
            }
            let is_page = path.starts_with("/dashboard") && host != "evil.example";
            assert_eq!(policy.contains("script-src 'self'"), is_page, "{what}");
            let opener = answered.header("cross-origin-opener-policy");
            assert_eq!(opener, if is_page { "same-origin" } else { "" }, "{what}");
            assert_eq!(
                answered.header("permissions-policy").contains("camera=()"),
                is_page,
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn browsers_are_not_told_what_they_would_complain_of() {
    let daemon = daemon().config("[server]\nhosts = [\"host.lan\"]").start().await;
    let answered = ask(&daemon, &request("GET", "/dashboard", &[("Host", "host.lan")])).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.header("cross-origin-opener-policy"), "", "{answered:?}");
}
