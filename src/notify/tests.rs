//! What becomes of alerts, by a clock that the tests turn.

use std::time::Duration;

use jiff::Timestamp;

use super::notice::Status;
use super::notice::tests::firing;
use super::outbox::Outbox;
use super::plan::Plan;
use super::{Channel, Config, Kind, Loss, Notice, Payload, RouteConfig, State, channel};
use crate::severity::Severity;
use crate::units::HumanDuration;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

/// With these channels, and waits of 10, 60 and 600 s.
fn config(channels: &[&str], routes: Vec<RouteConfig>) -> Config {
    let channels =
        channels.iter().map(|name| ((*name).to_owned(), Channel::of(channel::Kind::Webhook)));
    Config {
        repeat_interval: HumanDuration::secs(600),
        channel: channels.collect(),
        route: routes,
        ..Config::default()
    }
}

fn to(channels: &[&str]) -> RouteConfig {
    RouteConfig::to(channels.iter().map(|&name| name.to_owned()).collect())
}

fn resolved(alert: &Notice, second: i64) -> Notice {
    alert.clone().ended(at(second))
}

/// What is told at a second: channel, kind and alerts.
fn told(plan: &mut Plan, second: i64) -> Vec<String> {
    let due = plan.take(at(second)).into_iter();
    due.map(|due| {
        let alerts = due.payload.alerts.iter();
        let alerts: Vec<String> = alerts
            .map(|alert| format!("{}{}", if alert.is_firing() { "+" } else { "-" }, alert.id))
            .collect();
        format!("{} {} {}", due.channel, due.payload.kind.name(), alerts.join(" "))
    })
    .collect()
}

#[test]
fn alerts_of_a_group_are_told_together_and_changes_an_interval_later() {
    let route = RouteConfig { group_by: Vec::new(), ..to(&["ops"]) };
    let mut plan = Plan::new(&config(&["ops"], vec![route]));
    let (a, b) = (firing("a", Severity::High), firing("b", Severity::Critical));
    plan.hear(a.clone(), at(0));
    plan.hear(b.clone(), at(5));
    assert_eq!(plan.due(), Some(at(10)));
    assert!(told(&mut plan, 9).is_empty());
    assert_eq!(told(&mut plan, 10), ["ops firing +b +a"]);
    // The same again is no news.
    plan.hear(a.clone(), at(11));
    assert_eq!(plan.due(), Some(at(610)));
    plan.hear(resolved(&b, 20), at(20));
    plan.hear(firing("c", Severity::Low), at(21));
    assert_eq!(plan.due(), Some(at(70)));
    assert_eq!(told(&mut plan, 70), ["ops firing +a +c -b"]);
    plan.hear(resolved(&a, 100), at(100));
    plan.hear(resolved(&firing("c", Severity::Low), 100), at(100));
    assert_eq!(told(&mut plan, 130), ["ops resolved -a -c"]);
    assert_eq!((plan.due(), plan.groups()), (None, 0));
}

#[test]
fn what_is_over_before_it_was_told_is_not_told_and_silence_is_kept() {
    let mut plan = Plan::new(&config(&["ops"], Vec::new()));
    let alert = firing("a", Severity::High);
    plan.hear(alert.clone(), at(0));
    plan.hear(resolved(&alert, 5), at(5));
    assert!(told(&mut plan, 100).is_empty());
    plan.hear(Notice { status: Status::Silenced, ..alert.clone() }, at(100));
    plan.hear(Notice { status: Status::Pending, ..alert.clone() }, at(101));
    assert_eq!((plan.due(), plan.groups()), (None, 0));
    plan.hear(alert.clone(), at(110));
    assert_eq!(told(&mut plan, 120), ["ops firing +a"]);
    // Told, then silenced: neither its end nor its going on is told.
    plan.hear(Notice { status: Status::Silenced, ..alert.clone() }, at(130));
    plan.hear(resolved(&alert, 140), at(140));
    assert!(told(&mut plan, 10_000).is_empty());
}

#[test]
fn what_goes_on_is_repeated_until_somebody_has_taken_it_on() {
    let mut plan = Plan::new(&config(&["ops"], Vec::new()));
    let alert = firing("a", Severity::High);
    plan.hear(alert.clone(), at(0));
    assert_eq!(told(&mut plan, 10), ["ops firing +a"]);
    assert!(told(&mut plan, 609).is_empty());
    assert_eq!(told(&mut plan, 610), ["ops repeat +a"]);
    assert_eq!(plan.due(), Some(at(1210)));
    let by = serde_json::json!({ "by": "ada" });
    plan.hear(Notice { acknowledgement: Some(by), ..alert.clone() }, at(700));
    assert_eq!(plan.due(), None);
    // That it became worse is news all the same.
    plan.hear(Notice { severity: Severity::Critical, ..alert }, at(800));
    assert_eq!(told(&mut plan, 800), ["ops firing +a"]);
}

