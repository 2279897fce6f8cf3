//! What a careless or hostile plugin may hand over, refused with a reason and without a fault.

#![allow(unsafe_code, reason = "does what hosts and plugins do")]

use std::ffi::c_void;
use std::ptr;

use gz_monitor_abi::{
    COLLECTORS_MAX, Collector, EMIT_COUNT_MAX, Entry, Error, Host, LABELS_MAX, Label, Refusal,
    Root, Sample, Sink, Status, Str, Versioned, copy_prefix, read_plugin, read_samples,
};
use proptest::prelude::*;

unsafe extern "C" fn init(_: *const Host, _: Str, _: *mut *mut c_void, _: *mut Error) -> Status {
    Status::OK
}

unsafe extern "C" fn collect(_: *mut c_void, _: *const Sink, _: *mut Error) -> Status {
    Status::OK
}

unsafe extern "C" fn destroy(_: *mut c_void) {}

const GOOD: Collector = Collector {
    struct_size: size_of::<Collector>() as u32,
    interval_ms: 0,
    id: Str::new("good"),
    version: Str::EMPTY,
    summary: Str::new("A good one"),
    config_schema: Str::EMPTY,
    init: Some(init),
    collect: Some(collect),
    reload: None,
    destroy: Some(destroy),
    get_extension: None,
};

fn read(entry: *const Entry) -> String {
    // SAFETY: what the tests hand over is valid, or of the kind that is refused.
    match unsafe { read_plugin(entry) } {
        Ok(plugin) => plugin.collectors.iter().map(|c| c.id.as_str()).collect::<Vec<_>>().join(" "),
        Err(refusal) => refusal.to_string(),
    }
}

/// Spoils a good entry.
fn check_entry(spoil: impl FnOnce(&mut Entry), expected: &str) {
    static COLLECTORS: &[&Collector] = &[&GOOD];
    let mut entry = Entry::new(COLLECTORS);
    spoil(&mut entry);
    assert_eq!(read(&entry), expected);
}

/// Spoils a good collector.
fn check_collector(spoil: impl FnOnce(&mut Collector), expected: &str) {
    let mut collector = GOOD;
    spoil(&mut collector);
    let pointers = [ptr::from_ref(&collector)];
    check_entry(|entry| entry.collectors = pointers.as_ptr(), expected);
}

