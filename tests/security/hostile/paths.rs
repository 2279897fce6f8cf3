//! Paths that are to lead out of the dashboard's files, or past the table of who may what.

use super::{Target, say, statuses};

#[tokio::test]
async fn no_path_leads_out_of_the_dashboards_files() {
    let target = Target::start("").await;
    for path in [
        "../../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
        "..%c0%af..%c0%afetc/passwd",
        "..%ef%bc%8f..%ef%bc%8fetc/passwd",
        "..\\..\\..\\etc\\passwd",
        "..%5c..%5cetc%5cpasswd",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "./../mod.rs",
        "mod.rs",
        "vendor/../mod.rs",
        "app.js%00.html",
        "app.js%00",
        "%00",
        "app.js/",
        "app.js/..",
        "APP.JS",
        "app.js;x",
        "app.js::$DATA",
        "~root/.ssh/id_ed25519",
        "file:///etc/passwd",
    ] {
        let head = format!(
            "GET /dashboard/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let answer = say(&target.daemon, head.as_bytes()).await;
        assert!(matches!(statuses(&answer)[..], [400 | 404]), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("rust_embed"), "{path}: {answer}");
    }
    target.is_as_before().await;
}

#[tokio::test]
async fn no_spelling_of_a_path_needs_no_token() {
    let target = Target::start("").await;
    let token = target.daemon.make_token("me", "admin", &[]);
    target.daemon.until_known(&token).await;
    for path in [
        "/api/v1/tokens",
        "//api/v1/tokens",
        "/api//v1/tokens",
        "/api/v1/tokens/",
        "/API/v1/tokens",
        "/api/v1/%74okens",
        "/api/v1/tokens%2f",
        "/api/v1/tokens%00",
        "/api/v1/tokens;a=b",
        "/api/v1/./tokens",
        "/api/v1/x/../tokens",
        "/healthz/../api/v1/tokens",
        "/healthz/%2e%2e/api/v1/tokens",
        "/dashboard/..%2fapi/v1/tokens",
        "/dashboard/../api/v1/tokens",
        "/healthz%2f..%2fapi%2fv1%2ftokens",
        "/healthz?/../api/v1/tokens",
        "/api/v1/tokens#/healthz",
    ] {
        for method in ["GET", "HEAD", "POST", "get", "PROPFIND"] {
            let head = format!(
                "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-HTTP-Method-Override: GET\r\n\
                 X-Original-URL: /healthz\r\nX-Rewrite-URL: /healthz\r\nConnection: close\r\n\r\n"
            );
            let answer = say(&target.daemon, head.as_bytes()).await;
            assert!(!answer.contains("\"tokens\""), "{method} {path}: {answer}");
            let is_public = path.starts_with("/healthz?") && matches!(method, "GET" | "HEAD");
            assert_eq!(statuses(&answer) == [200], is_public, "{method} {path}: {answer}");
        }
    }
    target.is_as_before().await;
}
