//! A running collector of a library.

use std::ffi::c_void;
use std::ptr;

use gz_monitor_abi::{self as abi, Error, Functions, Refusal, Sink, Status, Str, read_samples};
use gz_monitor_sdk::Reload;
use serde_json::{Map, Value as Json};

use super::host::Hosted;
use crate::plugin::{Failure, Source, value};
use crate::sample::{BatchBuilder, Reason, Stamp};

/// A sample as the library emitted it, or why it was refused, with a text for people.
pub type Sample<'a> = Result<abi::Reading<'a>, (Reason, String)>;

/// A running collector of a library; destroyed when dropped.
pub struct Instance {
    functions: Functions,
    instance: *mut c_void,
    /// The library keeps pointers into it until it is destroyed.
    host: Box<Hosted>,
    /// Samples that one collection may bring.
    max_samples: usize,
    /// Samples beyond it.
    excess: u64,
}

// SAFETY: the header tags every call that takes the instance `[exclusive]`: from any thread, one at
// a time. `&mut self` sees to that.
unsafe impl Send for Instance {}

/// What `emit` finds behind its sink.
struct Taker<'a> {
    take: &'a mut dyn FnMut(Sample<'_>),
    host: &'a Hosted,
    /// So many more are taken.
    left: usize,
    excess: &'a mut u64,
}

impl Instance {
    /// Makes an instance that may emit `max_samples` in a collection.
    ///
    /// # Errors
    /// [`Failure`], by the status that the library gave.
    pub fn new(
        functions: Functions,
        config_json: &str,
        host: gz_monitor_sdk::Host,
        max_samples: usize,
    ) -> Result<Self, Failure> {
        let host = Hosted::new(host);
        let (mut instance, mut error) = (ptr::null_mut(), Error::default());
        // SAFETY: `read_plugin` gave the function; every pointer is to something that lives through
        // the call, and the host until `destroy` has returned.
        let status = unsafe {
            (functions.init)(host.table(), Str::new(config_json), &raw mut instance, &raw mut error)
        };
        match status {
            Status::OK => Ok(Self { functions, instance, host, max_samples, excess: 0 }),
            // What is not there now will not be there at the next interval either.
            Status::NO_DATA => Err(Failure::Absent(reason(status, &error))),
            status => Err(judge(status, &error).err().unwrap_or_else(|| {
                Failure::Permanent(format!("init returned the unknown status {}", status.0))
            })),
        }
    }

    /// Takes one reading.
    ///
    /// # Errors
    /// [`Failure`], by the status that the library gave; what was emitted before it counts.
    pub fn collect(&mut self, take: &mut dyn FnMut(Sample<'_>)) -> Result<(), Failure> {
        let (host, left, excess) = (&*self.host, self.max_samples, &mut self.excess);
        let mut taker = Taker { take, host, left, excess };
        let sink = Sink {
            struct_size: size_of::<Sink>() as u32,
            reserved: 0,
            ctx: ptr::from_mut(&mut taker).cast(),
            emit: Some(emit),
        };
        let mut error = Error::default();
        // SAFETY: of the instance that `init` made, exclusively; sink and error live through it.
        let status =
            unsafe { (self.functions.collect)(self.instance, &raw const sink, &raw mut error) };
        judge(status, &error)
    }

    /// Takes a new configuration, or says that a new instance is to be made with it.
    ///
    /// # Errors
    /// [`Failure`], by the status that the library gave; the old configuration stays in force.
    pub fn reload(&mut self, config_json: &str) -> Result<Reload, Failure> {
        let Some(reload) = self.functions.reload else { return Ok(Reload::Restart) };
        let mut error = Error::default();
        // SAFETY: of the instance that `init` made, exclusively; both pointers live through it.
        let status = unsafe { reload(self.instance, Str::new(config_json), &raw mut error) };
        match status {
            Status::OK => Ok(Reload::Done),
            Status::RESTART => Ok(Reload::Restart),
            status => Err(judge(status, &error).err().unwrap_or_else(|| {
                Failure::Transient(format!("reload returned the status {}", status.0))
            })),
        }
    }

    /// How many samples were not taken since this was last asked, because there were too many.
    pub fn take_excess(&mut self) -> u64 {
        std::mem::take(&mut self.excess)
    }
}

impl Source for Instance {
    fn collect(&mut self, out: &mut BatchBuilder) -> Result<(), Failure> {
        let result = Instance::collect(self, &mut |sample| match sample {
            Ok(reading) => {
                let stamp = reading.unix_ns.map(Stamp::of_unix_ns);
                let value = value(reading.kind, reading.value);
                out.push_at(reading.name, reading.labels, value, stamp);
            }
            Err((reason, what)) => out.reject(reason, || what),
        });
        let excess = || "more than the collection may bring".to_owned();
        out.reject_many(Reason::Limit, self.take_excess(), excess);
        result
    }

    fn reload(&mut self, config: &Map<String, Json>) -> Result<Reload, Failure> {
        Instance::reload(self, &Json::Object(config.clone()).to_string())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: of the instance that `init` made, once and last; the host is dropped after this.
        unsafe { (self.functions.destroy)(self.instance) };
    }
}

/// Why it gave this status, in its own words if it has any.
fn reason(status: Status, error: &Error) -> String {
    match error.text() {
        text if text.is_empty() => format!("it gave the status {} and no reason", status.0),
        text => text.into_owned(),
    }
}

fn judge(status: Status, error: &Error) -> Result<(), Failure> {
    let text = || reason(status, error);
    match status {
        Status::OK | Status::NO_DATA => Ok(()),
        Status::ERR_CONFIG => Err(Failure::Permanent(format!("configuration: {}", text()))),
        Status::ERR_UNAVAILABLE => Err(Failure::Transient(format!("unavailable: {}", text()))),
        Status::ERR_PANIC => Err(Failure::Poisoned(format!("panicked: {}", text()))),
        _ => Err(Failure::Transient(text())),
    }
}

unsafe extern "C" fn emit(
    sink: *const Sink,
    samples: *const abi::Sample,
    count: usize,
    stride: usize,
) -> Status {
    // SAFETY: the library passes the sink that it was given, within the call it was given in, on
    // the thread of that call; so the taker is alive and nobody else has it.
    let taker = unsafe { &mut *(*sink).ctx.cast::<Taker<'_>>() };
    if taker.host.is_cancelled() {
        return Status::ERR_UNAVAILABLE;
    }
    if taker.left == 0 {
        *taker.excess = taker.excess.saturating_add(count as u64);
        return Status::ERR_UNAVAILABLE;
    }
    let mut is_full = false;
    let mut take = |reading: Result<abi::Reading<'_>, Refusal>| {
        let Some(left) = taker.left.checked_sub(1) else {
            is_full = true;
            *taker.excess += 1;
            return;
        };
        taker.left = left;
        (taker.take)(match reading {
            Ok(reading) => Ok(reading),
            Err(refusal) => Err((Reason::Invalid, refusal.to_string())),
        });
    };
    // SAFETY: samples are as the header says, for the duration of this call.
    let read = unsafe { read_samples(samples, count, stride, &mut take) };
    match read {
        Ok(()) if is_full => Status::ERR_UNAVAILABLE,
        Ok(()) => Status::OK,
        Err(refusal) => {
            (taker.take)(Err((Reason::Invalid, refusal.to_string())));
            Status::ERR_INTERNAL
        }
    }
}
