//! What the groups of a token limit: what its holder may see, and where they may say something.

use serde_json::{Value, json};

use crate::support::{Client, daemon};

/// The answer to a message, and the code if it is an error.
async fn answer(client: &mut Client, message: Value) -> (String, Value) {
    client.send(message).await;
    loop {
        let said = client.next().await.expect("an answer");
        let kind = said["type"].as_str().unwrap_or_default().to_owned();
        if ["subscribed", "published", "error"].contains(&&*kind) {
            return (kind, said["data"]["code"].clone());
        }
    }
}

#[tokio::test]
async fn a_token_is_kept_to_its_groups_on_the_stream() {
    let daemon = daemon().start().await;
    let token = daemon.make_token("ops", "operator", &["--groups", "ops"]);
    daemon.until_known(&token).await;
    let mut client = daemon.websocket_with(&token).await;
    for (group, is_theirs) in [("ops", true), ("web", false)] {
        let subscribe = json!({"type": "subscribe", "filter": {"groups": [group]}});
        let publish = json!({"type": "publish", "group": group, "data": 1});
        for (message, done) in [(subscribe, "subscribed"), (publish, "published")] {
            let (kind, code) = answer(&mut client, message).await;
            match is_theirs {
                true => assert_eq!((&*kind, code), (done, Value::Null), "{group}"),
                false => assert_eq!((&*kind, code), ("error", json!("forbidden")), "{group}"),
            }
        }
    }
}

#[tokio::test]
async fn a_token_is_kept_to_its_groups_by_rest() {
    let daemon = daemon().start().await;
    let token = daemon.make_token("ops", "operator", &["--groups", "ops"]);
    let all = daemon.make_token("all", "operator", &[]);
    daemon.until_known(&all).await;
    for (token, is_limited) in [(&all, false), (&token, true)] {
        let bearer = format!("Bearer {token}");
        for group in ["ops", "web"] {
            let status = if is_limited && group == "web" { 403 } else { 200 };
            let path = format!("/api/v1/groups/{group}/messages");
            let said = daemon.send_with("POST", &path, &[("Authorization", &bearer)]).await;
            assert_eq!(said.status, status, "{path}: {}", said.body);
            let path = format!("/api/v1/events?groups={group}");
            let asked = daemon.get_with(&path, &[("Authorization", &bearer)]).await;
            assert_eq!(asked.status, status, "{path}: {}", asked.body);
            if status == 403 {
                assert_eq!((said.code(), asked.code()), (asked.code(), "group_forbidden".into()));
            }
        }
        let groups = daemon.get_with("/api/v1/groups", &[("Authorization", &bearer)]).await;
        assert_eq!(groups.body.contains("web"), !is_limited, "{}", groups.body);
    }
}
