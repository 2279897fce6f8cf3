//! Tokens as those meet them who have one, who have none, and who had one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::{daemon, run, until};

#[tokio::test]
async fn the_first_token_closes_the_daemon() {
    let daemon = daemon().start().await;
    let mut before = daemon.websocket().await;
    assert_eq!(daemon.get("/api/v1/status").await.status, 200, "as installed");
    let session = daemon.session(&[]).await;
    assert_eq!((&session["required"], &session["role"]), (&json!(false), &json!("admin")));

    let token = daemon.make_token("ci", "viewer", &["--groups", "ops,web"]);
    daemon.until_known(&token).await;
    assert_eq!(before.close_code().await, Some(1008), "a connection from before");
    let refused = daemon.get("/api/v1/status").await;
    assert_eq!((refused.status, &refused.json()["code"]), (401, &json!("token_missing")));
    for path in ["/healthz", "/readyz", "/dashboard", "/dashboard/app.js"] {
        assert_eq!(daemon.get(path).await.status, 200, "{path}");
    }
    let bearer = format!("bearer {token}");
    let session = daemon.session(&[("Authorization", &bearer)]).await;
    let expected = json!({"required": true, "kind": "token", "token": "ci", "role": "viewer",
        "certificate": null, "groups": ["ops", "web"], "warnings": []});
    assert_eq!(session, expected);
    let nobody = daemon.session(&[]).await;
    assert_eq!((&nobody["kind"], &nobody["role"]), (&json!("anybody"), &Value::Null));
}

#[tokio::test]
async fn a_revoked_token_is_good_for_nothing() {
    let daemon = daemon().start().await;
    let (token, other) =
        (daemon.make_token("a", "operator", &[]), daemon.make_token("b", "viewer", &[]));
    daemon.until_known(&other).await;
    let mut gone = daemon.websocket_with(&token).await;
    let mut stays = daemon.websocket_with(&other).await;
    let (code, out, err) = daemon.token(&["revoke", "a"]);
    assert_eq!((code, out.as_str()), (0, "revoked: a\n"), "{err}");
    assert_eq!(gone.close_code().await, Some(1008));
    let bearer = format!("Bearer {token}");
    let refused = daemon.get_with("/api/v1/tasks", &[("Authorization", &bearer)]).await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "token_invalid"));
    assert!(refused.header("www-authenticate").contains(r#"error="invalid_token""#));
    // A wrong token is refused also where none is needed.
    let refused = daemon.get_with("/healthz", &[("Authorization", &bearer)]).await;
    assert_eq!(refused.status, 401);
    assert_eq!(stays.ask(json!({"type": "ping"}), "pong").await["type"], "pong");
    // The last one goes, and nobody comes in for it.
    assert_eq!(daemon.token(&["revoke", "b"]).0, 0);
    assert_eq!(stays.close_code().await, Some(1008));
    assert_eq!(daemon.get("/api/v1/status").await.status, 401);
}

#[tokio::test]
async fn an_admin_makes_and_revokes_tokens_by_http_at_once() {
    let daemon = daemon().start().await;
    let open = daemon.post("/api/v1/tokens", json!({"name": "x", "role": "admin"})).await;
    assert_eq!((open.status, &open.json()["code"]), (403, &json!("role_too_low")), "nobody is one");
    let admin = daemon.make_token("admin", "admin", &[]);
    daemon.until_known(&admin).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, format!("{admin}\n")).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    let (url, file) = (format!("http://{}", daemon.address), file.display().to_string());
    let by_url = |arguments: &[&str]| {
        run(&[&["token"], arguments, &["--url", &url, "--token-file", &file]].concat())
    };
    let (code, token, err) =
        by_url(&["create", "--name", "ci", "--role", "viewer", "--expires", "30d"]);
    assert_eq!(code, 0, "{err}");
    // It is in force when the command has ended: nothing is waited for.
    let mut client = daemon.websocket_with(token.trim()).await;
    let (_, list, _) = by_url(&["list"]);
    assert!(list.contains("ci ") && list.contains("never") && !list.contains("gzm_"), "{list}");
    let (code, _, err) = by_url(&["create", "--name", "ci", "--role", "viewer"]);
    assert_eq!(code, 1);
    assert!(err.contains("there is a token \"ci\""), "{err}");
    assert_eq!(by_url(&["revoke", "ci"]).0, 0);
    let bearer = format!("Bearer {}", token.trim());
    assert_eq!(daemon.get_with("/metrics", &[("Authorization", &bearer)]).await.status, 401);
    assert_eq!(client.close_code().await, Some(1008));
    let (code, _, err) = by_url(&["revoke", "ci"]);
    assert_eq!(code, 1);
    assert!(err.contains("there is no token \"ci\""), "{err}");
}

#[tokio::test]
async fn a_token_ends_by_itself() {
    let daemon = daemon().start().await;
    let lasting = daemon.make_token("lasting", "viewer", &[]);
    let brief = daemon.make_token("brief", "viewer", &["--expires", "3s"]);
    daemon.until_known(&brief).await;
    let mut client = daemon.websocket_with(&brief).await;
    assert_eq!(client.close_code().await, Some(1008));
    let bearer = format!("Bearer {brief}");
    let refused = daemon.get_with("/metrics", &[("Authorization", &bearer)]).await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "token_expired"));
    let (_, list, _) = daemon.token(&["list"]);
    assert!(list.lines().any(|l| l.starts_with("brief") && l.contains("expired")), "{list}");
    let bearer = format!("Bearer {lasting}");
    assert_eq!(daemon.get_with("/metrics", &[("Authorization", &bearer)]).await.status, 200);
}

