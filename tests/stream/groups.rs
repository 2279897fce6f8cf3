//! Groups: who is in one gets what is said in it, and nobody else does.

use serde_json::{Value, json};

use crate::support::{Client, Daemon, daemon};
use crate::{QUIET, connect, ping, quiet, shape, subscribe, subscribed};

async fn say(daemon: &Daemon, group: &str, data: Value) -> Value {
    let answer = daemon.post(&format!("/api/v1/groups/{group}/messages"), data).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn publish(client: &mut Client, group: &str, data: Value) -> Value {
    let message = json!({"type": "publish", "group": group, "data": data});
    let published = client.ask(message, "published").await;
    let data = shape::reply(&published, "published").clone();
    assert_eq!(data["group"], group);
    data
}

async fn refused(client: &mut Client, message: Value, code: &str) {
    let error = client.ask(message, "error").await;
    assert_eq!(error["data"]["code"], code, "{error}");
}

/// Asserts that the client has been sent nothing but this reply since.
async fn has_nothing(client: &mut Client) {
    client.send(json!({"type": "ping"})).await;
    assert_eq!(client.next().await.expect("a message")["type"], "pong");
}

#[tokio::test]
async fn members_get_what_is_said_and_others_do_not() {
    let daemon = quiet().await;
    let mut ops = subscribed(&daemon, json!({"groups": ["ops"]})).await;
    let mut both = subscribed(&daemon, json!({"types": ["all"], "groups": ["dev", "ops"]})).await;
    let (mut by_default, _) = connect(&daemon).await;
    let mut all = subscribed(&daemon, json!({"types": ["all"]})).await;
    let mut alerts = subscribed(&daemon, json!({"types": ["alert"], "groups": ["ops"]})).await;
    let data = json!({"text": "deploy é", "numbers": [1, 2.5, null]});
    let said = say(&daemon, "ops", data.clone()).await;
    assert_eq!((&said["group"], &said["durable"]), (&json!("ops"), &json!(true)));
    for client in [&mut ops, &mut both] {
        let message = client.next_of("group_message").await;
        let told = shape::broadcast(&message, "group_message");
        let expected = json!({"group": "ops", "from": {"via": "rest"}, "data": data});
        assert_eq!((told, &message["seq"]), (&expected, &said["seq"]));
    }
    for client in [&mut by_default, &mut all, &mut alerts] {
        has_nothing(client).await;
    }
    say(&daemon, "dev", json!("hello")).await;
    assert_eq!(both.next_of("group_message").await["data"]["data"], "hello");
    has_nothing(&mut ops).await;
    subscribe(&mut ops, json!({"types": ["group_message"], "groups": ["dev"]})).await;
    say(&daemon, "ops", json!(1)).await;
    let last = say(&daemon, "dev", json!(2)).await;
    assert_eq!(ops.next_of("group_message").await["seq"], last["seq"]);
}

#[tokio::test]
async fn clients_publish_and_are_named() {
    let daemon = quiet().await;
    let mut member = subscribed(&daemon, json!({"groups": ["ops"]})).await;
    let (mut stranger, _) = connect(&daemon).await;
    let id = ping(&mut stranger).await["data"]["client_id"].clone();
    for data in [json!({"a": [1]}), json!(null), json!("text"), json!(1.5)] {
        let published = publish(&mut stranger, "ops", data.clone()).await;
        assert_eq!(published["durable"], true);
        let message = member.next_of("group_message").await;
        let from = json!({"via": "websocket", "client_id": id});
        assert_eq!(message["data"], json!({"group": "ops", "from": from, "data": data}));
        assert_eq!(message["seq"], published["seq"]);
    }
    has_nothing(&mut stranger).await;
    // A member gets its own message as well, and before the answer.
    let said = json!({"type": "publish", "group": "ops", "data": 7});
    let said = member.ask(said, "group_message").await;
    assert_eq!(member.next_of("published").await["data"]["seq"], said["seq"]);
}

#[tokio::test]
async fn what_a_client_says_is_done_and_answered_in_its_order() {
    let daemon = quiet().await;
    let mut member = subscribed(&daemon, json!({"groups": ["ops"]})).await;
    let mut client = subscribed(&daemon, json!({"groups": ["ops"]})).await;
    const ROUNDS: usize = 15;
    for number in 0..ROUNDS {
        for group in ["ops", "o p s"] {
            let message = json!({"type": "publish", "group": group, "data": number});
            client.send(message).await;
        }
        client.send(json!({"type": "ping"})).await;
    }
    let mut last = 0;
    for number in 0..ROUNDS {
        let said = client.next().await.expect("a message");
        assert_eq!(
            (&said["type"], &said["data"]["data"]),
            (&json!("group_message"), &json!(number))
        );
        let published = client.next().await.expect("a message");
        assert_eq!(published["type"], "published");
        assert_eq!(published["data"]["seq"], said["seq"]);
        let error = client.next().await.expect("a message");
        assert_eq!(error["data"]["code"], "invalid_group");
        assert_eq!(client.next().await.expect("a message")["type"], "pong");
        let seq = said["seq"].as_u64().expect("a number");
        assert!(seq > last, "{seq} after {last}");
        last = seq;
        assert_eq!(member.next_of("group_message").await, said);
    }
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_with_the_reason() {
    let config = "[groups]\nmax_message_size = \"10B\"\n[websocket]\nmax_groups = 2\n";
    let daemon = daemon().config(&format!("{QUIET}{config}")).start().await;
    let (mut client, _) = connect(&daemon).await;
    let publish =
        |group: Value, data: Value| json!({"type": "publish", "group": group, "data": data});
    refused(&mut client, publish(json!("a b"), json!(1)), "invalid_group").await;
    refused(&mut client, publish(json!(1), json!(1)), "invalid_group").await;
    refused(&mut client, json!({"type": "publish", "data": 1}), "invalid_group").await;
    refused(&mut client, json!({"type": "publish", "group": "ops"}), "invalid_message").await;
    refused(&mut client, publish(json!("ops"), json!("123456789")), "data_too_large").await;
    let subscribe = |groups: Value| json!({"type": "subscribe", "filter": {"groups": groups}});
    refused(&mut client, subscribe(json!(["a", "b", "c"])), "invalid_filter").await;
    refused(&mut client, subscribe(json!(["a/b"])), "invalid_filter").await;
    for (path, body, status, code) in [
        ("a%20b", "1", 422, "invalid_group"),
        ("ops", "\"123456789\"", 422, "invalid_length"),
        ("ops", "{", 400, "invalid_json"),
    ] {
        let path = format!("/api/v1/groups/{path}/messages");
        let answer = daemon.request(reqwest::Method::POST, &path, Some(body.to_owned())).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &json!(code)),
            "{}",
            answer.text
        );
    }
    assert_eq!(daemon.get("/api/v1/groups").await.json()["groups"], json!([]));
}

