//! A plugin that a C compiler has built, read and driven through the mirror: the offsets agree, and
//! minors and majors are told apart.

#![allow(unsafe_code, reason = "does what hosts and plugins do")]
#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

#[allow(dead_code, reason = "each test of the header uses some of it")]
mod compiler;

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::Mutex;

use gz_monitor_abi::{
    ABI_MAJOR, ABI_MINOR, Collector, EXT_ROOT, Entry, Error, Host, Kind, Plugin, Refusal, Root,
    Sample, Sink, Status, Str, Versioned, copy_prefix, read_plugin, read_samples,
};
use libloading::Library;
use tempfile::TempDir;

/// Keeps the folder for as long as the library lives in it.
struct Built {
    library: Library,
    _folder: TempDir,
}

impl Built {
    fn new(header: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = compiler::plugin(folder.path(), header)?;
        // SAFETY: the plugin has no initialisers.
        let library = unsafe { Library::new(path) }.unwrap();
        Some(Self { library, _folder: folder })
    }

    fn entry(&self) -> *const Entry {
        // SAFETY: the symbol is what the header says.
        unsafe { *self.library.get::<*const Entry>("gz_plugin").unwrap() }
    }

    fn plugin(&self) -> Plugin {
        // SAFETY: a well-made plugin.
        unsafe { read_plugin(self.entry()) }.unwrap()
    }
}

/// What the host's functions saw, behind `gz_host.ctx` and `gz_sink.ctx`. The plugin prints the
/// number that either begins with.
#[repr(C)]
struct Seen {
    number: i32,
    root: Root,
    lines: Mutex<Vec<String>>,
}

impl Seen {
    fn new(number: i32) -> Self {
        let root =
            Root { struct_size: size_of::<Root>() as u32, reserved: 5, path: Str::new("/a/root") };
        Self { number, root, lines: Mutex::default() }
    }

    fn ctx(&self) -> *mut c_void {
        ptr::from_ref(self).cast_mut().cast()
    }

    fn host(&self) -> Host {
        Host {
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            struct_size: size_of::<Host>() as u32,
            reserved: 6,
            ctx: self.ctx(),
            log: Some(log),
            cancelled: Some(cancelled),
            request_collect: Some(request_collect),
            get_extension: Some(get_extension),
        }
    }

    fn sink(&self) -> Sink {
        let struct_size = size_of::<Sink>() as u32;
        Sink { struct_size, reserved: 8, ctx: self.ctx(), emit: Some(emit) }
    }

