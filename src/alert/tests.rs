//! Alerts over time: tables, and a model beside which any course of events is played.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::query;
use crate::sample::Moment;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

/// A firing alert of a rule of this id.
pub(super) fn alert(rule: &str) -> Alert {
    Alert {
        id: id_of(rule, &Labels::new()).into(),
        rule_id: rule.to_owned(),
        rule_name: rule.to_owned(),
        state: State::Firing,
        severity: Severity::Medium,
        labels: Labels::new(),
        annotations: Labels::new(),
        message: "m".to_owned(),
        value: None,
        threshold: None,
        of_rule: true,
        starts_at: at(0),
        ends_at: None,
        acknowledgement: None,
        silenced_by: None,
        lapsed_at: None,
        flapping: false,
        last_time: None,
        transitions: VecDeque::new(),
    }
}

/// What `text` says below `[alerts]`.
fn rules(text: &str) -> Arc<Rules> {
    let config: Config = toml::from_str(text).expect("a configuration");
    let (rules, bad) = Rules::read(&config, &query::Config::default());
    assert_eq!(bad, []);
    Arc::new(rules)
}

/// Rules, alerts and a clock.
struct World {
    registry: Registry,
    now: i64,
    /// When the daemon started.
    started: i64,
}

impl World {
    fn new(text: &str) -> Self {
        // Long after the start, unless a test says otherwise.
        Self { registry: Registry::new(rules(text)), now: 10_000, started: 0 }
    }

    fn now(&self) -> Moment {
        let uptime = Duration::from_secs((self.now - self.started) as u64);
        Moment { wall: at(self.now), uptime }
    }

    /// The rule's condition holds for these devices; says what clients are told.
    fn round(&mut self, rule: &str, devices: &[&str]) -> Vec<String> {
        self.round_holding(rule, devices, &[])
    }

    fn round_holding(&mut self, rule: &str, devices: &[&str], held: &[&str]) -> Vec<String> {
        let one = self.registry.rules().get(rule).cloned().expect(rule);
        let see = |device: &&str| one.see(&element(device), 1.0);
        let outcome = Outcome {
            seen: devices.iter().map(see).collect(),
            held: held.iter().map(|device| see(device).id).collect::<BTreeSet<_>>(),
        };
        let ruling = Ruling { rule: rule.into(), outcome: Ok(outcome), took: Duration::ZERO };
        let round = Round { at: at(self.now), rulings: vec![ruling], skipped: 0 };
        let told = self.registry.apply(round, self.now());
        words(&told)
    }

    fn after(&mut self, seconds: i64) -> &mut Self {
        self.now += seconds;
        self
    }

    fn sweep(&mut self) -> Vec<String> {
        let told = self.registry.sweep(at(self.now));
        words(&told)
    }

    fn state(&self, rule: &str, device: &str) -> Option<State> {
        self.alert(rule, device).map(|alert| alert.state)
    }

    fn alert(&self, rule: &str, device: &str) -> Option<&Alert> {
        self.registry.iter().find(|alert| {
            alert.rule_id == rule && alert.labels.get("device").is_some_and(|it| it == device)
        })
    }

    /// A daemon that was killed and starts again has what was kept.
    fn restart(&mut self) {
        let (alerts, silences) = kept(&self.registry);
        self.registry = Registry::new(self.registry.rules().clone());
        self.registry.restore(alerts, silences);
        self.started = self.now;
    }
}

fn kept(registry: &Registry) -> (Vec<Alert>, Vec<Silence>) {
    (registry.iter().cloned().collect(), registry.silences().cloned().collect())
}

fn element(device: &str) -> query::Labels {
    query::Labels::of(&crate::sample::SeriesKey::new("x", [("device", device)]))
}

fn words(told: &[Told]) -> Vec<String> {
    let device = |alert: &Alert| alert.labels.get("device").cloned().unwrap_or_default();
    let line =
        |it: &Told| format!("{} {} {}", it.alert.rule_id, device(&it.alert), it.alert.state.name());
    let mut lines: Vec<String> = told.iter().map(line).collect();
    lines.sort();
    lines
}

