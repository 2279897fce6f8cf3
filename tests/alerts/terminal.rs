//! The commands `alert` and `silence`.

use serde_json::json;

use crate::support::{daemon, run, until};
use crate::{FAST, RUNNING, alerts, until_status};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alerts_are_listed_taken_on_silenced_and_explained() {
    let daemon = daemon().config(&format!("{FAST}{RUNNING}")).start().await;
    let url = format!("http://{}", daemon.address);
    let ask = |arguments: &[&str]| {
        let (command, rest) = arguments.split_at(2);
        let arguments = [command, &["--url", &url], rest].concat();
        let (code, out, err) = run(&arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        out
    };
    assert_eq!(ask(&["alert", "list"]), "no alerts\n");
    assert_eq!(ask(&["silence", "list"]), "no silences\n");
    daemon.post("/api/v1/tasks", json!({"id": "t", "name": "job"})).await;
    let fired = until_status(&daemon, "running", "firing").await;
    let id = fired["id"].as_str().expect("an id");
    let listed = ask(&["alert", "list"]);
    assert!(listed.contains(&format!("{id}  firing    high")), "{listed}");
    assert!(listed.contains("Running: 1 are running"), "{listed}");

    let said = ask(&["alert", "ack", id, "--by", "ada", "--comment", "on it"]);
    assert_eq!(said, "Running: taken on by ada\n");
    assert!(ask(&["alert", "list"]).contains("(taken on by ada)"));

    let made = ask(&["silence", "add", "--for", "2h", "--by", "bob", "status=~run.*", "team=ops"]);
    let silence = made.split(' ').next().expect("an id").to_owned();
    assert!(ask(&["silence", "list"]).contains("status=~\"run.*\" team=\"ops\""));
    assert!(ask(&["alert", "list"]).contains("  silenced  "));
    let (code, _, error) = run(&["silence", "add", "--url", &url, "--for", "2h", "nonsense"]);
    assert_eq!((code, error.contains("write one such as")), (1, true), "{error}");

    let explained = ask(&["alert", "explain", id]);
    for part in [
        "rule          Running (running)",
        "status        silenced, high",
        "acknowledged  by ada",
        "runbook       see running",
        "its condition holds at 1",
        "values of gz_tasks{status=\"running\"}",
    ] {
        assert!(explained.contains(part), "{part}: {explained}");
    }
    assert_eq!(ask(&["silence", "remove", &silence]), format!("{silence} is over\n"));
    assert_eq!(alerts(&daemon).await[0]["status"], "firing");

    let tested = ask(&["alert", "test", "--since", "1h", "running"]);
    assert!(tested.starts_with("running (high): would have fired once\n"), "{tested}");
    assert!(tested.contains("and still would be: 1 are running status=\"running\""), "{tested}");
    let (code, _, error) = run(&["alert", "test", "--url", &url, "nosuch"]);
    assert_eq!((code, error.contains("there is no rule \"nosuch\"")), (1, true), "{error}");
    let (code, _, error) = run(&["alert", "ack", "--url", &url, "nosuch"]);
    assert_eq!((code, error.contains("there is no alert")), (1, true), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_says_when_a_rule_would_have_fired() {
    // Known from the time alone, and tested before it has ever been evaluated.
    let rule = "[[alerts.rule]]\nid = \"hourly\"\nexpr = \"vector(time() % 3600) < 600\"\n\
                for = \"2m\"\ninterval = \"1m\"\n";
    let daemon = daemon().config(&format!("{FAST}{rule}")).start().await;
    let path = "/api/v1/rules/replay?since=24h&rule=hourly";
    let replay = until("the daemon answers", || async {
        Some(daemon.get(path).await.json()["data"]["rules"][0].clone())
    })
    .await;
    assert!(replay["error"].is_null(), "{replay}");
    let firings = replay["firings"].as_array().expect("a list");
    assert!((23..=25).contains(&firings.len()), "{}", firings.len());
    // All but the first and the last are whole: from the second minute to the tenth.
    for firing in &firings[1..firings.len() - 1] {
        assert_eq!(firing["lasted"], "8m", "{firing}");
        assert!(firing["from"].as_str().expect("text").contains(":02:00"), "{firing}");
    }
}
