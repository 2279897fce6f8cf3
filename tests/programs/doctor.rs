//! `gz-monitor doctor` of a real daemon with a collector that is refused its file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::{as_service, daemon, run, until, until_collector};
use crate::{PACE, sh, until_ok};

#[tokio::test]
async fn a_collector_that_is_refused_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let secret = folder.path().join("secret");
    fs::write(&secret, "secret_value 1\n").expect("a file");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).expect("a mode");
    let config = PACE.to_owned() + &sh("it", &format!("cat {}", secret.display()), "");
    let mut builder = daemon().config(&config);
    // Root is refused nothing.
    if rustix::process::geteuid().is_root() {
        builder = as_service(builder, "+dac_read_search");
    }
    let daemon = builder.start().await;
    let refused = |c: &Value| c["error"].to_string().contains("Permission denied");
    until_collector(&daemon, "it", "is refused", refused).await;

    let answer = daemon.get("/api/v1/doctor").await;
    assert_eq!(answer.status, 200);
    let findings = answer.json()["findings"].clone();
    let it = findings.as_array().expect("a list").iter().find(|one| one["collector"] == "it");
    let it = it.unwrap_or_else(|| panic!("{findings}"));
    assert_eq!(it["severity"], "error");
    let why = it["why"].as_str().expect("a text");
    let closed = format!("the file {} has mode 0, user ", secret.display());
    assert!(why.contains("Permission denied; ") && why.contains(&closed), "{why}");
    let remedy = it["remedy"].as_str().expect("a text");
    assert!(
        remedy.contains(&format!("let the daemon's user read {}", secret.display())),
        "{remedy}"
    );
    let rights = &answer.json()["daemon"];
    assert_eq!(rights["pid"], daemon.pid());
    assert_eq!(rights["listeners"][0]["reachable"], true, "{rights}");

    let url = format!("http://{}", daemon.address);
    let (code, out, err) = run(&["doctor", "--url", &url]);
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    assert!(out.contains("error         collector it "), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80 || line.contains('/')), "{out}");
    let (code, out, _) = run(&["doctor", "--json", "--url", &url]);
    let json: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &json["daemon"]["pid"]), (1, &daemon.pid().into()));

    // It mends itself, and is told no more.
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o444)).expect("a mode");
    until_ok(&daemon, "it").await;
    until("the doctor is content", async || (run(&["doctor", "--url", &url]).0 == 0).then_some(()))
        .await;
}

/// The rights of the daemon count, and not those of who asks.
#[tokio::test]
async fn an_entry_that_names_what_the_daemon_has_not() {
    if !crate::support::is_root("an_entry_that_names_what_the_daemon_has_not") {
        return;
    }
    let keys = "capabilities = [\"CAP_NET_RAW\"]";
    let config = PACE.to_owned() + &sh("it", "true", keys);
    let daemon = as_service(daemon().config(&config), "+kill").start().await;
    let answer = daemon.get("/api/v1/doctor").await.json();
    assert_eq!(answer["daemon"]["capabilities"], serde_json::json!(["CAP_KILL"]));
    assert_eq!(
        (&answer["daemon"]["user"], &answer["daemon"]["no_new_privileges"]),
        (&65534.into(), &true.into())
    );
    let findings = answer["findings"].as_array().expect("a list").clone();
    let it = findings.iter().find(|one| one["collector"] == "it").expect("a finding");
    assert_eq!(
        (&it["severity"], &it["drop_in"]["example"]),
        (&"warning".into(), &"ping.conf".into())
    );
}

#[tokio::test]
async fn without_a_daemon_it_says_so() {
    let daemon = daemon().start().await;
    let port = daemon.address.port();
    drop(daemon);
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("c.toml");
    fs::write(&config, format!("[server]\nport = {port}\n[plugins]\nfolders = []\n"))
        .expect("a file");
    let config = config.display().to_string();
    let (code, out, _) = run(&["doctor", "--config", &config]);
    assert_eq!(code, 0, "{out}");
    assert!(out.starts_with(&format!("No daemon answers at http://127.0.0.1:{port}.")), "{out}");
    assert!(out.contains("which is not what the service sees"), "{out}");
    let url = format!("http://127.0.0.1:{port}");
    let (code, _, err) = run(&["doctor", "--url", &url]);
    assert_eq!(code, 1);
    assert!(err.contains("no daemon answers at"), "{err}");
}
