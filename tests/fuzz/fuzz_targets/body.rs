//! What clients ask for by REST in bodies of JSON, one a line: each is refused, or does what it says
//! within the bounds, and what has become of it can be kept and read again.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gz_monitor::alert::{self, Rules};
use gz_monitor::api::{self, Acknowledge, AlertReport, NewSilence, NewTask, NewToken, TaskChange};
use gz_monitor::group::{self, Publisher};
use gz_monitor::hub::{self, Coding, Hub, TypeSet};
use gz_monitor::pipeline::{Command, Input, Limits, Pipeline};
use gz_monitor::sample::Moment;
use gz_monitor::server::{self, Secret, TokensFile, parse_body};
use gz_monitor::units::ByteSize;
use gz_monitor::{query, task};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

/// Requests of one input.
const REQUESTS: usize = 64;
/// Of tasks, of alerts and of silences.
const MOST: usize = 4;
const MAX_MESSAGE_SIZE: usize = 256;

fuzz_target!(|input: &[u8]| {
    let mut pipeline = Pipeline::new(&limits());
    let hub = Hub::new("fuzz".to_owned(), &hub::Config::default());
    let wall = Timestamp::from_second(1_800_000_000).expect("a time");
    let mut now = Moment { wall, uptime: Duration::ZERO };
    for line in input.split(|byte| *byte == b'\n').take(REQUESTS) {
        now = now.after(Duration::from_secs(1));
        let Some((kind, body)) = line.split_first() else { continue };
        if *kind == b'k' {
            token(body, now.wall);
        }
        let Some(command) = command(*kind, body, &pipeline) else { continue };
        let (drafts, _) = pipeline.apply(Input::Command(command), TypeSet::ALL, now);
        // What a client has said may have numbers that only JSON has.
        for draft in &drafts {
            let _: BTreeMap<String, &RawValue> = serde_json::from_str(&draft.data).expect("JSON");
        }
        for message in hub.number(drafts, now) {
            for coding in Coding::ALL {
                assert!(!message.frame(coding, &hub.deflater).is_empty());
            }
        }
    }
    check_bounds(&pipeline);
    let mut again = Pipeline::new(&limits());
    again.restore(pipeline.records(), now);
    assert_eq!(listed(&pipeline), listed(&again));
    let later = now.after(Duration::from_secs(400 * 86_400));
    assert!(pipeline.apply(Input::Sweep, TypeSet::ALL, later).1.is_ok());
    assert_eq!(pipeline.alerts.silences().count(), 0, "no silence is for ever");
});

fn limits() -> Limits {
    let alerts = alert::Config { max_alerts: MOST, max_silences: MOST, ..alert::Config::default() };
    let (rules, _) = Rules::read(&alerts, &query::Config::default());
    let max_message_size = ByteSize(MAX_MESSAGE_SIZE as u64);
    Limits {
        tasks: task::Config { max_tasks: MOST, max_ended: 2, max_names: 2, ..Default::default() },
        rules: Arc::new(rules),
        groups: group::Config { max_message_size, ..Default::default() },
        ..Limits::default()
    }
}

/// What a request asks for; those that mean one thing of many mean the first.
fn command(kind: u8, body: &[u8], pipeline: &Pipeline) -> Option<Command> {
    let task = || pipeline.tasks.iter().next().map(|task| task.id.to_string());
    let alert = || pipeline.alerts.iter().next().map(|alert| alert.id.to_string());
    Some(match kind {
        b't' => {
            let (id, name, change) = parse_body::<NewTask>(body).ok()?.into_parts();
            Command::CreateTask { id, name, key: None, change }
        }
        b'u' => {
            let change = parse_body::<TaskChange>(body).ok()?.into();
            Command::UpdateTask { id: task()?, change }
        }
        b's' => Command::StopTask { id: task()? },
        b'd' => Command::DeleteTask { id: task()? },
        b'a' => Command::FireAlert(parse_body::<AlertReport>(body).ok()?.into()),
        b'r' => Command::ResolveAlert { id: alert()? },
        b'w' => {
            let Acknowledge { by, comment } = parse_body(body).ok()?;
            let by = by.unwrap_or_else(nobody);
            Command::AcknowledgeAlert(alert::Acknowledge { id: alert()?, by, comment })
        }
        b'q' => {
            let mut new: NewSilence = parse_body(body).ok()?;
            let by = new.by.take().unwrap_or_else(nobody);
            Command::AddSilence(new.signed(by).ok()?)
        }
        b'l' => {
            let silence = pipeline.alerts.silences().next()?;
            Command::RemoveSilence { id: silence.id.to_string() }
        }
        b'g' => {
            let at = body.iter().position(|byte| *byte == b' ')?;
            let group = str::from_utf8(&body[..at]).ok()?.to_owned();
            let data: Box<RawValue> = serde_json::from_slice(&body[at..]).ok()?;
            Command::Publish { group, data, from: Publisher::Rest }
        }
        _ => return None,
    })
}

/// Who asks, if they do not say so.
fn nobody() -> String {
    "nobody".to_owned()
}

/// A token that is wanted is none, or one that the file of tokens can have.
fn token(body: &[u8], now: Timestamp) {
    let Ok(wanted) = parse_body::<NewToken>(body) else { return };
    let Ok(role) = wanted.role.parse() else { return };
    let ends = wanted.expires_in.map(|span| now.checked_add(*span)).transpose();
    let Ok(expires_at) = ends else { return };
    let new = server::NewToken { name: wanted.name, role, expires_at, groups: wanted.groups };
    let secret = Secret::random().expect("chance");
    let Ok(token) = new.keep(&secret, now) else { return };
    let file = serde_json::json!({ "version": 1, "tokens": [&token] }).to_string();
    let read = TokensFile::at("tokens.json".into()).parse(file.as_bytes()).expect("its own file");
    assert_eq!(read, [token]);
    assert!(!file.contains(secret.expose()));
}

fn check_bounds(pipeline: &Pipeline) {
    assert!(pipeline.tasks.iter().count() <= MOST);
    assert!(pipeline.alerts.iter().count() <= MOST);
    assert!(pipeline.alerts.silences().count() <= MOST);
    for task in pipeline.tasks.iter() {
        assert!((0.0..=100.0).contains(&task.progress), "{}", task.progress);
    }
}

/// All that clients are shown of it.
fn listed(pipeline: &Pipeline) -> String {
    let tasks = pipeline.tasks.iter().map(|it| api::encode(&api::Task::from(it)));
    let alerts = pipeline.alerts.iter().map(|it| api::encode(&api::AlertDetails::from(it)));
    let silences = pipeline.alerts.silences().map(|it| api::encode(&api::Silence::from(it)));
    tasks.chain(alerts).chain(silences).collect::<Vec<_>>().join("\n")
}