const NOTHING: [String; 0] = [];
const PLAIN: &str = "[[rule]]\nid = 'r'\nexpr = 'x'\n";
const SLOW: &str = "[[rule]]\nid = 'r'\nexpr = 'x'\nfor = '30s'\nkeep_firing_for = '20s'\n";

#[test]
fn an_alert_is_pending_then_firing_then_kept_then_resolved() {
    let mut world = World::new(SLOW);
    assert_eq!(world.round("r", &["a"]), NOTHING);
    assert_eq!(world.state("r", "a"), Some(State::Pending));
    assert_eq!(world.registry.stats().alerts, 0);
    assert_eq!(world.after(29).round("r", &["a"]), NOTHING);
    assert_eq!(world.after(1).round("r", &["a"]), ["r a firing"]);
    assert_eq!(world.alert("r", "a").expect("it").starts_at, at(10_000));
    assert_eq!(world.after(1).round("r", &["a"]), NOTHING);
    assert_eq!(world.after(1).round("r", &[]), NOTHING);
    assert_eq!(world.after(19).round("r", &[]), NOTHING);
    assert_eq!(world.state("r", "a"), Some(State::Firing));
    assert_eq!(world.after(1).round("r", &[]), ["r a resolved"]);
    assert_eq!(world.alert("r", "a").expect("it").ends_at, Some(at(10_052)));
    // What is pending for the second time and goes is resolved as before.
    assert_eq!(world.after(10).round("r", &["a"]), NOTHING);
    assert_eq!(world.state("r", "a"), Some(State::Pending));
    assert_eq!(world.after(10).round("r", &[]), NOTHING);
    let alert = world.alert("r", "a").expect("it");
    assert_eq!((alert.state, alert.starts_at), (State::Resolved, at(10_000)));
    assert_eq!(alert.ends_at, Some(at(10_052)));
    let causes: Vec<&str> = alert.transitions.iter().map(|it| it.cause.as_str()).collect();
    assert_eq!(causes, ["its condition has held for 30s", "its condition no longer holds"]);
}

#[test]
fn what_was_only_pending_is_gone_without_a_word() {
    let mut world = World::new(SLOW);
    world.round("r", &["a", "b"]);
    assert_eq!(world.after(10).round("r", &["b"]), NOTHING);
    assert_eq!((world.state("r", "a"), world.state("r", "b")), (None, Some(State::Pending)));
    let gone = world.registry.take_entries();
    assert!(gone.iter().any(|entry| matches!(entry, Entry::Gone(_))), "{gone:?}");
}

#[test]
fn a_second_condition_holds_the_end_up() {
    let mut world =
        World::new("[[rule]]\nid = 'r'\nexpr = 'x > 90'\nresolve = 'x < 70'\nseverity = 'high'\n");
    assert_eq!(world.registry.rules().get("r").expect("it").threshold, Some(90.0));
    assert_eq!(world.round("r", &["a", "b"]), ["r a firing", "r b firing"]);
    // At 80 neither holds; of b there is nothing any more.
    let mut told = world.after(10).round_holding("r", &[], &["a"]);
    assert_eq!(told, ["r b resolved"]);
    told = world.after(10).round_holding("r", &[], &[]);
    assert_eq!(told, ["r a resolved"]);
}

#[test]
fn a_restart_fires_nothing_twice_and_clocks_go_on() {
    let mut world = World::new(SLOW);
    world.round("r", &["a"]);
    world.after(20).restart();
    assert_eq!(world.after(10).round("r", &["a"]), ["r a firing"]);
    world.after(5).restart();
    assert_eq!(world.round("r", &["a"]), NOTHING);
    world.after(5).restart();
    // The samples are not there yet: this is no end.
    assert_eq!(world.after(30).round("r", &[]), NOTHING);
    assert_eq!(world.after(29).round("r", &[]), NOTHING);
    assert_eq!(world.state("r", "a"), Some(State::Firing));
    assert_eq!(world.after(1).round("r", &[]), NOTHING);
    assert_eq!(world.after(20).round("r", &[]), ["r a resolved"]);
}

