//! Clients that show certificates: who they are, what they may do, and when that ends.

use std::fs;
use std::path::Path;

use futures_util::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::certificates::{Authority, Offer, Owned, Pair, config, connect, connect_as, shake};
use crate::roles::{ROLES, cell, routes};
use crate::support::{Builder, Daemon, PATIENCE, daemon, run, until};
use crate::tls::{ONLY_12, ONLY_13};
use crate::{Answered, exchange, request};

/// A name of each role, and one with groups.
const CLIENTS: &str = r#"
[[server.tls.client]]
name = "viewer.example"
role = "viewer"

[[server.tls.client]]
name = "operator.example"
role = "operator"
groups = ["ops"]

[[server.tls.client]]
name = "admin.example"
role = "admin"
"#;

/// The configuration of a daemon that asks clients for certificates of `clients.pem`.
fn asking(folder: &Path, more: &str, clients: &str) -> String {
    let ca = folder.join("clients.pem").display().to_string();
    config(folder, "") + &format!("client_ca = {ca:?}\n{more}\n{clients}")
}

/// That daemon, to be started.
fn asks(pair: &Pair, authority: &Authority, more: &str) -> Builder {
    let builder = daemon();
    pair.write(builder.path());
    fs::write(builder.path().join("clients.pem"), &authority.pem).expect("a file");
    let text = asking(builder.path(), more, CLIENTS);
    builder.config(&text)
}

/// A daemon with its own certificate and the authority of its clients.
struct Secured {
    pair: Pair,
    authority: Authority,
    daemon: Daemon,
}

impl Secured {
    fn start(more: &str) -> Self {
        let (pair, authority) = (Pair::new(1, 90), Authority::new("clients"));
        let daemon = asks(&pair, &authority, more).launch();
        Self { pair, authority, daemon }
    }

    /// Asks on a connection of its own, with the certificate of this name, or with none.
    async fn ask(&self, name: &str, line: (&str, &str), headers: &[(&str, &str)]) -> Answered {
        let mut stream = match name {
            "" => connect(&self.daemon, &self.pair).await,
            name => connect_as(&self.daemon, &self.pair, &self.authority.client(name)).await,
        };
        self.ask_on(&mut stream, line, headers).await
    }

    async fn ask_on(
        &self,
        stream: &mut TlsStream<TcpStream>,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
    ) -> Answered {
        let host = self.daemon.address.to_string();
        let headers = [&[("Host", host.as_str())], headers].concat();
        exchange(stream, &request(method, path, &headers)).await
    }

    /// Whom the daemon takes whoever has this certificate for.
    async fn session(&self, name: &str, headers: &[(&str, &str)]) -> Value {
        let answered = self.ask(name, ("GET", "/api/v1/session"), headers).await;
        assert_eq!(answered.status, 200, "{answered:?}");
        serde_json::from_str(&answered.body).expect("JSON")
    }

    async fn stream(&self, client: &Owned) -> WebSocketStream<TlsStream<TcpStream>> {
        let url = format!("wss://{}/ws", self.daemon.address);
        let connection = connect_as(&self.daemon, &self.pair, client).await;
        client_async(url, connection).await.expect("an upgrade").0
    }

    /// Has it read another configuration, as an admin.
    async fn reload(&self, clients: &str) -> Answered {
        let text = asking(self.daemon.path(), "", clients);
        fs::write(self.daemon.path().join("gz-monitor.toml"), text).expect("a file");
        self.ask("admin.example", ("POST", "/api/v1/reload"), &[]).await
    }

    /// Whether this certificate is refused in the handshake. By TLS 1.3 a client learns of it when it
    /// reads.
    async fn is_refused(&self, client: Option<Owned>) -> bool {
        let mut refused = Vec::new();
        for versions in [ONLY_12, ONLY_13] {
            let offer = Offer { versions, client: client.clone(), ..Offer::default() };
            refused.push(match shake(&self.daemon, &self.pair, offer).await {
                Err(_) => true,
                Ok(mut stream) => {
                    let text = request("GET", "/healthz", &[("Host", "localhost")]);
                    let _ = stream.write_all(text.as_bytes()).await;
                    let read = timeout(PATIENCE, stream.read(&mut [0; 64])).await;
                    matches!(read.expect("an end or an answer"), Err(_) | Ok(0))
                }
            });
        }
        assert_eq!(refused[0], refused[1], "both versions are the same");
        refused[0]
    }
}

