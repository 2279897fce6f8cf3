//! What of the daemon's own a program gets: no capabilities and no credentials but those that its
//! entry names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{as_service, daemon, is_root, until_collector};
use crate::{PACE, metric, sh, until_ok};

/// CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE are those of the unit.
const UNIT: &str = "+dac_read_search,+sys_ptrace,+net_raw";
const DAC_READ_SEARCH: u64 = 1 << 2;
const NET_RAW: u64 = 1 << 13;
const SYS_PTRACE: u64 = 1 << 19;

/// Prints the sets of a program and of what it starts, as numbers.
const SETS: &str = r#"
own() { grep "^$1:" /proc/$$/status | cut -f 2; }
its() { grep "^$1:" /proc/self/status | cut -f 2; }
for set in CapInh CapPrm CapEff CapAmb; do
  printf "its_sets{set=\"own $set\"} %d\n" 0x$(own $set)
  printf "its_sets{set=\"child $set\"} %d\n" 0x$(its $set)
done"#;

#[tokio::test]
async fn a_program_keeps_the_capabilities_that_its_entry_names() {
    if !is_root("a_program_keeps_the_capabilities_that_its_entry_names") {
        return;
    }
    let script = |name: &str| SETS.replace("its_sets", name);
    let named = "capabilities = [\"CAP_NET_RAW\", \"CAP_SYS_RAWIO\"]";
    let config = PACE.to_owned()
        + &sh("plain", &script("plain_sets"), "")
        + &sh("named", &script("named_sets"), named);
    let daemon = as_service(daemon().config(&config), UNIT).start().await;
    until_ok(&daemon, "plain").await;
    until_ok(&daemon, "named").await;
    let own = fs::read_to_string(format!("/proc/{}/status", daemon.pid())).expect("a status");
    let ours = format!("CapAmb:\t{:016x}\n", DAC_READ_SEARCH | SYS_PTRACE | NET_RAW);
    assert!(own.contains(&ours), "the daemon itself has them:\n{own}");
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        for whose in ["own", "child"] {
            let read = async |name: &str| {
                let series = format!("{name}_sets{{set=\"{whose} {set}\"}}");
                metric(&daemon, &series).await.expect("a number") as u64
            };
            assert_eq!(read("plain").await, 0, "{whose} {set}");
            assert_eq!(read("named").await, NET_RAW, "{whose} {set}");
        }
    }
    let warning = "capabilities: the daemon has no CAP_SYS_RAWIO to hand on";
    assert_eq!(daemon.log().matches(warning).count(), 1, "{}", daemon.log());
}

#[tokio::test]
async fn a_file_that_only_the_daemon_may_read_is_closed_to_its_programs() {
    if !is_root("a_file_that_only_the_daemon_may_read_is_closed_to_its_programs") {
        return;
    }
    let builder = daemon();
    let secret = builder.path().join("secret");
    fs::write(&secret, "secret_value 1\n").expect("a file");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("a mode");
    let script = format!("cat {}", secret.display());
    let named = "capabilities = [\"CAP_DAC_READ_SEARCH\"]";
    let config = PACE.to_owned() + &sh("plain", &script, "") + &sh("named", &script, named);
    let daemon = as_service(builder.config(&config), UNIT).start().await;
    until_ok(&daemon, "named").await;
    let plain = |c: &serde_json::Value| c["error"].to_string().contains("Permission denied");
    until_collector(&daemon, "plain", "is refused", plain).await;
}

#[tokio::test]
async fn credentials_go_to_the_programs_that_name_them() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("db-password"), "17\n").expect("a file");
    let script = "echo its_secret $(cat $CREDENTIALS_DIRECTORY/db-password)";
    let config = PACE.to_owned()
        + &sh("named", script, "credentials = [\"db-password\"]")
        + &sh("plain", "echo its_variables ${CREDENTIALS_DIRECTORY-0}", "")
        + &sh("wrong", script, "credentials = [\"db-password\", \"absent\"]");
    let folder = folder.path().display().to_string();
    let daemon = daemon().env("CREDENTIALS_DIRECTORY", &folder).config(&config).start().await;
    until_ok(&daemon, "named").await;
    until_ok(&daemon, "plain").await;
    assert_eq!(metric(&daemon, "its_secret").await, Some(17.0));
    assert_eq!(metric(&daemon, "its_variables").await, Some(0.0));
    let stopped = |c: &serde_json::Value| c["state"] == "stopped";
    let wrong = until_collector(&daemon, "wrong", "is stopped", stopped).await;
    let error = wrong["error"].as_str().expect("an error");
    assert!(error.starts_with("credentials: \"absent\": "), "{error}");
    assert!(error.contains("LoadCredential=absent:/path"), "{error}");
}

#[tokio::test]
async fn without_a_service_there_are_no_credentials() {
    let config = PACE.to_owned() + &sh("it", "true", "credentials = [\"db-password\"]");
    let daemon = daemon().config(&config).start().await;
    let stopped = |c: &serde_json::Value| c["state"] == "stopped";
    let it = until_collector(&daemon, "it", "is stopped", stopped).await;
    let error = it["error"].as_str().expect("an error");
    assert_eq!(
        error,
        "credentials: \"db-password\": the daemon has none; the service needs \
         LoadCredential=db-password:/path"
    );
}