#[test]
fn what_comes_and_goes_is_flapping_and_ends_late() {
    let text = "flap_count = 3\nflap_window = '1m'\n[[rule]]\nid = 'r'\nexpr = 'x'\n";
    let mut world = World::new(text);
    for _ in 0..2 {
        assert_eq!(world.after(5).round("r", &["a"]), ["r a firing"]);
        assert_eq!(world.after(5).round("r", &[]), ["r a resolved"]);
    }
    assert_eq!(world.after(5).round("r", &["a"]), ["r a firing"]);
    assert!(world.alert("r", "a").expect("it").flapping);
    for _ in 0..5 {
        assert_eq!(world.after(5).round("r", &[]), NOTHING);
        assert_eq!(world.after(5).round("r", &["a"]), NOTHING);
    }
    assert_eq!(world.after(5).round("r", &[]), NOTHING);
    assert_eq!(world.after(59).round("r", &[]), NOTHING);
    assert_eq!(world.after(1).round("r", &[]), ["r a resolved"]);
    assert_eq!(world.after(1).round("r", &["a"]), ["r a firing"]);
    assert!(!world.alert("r", "a").expect("it").flapping);
}

#[test]
fn a_silence_is_heard_of_and_ends_by_itself() {
    let mut world = World::new(PLAIN);
    world.round("r", &["a", "b"]);
    let new = NewSilence {
        matchers: vec!["device=a".parse().expect("a matcher")],
        duration: SignedDuration::from_secs(60),
        by: "ada".to_owned(),
        comment: "disk".to_owned(),
    };
    let (silence, told) = world.registry.silence(new.clone(), at(world.now)).expect("silenced");
    assert_eq!(words(&told), ["r a silenced"]);
    let stats = world.registry.stats();
    assert_eq!((stats.alerts, stats.firing, stats.silenced), (2, 1, 1));
    let by = world.alert("r", "a").expect("it").silenced_by.clone();
    assert_eq!(by, Some(format!("{} of ada: disk", silence.id)));
    world.after(10).restart();
    assert_eq!(world.round("r", &["a", "b"]), NOTHING);
    assert_eq!(world.after(49).sweep(), NOTHING);
    assert_eq!(world.after(1).sweep(), ["r a firing"]);
    assert_eq!(world.registry.silences().count(), 0);
    // What begins while it is silenced is not firing first.
    let (silence, _) = world.registry.silence(new, at(world.now)).expect("silenced");
    world.round("r", &[]);
    assert_eq!(world.after(1).round("r", &["a"]), ["r a silenced"]);
    let told = world.registry.unsilence(&silence.id, at(world.now)).expect("it was there");
    assert_eq!(words(&told), ["r a firing"]);
    assert!(world.registry.unsilence(&silence.id, at(world.now)).is_err());
}

#[test]
fn alerts_silence_others_by_inhibition_and_dependency() {
    let mut world = World::new(
        "[[rule]]\nid = 'full'\nexpr = 'x'\nseverity = 'critical'\n\
         [[rule]]\nid = 'filling'\nexpr = 'x'\n\
         [[rule]]\nid = 'late'\nexpr = 'x'\ndepends_on = ['full']\n\
         [[inhibit]]\nname = 'worse'\nsource = ['severity=critical']\n\
         target = ['severity!=critical', 'rule_id=filling']\nequal = ['device']\n",
    );
    assert_eq!(world.round("filling", &["a", "b"]), ["filling a firing", "filling b firing"]);
    assert_eq!(world.round("late", &["c"]), ["late c firing"]);
    let told = world.round("full", &["a"]);
    assert_eq!(told, ["filling a silenced", "full a firing", "late c silenced"]);
    assert_eq!(world.state("filling", "b"), Some(State::Firing));
    let told = world.after(1).round("full", &[]);
    assert_eq!(told, ["filling a firing", "full a resolved", "late c firing"]);
}

