//! The registry, case by case.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::Status::{Cancelled, Completed, Failed, Pending, Running};
use super::*;
use crate::sample::Moment;
use crate::units::{ByteSize, HumanDuration};

const NOW: Moment = Moment { wall: Timestamp::UNIX_EPOCH, uptime: Duration::from_secs(1_000) };

fn registry() -> Registry {
    let max_details_size = ByteSize(64);
    Registry::new(&Config { max_tasks: 3, max_details_size, ..Config::default() })
}

fn at(second: u64) -> Moment {
    NOW.after(Duration::from_secs(second))
}

fn status(status: Status) -> Change {
    Change { status: Some(status), ..Change::default() }
}

fn json(text: &str) -> Option<Box<RawValue>> {
    Some(RawValue::from_string(text.to_owned()).expect("JSON"))
}

fn create(registry: &mut Registry, id: &str, change: Change) -> Result<Task, Error> {
    let created = registry.create(Some(id.to_owned()), "a job".to_owned(), None, change, NOW);
    created.map(|created| created.task().clone())
}

fn update(registry: &mut Registry, id: &str, change: Change, now: Moment) -> Result<Task, Error> {
    registry.update(id, change, now).map(|reported| reported.task().clone())
}

/// What whoever keeps tasks is told.
fn told(registry: &mut Registry) -> Vec<String> {
    let text = registry.take_entries().into_iter().map(|entry| match entry {
        Entry::Kept(task) => format!("{} {}", task.id, task.status.name()),
        Entry::Gone(id) => format!("{id} gone"),
        Entry::Ran(run) => format!("{:?} ran {}", run.name, run.status.name()),
        Entry::Forgotten(name) => format!("{name:?} forgotten"),
    });
    text.collect()
}

/// From (lines) and to (columns), in the order of [`Status::ALL`]; docs/tasks.md has the same.
const TRANSITIONS: [[bool; 5]; 5] = [
    [true, true, false, true, true],
    [false, true, true, true, true],
    [false, false, false, false, false],
    [false, false, false, false, false],
    [false, false, false, false, false],
];

#[test]
fn only_legal_transitions() {
    for (from, row) in Status::ALL.into_iter().zip(TRANSITIONS) {
        for (to, is_legal) in Status::ALL.into_iter().zip(row) {
            let mut registry = registry();
            create(&mut registry, "t", status(from)).expect("created");
            let done = update(&mut registry, "t", status(to), NOW).map(|task| task.status);
            match is_legal {
                true => assert_eq!(done, Ok(to), "{from:?} to {to:?}"),
                false => assert_eq!(done, Err(Error::Transition { id: "t".into(), from, to })),
            }
            let expected = if is_legal { to } else { from };
            assert_eq!(registry.get("t").map(|task| task.status), Some(expected));
        }
    }
}

#[test]
fn the_document_has_the_same_table() {
    let document = include_str!("../../docs/tasks.md");
    for (from, row) in Status::ALL.into_iter().zip(TRANSITIONS) {
        let cells = row.map(|is_legal| if is_legal { "yes" } else { "–" });
        let line = format!("| `{}` | {} |", from.name(), cells.join(" | "));
        assert!(document.contains(&line), "{line}");
    }
}

#[test]
fn a_refusal_says_what_is_possible() {
    let check = |from, to, expected: &str| {
        let error = Error::Transition { id: "t".into(), from, to }.to_string();
        assert!(error.ends_with(expected), "{error}");
    };
    check(Running, Pending, "become pending: it can become running, completed, failed, cancelled");
    check(Pending, Completed, "completed: it can become pending, running, failed, cancelled");
    check(
        Failed,
        Running,
        "task \"t\" is failed; it cannot become running: it has ended, which is final",
    );
}

