//! The certificate and its key as files: what is wrong with them, and how new ones are taken up.

use std::fs;
use std::path::Path;

use futures_util::StreamExt as _;
use tokio_tungstenite::client_async;

use crate::certificates::{Offer, Pair, ask_securely, config, connect, secured, shake};
use crate::support::{Daemon, PATIENCE, daemon, run, until};
use tokio::time::timeout;

/// Asserts that a daemon does not start, nor its configuration pass, and that both say `words`.
fn is_refused(folder: &Path, words: &[&str]) {
    let file = folder.join("gz-monitor.toml");
    fs::write(&file, config(folder, "")).expect("a file");
    let file = file.display().to_string();
    for command in [&["server", "--port", "0"][..], &["check-config"]] {
        let (code, out, err) = run(&[command, &["--config", &file]].concat());
        assert_eq!((code, out.as_str()), (78, ""), "{err}");
        for words in words {
            assert!(err.contains(words), "{command:?}: {err:?} does not say {words:?}");
        }
        assert!(err.contains("gz-monitor.toml:"), "{err}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_at_the_start() {
    let good = Pair::new(1, 90);
    let check = |certificate: &str, key: &str, words: &[&str]| {
        let folder = tempfile::tempdir().expect("a folder");
        let pair = Pair { certificate: certificate.to_owned(), key: key.to_owned() };
        pair.write(folder.path());
        is_refused(folder.path(), words);
    };
    let other = Pair::new(1, 90);
    check(&good.certificate, &other.key, &["server.tls.key", "tls.key", "is not the key of"]);
    check(
        &Pair::new(90, -1).certificate,
        &good.key,
        &["server.tls.certificate", "tls.pem expired", "renew"],
    );
    check("", &good.key, &["tls.pem has no certificate in PEM", "BEGIN CERTIFICATE"]);
    check(&good.key, &good.key, &["tls.pem has no certificate in PEM"]);
    check(&good.certificate, &good.certificate, &["tls.key has no private key in PEM"]);
    let cut = &good.certificate[..good.certificate.len() / 2];
    check(cut, &good.key, &["tls.pem is not PEM"]);
    let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(nonsense, &good.key, &["tls.pem begins with what is no certificate"]);
    let nonsense = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    check(&good.certificate, nonsense, &["tls.key cannot be used", "Ed25519"]);
    let encrypted = good.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    check(&good.certificate, &encrypted, &["tls.key is encrypted", "openssl pkey"]);
    check(&"x".repeat(2 << 20), &good.key, &["cannot read", "more than 1 MiB"]);
}

#[test]
fn what_is_not_there_is_refused_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    is_refused(folder.path(), &["cannot read", "tls.pem", "No such file", "write where"]);
    fs::create_dir(folder.path().join("tls.pem")).expect("a folder");
    is_refused(folder.path(), &["cannot read", "tls.pem", "it is no file"]);
}

#[test]
fn half_of_it_and_credentials() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |text: &str, words: &str| {
        let file = folder.path().join("gz-monitor.toml");
        fs::write(&file, format!("[server.tls]\n{text}\n")).expect("a file");
        let (code, _, err) = run(&["check-config", "--config", &file.display().to_string()]);
        assert_eq!(code, 78, "{text}: {err}");
        assert!(err.contains(words), "{text}: {err}");
    };
    check("certificate = \"/x\"", "server.tls.certificate: there is a certificate and no key");
    check("key = \"/x\"", "server.tls.key: there is a key and no certificate");
    check("certificate = \"c\"\nkey = \"k\"", "\"c\" is no path, and there are no credentials");
    check("certificate = \"a/b\"\nkey = \"k\"", "neither a path that begins with / nor the name");
}

#[tokio::test]
async fn credentials_of_the_service() {
    let pair = Pair::new(1, 90);
    let builder = daemon();
    let folder = builder.path().join("credentials");
    fs::create_dir(&folder).expect("a folder");
    pair.write(&folder);
    let builder = builder.env("CREDENTIALS_DIRECTORY", &folder.display().to_string());
    let config = "[server.tls]\ncertificate = \"tls.pem\"\nkey = \"tls.key\"";
    let daemon = builder.config(config).launch();
    assert_eq!(ask_securely(&daemon, &pair, "GET", "/healthz").await.status, 200);
}