#[test]
fn maintenance_silences_what_it_means() {
    let mut world = World::new(
        "[[rule]]\nid = 'r'\nexpr = 'x'\n[[maintenance]]\nname = 'night'\n\
         schedule = '0 3 * * *'\nduration = '1h'\nmatchers = ['device=a']\n",
    );
    // 10000 s after 1970 is 02:46:40.
    assert_eq!(world.round("r", &["a", "b"]), ["r a firing", "r b firing"]);
    assert_eq!(world.after(800).sweep(), ["r a silenced"]);
    assert_eq!(world.after(3_599).sweep(), NOTHING);
    assert_eq!(world.after(1).sweep(), ["r a firing"]);
}

#[test]
fn an_alert_that_is_lowered_is_told_to_who_saw_it() {
    let mut world = World::new("[[rule]]\nid = 'r'\nexpr = 'x'\nseverity = 'critical'\n");
    world.round("r", &["a"]);
    world.registry.configure(rules("[[rule]]\nid = 'r'\nexpr = 'x'\nseverity = 'low'\n"));
    assert_eq!(world.sweep(), NOTHING);
    let one = world.registry.rules().get("r").cloned().expect("it");
    let seen = vec![one.see(&element("a"), 1.0)];
    let outcome = Ok(Outcome { seen, held: BTreeSet::new() });
    let ruling = Ruling { rule: "r".into(), outcome, took: Duration::ZERO };
    let round = Round { at: at(world.now), rulings: vec![ruling], skipped: 0 };
    let told = world.registry.apply(round, world.now());
    let levels: Vec<_> = told.iter().map(|it| (it.alert.severity, it.level)).collect();
    assert_eq!(levels, [(Severity::Low, Severity::Critical)]);
}

#[test]
fn alerts_of_a_rule_that_is_gone_end_and_others_stay() {
    let mut world = World::new(&format!("{PLAIN}[[rule]]\nid = 's'\nexpr = 'x'\nfor = '1m'\n"));
    world.round("r", &["a"]);
    world.round("s", &["a"]);
    world.registry.configure(rules("[[rule]]\nid = 's'\nexpr = 'x'\nfor = '1m'\n"));
    assert_eq!(world.sweep(), ["r a resolved"]);
    assert_eq!(world.state("s", "a"), Some(State::Pending));
    world.registry.configure(rules(""));
    assert_eq!(world.sweep(), NOTHING);
    assert_eq!(world.state("s", "a"), None);
}

#[test]
fn an_acknowledgement_lasts_as_long_as_the_alert() {
    let mut world = World::new(PLAIN);
    world.round("r", &["a"]);
    let id = world.alert("r", "a").expect("it").id.to_string();
    let what = |comment: &str| Acknowledge {
        id: id.clone(),
        by: "ada".to_owned(),
        comment: comment.to_owned(),
    };
    let (alert, told) = world.registry.acknowledge(what("on it"), at(1)).expect("taken on");
    assert_eq!(words(&told), ["r a firing"]);
    assert_eq!(alert.transitions.back().expect("one").cause, "acknowledged by ada: on it");
    world.restart();
    world.after(61).round("r", &["a"]);
    assert!(world.alert("r", "a").expect("it").acknowledgement.is_some());
    world.after(1).round("r", &[]);
    let refused = world.registry.acknowledge(what(""), at(1)).expect_err("it is over");
    assert_eq!(refused, Error::NotActive(id.clone()));
    world.after(1).round("r", &["a"]);
    assert_eq!(world.alert("r", "a").expect("it").acknowledgement, None);
    assert!(world.registry.resolve(&id, at(1)).is_err(), "it is a rule's");
}

#[test]
fn a_rule_that_fails_changes_nothing_and_says_why() {
    let mut world = World::new(PLAIN);
    world.round("r", &["a"]);
    let outcome = Err("too slow".to_owned());
    let ruling = Ruling { rule: "r".into(), outcome, took: Duration::from_secs(1) };
    let round = Round { at: at(world.now), rulings: vec![ruling], skipped: 2 };
    assert_eq!(world.registry.apply(round, world.now()), []);
    assert_eq!(world.state("r", "a"), Some(State::Firing));
    let health = world.registry.health("r").expect("some");
    assert_eq!(health.error.as_deref(), Some("too slow"));
    let totals = world.registry.evaluations();
    assert_eq!((totals.rules, totals.failures, totals.skipped), (2, 1, 2));
}