#[tokio::test]
async fn clients_publish_only_where_they_may() {
    let config = "[websocket]\npublish = false\n";
    let daemon = daemon().config(&format!("{QUIET}{config}")).start().await;
    let mut client = subscribed(&daemon, json!({"groups": ["ops"]})).await;
    let message = json!({"type": "publish", "group": "ops", "data": 1});
    refused(&mut client, message, "not_allowed").await;
    say(&daemon, "ops", json!(1)).await;
    client.next_of("group_message").await;
}

#[tokio::test]
async fn groups_are_listed_with_their_members() {
    let daemon = quiet().await;
    let mut clients = Vec::new();
    for groups in [json!(["b", "a"]), json!(["b"])] {
        let mut client = subscribed(&daemon, json!({"groups": groups})).await;
        let id = ping(&mut client).await["data"]["client_id"].clone();
        clients.push((client, id));
    }
    // Not in it: the type is not wanted.
    let _other = subscribed(&daemon, json!({"types": ["alert"], "groups": ["b"]})).await;
    let seq = say(&daemon, "c", json!(1)).await["seq"].clone();
    let list = daemon.get("/api/v1/groups").await.json();
    let group = |name, members: &[&Value], last: Value| json!({"name": name, "member_count": members.len(), "members": members, "last_seq": last});
    let (one, other) = (&clients[0].1, &clients[1].1);
    let [a, b] = [group("a", &[one], Value::Null), group("b", &[one, other], Value::Null)];
    let c = group("c", &[], seq);
    assert_eq!(list, json!({"groups": [a, b, c], "more": false}));
    let page = daemon.get("/api/v1/groups?limit=1&after=a").await.json();
    assert_eq!(page, json!({"groups": [b], "more": true}));
    for wrong in ["limit=0", "limit=x", "limit=1001", "before=a"] {
        assert_eq!(daemon.get(&format!("/api/v1/groups?{wrong}")).await.status, 400, "{wrong}");
    }
    let (mut client, _) = clients.remove(0);
    client.ask(json!({"type": "unsubscribe"}), "unsubscribed").await;
    let list = daemon.get("/api/v1/groups").await.json();
    let names: Vec<_> = list["groups"].as_array().expect("a list").iter().collect();
    assert_eq!(names.iter().map(|g| &g["name"]).collect::<Vec<_>>(), ["b", "c"]);
}

#[tokio::test]
async fn the_refusals_are_counted() {
    let config = "[collectors]\ninterval = \"100ms\"\n[groups]\nmax_message_size = \"1B\"\n";
    let daemon = daemon().config(config).start().await;
    let (mut client, _) = connect(&daemon).await;
    refused(&mut client, json!({"type": "publish", "group": "g", "data": 10}), "data_too_large")
        .await;
    refused(&mut client, json!({"type": "what"}), "unknown_type").await;
    assert_eq!(daemon.get("/ws").await.status, 426);
    let wanted = [
        "gz_group_messages_refused_total{reason=\"size\"} 1",
        "gz_ws_errors_total{code=\"data_too_large\"} 1",
        "gz_ws_errors_total{code=\"unknown_type\"} 1",
        "gz_ws_handshakes_refused_total{reason=\"upgrade\"} 1",
        "gz_ws_handshakes_total 1",
        "gz_ws_clients{deflate=\"false\",encoding=\"json\"} 1",
        "gz_ws_clients{deflate=\"true\",encoding=\"msgpack\"} 0",
        "gz_http_connections_refused_total{reason=\"handshakes\"} 0",
    ];
    crate::support::until("all of it is in /metrics", async || {
        let metrics = daemon.get("/metrics").await.text;
        wanted.iter().all(|line| metrics.lines().any(|l| l == *line)).then_some(())
    })
    .await;
}