#[test]
fn what_nobody_answers_is_escalated_once_and_its_end_told_there_too() {
    let route = RouteConfig {
        escalate_after: Some(HumanDuration::secs(300)),
        escalate_to: vec!["boss".to_owned()],
        ..to(&["ops"])
    };
    let mut plan = Plan::new(&config(&["boss", "ops"], vec![route]));
    let (a, b) = (firing("a", Severity::High), firing("b", Severity::High));
    plan.hear(a.clone(), at(0));
    plan.hear(b.clone(), at(0));
    assert_eq!(told(&mut plan, 10), ["ops firing +a", "ops firing +b"]);
    let by = serde_json::json!({ "by": "ada" });
    plan.hear(Notice { acknowledgement: Some(by), ..b.clone() }, at(20));
    assert_eq!(plan.due(), Some(at(310)));
    assert_eq!(told(&mut plan, 310), ["boss escalation +a"]);
    assert_eq!(plan.due(), Some(at(610)), "the repetition");
    plan.hear(resolved(&a, 400), at(400));
    plan.hear(resolved(&b, 400), at(400));
    assert_eq!(told(&mut plan, 400), ["ops resolved -a", "boss resolved -a", "ops resolved -b"]);
}

#[test]
fn routes_are_tried_in_their_order_and_go_on_if_they_say_so() {
    let night = RouteConfig { severity: Severity::Critical, goes_on: true, ..to(&["pager"]) };
    let web = RouteConfig { matches: vec!["job=web".to_owned()], ..to(&["web"]) };
    let routes = vec![night, web, to(&["ops"])];
    let config =
        Config { group_wait: HumanDuration::secs(0), ..config(&["ops", "pager", "web"], routes) };
    let mut plan = Plan::new(&config);
    let of_web = |id, severity| {
        let mut alert = firing(id, severity);
        alert.labels.insert("job".to_owned(), "web".to_owned());
        alert
    };
    plan.hear(firing("a", Severity::Low), at(0));
    assert_eq!(told(&mut plan, 0), ["ops firing +a"]);
    plan.hear(of_web("b", Severity::High), at(0));
    assert_eq!(told(&mut plan, 0), ["web firing +b"]);
    plan.hear(of_web("c", Severity::Critical), at(0));
    assert_eq!(told(&mut plan, 0), ["pager firing +c", "web firing +c"]);
    // One that becomes worse goes where it belongs then.
    plan.hear(firing("a", Severity::Critical), at(5));
    assert_eq!(told(&mut plan, 100), ["pager firing +a", "ops firing +a"]);
}

#[test]
fn a_channel_may_be_spared_what_is_over() {
    let mut config = config(&["ops"], Vec::new());
    config.channel.get_mut("ops").expect("it is there").send_resolved = false;
    let mut plan = Plan::new(&config);
    let alert = firing("a", Severity::High);
    plan.hear(alert.clone(), at(0));
    assert_eq!(told(&mut plan, 10), ["ops firing +a"]);
    plan.hear(resolved(&alert, 20), at(20));
    assert!(told(&mut plan, 1000).is_empty());
}

#[test]
fn groups_come_back_as_they_were_and_other_routes_take_over() {
    let mut plan = Plan::new(&config(&["ops"], Vec::new()));
    plan.hear(firing("a", Severity::High), at(0));
    plan.hear(firing("b", Severity::High), at(0));
    assert_eq!(told(&mut plan, 10).len(), 2);
    let kept: Vec<_> = plan
        .all()
        .map(|(key, group)| (key.clone(), serde_json::to_string(group).expect("JSON")))
        .collect();
    let mut again = Plan::new(&config(&["ops"], Vec::new()));
    for (key, text) in kept {
        again.restore(key, serde_json::from_str(&text).expect("a group"), at(20));
    }
    assert!(told(&mut again, 100).is_empty(), "nobody is told twice");
    assert_eq!(again.due(), Some(at(610)));
    let other = RouteConfig { name: Some("new".to_owned()), ..to(&["ops", "web"]) };
    again.configure(&config(&["ops", "web"], vec![other]), at(200));
    assert_eq!(again.groups(), 2);
    assert_eq!(told(&mut again, 210).len(), 4, "the new route tells its channels");
}

fn payload(group: &str, second: i64) -> Payload {
    let alerts = vec![firing(group, Severity::High)];
    Payload::new(Kind::Firing, "r", group, &Default::default(), alerts, at(second))
}

/// What may be sent at a second, by its group.
fn picked(outbox: &Outbox, second: i64) -> Option<(u64, String)> {
    let picked = outbox.pick(at(second), |channel| channel != "gone");
    picked.map(|(number, entry, _)| (number, entry.group_key.clone()))
}