#[test]
fn numbers_are_in_bounds() {
    let mut registry = registry();
    create(&mut registry, "t", status(Running)).expect("created");
    let progress = |number| Change { progress: Some(number), ..Change::default() };
    let processed = |number| Change { processed: Some(number), ..Change::default() };
    let total = |number| Change { total: Some(number), ..Change::default() };
    let heartbeat = |ms| Change { heartbeat: Some(Duration::from_millis(ms)), ..Change::default() };
    let cases = [
        (progress(0.0), true),
        (progress(100.0), true),
        (progress(101.0), false),
        (progress(-1.0), false),
        (progress(f64::NAN), false),
        (processed(-1.0), false),
        (processed(f64::INFINITY), false),
        (processed(7.0), true),
        (total(6.0), false),
        (total(7.0), true),
        (processed(8.0), false),
        (heartbeat(999), false),
        (heartbeat(1_000), true),
        (heartbeat(0), true),
        (heartbeat(366 * 86_400_000), false),
    ];
    for (change, is_legal) in cases {
        let text = format!("{change:?}");
        assert_eq!(update(&mut registry, "t", change, NOW).is_ok(), is_legal, "{text}");
    }
}

#[test]
fn progress_comes_of_counts_unless_it_is_said() {
    let mut registry = registry();
    create(&mut registry, "t", Change::default()).expect("created");
    let mut check = |change: Change, expected: (f64, Option<f64>, Option<f64>)| {
        let task = update(&mut registry, "t", change, NOW).expect("updated");
        assert_eq!((task.progress, task.processed, task.total), expected);
    };
    let change = Change::default;
    check(Change { processed: Some(3.0), ..change() }, (0.0, Some(3.0), None));
    check(Change { total: Some(12.0), ..change() }, (25.0, Some(3.0), Some(12.0)));
    check(
        Change { progress: Some(60.0), processed: Some(6.0), ..change() },
        (60.0, Some(6.0), Some(12.0)),
    );
    // As the first document of the protocol has it.
    let details = json(r#"{"processed":150,"total":200,"errors":2}"#);
    check(Change { progress: Some(70.0), details, ..change() }, (70.0, Some(6.0), Some(12.0)));
    let details = json(r#"{"processed":150,"total":200,"errors":2}"#);
    check(Change { details, ..change() }, (75.0, Some(150.0), Some(200.0)));
    for nonsense in [r#"{"processed":"x","total":2}"#, r#"{"processed":5,"total":2}"#, "[1]"] {
        check(Change { details: json(nonsense), ..change() }, (75.0, Some(150.0), Some(200.0)));
    }
    check(Change { total: Some(400.0), ..change() }, (37.5, Some(150.0), Some(400.0)));
    check(status(Completed), (100.0, Some(150.0), Some(400.0)));
}

#[test]
fn a_rate_and_an_end_are_told_while_it_runs() {
    let mut registry = registry();
    let counts = |processed| Change { processed: Some(processed), ..Change::default() };
    create(&mut registry, "t", Change { total: Some(100.0), ..counts(0.0) }).expect("created");
    let task = update(&mut registry, "t", counts(20.0), at(10)).expect("updated");
    assert_eq!((task.rate, task.eta), (Some(2.0), Some(at(50).wall)));
    let silent = update(&mut registry, "t", Change::default(), at(12)).expect("updated");
    assert_eq!((silent.rate, silent.eta), (task.rate, task.eta), "nothing was said of progress");
    // A restart: the clock that measures begins anew, and what was is not measured by it.
    let mut kept = task.clone();
    kept.pace = Pace::resumed(kept.rate);
    let mut registry = Registry::new(&Config::default());
    let start = Moment { uptime: Duration::ZERO, ..at(3_600) };
    registry.restore(vec![kept], Vec::new(), start);
    let task = update(&mut registry, "t", counts(40.0), start).expect("updated");
    assert_eq!((task.rate, task.eta), (Some(2.0), Some(at(3_630).wall)));
    // Told late: by when it was so.
    let late = Change { at: Some(at(3_610).wall), ..counts(60.0) };
    let task =
        update(&mut registry, "t", late, start.after(Duration::from_secs(500))).expect("updated");
    assert_eq!((task.rate, task.eta), (Some(2.0), Some(at(3_630).wall)));
    let task = update(&mut registry, "t", status(Failed), at(4_200)).expect("updated");
    assert_eq!((task.rate, task.eta), (None, None));
}

#[test]
fn what_is_told_late_has_its_own_time_within_reason() {
    let mut registry = registry();
    let told = |second| Change { at: Some(at(second).wall), ..Change::default() };
    let created = registry.create(Some("t".into()), "n".into(), None, told(100), at(500));
    let task = created.expect("created").task().clone();
    assert_eq!((task.start_time, task.updated_at), (at(100).wall, at(100).wall));
    let mut check = |second, expected| {
        let task = update(&mut registry, "t", told(second), at(500)).expect("updated");
        assert_eq!(task.updated_at, at(expected).wall);
    };
    check(150, 150);
    check(9_999, 500);
    check(50, 100);
    let ended = Change { status: Some(Completed), ..told(200) };
    let task = update(&mut registry, "t", ended, at(500)).expect("updated");
    assert_eq!(task.end_time, Some(at(200).wall));
    assert_eq!(registry.runs().0[0].duration, 100.0);
}

#[test]
fn a_start_is_when_it_began_to_run() {
    let mut registry = registry();
    create(&mut registry, "t", status(Pending)).expect("created");
    let task = update(&mut registry, "t", status(Running), at(60)).expect("updated");
    assert_eq!(task.start_time, at(60).wall);
    let task = update(&mut registry, "t", status(Completed), at(70)).expect("updated");
    assert_eq!((task.start_time, task.end_time), (at(60).wall, Some(at(70).wall)));
    assert_eq!(task.progress, 100.0, "completing means all of it");
}

#[test]
fn a_report_that_is_repeated_changes_nothing() {
    let mut registry = registry();
    create(&mut registry, "t", Change::default()).expect("created");
    let numbered = |number, progress| Change {
        update: Some(number),
        progress: Some(progress),
        ..Change::default()
    };
    update(&mut registry, "t", numbered(5, 10.0), at(1)).expect("updated");
    told(&mut registry);
    for (number, progress) in [(5, 10.0), (4, 90.0)] {
        let again = registry.update("t", numbered(number, progress), at(2)).expect("answered");
        let Reported::Repeated(task) = again else { panic!("{again:?}") };
        assert_eq!((task.progress, task.updated_at, task.update), (10.0, at(1).wall, Some(5)));
    }
    assert_eq!(
        told(&mut registry),
        ["t running", "t running"],
        "it is on disk when it is answered"
    );
    let refused =
        registry.update("t", Change { status: Some(Pending), ..numbered(6, 11.0) }, at(3));
    assert!(matches!(refused, Err(Error::Transition { .. })), "{refused:?}");
    let end = || Change { status: Some(Completed), ..numbered(6, 100.0) };
    assert!(matches!(registry.update("t", end(), at(4)), Ok(Reported::Changed(_))));
    assert!(matches!(registry.update("t", end(), at(5)), Ok(Reported::Repeated(_))));
    assert!(matches!(registry.update("t", numbered(7, 1.0), at(5)), Err(Error::Transition { .. })));
}

#[test]
fn a_task_is_created_once_for_one_key() {
    let mut registry = registry();
    let mut ask = |id: Option<&str>, key: &str| {
        let (id, key) = (id.map(str::to_owned), Some(key.to_owned()));
        let created = registry.create(id, "n".to_owned(), key, Change::default(), NOW);
        created.map(|created| {
            let is_new = matches!(created, Reported::Changed(_));
            (created.task().id.to_string(), is_new)
        })
    };
    let (id, is_new) = ask(None, "k").expect("created");
    assert!(is_new);
    assert_eq!(ask(None, "k"), Ok((id.clone(), false)));
    assert_eq!(ask(Some(&id), "k"), Ok((id.clone(), false)));
    assert_eq!(ask(Some("other"), "k"), Err(Error::KeyUsed(id.clone())));
    assert_eq!(ask(Some(&id), "l"), Err(Error::Exists(id)));
    assert!(matches!(ask(None, ""), Err(Error::Length(_))));
}

#[test]
fn a_stop_is_a_request_to_whoever_runs_it() {
    let mut registry = registry();
    create(&mut registry, "running", status(Running)).expect("created");
    create(&mut registry, "pending", status(Pending)).expect("created");
    let stopped = registry.request_stop("running", NOW).expect("stopped");
    assert_eq!((stopped.status, stopped.stop_requested), (Running, true));
    let stopped = registry.request_stop("pending", NOW).expect("stopped");
    assert_eq!(stopped.status, Cancelled);
    assert!(matches!(registry.request_stop("pending", NOW), Err(Error::Transition { .. })));
    assert_eq!(registry.request_stop("x", NOW).err(), Some(Error::NotFound("x".into())));
}

#[test]
fn who_has_promised_to_speak_and_is_silent_has_stalled_once() {
    let mut registry = registry();
    let promise =
        |seconds| Change { heartbeat: Some(Duration::from_secs(seconds)), ..Change::default() };
    create(&mut registry, "t", promise(30)).expect("created");
    create(&mut registry, "none", Change::default()).expect("created");
    create(&mut registry, "later", Change { status: Some(Pending), ..promise(1) })
        .expect("created");
    let stalled = |registry: &mut Registry, second| -> Vec<String> {
        registry.sweep(at(second)).iter().map(|task| task.id.to_string()).collect()
    };
    assert!(stalled(&mut registry, 30).is_empty());
    assert_eq!(stalled(&mut registry, 31), ["t"]);
    assert!(stalled(&mut registry, 32).is_empty(), "it is told once");
    registry.request_stop("t", at(33)).expect("asked");
    assert!(registry.get("t").is_some_and(|task| task.stalled), "somebody else has spoken");
    let task = update(&mut registry, "t", Change::default(), at(40)).expect("updated");
    assert!(!task.stalled);
    assert!(stalled(&mut registry, 70).is_empty());
    assert_eq!(stalled(&mut registry, 71), ["t"]);
    update(&mut registry, "t", promise(0), at(72)).expect("updated");
    assert!(stalled(&mut registry, 9_999).is_empty(), "it has taken its promise back");
}

#[test]
fn a_restart_is_nobodys_silence() {
    let config = Config { heartbeat: HumanDuration::secs(10), ..Config::default() };
    let mut registry = Registry::new(&config);
    create(&mut registry, "t", Change::default()).expect("created");
    create(&mut registry, "s", Change::default()).expect("created");
    update(&mut registry, "t", Change::default(), at(5)).expect("updated");
    assert_eq!(registry.sweep(at(11)).len(), 1);
    let kept: Vec<Task> = registry.iter().cloned().collect();
    let mut registry = Registry::new(&config);
    let start = Moment { uptime: Duration::from_secs(1), ..at(5_000) };
    registry.restore(kept, Vec::new(), start);
    assert!(registry.sweep(start.after(Duration::from_secs(10))).is_empty());
    let stalled = registry.sweep(start.after(Duration::from_secs(11)));
    assert_eq!(
        stalled.iter().map(|task| &*task.id).collect::<Vec<_>>(),
        ["t"],
        "s has stalled before"
    );
}

#[test]
fn ended_tasks_make_room_and_active_ones_do_not() {
    let mut registry = registry();
    create(&mut registry, "a", status(Running)).expect("created");
    create(&mut registry, "b", status(Completed)).expect("created");
    create(&mut registry, "c", status(Running)).expect("created");
    create(&mut registry, "d", status(Running)).expect("room was made");
    assert!(registry.get("b").is_none());
    assert_eq!(registry.removed().room, 1);
    assert_eq!(create(&mut registry, "e", status(Running)).err(), Some(Error::Full(3)));
    let taken = create(&mut registry, "a", status(Running));
    assert_eq!(taken.err(), Some(Error::Exists("a".into())));
}

#[test]
fn ended_tasks_go_by_age_and_by_count() {
    let config = Config { max_ended: 2, keep_ended: HumanDuration::secs(100), ..Config::default() };
    let mut registry = Registry::new(&config);
    for (id, end) in [("a", 10), ("b", 20), ("c", 30), ("d", 40)] {
        create(&mut registry, id, Change::default()).expect("created");
        update(&mut registry, id, status(Failed), at(end)).expect("updated");
    }
    create(&mut registry, "e", Change::default()).expect("created");
    let mut left = |second| -> String {
        registry.sweep(at(second));
        registry.iter().map(|task| &*task.id).collect()
    };
    assert_eq!(left(115), "cde");
    assert_eq!(left(130), "cde");
    assert_eq!(left(131), "de");
    assert_eq!(left(9_999), "e", "one that has not ended stays");
    assert_eq!(registry.removed(), Removed { age: 3, count: 1, room: 0, deleted: 0 });
}

#[test]
fn every_change_is_told_to_who_keeps_them() {
    let mut registry = registry();
    create(&mut registry, "a", status(Running)).expect("created");
    registry.request_stop("a", NOW).expect("stopped");
    update(&mut registry, "a", status(Failed), NOW).expect("updated");
    assert!(update(&mut registry, "b", Change::default(), NOW).is_err());
    let expected = ["a running", "a running", "a failed", "\"a job\" ran failed"];
    assert_eq!(told(&mut registry), expected);
    for id in ["b", "c", "d"] {
        create(&mut registry, id, status(Running)).expect("created");
    }
    update(&mut registry, "d", status(Cancelled), NOW).expect("updated");
    registry.delete("d").expect("deleted");
    let end = ["a gone", "d running", "d cancelled", "\"a job\" ran cancelled", "d gone"];
    assert_eq!(told(&mut registry)[2..], end);
    let mut kept = Registry::new(&Config::default());
    kept.restore(registry.iter().cloned().collect(), registry.runs().0, NOW);
    assert_eq!((kept.iter().count(), kept.runs().0.len()), (2, 1));
    assert!(told(&mut kept).is_empty(), "what was kept is no change");
}

#[test]
fn the_last_run_of_a_name_outlives_its_tasks() {
    let config = Config { max_names: 2, max_ended: 0, ..Config::default() };
    let mut registry = Registry::new(&config);
    let mut run = |name: &str, end: Status, second: u64| {
        let now = at(second);
        let created = registry.create(None, name.to_owned(), None, Change::default(), now);
        let id = created.expect("created").task().id.clone();
        update(&mut registry, &id, status(end), at(second + 5)).expect("updated");
        registry.sweep(now);
        registry
            .names()
            .into_iter()
            .map(|(name, state)| (name.to_string(), state))
            .collect::<Vec<_>>()
    };
    run("backup", Completed, 10);
    let states = run("backup", Failed, 20);
    let [(name, NameState { active: 0, stalled: 0, progress: None, last: Some(last) })] =
        &states[..]
    else {
        panic!("{states:?}")
    };
    assert_eq!((name.as_str(), last.status, last.duration), ("backup", Failed, 5.0));
    assert_eq!((last.end_time, last.last_success), (at(25).wall, Some(at(15).wall)));
    run("sync", Completed, 30);
    let states = run("clean", Completed, 40);
    assert_eq!(states.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["clean", "sync"]);
    assert_eq!(registry.runs().1, 1);
    assert!(told(&mut registry).contains(&"\"backup\" forgotten".to_owned()));
    // Those that run come first, and the newest of a name tells of its progress.
    for (id, progress, second) in [("x", 10.0, 1), ("y", 20.0, 2)] {
        let change = Change { progress: Some(progress), ..Change::default() };
        let created = registry.create(Some(id.into()), "backup".into(), None, change, at(second));
        created.expect("created");
    }
    let states = registry.names();
    assert_eq!(states.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["backup", "clean"]);
    assert_eq!((states[0].1.active, states[0].1.progress), (2, Some(20.0)));
}

#[test]
fn only_ended_tasks_are_deleted() {
    let mut registry = registry();
    create(&mut registry, "a", status(Running)).expect("created");
    assert!(matches!(registry.delete("a"), Err(Error::Active { .. })));
    create(&mut registry, "b", status(Failed)).expect("created");
    assert_eq!(registry.delete("b"), Ok(()));
    assert_eq!(registry.delete("b"), Err(Error::NotFound("b".into())));
}

#[test]
fn sizes_are_bounded() {
    let mut registry = registry();
    let details = json(&format!("\"{}\"", "x".repeat(70)));
    let created = create(&mut registry, "a", Change { details, ..Change::default() });
    assert!(matches!(created, Err(Error::Length(_))));
    let created = registry.create(None, String::new(), None, Change::default(), NOW);
    assert!(matches!(created, Err(Error::Length(_))));
    assert!(matches!(create(&mut registry, "", Change::default()), Err(Error::Length(_))));
}