#[tokio::test]
async fn a_page_shows_its_token_as_a_subprotocol() {
    let daemon = daemon().start().await;
    let token = daemon.make_token("page", "viewer", &[]);
    daemon.until_known(&token).await;
    let offer = format!("Sec-WebSocket-Protocol: gz-monitor.v1.json, bearer.{token}\r\n");
    let (_, head) = daemon.raw_with(&offer).await;
    assert!(head.contains("sec-websocket-protocol: gz-monitor.v1.json\r\n"), "{head}");
    assert!(!head.contains(&token.to_lowercase()), "it is not repeated: {head}");
    let wrong = "Sec-WebSocket-Protocol: gz-monitor.v1.json, bearer.gzm_x\r\n";
    assert_eq!(daemon.handshake(wrong).await.code(), "token_invalid");
}

#[tokio::test]
async fn no_address_and_no_log_line_has_a_token() {
    let config = "[log]\nlevel = \"debug\"";
    let daemon = daemon().config(config).start().await;
    let token = daemon.make_token("quiet", "viewer", &[]);
    daemon.until_known(&token).await;
    for query in ["token", "access_token", "bearer", "authorization"] {
        for path in ["/metrics", "/api/v1/status", "/ws"] {
            let answered = daemon.get_with(&format!("{path}?{query}={token}"), &[]).await;
            assert_eq!(answered.status, 401, "{path} {query}");
        }
    }
    let wrong = format!("Bearer x{token}");
    let refused = daemon.get_with("/metrics", &[("Authorization", &wrong)]).await;
    assert!(!refused.body.contains(&token), "{refused:?}");
    let body = json!({"token": format!("{token}x")});
    assert_eq!(daemon.post("/api/v1/session", body).await.status, 401);
    daemon.websocket_with(&token).await;
    let bearer = format!("Bearer {token}");
    let metrics = daemon.get_with("/metrics", &[("Authorization", &bearer)]).await;
    assert!(metrics.status == 200 && !metrics.body.contains(&token));
    let log = daemon.log();
    assert!(log.contains("access refused") && !log.contains(&token), "{log}");
    let kept = fs::read_to_string(daemon.tokens_file()).expect("the file");
    assert!(kept.contains("quiet") && !kept.contains(&token[4..]), "{kept}");
    let mode = fs::metadata(daemon.tokens_file()).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_broken_file_changes_nothing_and_a_missing_one_closes() {
    let daemon = daemon().start().await;
    let token = daemon.make_token("a", "viewer", &[]);
    daemon.until_known(&token).await;
    let (file, good) = (daemon.tokens_file(), fs::read(daemon.tokens_file()).expect("the file"));
    let bearer = format!("Bearer {token}");
    let status =
        || async { daemon.get_with("/metrics", &[("Authorization", &bearer)]).await.status };
    fs::write(&file, "{").expect("a file");
    daemon.until_logged("is not a file of tokens").await;
    assert_eq!(status().await, 200);
    fs::write(&file, &good).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("a mode");
    daemon.until_logged("can be written by others").await;
    assert_eq!(status().await, 200);
    fs::remove_file(&file).expect("removed");
    until("nobody has a token", || async { (status().await == 401).then_some(()) }).await;
    assert_eq!(daemon.get("/metrics").await.status, 401, "it is not open for that");
    // Whoever reloads means it.
    daemon.signal("HUP");
    until("it is open", || async { (daemon.get("/metrics").await.status == 200).then_some(()) })
        .await;
}

#[tokio::test]
async fn tokens_may_be_asked_for_though_there_are_none() {
    let daemon = daemon().config("[server.auth]\nrequired = true").launch();
    until("it answers", || async { (daemon.get("/healthz").await.status == 200).then_some(()) })
        .await;
    assert_eq!(daemon.get("/api/v1/status").await.status, 401);
}

#[test]
fn the_command_says_what_cannot_be() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tokens.json").display().to_string();
    let check = |arguments: &[&str], code: i32, text: &str| {
        let (got, out, err) = run(&[&["token"], arguments, &["--tokens-file", &file]].concat());
        assert!(got == code && (out.contains(text) || err.contains(text)), "{got} {out}{err}");
    };
    check(&["list"], 0, "there are no tokens");
    check(&["create", "--name", "a b", "--role", "viewer"], 2, "name: from 1 to 64");
    check(&["create", "--name", "a", "--role", "root"], 2, "there are viewer, operator and admin");
    check(&["create", "--name", "a", "--role", "viewer", "--expires", "0"], 2, "over already");
    check(&["create", "--name", "a", "--role", "viewer"], 0, "gzm_");
    check(&["create", "--name", "a", "--role", "viewer"], 1, "there is a token \"a\"");
    check(&["revoke", "b"], 1, "there is no token \"b\"");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o620)).expect("a mode");
    check(&["list"], 1, "can be written by others (mode 620); chmod 600 it");
    fs::write(&file, "{\"version\":2,\"tokens\":[]}").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    check(&["list"], 1, "has version 2");
}
