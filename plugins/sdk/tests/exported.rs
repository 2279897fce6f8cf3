//! `export_plugin!` from the other side: the scenario plugin, built as a library, loaded, and driven
//! through the plugin interface by a host of the test's own.

#![allow(unsafe_code, reason = "does what a host does")]
#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

mod driver;

use std::ffi::c_void;
use std::ptr;

use driver::{Driven, scenarios};
use gz_monitor_abi::{ABI_MAJOR, ABI_MINOR, Error, Host, Sink, Status, Str};

const SAMPLES_OF_A_BUFFER: usize = 64;

#[test]
fn is_listed_without_a_call() {
    let plugin = scenarios();
    assert_eq!(plugin.abi, (ABI_MAJOR, ABI_MINOR));
    assert_eq!(plugin.abi, gz_monitor_sdk::ABI_VERSION);
    let [scenario, witness] = &plugin.collectors[..] else { panic!("{plugin:?}") };
    assert_eq!((scenario.id.as_str(), scenario.interval_ms), ("scenario", 90_500));
    assert_eq!(scenario.summary, "Does what it is told.");
    assert_eq!(scenario.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(scenario.config_schema, r#"{"type": "object"}"#);
    assert_eq!((witness.id.as_str(), witness.interval_ms), ("witness", 0));
    assert_eq!((witness.version.as_str(), witness.config_schema.as_str()), ("7.1", ""));
}

#[test]
fn init_says_what_is_wrong() {
    let check = |config: &str, status, text: &str| {
        let refused = Driven::start("scenario", config).unwrap_err();
        assert_eq!((refused.status, refused.text.as_str()), (status, text), "{config}");
    };
    check(r#"{"init": "no_data"}"#, Status::NO_DATA, "nothing here");
    check(r#"{"init": "config"}"#, Status::ERR_CONFIG, "cannot be");
    check(r#"{"init": "unavailable"}"#, Status::ERR_UNAVAILABLE, "not now");
    check(r#"{"init": "internal"}"#, Status::ERR_INTERNAL, "what is this");
    check(r#"{"init": "panic"}"#, Status::ERR_PANIC, "panicked: on purpose");
    check(r#"{"init": "panic_twice"}"#, Status::ERR_PANIC, "panicked: no message");
    let wrong = "samples: invalid type: string \"x\", expected usize";
    check(r#"{"samples": "x"}"#, Status::ERR_CONFIG, wrong);
    let array = "invalid type: sequence, expected a map at line 1 column 0";
    check("[1]", Status::ERR_CONFIG, array);
    check("", Status::ERR_CONFIG, "EOF while parsing a value at line 1 column 0");
    let refused = Driven::start("scenario", r#"{"simples": 1}"#).unwrap_err();
    assert!(refused.text.starts_with("simples: unknown field `simples`"), "{}", refused.text);
}

#[test]
fn errors_of_collect_have_a_class_and_a_text() {
    let check = |act: &str, status, text: &str| {
        let driven = Driven::start("scenario", &format!(r#"{{"collect": "{act}", "samples": 1}}"#));
        let mut driven = driven.unwrap();
        assert_eq!(driven.collect(), (status, text.to_owned()));
        assert_eq!(driven.samples().len(), 1, "what came before the error is kept");
    };
    check("work", Status::OK, "");
    check("no_data", Status::NO_DATA, "nothing here");
    check("config", Status::ERR_CONFIG, "cannot be");
    check("unavailable", Status::ERR_UNAVAILABLE, "not now");
    check("internal", Status::ERR_INTERNAL, "what is this");
    check("long_text", Status::ERR_INTERNAL, &"x".repeat(247));
    check("panic", Status::ERR_PANIC, "panicked: on purpose");
}

#[test]
fn a_panic_poisons_the_instance() {
    let config = r#"{"collect": "panic_twice", "samples": 3}"#;
    let mut driven = Driven::start("scenario", config).unwrap();
    assert_eq!(driven.collect(), (Status::ERR_PANIC, "panicked: no message".to_owned()));
    assert_eq!(driven.samples().len(), 3);
    assert_eq!(driven.collect(), (Status::ERR_PANIC, "panicked before".to_owned()));
    assert_eq!(driven.reload("{}"), (Status::ERR_PANIC, "panicked before".to_owned()));
    assert_eq!(driven.samples().len(), 3);
    assert_eq!(driven.destroy(), ["3 dropped"]);
}

#[test]
fn samples_come_in_one_call_per_buffer() {
    let check = |count: usize, emits: &[usize]| {
        let config = format!(r#"{{"samples": {count}}}"#);
        let mut driven = Driven::start("scenario", &config).unwrap();
        assert_eq!(driven.collect(), (Status::OK, String::new()));
        assert_eq!(driven.emits(), emits);
        assert_eq!(driven.samples().len(), count);
    };
    check(0, &[]);
    check(1, &[1]);
    check(SAMPLES_OF_A_BUFFER, &[64]);
    check(SAMPLES_OF_A_BUFFER + 1, &[64, 1]);
    check(200, &[64, 64, 64, 8]);
}

#[test]
fn samples_arrive_as_they_were_emitted() {
    let config = r#"{"samples": 3, "long_label_bytes": 4000}"#;
    let mut driven = Driven::start("scenario", config).unwrap();
    assert_eq!(driven.collect().0, Status::OK);
    let long = format!(r#"Gauge long [("value", "{}")] -1 None"#, "v".repeat(4000));
    let samples = [
        &long,
        r#"Counter even_total [("index", "0"), ("é", "")] 0 None"#,
        "Gauge odd [] 1 None",
        r#"Counter even_total [("index", "2"), ("é", "")] 2 None"#,
    ];
    assert_eq!(driven.samples(), samples);
}

/// One that the buffer has no place for goes alone; the wall behind it may refuse it.
#[test]
fn a_sample_larger_than_the_buffer_is_not_lost() {
    let config = r#"{"samples": 2, "long_label_bytes": 20000}"#;
    let mut driven = Driven::start("scenario", config).unwrap();
    assert_eq!(driven.collect().0, Status::OK);
    assert_eq!(driven.emits(), [1, 2]);
    assert_eq!(driven.samples()[0], "label value: 20000 bytes; 4096 at the most");
}

#[test]
fn a_host_that_takes_no_more_is_not_asked_again() {
    let mut driven = Driven::start("scenario", r#"{"samples": 1000}"#).unwrap();
    driven.take_emits(2);
    assert_eq!(driven.collect(), (Status::OK, String::new()));
    assert_eq!(driven.emits(), [64, 64, 64]);
    driven.take_emits(100);
    assert_eq!(driven.collect(), (Status::OK, String::new()));
    assert_eq!(driven.emits().iter().sum::<usize>(), 3 * 64 + 1000);
}

#[test]
fn reload_takes_or_restarts() {
    let mut driven = Driven::start("scenario", r#"{"samples": 1}"#).unwrap();
    assert_eq!(driven.reload("{}"), (Status::RESTART, String::new()));
    let (status, text) = driven.reload(r#"{"samples": -1}"#);
    assert_eq!(status, Status::ERR_CONFIG);
    assert!(text.starts_with("samples: invalid value"), "{text}");
    let refused = driven.reload(r#"{"reload": "unavailable"}"#);
    assert_eq!(refused, (Status::ERR_UNAVAILABLE, "not now".to_owned()));
    assert_eq!(driven.collect().0, Status::OK);
    assert_eq!(driven.samples().len(), 1, "the old configuration is in force");
    assert_eq!(driven.reload(r#"{"samples": 5, "reloads": true}"#).0, Status::OK);
    assert_eq!(driven.collect().0, Status::OK);
    assert_eq!(driven.samples().len(), 1 + 5);
    let mut witness = Driven::start("witness", "{}").unwrap();
    assert_eq!(witness.reload("{}").0, Status::RESTART, "the default");
}

#[test]
fn destroy_drops() {
    let driven = Driven::start("scenario", "{}").unwrap();
    assert_eq!(driven.destroy(), ["3 dropped"]);
    let driven = Driven::start("scenario", r#"{"drop": "panic"}"#).unwrap();
    assert_eq!(driven.destroy(), ["3 dropped", "1 while ending: panicked: while dropping"]);
}

#[test]
fn the_host_is_heard_and_asked() {
    let mut driven = Driven::start("witness", "{}").unwrap();
    assert_eq!(driven.collect().0, Status::OK);
    driven.cancel();
    assert_eq!(driven.collect().0, Status::OK);
    assert_eq!(driven.samples(), ["Gauge cancelled [] 0 None", "Gauge cancelled [] 1 None"]);
    let expected = [
        "1 Error of /a/root/proc/stat",
        "2 Warn of /a/root/proc/stat",
        "3 Info of /a/root/proc/stat",
        "4 Debug of /a/root/proc/stat",
        "request_collect",
    ];
    assert_eq!(driven.destroy(), expected);
}

/// A host that a plugin has kept past `destroy` leads nowhere: the memory behind it is gone.
#[test]
fn a_kept_host_is_cut_off() {
    let keeper = Driven::start("witness", r#"{"keep": true}"#).unwrap();
    assert_eq!(keeper.destroy().len(), 5);
    let mut witness = Driven::start("witness", r#"{"use_kept": true}"#).unwrap();
    assert_eq!(witness.collect().0, Status::OK);
    assert_eq!(witness.samples(), ["Gauge kept_cancelled [] 1 None"]);
    assert_eq!(witness.destroy().len(), 5, "what the kept host was told is not heard");
}

#[test]
fn null_is_answered() {
    let scenario = scenarios().collectors[0].functions;
    let (none, mut instance) = (ptr::null_mut::<c_void>(), ptr::null_mut());
    let check = |call: &mut dyn FnMut(*mut Error) -> Status, text: &str| {
        let mut error = Error::default();
        assert_eq!(call(&raw mut error), Status::ERR_INTERNAL);
        assert_eq!(error.text(), text);
        assert_eq!(call(ptr::null_mut()), Status::ERR_INTERNAL);
    };
    let (host, config, sink) = (ptr::null::<Host>(), Str::new("{}"), ptr::null::<Sink>());
    // SAFETY: NULL is answered; the other arguments are as the header says, here and below.
    let mut init = |error| unsafe { (scenario.init)(host, config, &raw mut instance, error) };
    check(&mut init, "the host cannot be used: NULL");
    // SAFETY: as above.
    let mut init = |error| unsafe { (scenario.init)(host, config, ptr::null_mut(), error) };
    check(&mut init, "there is no place for the instance");
    // SAFETY: as above.
    let mut collect = |error| unsafe { (scenario.collect)(none, sink, error) };
    check(&mut collect, "there is no instance");
    let driven = Driven::start("scenario", "{}").unwrap();
    // SAFETY: as above.
    let mut collect = |error| unsafe { (scenario.collect)(driven.instance(), sink, error) };
    check(&mut collect, "the sink cannot be used: NULL");
    // SAFETY: as above.
    unsafe { (scenario.destroy)(none) };
}

#[test]
fn a_host_that_is_none_is_refused() {
    let check = |spoil: &dyn Fn(&mut Host), text: &str| {
        let refused = Driven::start_with("scenario", "{}", spoil).unwrap_err();
        assert_eq!(refused.status, Status::ERR_INTERNAL);
        assert_eq!(refused.text, format!("the host cannot be used: {text}"));
    };
    check(&|host| host.abi_major = 2, "it speaks plugin ABI 2, this plugin 1");
    check(&|host| host.struct_size = 48, "gz_host has 48 bytes; from 56 to 4096 are possible");
    check(&|host| host.log = None, "a function is NULL");
    check(&|host| host.get_extension = None, "a function is NULL");
}