/// The code with which the daemon ends a stream.
async fn close_code(stream: &mut WebSocketStream<TlsStream<TcpStream>>) -> Option<u16> {
    loop {
        match timeout(PATIENCE, stream.next()).await.expect("an end in time")? {
            Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

#[tokio::test]
async fn a_name_that_is_listed_has_its_role_and_every_cell_of_the_table_is_so() {
    let secured = Secured::start("");
    for (method, path, cells) in routes() {
        let path = path.replace("{id}", "nobody").replace("{*}", "app.js");
        for (role, expected) in ROLES.into_iter().zip(&cells) {
            let names = [format!("{role}.example"), String::new()];
            // Of no role is whoever shows none, and whoever shows one that is not listed.
            for name in names.iter().take(if role == "none" { 2 } else { 1 }) {
                let answered = secured.ask(name, (&method, &path), &[]).await;
                let code = answered.code();
                let got = if code == "group_forbidden" { "yes" } else { cell(&answered) };
                assert_eq!(got, expected, "{method} {path} as {name:?}: {answered:?}");
            }
        }
    }
    secured.daemon.until_logged("certificate is good for nothing").await;
    assert!(secured.daemon.log().contains("none.example"));
}

#[tokio::test]
async fn who_it_is_is_told_and_written_down() {
    let secured = Secured::start("");
    let session = secured.session("operator.example", &[]).await;
    let told = json!(["certificate", "operator.example", "operator", ["ops"], null]);
    let keys = ["kind", "certificate", "role", "groups", "token"];
    assert_eq!(json!(keys.map(|key| session[key].clone())), told);
    assert_eq!(secured.session("other.example", &[]).await["kind"], "anybody");
    let made = secured.ask("operator.example", ("POST", "/api/v1/tasks"), &[]).await;
    assert_eq!(made.status, 201, "{made:?}");
    let audit = secured.ask("admin.example", ("GET", "/api/v1/audit"), &[]).await;
    let audit: Value = serde_json::from_str(&audit.body).expect("JSON");
    let last = &audit["changes"][0];
    assert_eq!([&last["who"], &last["role"]], ["certificate operator.example", "operator"]);
}

#[tokio::test]
async fn a_token_counts_more_and_a_proxy_or_a_page_of_another_has_nothing_of_it() {
    let secured = Secured::start("");
    let token = secured.daemon.make_token("me", "viewer", &[]);
    let bearer = format!("Bearer {token}");
    until("the token is in force", || async {
        let shown = [("Authorization", &*bearer)];
        let answered = secured.ask("", ("GET", "/api/v1/session"), &shown).await;
        (answered.status == 200).then_some(())
    })
    .await;
    let shown = [("Authorization", &*bearer)];
    for name in ["admin.example", "other.example"] {
        let session = secured.session(name, &shown).await;
        assert_eq!([&session["kind"], &session["role"]], ["token", "viewer"], "{name}");
    }
    let wrong = secured
        .ask("admin.example", ("GET", "/metrics"), &[("Authorization", "Bearer gzm_guess")])
        .await;
    assert_eq!(wrong.status, 401);
    let own = format!("https://{}", secured.daemon.address);
    let kind = async |headers: &[(&str, &str)]| {
        secured.session("admin.example", headers).await["kind"].clone()
    };
    assert_eq!(kind(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]).await, "certificate");
    assert_eq!(kind(&[("Origin", &own), ("Sec-Fetch-Site", "same-site")]).await, "anybody");
    for name in ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"] {
        assert_eq!(kind(&[(name, "192.0.2.1")]).await, "anybody", "{name}");
    }
}

#[tokio::test]
async fn what_is_not_vouched_for_is_no_handshake() {
    let now = Timestamp::now().as_second();
    let optional = Secured::start("");
    let (foreign, good) = (Authority::new("clients"), optional.authority.client("viewer.example"));
    let old = optional.authority.client_until("viewer.example", now - 60);
    assert!(!optional.is_refused(None).await, "none need be shown");
    assert!(!optional.is_refused(Some(good)).await);
    assert!(optional.is_refused(Some(old)).await, "it has expired");
    assert!(optional.is_refused(Some(foreign.client("viewer.example"))).await, "another authority");
    let required = Secured::start("client_certificates = \"required\"");
    let good = required.authority.client("unlisted.example");
    assert!(required.is_refused(None).await);
    assert!(!required.is_refused(Some(good)).await, "though it is good for nothing more");
    assert!(required.is_refused(Some(foreign.client("viewer.example"))).await);
}

#[tokio::test]
async fn the_stream_goes_by_it() {
    let secured = Secured::start("");
    for (name, answer) in [("viewer.example", "forbidden"), ("operator.example", "published")] {
        let mut stream = secured.stream(&secured.authority.client(name)).await;
        for (group, answer) in [("ops", answer), ("others", "forbidden")] {
            let message = json!({"type": "publish", "group": group, "data": 1}).to_string();
            stream.send(Message::text(message)).await.expect("sent");
            let got = loop {
                let message = timeout(PATIENCE, stream.next()).await.expect("in time");
                let Message::Text(text) = message.expect("open").expect("a message") else {
                    continue;
                };
                let message: Value = serde_json::from_str(&text).expect("JSON");
                match message["type"].as_str() {
                    Some("published") => break "published".to_owned(),
                    Some("error") => {
                        break message["data"]["code"].as_str().unwrap_or_default().to_owned();
                    }
                    _ => {}
                }
            };
            assert_eq!(got, answer, "{name} to {group}");
        }
    }
    let refused = secured.ask("unlisted.example", ("GET", "/ws"), &[]).await;
    assert_eq!((refused.status, &*refused.code()), (401, "token_missing"));
}

#[tokio::test]
async fn it_ends_with_its_row_its_authority_and_its_time() {
    let secured = Secured::start("");
    let client = secured.authority.client("viewer.example");
    let other = secured.authority.client("operator.example");
    let (mut stream, mut goes_on) = (secured.stream(&client).await, secured.stream(&other).await);
    let mut kept = connect_as(&secured.daemon, &secured.pair, &client).await;
    let status = async |kept: &mut TlsStream<TcpStream>| {
        secured.ask_on(kept, ("GET", "/api/v1/status"), &[]).await.status
    };
    assert_eq!(status(&mut kept).await, 200);
    // Its row.
    let reloaded = secured.reload(&CLIENTS.replace("viewer.example", "other.example")).await;
    assert_eq!(reloaded.status, 200, "{reloaded:?}");
    assert_eq!(status(&mut kept).await, 401, "on a connection that was open");
    assert_eq!(close_code(&mut stream).await, Some(1008));
    let reloaded = secured.reload(CLIENTS).await;
    assert_eq!((reloaded.status, status(&mut kept).await), (200, 200), "{reloaded:?}");
    // Its time.
    let end = Timestamp::now().as_second() + 3;
    let short = secured.authority.client_until("viewer.example", end);
    let mut stream = secured.stream(&short).await;
    assert_eq!(close_code(&mut stream).await, Some(1008));
    assert!(Timestamp::now().as_second() >= end, "not before");
    // In its last second it may still be good for one version, and a moment later for none.
    until("its last second is over", || async {
        (Timestamp::now().as_second() > end).then_some(())
    })
    .await;
    assert!(secured.is_refused(Some(short)).await);
    // Its authority, which is taken up as the daemon's own certificate is.
    let next = Authority::new("the next");
    fs::write(secured.daemon.path().join("clients.pem"), &next.pem).expect("a file");
    assert_eq!(close_code(&mut goes_on).await, Some(1008));
    assert_eq!(status(&mut kept).await, 401);
    assert!(secured.is_refused(Some(other)).await);
    assert!(!secured.is_refused(Some(next.client("viewer.example"))).await);
}

#[tokio::test]
async fn with_a_row_everybody_else_is_asked_who_they_are() {
    let secured = Secured::start("");
    assert_eq!(secured.ask("", ("GET", "/api/v1/status"), &[]).await.code(), "token_missing");
    let open = secured.reload("").await;
    assert_eq!(open.status, 200, "{open:?}");
    assert_eq!(secured.ask("", ("GET", "/api/v1/status"), &[]).await.status, 200);
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start() {
    let pair = Pair::new(1, 90);
    let check = |ca: Option<&str>, words: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder");
        pair.write(folder.path());
        if let Some(ca) = ca {
            fs::write(folder.path().join("clients.pem"), ca).expect("a file");
        }
        let file = folder.path().join("gz-monitor.toml");
        fs::write(&file, asking(folder.path(), "", CLIENTS)).expect("a file");
        let file = file.display().to_string();
        for command in [&["server", "--port", "0"][..], &["check-config"]] {
            let (code, out, err) = run(&[command, &["--config", &file]].concat());
            assert_eq!((code, out.as_str()), (78, ""), "{err}");
            assert!(err.contains("server.tls.client_ca"), "{err}");
            for words in words {
                assert!(err.contains(words), "{command:?}: {err:?} does not say {words:?}");
            }
        }
    };
    check(None, &["cannot read", "clients.pem", "No such file"]);
    check(Some(""), &["clients.pem has no certificate in PEM", "BEGIN CERTIFICATE"]);
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(Some(nonsense), &["clients.pem has what is no certificate"]);
    check(Some(&Pair::new(90, -1).certificate), &["has nothing but what has expired"]);
}
