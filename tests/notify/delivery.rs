//! What is told to whom, when all is well.

use serde_json::json;

use crate::receiver::Receiver;
use crate::support::{daemon, run};
use crate::{AT_ONCE, fire, notifications, resolve, until_channel};

#[tokio::test]
async fn an_alert_is_told_and_its_end_too() {
    let receiver = Receiver::start().await;
    let config = format!(
        "{AT_ONCE}[notify.channel.ops]\ntype = \"webhook\"\nurl = \"{}\"\ntoken = \"s3cret-token\"\n\
         headers = {{ X-Tenant = \"blue\" }}\n",
        receiver.url()
    );
    let daemon = daemon().config(&config).start().await;
    let id = fire(&daemon, "cpu", "critical").await;
    let first = receiver.until_taken(1).await.remove(0);
    assert_eq!(first.path, "/hook");
    let header = |name: &str| first.headers[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("authorization"), "Bearer s3cret-token");
    assert_eq!(header("x-tenant"), "blue");
    let body = &first.body;
    assert_eq!((&body["id"], &body["status"]), (&json!(first.key()), &json!("firing")));
    assert_eq!((&body["channel"], &body["severity"]), (&json!("ops"), &json!("critical")));
    let shown = daemon.get(&format!("/api/v1/alerts/{id}")).await.json();
    let told = &body["alerts"][0];
    for key in ["id", "rule_id", "status", "severity", "message", "starts_at"] {
        assert_eq!(told[key], shown[key], "{key}");
    }
    resolve(&daemon, &id).await;
    let second = receiver.until_taken(2).await.remove(1);
    assert_eq!(
        (&second.body["kind"], &second.body["status"]),
        (&json!("resolved"), &json!("resolved"))
    );
    assert_ne!(second.key(), first.key());
    let fine = until_channel(&daemon, "ops", |channel| channel["sent"] == 2).await;
    assert_eq!((&fine["state"], &fine["pending"]), (&json!("ok"), &json!(0)));
    let told = notifications(&daemon, &format!("?alert={id}&state=sent")).await;
    let kinds: Vec<_> = told.iter().map(|one| one["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["resolved", "firing"]);
    assert_eq!(
        (&told[1]["id"], &told[1]["answer"]),
        (&json!(first.key()), &json!("200 OK: noted"))
    );
    let metrics = daemon.get("/api/v1/notify/channels").await.text;
    assert!(!metrics.contains("s3cret-token") && !daemon.log().contains("s3cret-token"));
}

#[tokio::test]
async fn routes_and_groups_say_who_is_told_of_what_together() {
    let receiver = Receiver::start().await;
    let config = format!(
        "[notify]\ngroup_wait = \"1s\"\n\
         [notify.channel.ops]\ntype = \"webhook\"\nurl = \"{url}/ops\"\n\
         [notify.channel.am]\ntype = \"webhook\"\nurl = \"{url}/am\"\nformat = \"alertmanager\"\n\
         [[notify.route]]\nchannels = [\"am\"]\nseverity = \"high\"\ngroup_by = []\n\
         [[notify.route]]\nchannels = [\"ops\"]\nmatches = ['rule_id=~\"disk.*\"']\n",
        url = receiver.url()
    );
    let daemon = daemon().config(&config).start().await;
    for (rule, severity) in [("a", "high"), ("b", "critical"), ("disk1", "low"), ("c", "low")] {
        fire(&daemon, rule, severity).await;
    }
    let taken = receiver.until_taken(2).await;
    let of = |path: &str| taken.iter().find(|seen| seen.path == path).expect(path);
    let together = &of("/hook/am").body;
    assert_eq!((&together["version"], &together["receiver"]), (&json!("4"), &json!("am")));
    let names = together["alerts"].as_array().expect("a list").iter();
    let names: Vec<_> = names.map(|alert| &alert["labels"]["alertname"]).collect();
    assert_eq!(names, ["b", "a"]);
    assert_eq!(of("/hook/ops").rules(), ["disk1"]);
    assert!(notifications(&daemon, "").await.len() == 2, "nobody is told of c");
}

#[tokio::test]
async fn a_channel_is_tried_out_by_hand() {
    let receiver = Receiver::start().await;
    let url = receiver.url();
    let config = format!(
        "[notify.channel.ops]\ntype = \"webhook\"\nurl = \"{url}\"\n\
         [notify.channel.dead]\ntype = \"slack\"\nurl = \"http://127.0.0.1:1/T0/B0/s3cret\"\n"
    );
    let daemon = daemon().config(&config).start().await;
    let address = format!("http://{}", daemon.address);
    let test = |name: &str| {
        let arguments = ["notify", "test", "--url", &address, name].map(str::to_owned);
        tokio::task::spawn_blocking(move || run(&arguments.each_ref().map(|text| &**text)))
    };
    let (code, out, err) = test("ops").await.expect("it runs");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("ops: delivered in ") && out.ends_with(": 200 OK: noted\n"), "{out}");
    assert_eq!(receiver.taken()[0].body["kind"], "test");
    let (code, _, err) = test("dead").await.expect("it runs");
    assert!(code == 1 && err.contains("dead: not delivered: "), "{err}");
    assert!(err.contains("refused") && !err.contains("s3cret"), "{err}");
    let (code, _, err) = test("none").await.expect("it runs");
    assert!(
        code == 1 && err.contains("there is no channel \"none\"; there are dead, ops"),
        "{err}"
    );
    assert!(notifications(&daemon, "").await.is_empty(), "a trial is none");
    assert!(!daemon.log().contains("s3cret"));
}

#[tokio::test]
async fn more_than_a_channel_may_take_in_a_minute_waits() {
    let receiver = Receiver::start().await;
    let config = format!(
        "{AT_ONCE}[notify.channel.ops]\ntype = \"webhook\"\nurl = \"{}\"\nmax_per_minute = 2\n",
        receiver.url()
    );
    let daemon = daemon().config(&config).start().await;
    for rule in ["a", "b", "c", "d"] {
        fire(&daemon, rule, "high").await;
    }
    receiver.until_taken(2).await;
    let waiting = until_channel(&daemon, "ops", |channel| channel["sent"] == 2).await;
    assert_eq!((&waiting["pending"], waiting["rests_until"].is_string()), (&json!(2), true));
    assert_eq!(receiver.seen().len(), 2);
    // Without the limit they go at once.
    let config = config.replace("max_per_minute = 2", "max_per_minute = 0");
    daemon.reload(&config);
    receiver.until_taken(4).await;
}

#[tokio::test]
async fn a_secured_receiver_is_believed_by_its_authority_and_secrets_come_from_files() {
    let (receiver, certificate) = Receiver::secured().await;
    let url = format!("https://localhost:{}/T0/s3cret", receiver.address.port());
    let builder = daemon().file("ca.pem", &certificate).file("url", &format!("{url}\n"));
    let folder = builder.path().display().to_string();
    let channel = |name: &str, more: &str| {
        format!("[notify.channel.{name}]\ntype = \"slack\"\nurl_file = \"{folder}/url\"\n{more}\n")
    };
    let config = [
        AT_ONCE,
        &channel("ops", &format!("ca = \"{folder}/ca.pem\"")),
        &channel("stranger", ""),
        &channel("absent", "").replace("/url", "/gone"),
    ];
    let daemon = builder.config(&config.concat()).start().await;
    fire(&daemon, "cpu", "high").await;
    let taken = receiver.until_taken(1).await;
    assert_eq!(taken[0].path, "/T0/s3cret");
    assert_eq!(
        taken[0].body["text"].as_str().map(|text| text.starts_with("[FIRING] cpu")),
        Some(true)
    );
    for (name, expected) in [("stranger", "certificate"), ("absent", "No such file")] {
        let is_told = |channel: &serde_json::Value| {
            channel["error"].as_str().is_some_and(|error| error.contains(expected))
        };
        let shown = until_channel(&daemon, name, is_told).await;
        assert!(!shown.to_string().contains("s3cret"), "{shown}");
    }
    assert_eq!(receiver.seen().len(), 1);
    assert!(!daemon.log().contains("s3cret"), "{}", daemon.log());
}

#[tokio::test]
async fn a_silenced_alert_is_told_to_nobody_and_one_that_is_taken_on_is_not_escalated() {
    let receiver = Receiver::start().await;
    let url = receiver.url();
    let config = format!(
        "{AT_ONCE}[notify.channel.ops]\ntype = \"webhook\"\nurl = \"{url}/ops\"\n\
         [notify.channel.boss]\ntype = \"webhook\"\nurl = \"{url}/boss\"\n\
         [[notify.route]]\nchannels = [\"ops\"]\nescalate_after = \"2s\"\nescalate_to = [\"boss\"]\n"
    );
    let daemon = daemon().config(&config).start().await;
    let silence = json!({"matchers": ["rule_id=quiet"], "duration": "1h", "by": "ada"});
    assert_eq!(daemon.post("/api/v1/silences", silence).await.status, 201);
    let quiet = fire(&daemon, "quiet", "critical").await;
    let taken_on = fire(&daemon, "taken-on", "high").await;
    let path = format!("/api/v1/alerts/{taken_on}/acknowledge");
    assert_eq!(daemon.post(&path, json!({"by": "ada"})).await.status, 200);
    fire(&daemon, "left", "high").await;
    let taken = receiver.until_taken(3).await;
    let of = |path: &str| -> Vec<Vec<String>> {
        taken.iter().filter(|seen| seen.path == path).map(|seen| seen.rules()).collect()
    };
    assert_eq!(of("/hook/boss"), [["left"]]);
    assert_eq!(of("/hook/ops"), [["taken-on"], ["left"]]);
    resolve(&daemon, &quiet).await;
    resolve(&daemon, &taken_on).await;
    receiver.until_taken(4).await;
    assert!(notifications(&daemon, &format!("?alert={quiet}")).await.is_empty());
    let address = format!("http://{}", daemon.address);
    let explained = tokio::task::spawn_blocking(move || {
        run(&["alert", "explain", "--url", &address, &taken_on])
    });
    let (code, out, err) = explained.await.expect("it runs");
    assert!(code == 0 && out.contains("ops: 200 OK: noted"), "{out}{err}");
}