#[test]
fn entries() {
    assert_eq!(read(ptr::null()), "gz_plugin is NULL");
    assert_eq!(read(ptr::without_provenance(12)), "gz_plugin is not aligned");
    check_entry(|_| {}, "good");
    check_entry(|e| e.abi_minor = 9, "good");
    check_entry(|e| e.abi_major = 0, "built for plugin ABI 0; this program speaks 1");
    let size = |size| format!("gz_plugin_entry has {size} bytes; from 24 to 4096 are possible");
    check_entry(|e| e.struct_size = 0, &size(0));
    check_entry(|e| e.struct_size = 23, &size(23));
    check_entry(|e| e.struct_size = u32::MAX, &size(u32::MAX));
    check_entry(|e| e.collector_count = 0, "no collectors");
    check_entry(|e| e.collector_count = COLLECTORS_MAX + 1, "65 collectors; 64 at the most");
    check_entry(|e| e.collectors = ptr::null(), "gz_plugin_entry.collectors is NULL");
    let odd = ptr::without_provenance(4);
    check_entry(|e| e.collectors = odd, "gz_plugin_entry.collectors is not aligned");
    let (null, twice) = ([ptr::null()], [ptr::from_ref(&GOOD); 2]);
    check_entry(|e| e.collectors = null.as_ptr(), "collector 0: gz_collector is NULL");
    let spoil = |e: &mut Entry| {
        e.collectors = twice.as_ptr();
        e.collector_count = 2;
    };
    check_entry(spoil, r#"two collectors are called "good""#);
}

#[test]
fn collectors() {
    check_collector(|_| {}, "good");
    check_collector(|c| c.id = Str::new("a-1_b"), "a-1_b");
    check_collector(
        |c| c.struct_size = 111,
        "collector 0: gz_collector has 111 bytes; from 112 to 4096 are possible",
    );
    check_collector(|c| c.init = None, "collector 0: init is NULL");
    check_collector(|c| c.collect = None, "collector 0: collect is NULL");
    check_collector(|c| c.destroy = None, "collector 0: destroy is NULL");
    for bad in ["", "Good", "1st", "a.b", "-a", "ü"] {
        check_collector(|c| c.id = Str::new(bad), &format!("collector 0: id cannot be {bad:?}"));
    }
    let null = Str { ptr: ptr::null(), len: 3 };
    check_collector(|c| c.id = null, "collector 0: id: NULL with a length of 3");
    check_collector(|c| c.version = null, "collector 0: version: NULL with a length of 3");
    check_collector(|c| c.summary = Str::EMPTY, r#"collector 0: summary cannot be """#);
    let escape = Str::new("\x1b[2J");
    check_collector(|c| c.summary = escape, r#"collector 0: summary cannot be "\u{1b}[2J""#);
    check_collector(
        |c| c.summary = Str::from_bytes(b"\xff"),
        "collector 0: summary: not UTF-8 at byte 0",
    );
    let endless = Str { ptr: ptr::without_provenance(8), len: usize::MAX };
    let expected = format!("collector 0: config_schema: {} bytes; 65536 at the most", usize::MAX);
    check_collector(|c| c.config_schema = endless, &expected);
    check_collector(|c| c.config_schema = Str::new("{\n\t}\r\n"), "good");
}

const SAMPLE: Sample = Sample {
    name: Str::new("up"),
    labels: ptr::null(),
    label_count: 0,
    value: 1.0,
    unix_ns: 0,
    kind: 0,
    reserved: 0,
};

/// Reads samples; a line for each.
fn emit(samples: *const Sample, count: usize, stride: usize) -> Result<Vec<String>, String> {
    let mut seen = Vec::new();
    let mut take = |reading: Result<gz_monitor_abi::Reading<'_>, Refusal>| match reading {
        Ok(reading) => seen.push(format!("{} {:?}", reading.name, reading.labels)),
        Err(refusal) => seen.push(refusal.to_string()),
    };
    // SAFETY: what the tests hand over is valid, or of the kind that is refused.
    unsafe { read_samples(samples, count, stride, &mut take) }.map_err(|r| r.to_string())?;
    Ok(seen)
}

#[test]
fn emits() {
    let (samples, size) = ([SAMPLE; 2], size_of::<Sample>());
    let check = |samples: *const Sample, count, stride, expected: Result<&[&str], &str>| {
        let expected = expected.map(|lines| lines.iter().map(|l| l.to_string()).collect());
        assert_eq!(emit(samples, count, stride), expected.map_err(str::to_owned));
    };
    check(samples.as_ptr(), 2, size, Ok(&["up []", "up []"]));
    check(ptr::null(), 0, 0, Ok(&[]));
    check(ptr::null(), 1, size, Err("samples is NULL"));
    check(ptr::without_provenance(2), 1, size, Err("samples is not aligned"));
    check(samples.as_ptr(), 2, 0, Err("gz_sample has 0 bytes; from 56 to 4096 are possible"));
    check(samples.as_ptr(), 2, 48, Err("gz_sample has 48 bytes; from 56 to 4096 are possible"));
    check(samples.as_ptr(), 1, 60, Err("a stride of 60 bytes leaves samples unaligned"));
    check(samples.as_ptr(), 1, 4104, Err("gz_sample has 4104 bytes; from 56 to 4096 are possible"));
    let count = EMIT_COUNT_MAX + 1;
    check(samples.as_ptr(), count, size, Err("1048577 samples; 1048576 at the most"));
}

/// A bad sample between two good ones: the good ones are read.
fn check_sample(spoil: impl FnOnce(&mut Sample), expected: &str) {
    let mut samples = [SAMPLE; 3];
    spoil(&mut samples[1]);
    let seen = emit(samples.as_ptr(), 3, size_of::<Sample>());
    assert_eq!(seen, Ok(["up []", expected, "up []"].map(str::to_owned).to_vec()));
}

#[test]
fn samples() {
    let label = |key, value| Label { key, value };
    let good = [label(Str::new("a"), Str::new("é"))];
    let many = [good[0]; LABELS_MAX + 1];
    let null = [good[0], label(Str::new("b"), Str { ptr: ptr::null(), len: 1 })];
    let bytes = [label(Str::from_bytes(b"a\xc3"), Str::EMPTY)];
    let set = |labels: &[Label]| {
        let (pointer, count) = (labels.as_ptr(), labels.len());
        move |sample: &mut Sample| {
            sample.labels = pointer;
            sample.label_count = count;
        }
    };
    check_sample(set(&good), r#"up [("a", "é")]"#);
    check_sample(set(&many), "65 labels; 64 at the most");
    check_sample(set(&null), "label value: NULL with a length of 1");
    check_sample(set(&bytes), "label key: not UTF-8 at byte 1");
    check_sample(|s| s.label_count = 1, "labels is NULL");
    check_sample(|s| s.label_count = usize::MAX, &format!("{} labels; 64 at the most", usize::MAX));
    check_sample(|s| s.kind = 2, "there is no kind 2 of samples");
    check_sample(|s| s.name = Str { ptr: ptr::null(), len: 2 }, "name: NULL with a length of 2");
    check_sample(|s| s.name = Str::from_bytes(b"\xff"), "name: not UTF-8 at byte 0");
    let long = "x".repeat(4097);
    check_sample(|s| s.name = Str::new(&long), "name: 4097 bytes; 4096 at the most");
    check_sample(|s| s.name = Str::EMPTY, " []");
}

proptest! {
    /// Whatever a plugin leaves in the slot can be shown.
    #[test]
    fn an_error_slot_of_any_content(len: u32, message in prop::array::uniform32(any::<u8>())) {
        let mut error = Error { len, ..Error::default() };
        error.message[..32].copy_from_slice(&message);
        let text = error.text();
        prop_assert!(text.chars().count() <= 248);
    }

    /// What goes into the slot comes out, cut between characters.
    #[test]
    fn an_error_text_of_any_length(text in "\\PC{0,300}") {
        let mut error = Error::default();
        // SAFETY: the slot is ours.
        unsafe { Error::write(&raw mut error, &text) };
        let back = error.text().into_owned();
        prop_assert!(text.starts_with(&back));
        prop_assert!(back.len() == text.len() || back.len() > 248 - 4);
    }

    /// Log lines are cut, never lost.
    #[test]
    fn a_log_line_of_any_bytes(bytes: Vec<u8>, limit in 0usize..64) {
        // SAFETY: the bytes are ours.
        let text = unsafe { Str::from_bytes(&bytes).lossy(limit) };
        let whole = String::from_utf8_lossy(&bytes);
        prop_assert!(whole.starts_with(&text) || text.ends_with(char::REPLACEMENT_CHARACTER));
    }

    /// Structs of any size that lies within the bounds, with any bytes after their own, are read by
    /// stride.
    #[test]
    fn samples_of_any_stride(extra in 0usize..500, count in 1usize..20, tail: u8) {
        let stride = size_of::<Sample>() + extra * 8;
        let mut memory = vec![u64::from_ne_bytes([tail; 8]); stride / 8 * count];
        for index in 0..count {
            let sample = Sample { value: index as f64, ..SAMPLE };
            let place = memory[index * stride / 8..].as_mut_ptr().cast::<Sample>();
            // SAFETY: the memory is ours, aligned to 8 and long enough.
            unsafe { place.write(sample) };
        }
        let mut values = Vec::new();
        let mut take = |reading: Result<gz_monitor_abi::Reading<'_>, Refusal>| {
            values.push(reading.unwrap().value as usize);
        };
        // SAFETY: `count` samples lie there, `stride` apart.
        unsafe { read_samples(memory.as_ptr().cast(), count, stride, &mut take) }.unwrap();
        prop_assert_eq!(values, (0..count).collect::<Vec<_>>());
    }
}

#[test]
fn an_error_slot_that_is_none() {
    let mut short = Error { struct_size: 255, ..Error::default() };
    // SAFETY: NULL, and a slot that says it is too short.
    unsafe {
        Error::write(ptr::null_mut(), "text");
        Error::write(&raw mut short, "text");
    }
    assert_eq!(short.text(), "");
}

/// A struct that has grown by a field.
#[repr(C)]
#[derive(Clone, Copy)]
struct Grown {
    root: Root,
    added: u64,
}

// SAFETY: a `Root` and a number.
unsafe impl Versioned for Grown {
    const NAME: &'static str = "grown";
    const LEAST: usize = size_of::<Root>();
}

#[test]
fn what_lies_past_a_struct_is_not_looked_at() {
    let memory = [u64::MAX; 8];
    let check = |size: usize, expected: Result<u64, &str>| {
        // SAFETY: all of the sizes are within the memory, or refused.
        let copy = unsafe { copy_prefix(memory.as_ptr().cast::<Grown>(), size) };
        let added = copy.map(|copy| copy.added).map_err(|refusal| refusal.to_string());
        assert_eq!(added, expected.map_err(str::to_owned), "{size} bytes");
    };
    check(23, Err("grown has 23 bytes; from 24 to 4096 are possible"));
    check(24, Ok(0));
    check(29, Ok(0)); // A field of which the plugin has half is not there.
    check(32, Ok(u64::MAX));
    check(48, Ok(u64::MAX));
    check(4097, Err("grown has 4097 bytes; from 24 to 4096 are possible"));
}