#[test]
fn what_finds_no_room_is_a_failure_of_its_rule() {
    let mut world = World::new(&format!("max_alerts = 2\n{PLAIN}"));
    assert_eq!(world.round("r", &["a", "b", "c"]), ["r a firing", "r b firing"]);
    let error = world.registry.health("r").and_then(|it| it.error.clone()).expect("an error");
    assert!(error.contains("alerts.max_alerts"), "{error}");
    world.after(1).round("r", &["a"]);
    assert_eq!(world.after(1).round("r", &["a", "c"]), ["r c firing"]);
    assert_eq!(world.state("r", "b"), None);
}

fn report(rule: &str, severity: Severity) -> Report {
    Report {
        rule_id: rule.to_owned(),
        rule_name: rule.to_owned(),
        severity,
        labels: Labels::new(),
        annotations: Labels::new(),
        message: "it is".to_owned(),
        value: Some(92.5),
        threshold: None,
    }
}

#[test]
fn firing_again_updates_and_a_new_fire_starts_anew() {
    let mut alerts = Registry::new(Arc::default());
    let (first, _) = alerts.fire(report("cpu", Severity::High), at(1)).expect("fired");
    let (again, told) = alerts.fire(report("cpu", Severity::Critical), at(2)).expect("fired");
    assert_eq!((&again.id, again.starts_at, told.len()), (&first.id, at(1), 1));
    assert_eq!(alerts.worst(), Some(Severity::Critical));
    let (_, told) = alerts.fire(report("cpu", Severity::Low), at(2)).expect("fired");
    assert_eq!(told[0].level, Severity::Critical);
    let (resolved, _) = alerts.resolve(&first.id, at(3)).expect("resolved");
    assert_eq!((resolved.state, resolved.ends_at), (State::Resolved, Some(at(3))));
    assert_eq!(alerts.resolve(&first.id, at(4)), Err(Error::Resolved(first.id.to_string())));
    assert_eq!(alerts.worst(), None);
    let (anew, _) = alerts.fire(report("cpu", Severity::Low), at(5)).expect("fired");
    assert_eq!((anew.starts_at, anew.ends_at), (at(5), None));
    let states: Vec<State> = anew.transitions.iter().map(|it| it.state).collect();
    assert_eq!(
        states,
        [State::Firing, State::Firing, State::Firing, State::Resolved, State::Firing]
    );
}

#[test]
fn resolved_alerts_make_room_and_firing_ones_do_not() {
    let mut alerts = Registry::new(rules("max_alerts = 2"));
    alerts.fire(report("a", Severity::High), at(1)).expect("fired");
    let (b, _) = alerts.fire(report("b", Severity::High), at(1)).expect("fired");
    assert_eq!(alerts.fire(report("c", Severity::High), at(2)).err(), Some(Error::Full(2)));
    alerts.resolve(&b.id, at(2)).expect("resolved");
    assert!(alerts.fire(report("c", Severity::High), at(2)).is_ok());
    assert!(alerts.get(&b.id).is_none());
    let gone = alerts.take_entries().iter().filter(|it| **it == Entry::Gone(b.id.clone())).count();
    assert_eq!(gone, 1);
}

#[test]
fn nobody_outside_fires_what_is_a_rules() {
    let mut world = World::new(PLAIN);
    let refused = world.registry.fire(report("r", Severity::Low), at(1)).expect_err("a rule's");
    assert_eq!(refused, Error::OfRule("r".to_owned()));
}