    fn say(&self, line: String) {
        self.lines.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

/// # Safety
/// `ctx` is a `Seen`'s.
unsafe fn seen<'a>(ctx: *mut c_void) -> &'a Seen {
    // SAFETY: the caller's word.
    unsafe { &*ctx.cast::<Seen>() }
}

unsafe extern "C" fn log(host: *const Host, level: i32, message: Str) {
    // SAFETY: the plugin passes what `Seen::host` made, and a message as the header says.
    let (seen, message) = unsafe { (seen((*host).ctx), message.text(512).unwrap()) };
    seen.say(format!("log {level}: {message}"));
}

unsafe extern "C" fn cancelled(_: *const Host) -> i32 {
    -9
}

unsafe extern "C" fn request_collect(host: *const Host) {
    // SAFETY: as in `log`.
    unsafe { seen((*host).ctx) }.say("request_collect".to_owned());
}

unsafe extern "C" fn get_extension(host: *const Host, id: *const c_char) -> *const c_void {
    // SAFETY: as in `log`; ids end in NUL.
    let (seen, id) = unsafe { (seen((*host).ctx), CStr::from_ptr(id)) };
    if id == EXT_ROOT { ptr::from_ref(&seen.root).cast() } else { ptr::null() }
}

unsafe extern "C" fn emit(
    sink: *const Sink,
    samples: *const Sample,
    count: usize,
    stride: usize,
) -> Status {
    // SAFETY: as in `log`.
    let seen = unsafe { seen((*sink).ctx) };
    let mut take = |reading: Result<gz_monitor_abi::Reading<'_>, Refusal>| {
        let reading = reading.unwrap();
        let kind = if reading.kind == Kind::Counter { "counter" } else { "gauge" };
        seen.say(format!(
            "{kind} {} {:?} {} {:?}",
            reading.name, reading.labels, reading.value, reading.unix_ns
        ));
    };
    // SAFETY: a well-made plugin.
    unsafe { read_samples(samples, count, stride, &mut take) }.unwrap();
    Status(42)
}

/// Everything that crosses the boundary, in both directions.
fn drive(header: &str, abi: (u32, u32)) {
    let Some(built) = Built::new(header) else { return };
    let plugin = built.plugin();
    assert_eq!(plugin.abi, abi);
    let [every, least] = &plugin.collectors[..] else { panic!("{plugin:?}") };
    assert_eq!((every.id.as_str(), every.version.as_str()), ("every-field", "3.2.1"));
    assert_eq!((every.summary.as_str(), every.interval_ms), ("A summary, été", 1234));
    assert_eq!(every.config_schema, r#"{"type": "object"}"#);
    assert_eq!((least.id.as_str(), least.version.as_str()), ("least", ""));
    assert_eq!((least.config_schema.as_str(), least.interval_ms), ("", 0));
    assert!(least.functions.reload.is_none() && least.functions.get_extension.is_none());

    let functions = every.functions;
    let (seen, sink_seen) = (Seen::new(71), Seen::new(72));
    let (host, sink) = (seen.host(), sink_seen.sink());
    let (mut instance, mut error) = (ptr::null_mut(), Error::default());
    let init = |config, instance: &mut *mut c_void, error: &mut Error| {
        // SAFETY: the arguments are as the header says; the host outlives the instance.
        unsafe { (functions.init)(&host, Str::new(config), instance, error) }
    };
    assert_eq!(init("[1, 2]", &mut instance, &mut error), Status::ERR_CONFIG);
    assert_eq!(error.text(), "not two bytes");
    seen.take();
    error.len = 0;
    assert_eq!(init("{}", &mut instance, &mut error), Status::OK);
    let line =
        "log 2: host 1.0 56 6 71 cancelled -9; root 24 5 /a/root; config {}; slot 256 0".to_owned();
    assert_eq!(seen.take(), [line, "request_collect".to_owned()]);

    // SAFETY: of the instance that `init` made, one after the other.
    unsafe {
        assert_eq!((functions.collect)(instance, &sink, &mut error), Status::NO_DATA);
        assert_eq!(error.text(), "sink 24 8 72, emitted 42");
        let long = format!("{}é{}", "x".repeat(247), "y".repeat(51));
        let status = (functions.reload.unwrap())(instance, Str::new(&long), &mut error);
        assert_eq!((status, error.text().as_ref()), (Status::ERR_UNAVAILABLE, &*"x".repeat(247)));
        let marker = (functions.get_extension.unwrap())(c"test.marker/1".as_ptr()).cast::<i32>();
        assert_eq!(*marker, 0);
        (functions.destroy)(instance);
        assert_eq!(*marker, 1);
    }
    let samples = [
        r#"counter first_total [("device", "sda"), ("op", "")] 1.5 Some(1700000000000000001)"#,
        "gauge second_bytes [] -2.5 None",
    ];
    assert_eq!(sink_seen.take(), samples);
}

#[test]
fn of_this_minor() {
    drive(&compiler::header(), (1, 0));
}

#[test]
fn of_the_next_minor() {
    drive(&compiler::header_of_minor_1(), (1, 1));
}

#[test]
fn of_another_major() {
    let Some(built) = Built::new(&compiler::header_of_major_2()) else { return };
    // SAFETY: a well-made plugin, if of another kind.
    let refusal = unsafe { read_plugin(built.entry()) }.unwrap_err();
    assert_eq!(refusal.to_string(), "built for plugin ABI 2; this program speaks 1");
}

/// A collector as a later minor may have it.
#[repr(C)]
#[derive(Clone, Copy)]
struct CollectorOfTomorrow {
    today: Collector,
    added: Option<unsafe extern "C" fn()>,
}

// SAFETY: a `Collector` and an optional function.
unsafe impl Versioned for CollectorOfTomorrow {
    const NAME: &'static str = "gz_collector";
    const LEAST: usize = size_of::<Collector>();
}

/// What a host of the next minor reads of a plugin: the added field if it is there, else zero.
#[test]
fn read_by_a_later_host() {
    for (header, added) in [(compiler::header(), false), (compiler::header_of_minor_1(), true)] {
        let Some(built) = Built::new(&header) else { return };
        // SAFETY: a well-made plugin; its descriptors are as long as they say.
        let read = unsafe {
            let descriptor = *(*built.entry()).collectors;
            let size = (*descriptor).struct_size as usize;
            copy_prefix(descriptor.cast::<CollectorOfTomorrow>(), size)
        };
        let read = read.unwrap();
        assert_eq!((read.today.interval_ms, read.added.is_some()), (1234, added));
    }
}
