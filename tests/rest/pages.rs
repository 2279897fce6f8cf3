//! What a browser and an orchestrator ask for: the dashboard's files, health and readiness.

use crate::support::{Root, daemon};
use crate::{keys, send};

const POLICY: &str = "default-src 'none'; script-src 'self'";

/// What a page or a script names within the dashboard's folder.
fn references(path: &str, text: &str) -> Vec<String> {
    let html = ["href=\"dashboard/", "src=\"dashboard/"];
    let script = ["from './", "from \"./", "import './", "import \"./"];
    let marks = if path.ends_with(".js") { &script[..] } else { &html[..] };
    let mut found = Vec::new();
    for mark in marks {
        for rest in text.split(mark).skip(1) {
            let name = rest.split(['"', '\'']).next().unwrap_or_default();
            found.push(format!("/dashboard/{name}"));
        }
    }
    found
}

#[tokio::test]
async fn the_dashboard_and_all_that_it_loads() {
    let daemon = daemon().start().await;
    let (mut waiting, mut seen) = (vec!["/dashboard".to_owned()], Vec::new());
    while let Some(path) = waiting.pop() {
        if seen.contains(&path) {
            continue;
        }
        let answer = daemon.get(&path).await;
        assert_eq!(answer.status, 200, "{path}");
        let expected = match path.rsplit_once('.') {
            None => "text/html; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            Some(_) => panic!("{path}: a kind of file that this test does not know"),
        };
        assert_eq!(answer.header("content-type"), expected, "{path}");
        assert!(answer.header("content-security-policy").starts_with(POLICY), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        waiting.extend(references(&path, &answer.text));
        seen.push(path);
    }
    for path in ["/dashboard/app.js", "/dashboard/style.css", "/dashboard/favicon.svg"] {
        assert!(seen.iter().any(|seen| seen == path), "{path} in {seen:?}");
    }
    assert!(seen.iter().any(|path| path.contains("uPlot")), "{seen:?}");
}

#[tokio::test]
async fn a_browser_s_copy_is_confirmed_without_a_body() {
    let daemon = daemon().start().await;
    for path in ["/dashboard", "/dashboard/app.js"] {
        let first = daemon.get(path).await;
        let tag = first.header("etag");
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 10, "{tag}");
        assert_eq!(first.header("cache-control"), "no-cache");
        let fresh = send(&daemon, "GET", path, &[("if-none-match", tag)], "").await;
        assert_eq!((fresh.status, fresh.text.as_str()), (304, ""), "{path}");
        assert_eq!(fresh.header("etag"), tag, "{path}");
        let stale = send(&daemon, "GET", path, &[("if-none-match", "\"old\"")], "").await;
        assert_eq!((stale.status, stale.text), (200, first.text.clone()), "{path}");
    }
}

#[tokio::test]
async fn the_root_leads_to_the_dashboard() {
    let daemon = daemon().start().await;
    for path in ["/", "/dashboard/"] {
        let answer = send(&daemon, "GET", path, &[], "").await;
        assert_eq!((answer.status, answer.header("location")), (302, "/dashboard"), "{path}");
    }
}

#[tokio::test]
async fn live_but_not_ready_while_a_first_collection_is_missing() {
    let root = Root::with_load_that_blocks();
    let config = root.config("deadline = \"1h\"");
    let daemon = daemon().config(&config).launch();
    let live = daemon.get("/healthz").await;
    assert_eq!((live.status, live.text.as_str()), (200, "ok\n"));
    let ready = daemon.get("/readyz").await;
    assert_eq!((ready.status, ready.text.as_str()), (503, "waiting for the first collection\n"));
    let health = daemon.get("/api/v1/health").await.json();
    assert_eq!(keys(&health), ["checks", "ready", "status"]);
    assert_eq!(health["ready"], false, "{health}");
    root.mend();
    daemon.until_ready().await;
}
