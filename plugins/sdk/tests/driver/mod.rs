//! A host for one instance of one collector of the scenario plugin, that writes down what it sees.

use std::ffi::{CStr, c_char, c_void};
use std::path::PathBuf;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use gz_monitor_abi::{
    ABI_MAJOR, ABI_MINOR, EXT_ROOT, Entry, Error, Functions, Host, Plugin, Root, Sample, Sink,
    Status, Str, read_plugin, read_samples,
};
use libloading::Library;

/// The scenario plugin, built and loaded once.
pub fn scenarios() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| {
        // SAFETY: Rust's own initialisers only; it is never unloaded.
        let library = Box::leak(Box::new(unsafe { Library::new(build()) }.unwrap()));
        // SAFETY: the symbol is what the header says, and so is what it leads to.
        unsafe { read_plugin(*library.get::<*const Entry>("gz_plugin").unwrap()) }.unwrap()
    })
}

/// Builds the example as a library and says where it is.
fn build() -> PathBuf {
    let arguments = ["build", "--offline", "--example", "scenarios", "--message-format", "json"];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = cargo.output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let artifacts = String::from_utf8(output.stdout).unwrap();
    let artifact = artifacts.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let is_it = message["target"]["name"] == "scenarios" && message["filenames"].is_array();
        is_it.then(|| PathBuf::from(message["filenames"][0].as_str().unwrap()))
    });
    artifact.expect("cargo says what it has built")
}

/// What `init` refused with.
#[derive(Debug)]
pub struct Refused {
    pub status: Status,
    pub text: String,
}

/// A running instance; destroyed with this, if not before.
#[derive(Debug)]
pub struct Driven {
    functions: Functions,
    instance: *mut c_void,
    host: Box<Host>,
    seen: Box<Seen>,
}

/// What the host's functions have seen and what they answer, behind the `ctx` of host and sink.
#[derive(Debug)]
struct Seen {
    root: Root,
    cancelled: AtomicBool,
    lines: Mutex<Vec<String>>,
    samples: Mutex<Vec<String>>,
    emits: Mutex<Vec<usize>>,
    /// How many more calls of `emit` are taken.
    takes: AtomicUsize,
}

impl Driven {
    pub fn start(id: &str, config: &str) -> Result<Self, Refused> {
        Self::start_with(id, config, &|_| {})
    }

    /// With a host that `spoil` may have spoilt.
    pub fn start_with(id: &str, config: &str, spoil: &dyn Fn(&mut Host)) -> Result<Self, Refused> {
        let functions = scenarios().collectors.iter().find(|c| c.id == id).unwrap().functions;
        let root =
            Root { struct_size: size_of::<Root>() as u32, reserved: 0, path: Str::new("/a/root") };
        let seen = Box::new(Seen {
            root,
            cancelled: AtomicBool::default(),
            lines: Mutex::default(),
            samples: Mutex::default(),
            emits: Mutex::default(),
            takes: AtomicUsize::new(usize::MAX),
        });
        let mut host = Box::new(Host {
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            struct_size: size_of::<Host>() as u32,
            reserved: 0,
            ctx: ptr::from_ref(&*seen).cast_mut().cast(),
            log: Some(log),
            cancelled: Some(cancelled),
            request_collect: Some(request_collect),
            get_extension: Some(get_extension),
        });
        spoil(&mut host);
        let (mut instance, mut error) = (ptr::null_mut(), Error::default());
        // SAFETY: the host lives on the heap until after `destroy`.
        let status = unsafe {
            (functions.init)(&raw const *host, Str::new(config), &mut instance, &mut error)
        };
        if status != Status::OK {
            return Err(Refused { status, text: error.text().into_owned() });
        }
        assert!(!instance.is_null());
        Ok(Self { functions, instance, host, seen })
    }

    /// The instance, for calls that go around the driver.
    pub fn instance(&self) -> *mut c_void {
        self.instance
    }

