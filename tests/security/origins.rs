//! Pages of other origins: what they ask in a browser is refused, by whichever of its marks.

use crate::support::daemon;
use crate::{REQUESTS, ask, request};

#[tokio::test]
async fn a_page_of_another_origin_gets_nothing() {
    let daemon = daemon().start().await;
    let host = daemon.address.to_string();
    let own = format!("http://{host}");
    for (method, path) in REQUESTS {
        for origin in
            ["http://evil.example", "null", "http://localhost", "http://127.0.0.1:1", "file://"]
        {
            let headers = [("Host", &*host), ("Origin", origin)];
            let answered = ask(&daemon, &request(method, path, &headers)).await;
            assert_eq!(answered.status, 403, "{method} {path} of {origin}: {answered:?}");
            assert!(!answered.headers.contains("access-control"), "{answered:?}");
            if method != "HEAD" {
                assert_eq!(answered.code(), "origin_refused", "{method} {path}");
            }
        }
        let headers = [("Host", &*host), ("Origin", &own), ("Sec-Fetch-Site", "same-origin")];
        let answered = ask(&daemon, &request(method, path, &headers)).await;
        assert_ne!(answered.status, 403, "{method} {path}: {answered:?}");
        assert!(!answered.headers.contains("access-control"), "{answered:?}");
    }
}

#[tokio::test]
async fn images_scripts_frames_and_forms_of_another_site() {
    let daemon = daemon().start().await;
    let host = daemon.address.to_string();
    for (method, path) in REQUESTS {
        let caused = async |site, mode, dest| {
            let headers = [
                ("Host", &*host),
                ("Sec-Fetch-Site", site),
                ("Sec-Fetch-Mode", mode),
                ("Sec-Fetch-Dest", dest),
            ];
            ask(&daemon, &request(method, path, &headers)).await
        };
        for (mode, dest) in [("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe")] {
            for site in ["cross-site", "same-site"] {
                let answered = caused(site, mode, dest).await;
                assert_eq!(answered.status, 403, "{method} {path} {dest}: {answered:?}");
            }
        }
        let linked = caused("cross-site", "navigate", "document").await;
        let is_read = matches!(method, "GET" | "HEAD");
        assert_eq!(linked.status != 403, is_read, "{method} {path}: {linked:?}");
    }
}

#[tokio::test]
async fn a_form_of_another_site_is_no_json() {
    let daemon = daemon().start().await;
    let text = request("POST", "/api/v1/tasks", &[("Host", "localhost")]);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let answered = ask(&daemon, &text.replace("application/json", kind)).await;
        assert_eq!((answered.status, &*answered.code()), (415, "not_json"), "{kind:?}");
    }
}

#[tokio::test]
async fn behind_a_proxy_that_speaks_tls() {
    let proxied = [
        ("Host", "monitor.example"),
        ("Origin", "https://monitor.example"),
        ("X-Forwarded-For", "198.51.100.9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "monitor.example"),
    ];
    let both = "hosts = [\"monitor.example\"]\norigins = [\"https://monitor.example\"]";
    let without_origin = "hosts = [\"monitor.example\"]";
    let without_host = "origins = [\"https://monitor.example\"]";
    for (config, status) in [(both, 101), (without_origin, 403), (without_host, 421), ("", 421)] {
        let daemon = daemon().config(&format!("[server]\n{config}")).start().await;
        let answered = ask(&daemon, &request("GET", "/ws", &proxied)).await;
        assert_eq!(answered.status, status, "{config}: {answered:?}");
        // What the proxy names its own way is not believed.
        let forged = [("Host", "evil.example"), ("X-Forwarded-Host", "localhost")];
        let answered = ask(&daemon, &request("GET", "/metrics", &forged)).await;
        assert_eq!(answered.status, 421, "{answered:?}");
    }
}
