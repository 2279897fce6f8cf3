//! What each receiver is sent.

use jiff::Timestamp;

use super::*;
use crate::notify::notice::tests::firing;
use crate::notify::{Channel, Kind as Why, Labels, Notice, Payload};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn channel(kind: Kind) -> Channel {
    let text = |text: &str| Some(text.to_owned());
    Channel {
        topic: text("alerts"),
        from: text("gz-monitor <monitor@example.org>"),
        to: vec!["ops@example.org".to_owned(), "Ada <ada@example.org>".to_owned()],
        ..Channel::of(kind)
    }
}

/// An alert that fires, whose texts try what they can.
fn payload() -> Payload {
    let mut alert = firing("alert-1", Severity::Critical);
    alert.rule_name = "High CPU <!channel>".to_owned();
    alert.labels.insert("device".to_owned(), "sda".to_owned());
    alert.annotations.insert("runbook".to_owned(), "https://example.org/cpu".to_owned());
    let mut over =
        firing("alert-2", Severity::Low).ended(Timestamp::from_second(1).expect("in range"));
    over.labels.insert("device".to_owned(), "sda".to_owned());
    let group = Labels::from([("device".to_owned(), "sda".to_owned())]);
    let now = "2024-01-10T10:00:00Z".parse().expect("a time");
    Payload::new(Why::Firing, "night", "night/{}", &group, vec![alert, over], now)
}

fn body(channel: &Channel, payload: &Payload) -> String {
    let view = View::new(KEY, payload, "ops", channel, "web1");
    let body: Json = serde_json::from_str(&json(&view, channel)).expect("JSON");
    serde_json::to_string_pretty(&body).expect("JSON")
}

#[test]
fn our_own() {
    insta::assert_snapshot!(body(&channel(Kind::Webhook), &payload()));
}

#[test]
fn of_alertmanager() {
    let channel = Channel { format: Format::Alertmanager, ..channel(Kind::Webhook) };
    insta::assert_snapshot!(body(&channel, &payload()));
}

#[test]
fn of_slack() {
    insta::assert_snapshot!(body(&channel(Kind::Slack), &payload()));
}

#[test]
fn of_discord() {
    insta::assert_snapshot!(body(&channel(Kind::Discord), &payload()));
}

#[test]
fn of_teams() {
    insta::assert_snapshot!(body(&channel(Kind::Teams), &payload()));
}

#[test]
fn of_ntfy() {
    insta::assert_snapshot!(body(&channel(Kind::Ntfy), &payload()));
}

#[test]
fn of_mail() {
    let (channel, payload) = (channel(Kind::Email), payload());
    let view = View::new(KEY, &payload, "ops", &channel, "web1");
    let mail = message(&view, &channel).expect("a mail").formatted();
    let mail = String::from_utf8(mail).expect("UTF-8").replace("\r\n", "\n");
    // When it was sent is nobody's business here.
    let lines = mail.lines().filter(|line| !line.starts_with("Date: "));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn titles_and_texts_are_templates_and_a_title_is_one_line() {
    let title = Some("{{ firing | length }} of {{ host }}\nBcc: eve@example.org".to_owned());
    let text = Some("{{ alerts[0].labels.device }}: {{ nothing.at.all }}".to_owned());
    let channel = Channel { title, body: text, ..channel(Kind::Webhook) };
    let payload = payload();
    let view = View::new(KEY, &payload, "ops", &channel, "web1");
    assert_eq!(view.title, "1 of web1 Bcc: eve@example.org");
    // It asks for what is not there, so that the usual text is sent.
    assert!(view.body.contains("High CPU"), "{}", view.body);
}

#[test]
fn a_receivers_bounds_are_kept() {
    let alerts: Vec<Notice> =
        (0..500).map(|n| firing(&format!("größe-{n}"), Severity::High)).collect();
    let now = Timestamp::UNIX_EPOCH;
    let payload = Payload::new(Why::Firing, "r", "g", &Labels::new(), alerts, now);
    let sizes = |kind, path: &str| -> usize {
        let body: Json = serde_json::from_str(&body(&channel(kind), &payload)).expect("JSON");
        body.pointer(path).and_then(Json::as_str).expect("a text").chars().count()
    };
    assert!(sizes(Kind::Slack, "/attachments/0/blocks/0/text/text") <= 150);
    assert_eq!(sizes(Kind::Slack, "/attachments/0/blocks/1/text/text"), 3_000);
    assert!(sizes(Kind::Discord, "/embeds/0/title") <= 256);
    assert_eq!(sizes(Kind::Discord, "/embeds/0/description"), 4_096);
    let teams: Json = serde_json::from_str(&body(&channel(Kind::Teams), &payload)).expect("JSON");
    assert!(teams.to_string().encode_utf16().count() * 2 < 28_000);
    assert!(sizes(Kind::Ntfy, "/message") <= 4_000);
}