    pub fn collect(&mut self) -> (Status, String) {
        let ctx = self.host.ctx;
        let sink =
            Sink { struct_size: size_of::<Sink>() as u32, reserved: 0, ctx, emit: Some(emit) };
        let mut error = Error::default();
        // SAFETY: of the instance that `init` made, by one thread at a time.
        let status = unsafe { (self.functions.collect)(self.instance, &sink, &mut error) };
        (status, error.text().into_owned())
    }

    pub fn reload(&mut self, config: &str) -> (Status, String) {
        let mut error = Error::default();
        let reload = self.functions.reload.unwrap();
        // SAFETY: as in `collect`.
        let status = unsafe { reload(self.instance, Str::new(config), &mut error) };
        (status, error.text().into_owned())
    }

    /// Destroys the instance; the lines that it has logged in its life.
    pub fn destroy(mut self) -> Vec<String> {
        self.end();
        std::mem::take(&mut self.seen.lines.lock().unwrap())
    }

    fn end(&mut self) {
        let instance = std::mem::replace(&mut self.instance, ptr::null_mut());
        // SAFETY: as in `collect`; what comes after the first call is NULL.
        unsafe { (self.functions.destroy)(instance) };
    }

    /// From now on, nothing is wanted.
    pub fn cancel(&self) {
        self.seen.cancelled.store(true, Ordering::Relaxed);
    }

    /// Takes so many calls of `emit` from now on.
    pub fn take_emits(&self, calls: usize) {
        self.seen.takes.store(calls, Ordering::Relaxed);
    }

    /// Every sample so far, or what was wrong with it.
    pub fn samples(&self) -> Vec<String> {
        self.seen.samples.lock().unwrap().clone()
    }

    /// How many samples each call of `emit` had.
    pub fn emits(&self) -> Vec<usize> {
        self.seen.emits.lock().unwrap().clone()
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.end();
    }
}

/// # Safety
/// `host` is what `Driven` made.
unsafe fn seen<'a>(host: *const Host) -> &'a Seen {
    // SAFETY: the caller's word.
    unsafe { &*(*host).ctx.cast::<Seen>() }
}

unsafe extern "C" fn log(host: *const Host, level: i32, message: Str) {
    // SAFETY: the plugin passes the driver's host, and a message as the header says.
    let (seen, message) = unsafe { (seen(host), message.text(4096).unwrap()) };
    seen.lines.lock().unwrap().push(format!("{level} {message}"));
}

unsafe extern "C" fn cancelled(host: *const Host) -> i32 {
    // SAFETY: as in `log`.
    unsafe { seen(host) }.cancelled.load(Ordering::Relaxed).into()
}

unsafe extern "C" fn request_collect(host: *const Host) {
    // SAFETY: as in `log`.
    unsafe { seen(host) }.lines.lock().unwrap().push("request_collect".to_owned());
}

unsafe extern "C" fn get_extension(host: *const Host, id: *const c_char) -> *const c_void {
    // SAFETY: as in `log`; ids end in NUL.
    let (seen, id) = unsafe { (seen(host), CStr::from_ptr(id)) };
    if id == EXT_ROOT { ptr::from_ref(&seen.root).cast() } else { ptr::null() }
}

unsafe extern "C" fn emit(
    sink: *const Sink,
    samples: *const Sample,
    count: usize,
    stride: usize,
) -> Status {
    // SAFETY: as in `log`.
    let seen = unsafe { &*(*sink).ctx.cast::<Seen>() };
    seen.emits.lock().unwrap().push(count);
    if seen.takes.fetch_sub(1, Ordering::Relaxed) == 0 {
        return Status::ERR_UNAVAILABLE;
    }
    let mut taken = seen.samples.lock().unwrap();
    // SAFETY: the SDK's samples are as the header says.
    let outcome = unsafe {
        read_samples(samples, count, stride, &mut |reading| {
            taken.push(match reading {
                Ok(r) => {
                    format!("{:?} {} {:?} {} {:?}", r.kind, r.name, r.labels, r.value, r.unix_ns)
                }
                Err(refusal) => refusal.to_string(),
            });
        })
    };
    if outcome.is_ok() { Status::OK } else { Status::ERR_INTERNAL }
}