#[test]
fn alerts_of_one_rule_are_told_apart_by_their_labels_but_not_by_how_bad_they_are() {
    let labels = |pairs: &[(&str, &str)]| -> Labels {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let plain = id_of("cpu", &labels(&[]));
    assert_eq!(plain, id_of("cpu", &labels(&[("severity", "page")])));
    let one = id_of("cpu", &labels(&[("a", "b"), ("c", "d")]));
    assert_ne!(one, plain);
    assert_ne!(one, id_of("cpu", &labels(&[("a", "bcd")])));
    assert_ne!(id_of("cpua", &labels(&[])), id_of("cpu", &labels(&[("a", "")])));
}

#[test]
fn what_happened_to_an_alert_is_remembered_within_a_bound() {
    let mut alerts = Registry::new(Arc::default());
    for second in 0..40 {
        let (alert, _) = alerts.fire(report("a", Severity::High), at(second)).expect("fired");
        alerts.fire(report("a", Severity::High), at(second)).expect("fired again");
        alerts.resolve(&alert.id, at(second)).expect("resolved");
    }
    let alert = alerts.iter().next().expect("one");
    let last = alert.transitions.back().expect("some");
    assert_eq!((alert.transitions.len(), last.state, last.at), (32, State::Resolved, at(39)));
}

#[test]
fn labels_have_bounds() {
    let mut alerts = Registry::new(Arc::default());
    let mut check =
        |labels: Labels| alerts.fire(Report { labels, ..report("a", Severity::Low) }, at(1)).err();
    let named = |name: &str, text: &str| Labels::from([(name.to_owned(), text.to_owned())]);
    assert_eq!(check(named("a_1", "x")), None);
    assert_eq!(check(named("1a", "x")), Some(Error::LabelName("1a".to_owned())));
    assert!(matches!(check(named("a", &"x".repeat(4097))), Some(Error::Length(_))));
    let many = (0..33).map(|n| (format!("l{n}"), "x".to_owned())).collect();
    assert_eq!(check(many), Some(Error::Labels));
}

#[test]
fn what_is_no_rule_is_refused_at_its_key() {
    let config: Config = toml::from_str(
        "[[rule]]\nid = ''\nexpr = 'up ='\nresolve = 'up'\nmessage = '{{ foo }}'\n\
         labels = { a-b = 'x', c = '{{' }\n[[rule]]\nid = 'a'\nexpr = 'up[5m]'\n\
         depends_on = ['a', 'z']\n[[rule]]\nid = 'a'\nexpr = 'up'\n\
         [[inhibit]]\nname = 'x'\nsource = []\ntarget = ['a=b']\n\
         [[inhibit]]\nname = 'y'\nsource = ['a']\ntarget = ['a=b']\n\
         [[maintenance]]\nname = 'n'\nschedule = 'x'\nduration = '1h'\n",
    )
    .expect("a configuration");
    let (_, bad) = Rules::read(&config, &query::Config::default());
    let lines: Vec<String> = bad
        .iter()
        .map(|bad| format!("{}[{}].{}: {}", bad.list, bad.index, bad.key, bad.message))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    rule[0].id: it has 1 to 256 bytes
    rule[0].labels.a-b: this is no name of a label
    rule[0].expr: 1:4: parse error: unexpected "="
    rule[0].resolve: it has to be a comparison, such as up > 0
    rule[0].labels.c: 1:1: "{{" is not closed
    rule[0].message: 1:4: "foo" is not supported here
    rule[1].expr: it is a range or a text, and not a vector or a number
    rule[2].id: a rule before it has the same id
    rule[1].depends_on: a rule cannot depend on itself
    rule[1].depends_on: there is no rule "z"
    inhibit[0].source: it has no condition, and would mean every alert
    inhibit[1].source: "a" is no condition: write one such as severity=low, device!="sda" or job=~"a|b"
    maintenance[0].schedule: a schedule has five fields, this one 1: minute, hour, day of the month, month, day of the week, such as "30 2 * * SUN"
    "#);
}

/// One thing that may happen in the model.
#[derive(Debug, Clone)]
enum Happens {
    /// The condition holds for those devices whose bit is set, so many seconds later.
    Round(u8, i64),
    Silence(u8, i64),
    Sweep(i64),
    Restart,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (0_u8..8, 1_i64..40).prop_map(|(devices, later)| Happens::Round(devices, later)),
        1 => (0_u8..3, 1_i64..100).prop_map(|(device, length)| Happens::Silence(device, length)),
        1 => (1_i64..40).prop_map(Happens::Sweep),
        1 => Just(Happens::Restart),
    ]
}

