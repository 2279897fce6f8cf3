//! The queue and what it writes to, with a subscriber of the test in place of journald.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use insta::assert_snapshot;
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry};

use super::journal::Journal;
use super::line::{BYTES_MAX, Line};
use super::lost::Lost;
use super::queue::{Queue, queue};
use super::text::Text;

/// Ends a wait that would else have no end; nothing is expected to take so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Notes events as text, each value with its kind.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<String>>);

impl Notes {
    fn subscriber(&self) -> Box<dyn Subscriber + Send + Sync> {
        Box::new(Registry::default().with(self.clone()))
    }

    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock())
    }
}

impl<S: Subscriber> Layer<S> for Notes {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut text = self.0.lock();
        writeln!(text, "{} {}", metadata.level(), metadata.target()).unwrap();
        event.record(&mut Values(&mut text));
    }
}

struct Values<'a>(&'a mut String);

impl Values<'_> {
    fn note(&mut self, field: &Field, kind: &str, value: &dyn Debug) {
        writeln!(self.0, "  {}: {kind} {value:?}", field.name()).unwrap();
    }
}

impl Visit for Values<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, "str", &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.note(field, "u64", &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.note(field, "i64", &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.note(field, "f64", &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.note(field, "bool", &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.note(field, "debug", value);
    }
}

/// Runs something that logs into a queue of so many lines.
fn logging<T>(queue: &Queue, log: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(Registry::default().with(queue.clone()), log)
}

/// The lines that something logs, none of which is lost.
fn lines(log: impl FnOnce()) -> Vec<Line> {
    static LOST: Lost = Lost::new();
    let (queue, backlog) = queue(100, &LOST);
    logging(&queue, log);
    drop(queue);
    let mut lines = Vec::new();
    backlog.write(|line| {
        lines.push(line);
        Ok(())
    });
    lines
}

/// What the queue is asked to write, told briefly.
fn brief(line: &Line) -> String {
    let notes = Notes::default();
    line.replay(&*notes.subscriber());
    let text = notes.take();
    let of = |start: &str| text.lines().find_map(|line| line.trim().strip_prefix(start));
    let count = of("count: u64 ").map(|count| format!("{count} lost"));
    count.unwrap_or_else(|| of("message: debug ").unwrap_or_default().to_owned())
}

fn all_kinds() {
    tracing::error!(
        collector = "a\"b",
        count = 3_u64,
        change = -3,
        share = 0.5,
        stale = true,
        none = None::<u64>,
        wide = u128::MAX,
        shown = %"x y",
        debugged = ?Some("z"),
        error = &std::io::Error::other("broken") as &dyn std::error::Error,
        "it {}",
        "failed"
    );
    tracing::debug!(name: "ready", target: "elsewhere", "{}", 1);
}

#[test]
fn a_queued_event_is_like_the_event() {
    let (direct, queued) = (Notes::default(), Notes::default());
    tracing::subscriber::with_default(direct.subscriber(), all_kinds);
    for line in lines(all_kinds) {
        line.replay(&*queued.subscriber());
    }
    let direct = direct.take();
    assert_eq!(queued.take(), direct);
    assert_snapshot!(direct, @r#"
    ERROR gz_monitor::telemetry::tests
      message: debug it failed
      collector: str "a\"b"
      count: u64 3
      change: i64 -3
      share: f64 0.5
      stale: bool true
      wide: debug 340282366920938463463374607431768211455
      shown: debug x y
      debugged: debug Some("z")
      error: debug broken
    DEBUG elsewhere
      message: debug 1
    "#);
}

#[test]
fn a_line_is_cut_where_it_is_too_long() {
    let lines = lines(|| {
        let long = "ä".repeat(BYTES_MAX);
        tracing::info!(first = %long, second = long, number = 7, "text");
    });
    let notes = Notes::default();
    lines[0].replay(&*notes.subscriber());
    let text = notes.take();
    assert!(text.contains("ä…\n"), "{text}");
    assert!(text.contains("  second: str \"…\"\n"), "{text}");
    assert!(text.contains("  number: i64 7\n"), "{text}");
    assert!((BYTES_MAX..BYTES_MAX + 200).contains(&text.len()), "{}", text.len());
}

#[test]
fn what_does_not_fit_is_dropped_and_told_of() {
    static LOST: Lost = Lost::new();
    let (queue, backlog) = queue(2, &LOST);
    // Nobody writes yet: each of these would wait for ever if it waited at all.
    logging(&queue, || {
        for number in 1..=5 {
            tracing::info!("{number}");
        }
    });
    let mut queue = Some(queue);
    let mut written = Vec::new();
    backlog.write(|line| {
        written.push(brief(&line));
        // There is room again.
        if let Some(queue) = queue.take() {
            logging(&queue, || {
                tracing::info!("6");
                tracing::info!("7");
            });
        }
        Ok(())
    });
    assert_eq!(written, ["1", "2", "3 lost", "6", "1 lost"]);
}

#[test]
fn what_could_not_be_written_is_told_of_later() {
    static LOST: Lost = Lost::new();
    let (queue, backlog) = queue(10, &LOST);
    logging(&queue, || (1..=2).for_each(|number| tracing::info!("{number}")));
    let mut queue = Some(queue);
    let mut written = Vec::new();
    backlog.write(|line| {
        written.push(brief(&line));
        match written.len() {
            // The third tells of the two before it.
            1..=3 => {
                let queue = queue.take_if(|_| written.len() == 3);
                queue.inspect(|queue| logging(queue, || tracing::info!("3")));
                Err(std::io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    });
    assert_eq!(written, ["1", "2", "2 lost", "3", "2 lost"]);
}

#[test]
fn a_flush_waits_for_all_before_it() {
    static LOST: Lost = Lost::new();
    let (queue, backlog) = queue(1, &LOST);
    let (sender, written) = sync_channel(10);
    let writer = std::thread::spawn(move || {
        backlog.write(|line| {
            sender.send(brief(&line)).expect("the test listens");
            Ok(())
        });
    });
    logging(&queue, || tracing::info!("first"));
    assert!(queue.flush(PATIENCE));
    assert_eq!(written.try_recv().as_deref(), Ok("first"));
    drop(queue);
    writer.join().expect("it ends");
}

#[test]
fn a_writer_that_stands_still_holds_up_nobody() {
    static LOST: Lost = Lost::new();
    let (queue, backlog) = queue(1, &LOST);
    let (at_work, stuck) = sync_channel(10);
    let (go_on, goes_on) = sync_channel::<()>(0);
    let writer = std::thread::spawn(move || {
        let mut written = Vec::new();
        backlog.write(|line| {
            at_work.send(()).expect("the test listens");
            // Until the test has let go of the other end.
            let _ = goes_on.recv();
            written.push(brief(&line));
            Ok(())
        });
        written
    });
    logging(&queue, || tracing::info!("first"));
    stuck.recv_timeout(PATIENCE).expect("it is being written");
    logging(&queue, || (2..=9).for_each(|number| tracing::info!("{number}")));
    // Neither where the queue is full nor where it has room.
    assert!(!queue.flush(Duration::from_millis(20)));
    drop(go_on);
    assert!(queue.flush(PATIENCE));
    logging(&queue, || tracing::info!("last"));
    drop(queue);
    assert_eq!(writer.join().expect("it ends"), ["first", "2", "7 lost", "last"]);
}

/// An entry of the journal without its time and place, which differ.
fn entry(log: impl FnOnce()) -> String {
    let notes = Notes::default();
    let mut journal = Journal::to(notes.subscriber());
    for line in lines(log) {
        let time = format!("  event_time: debug {:.6}\n", line.time);
        journal.write(line);
        let text = notes.take();
        assert!(text.contains(&time), "{text}");
        notes.0.lock().push_str(&text.replace(&time, ""));
    }
    notes.take()
}

#[test]
fn an_entry_has_all_fields_and_an_id() {
    let fired = || {
        let (alert_id, text) = ("alert-1", "hot\nPRIORITY=0");
        tracing::warn!(name: "alert_fired", alert_id, text, value = 7, "alert fired");
        tracing::info!("without fields");
        tracing::info!(only = %"fields");
    };
    assert_snapshot!(entry(fired), @r#"
    WARN gz_monitor::telemetry::tests
      message: str "alert fired alert_id=\"alert-1\" text=\"hot\\nPRIORITY=0\" value=7"
      alert_id: str "alert-1"
      text: str "hot\nPRIORITY=0"
      value: i64 7
      message_id: str "448aeb763da5437d8d74aefda829efcd"
    INFO gz_monitor::telemetry::tests
      message: str "without fields"
    INFO gz_monitor::telemetry::tests
      only: debug fields
    "#);
}

#[test]
fn lost_lines_have_an_id() {
    let notes = Notes::default();
    Journal::to(notes.subscriber()).write(Line::of_lost(7));
    let text = notes.take();
    let text: Vec<_> = text.lines().filter(|line| !line.contains("event_time")).collect();
    assert_snapshot!(text.join("\n"), @r#"
    WARN gz_monitor::telemetry::line
      message: str "lines of the log were lost; nobody read them count=7"
      count: u64 7
      message_id: str "0f53f135e5fc4a2e9c1fbf58e027f99b"
    "#);
}

#[test]
fn text_bears_the_time_of_the_event() {
    let mut lines = lines(all_kinds);
    for (line, time) in lines.iter_mut().zip(["2001-02-03T04:05:06.7Z", "2001-02-03T04:05:07Z"]) {
        line.time = time.parse().expect("a time");
    }
    let text = Text::new(false);
    let text: Vec<u8> = lines.iter().flat_map(|line| text.format(line)).collect();
    assert_snapshot!(String::from_utf8(text).expect("text"), @r#"
    2001-02-03T04:05:06.700000Z ERROR it failed collector="a\"b" count=3 change=-3 share=0.5 stale=true wide=340282366920938463463374607431768211455 shown=x y debugged=Some("z") error=broken
    2001-02-03T04:05:07.000000Z DEBUG 1
    "#);
}