async fn is_shown(daemon: &Daemon, pair: &Pair) -> bool {
    shake(daemon, pair, Offer::default()).await.is_ok()
}

#[tokio::test]
async fn a_reload_takes_up_a_new_one_and_drops_nobody() {
    let (old, new) = (Pair::new(1, 90), Pair::new(1, 180));
    let daemon = secured(&old, "").launch();
    let url = format!("wss://{}/ws", daemon.address);
    let (mut socket, _) = client_async(url, connect(&daemon, &old).await).await.expect("wss");
    new.write(daemon.path());
    let answered = ask_securely(&daemon, &old, "POST", "/api/v1/reload").await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert!(answered.body.contains("server.tls.certificate valid until"), "{answered:?}");
    assert!(is_shown(&daemon, &new).await && !is_shown(&daemon, &old).await);
    assert_eq!(ask_securely(&daemon, &new, "POST", "/api/v1/tasks").await.status, 201);
    loop {
        let message = timeout(PATIENCE, socket.next()).await.expect("in time").expect("open");
        if message.expect("a message").to_string().contains("task_update") {
            break;
        }
    }
    let answered = ask_securely(&daemon, &new, "POST", "/api/v1/reload").await;
    assert!(answered.body.contains("\"changes\":[]"), "{answered:?}");
}

#[tokio::test]
async fn a_reload_with_a_bad_one_changes_nothing() {
    let (old, expired) = (Pair::new(1, 90), Pair::new(90, -1));
    let daemon = secured(&old, "").launch();
    expired.write(daemon.path());
    let answered = ask_securely(&daemon, &old, "POST", "/api/v1/reload").await;
    assert_eq!((answered.status, &*answered.code()), (422, "invalid_configuration"));
    assert!(answered.body.contains("tls.pem expired"), "{answered:?}");
    daemon.until_logged("tls.pem expired").await;
    assert!(is_shown(&daemon, &old).await, "the old one stays");
    let plain = fs::write(daemon.path().join("gz-monitor.toml"), "");
    plain.expect("a file");
    let answered = ask_securely(&daemon, &old, "POST", "/api/v1/reload").await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(daemon.get("/healthz").await.status, 200, "it speaks plainly when it is told to");
    old.write(daemon.path());
    daemon.reload(&config(daemon.path(), ""));
    until("it speaks TLS again", || async { is_shown(&daemon, &old).await.then_some(()) }).await;
}

#[tokio::test]
async fn files_that_change_are_taken_up_without_a_word() {
    let (old, new) = (Pair::new(1, 90), Pair::new(1, 180));
    let daemon = secured(&old, "").launch();
    until("the daemon is ready", || async {
        (ask_securely(&daemon, &old, "GET", "/readyz").await.status == 200).then_some(())
    })
    .await;
    // A certificate of another key.
    fs::write(daemon.path().join("tls.pem"), &new.certificate).expect("a file");
    daemon.until_logged("is not taken up").await;
    assert!(is_shown(&daemon, &old).await, "the old one stays");
    fs::write(daemon.path().join("tls.key"), &new.key).expect("a file");
    until("the new one is shown", || async { is_shown(&daemon, &new).await.then_some(()) }).await;
    daemon.until_logged("the TLS certificate has changed").await;
    assert!(!is_shown(&daemon, &old).await);
}

#[tokio::test]
async fn one_that_ends_soon_is_told_of() {
    let pair = Pair::new(90, 5);
    let daemon = secured(&pair, "").launch();
    daemon.until_logged("the TLS certificate expires in").await;
    until("the metric is there", || async {
        let text = ask_securely(&daemon, &pair, "GET", "/metrics").await.body;
        let name = "\ngz_tls_certificate_not_after_timestamp_seconds ";
        let value = text.split(name).nth(1)?.lines().next()?.parse::<f64>().ok()?;
        let left = value - jiff::Timestamp::now().as_second() as f64;
        (left > 3.0 * 86_400.0 && left < 6.0 * 86_400.0).then_some(())
    })
    .await;
}