const DEVICES: [&str; 3] = ["a", "b", "c"];

proptest! {
    /// Whoever follows what is told knows which alerts there are at every moment; nothing is told
    /// twice, and what is kept is what there is.
    #[test]
    fn who_follows_knows_the_state(course in prop::collection::vec(happens(), 1..60)) {
        let mut world = World::new(&format!("flap_count = 4\nstart_grace = '25s'\n{SLOW}"));
        let mut known = std::collections::BTreeMap::new();
        let mut stored: std::collections::BTreeMap<Arc<str>, Alert> = Default::default();
        for step in course {
            let told = match step {
                Happens::Round(devices, later) => {
                    let set = |index: &usize| devices & 1 << index != 0;
                    let on: Vec<&str> = (0..3).filter(set).map(|index| DEVICES[index]).collect();
                    world.after(later).round("r", &on)
                }
                Happens::Silence(device, length) => {
                    let matcher = format!("device={}", DEVICES[usize::from(device)]);
                    let new = NewSilence {
                        matchers: vec![matcher.parse().expect("a matcher")],
                        duration: SignedDuration::from_secs(length),
                        by: "x".to_owned(),
                        comment: String::new(),
                    };
                    let now = at(world.after(1).now);
                    words(&world.registry.silence(new, now).expect("silenced").1)
                }
                Happens::Sweep(later) => world.after(later).sweep(),
                Happens::Restart => {
                    world.restart();
                    Vec::new()
                }
            };
            for line in told {
                let mut parts = line.split(' ').skip(1).map(str::to_owned);
                let (device, state) = (parts.next().expect("a device"), parts.next());
                let before = known.insert(device, state.clone());
                prop_assert_ne!(before.flatten(), state, "told twice: {}", line);
            }
            for entry in world.registry.take_entries() {
                match entry {
                    Entry::Kept(alert) => _ = stored.insert(alert.id.clone(), alert),
                    Entry::Gone(id) => _ = stored.remove(&id),
                    Entry::Silenced(_) | Entry::Heard(_) => {}
                }
            }
            for device in DEVICES {
                let state = world.state("r", device).filter(|state| *state != State::Pending);
                let is_known = known.get(device).cloned().flatten();
                let said = state.map(|state| state.name().to_owned());
                // Of what is pending again, it is known that it is resolved.
                let expected = said.or_else(|| is_known.clone().filter(|it| it == "resolved"));
                prop_assert_eq!(is_known, expected, "{}", device);
            }
            let states: Vec<_> = world.registry.iter().map(|it| (&it.id, it.state)).collect();
            let on_disk: Vec<_> = stored.values().map(|it| (&it.id, it.state)).collect();
            prop_assert_eq!(states, on_disk);
            let stats = world.registry.stats();
            prop_assert_eq!(stats.alerts, stats.firing + stats.resolved + stats.silenced);
        }
    }

    /// An alert is firing if its condition has held long enough, and not otherwise.
    #[test]
    fn for_is_kept_to(gaps in prop::collection::vec((any::<bool>(), 1_i64..20), 1..40)) {
        let mut world = World::new("[[rule]]\nid = 'r'\nexpr = 'x'\nfor = '30s'\n");
        let mut since = None;
        for (holds, later) in gaps {
            let devices: &[&str] = if holds { &["a"] } else { &[] };
            world.after(later).round("r", devices);
            since = if holds { since.or(Some(world.now)) } else { None };
            let is_firing = world.state("r", "a") == Some(State::Firing);
            let is_due = since.is_some_and(|since| world.now - since >= 30);
            // What fires too often goes on for a while.
            let flaps = world.alert("r", "a").is_some_and(|alert| alert.flapping);
            prop_assert!(is_firing == is_due || flaps);
        }
    }
}