#[test]
fn failures_are_tried_again_later_and_given_up_when_they_are_old() {
    let mut outbox =
        Outbox::new(&Config { max_age: HumanDuration::secs(100), ..Config::default() });
    outbox.add("ops", payload("a", 0), at(0));
    outbox.add("ops", payload("a", 1), at(1));
    let (first, group) = picked(&outbox, 1).expect("due");
    assert_eq!(group, "a");
    outbox.fly(first);
    assert_eq!(picked(&outbox, 1), None, "one of a channel at a time");
    assert!(outbox.failed(first, "500", None, 0.0, at(1)));
    assert_eq!((picked(&outbox, 1), outbox.due(|_| true)), (None, Some(at(2))));
    outbox.fly(first);
    // The receiver has said when; that holds for the whole channel.
    outbox.add("ops", payload("b", 2), at(2));
    assert!(outbox.failed(first, "429", Some(Duration::from_secs(50)), 0.0, at(2)));
    assert_eq!((picked(&outbox, 51), outbox.due(|_| true)), (None, Some(at(52))));
    let (again, _) = picked(&outbox, 52).expect("due");
    assert_eq!(again, first);
    outbox.fly(first);
    assert!(!outbox.failed(first, "500", None, 0.0, at(100)));
    let lost = outbox.take_lost();
    assert_eq!((lost.len(), lost[0].1, lost[0].0.attempts), (1, Loss::Age, 3));
    let states: Vec<State> = outbox.all().map(|(_, entry)| entry.state).collect();
    assert_eq!(states, [State::Failed, State::Pending, State::Pending]);
}

#[test]
fn a_channel_that_is_gone_keeps_its_notifications_until_they_are_old() {
    let mut outbox =
        Outbox::new(&Config { max_age: HumanDuration::secs(100), ..Config::default() });
    outbox.add("gone", payload("a", 0), at(0));
    assert_eq!((picked(&outbox, 1), outbox.due(|_| false)), (None, Some(at(100))));
    outbox.expire(at(99));
    assert_eq!(outbox.pending().count(), 1);
    outbox.expire(at(100));
    assert_eq!((outbox.pending().count(), outbox.take_lost().len()), (0, 1));
}

#[test]
fn an_outbox_has_bounds() {
    let config = Config { max_pending: 2, keep: 1, ..Config::default() };
    let mut outbox = Outbox::new(&config);
    for second in 0..4 {
        outbox.add("ops", payload(&format!("g{second}"), second), at(second));
    }
    let lost: Vec<_> =
        outbox.take_lost().into_iter().map(|(entry, loss)| (entry.group_key, loss)).collect();
    assert_eq!(lost, [("g0".to_owned(), Loss::Room), ("g1".to_owned(), Loss::Room)]);
    let all: Vec<_> = outbox.all().map(|(_, entry)| entry.group_key.as_str()).collect();
    assert_eq!(all, ["g1", "g2", "g3"], "of those that are done with one is kept");
    let many: Vec<Notice> = (0..50).map(|n| firing(&format!("alert-{n}"), Severity::Low)).collect();
    let large = Payload::new(Kind::Firing, "r", "g", &Default::default(), many, at(0));
    let bounded = large.within(2_000);
    assert!(serde_json::to_vec(&bounded.alerts).expect("JSON").len() <= 2_100);
    assert_eq!(bounded.alerts.len() + bounded.truncated, 50);
    let mut huge = firing("a", Severity::Low);
    huge.annotations.insert("x".to_owned(), "y".repeat(5_000));
    let one = Payload::new(Kind::Firing, "r", "g", &Default::default(), vec![huge], at(0));
    let one = one.within(2_000);
    assert_eq!((one.alerts.len(), one.alerts[0].annotations.len(), one.truncated), (1, 0, 0));
}

#[test]
fn a_key_is_the_same_for_every_attempt_and_another_for_every_notification() {
    let mut outbox = Outbox::new(&Config::default());
    outbox.add("ops", payload("a", 0), at(0));
    outbox.add("ops", payload("a", 0), at(0));
    outbox.add("web", payload("a", 0), at(0));
    let keys: std::collections::BTreeSet<&str> =
        outbox.all().map(|(_, entry)| entry.key.as_str()).collect();
    assert_eq!(keys.len(), 3);
    let (number, entry) = outbox.all().next().expect("one");
    let (key, text) = (entry.key.clone(), serde_json::to_string(entry).expect("JSON"));
    let mut again = Outbox::new(&Config::default());
    again.restore(number, serde_json::from_str(&text).expect("an entry"));
    again.restore(9, serde_json::from_str(&text).expect("an entry"));
    let kept: Vec<_> = again.all().map(|(_, entry)| entry.key.clone()).collect();
    assert_eq!(kept, [key]);
}
