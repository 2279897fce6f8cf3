//! A collector behind the plugin interface: the four C functions, one set per type.
//!
//! Whatever goes wrong in a collector becomes a status and a text here; a panic ends here too, and
//! leaves an instance that answers everything but `destroy` with the same.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use gz_monitor_abi as abi;
use gz_monitor_abi::Status;
use serde_json::{Map, Value};

use crate::link::Link;
use crate::outbox::{Outbox, Outlet};
use crate::{Collector, Error, Host, Level, Reload, Result, SampleRef, Sink};

/// What `gz_collector.init` hands out.
struct Instance<C> {
    collector: C,
    outbox: Outbox,
    /// The collector has panicked: its state is anyone's guess.
    poisoned: bool,
    host: Connection,
}

/// Cuts the link when the instance ends, or never comes to be.
struct Connection(Arc<Link>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// `gz_collector.init`
///
/// # Safety
/// As the header says, but that any pointer may be NULL.
pub unsafe extern "C" fn init<C: Collector>(
    host: *const abi::Host,
    config: abi::Str,
    instance: *mut *mut c_void,
    error: *mut abi::Error,
) -> Status {
    let made = catch(|| {
        if instance.is_null() {
            return Err(Error::Internal("there is no place for the instance".to_owned()));
        }
        // SAFETY: the caller's word, for both; the connection cuts the link when the instance ends.
        let (config, link) = unsafe { (read_config::<C>(config)?, Link::new(host)?) };
        let host = Connection(Arc::new(link));
        let collector = C::init(config, Host::linked(host.0.clone()))?;
        Ok(Box::new(Instance { collector, outbox: Outbox::new(), poisoned: false, host }))
    });
    let outcome = made.map(|made| {
        made.map(|made| {
            // SAFETY: not NULL, and by the header a place for a pointer.
            unsafe { instance.write(Box::into_raw(made).cast()) };
            Status::OK
        })
    });
    // SAFETY: the caller's word for the slot.
    unsafe { report(outcome, error) }
}

/// `gz_collector.collect`
///
/// # Safety
/// As the header says, but that any pointer may be NULL.
pub unsafe extern "C" fn collect<C: Collector>(
    instance: *mut c_void,
    sink: *const abi::Sink,
    error: *mut abi::Error,
) -> Status {
    let collect = |collector: &mut C, outbox: &mut Outbox| {
        // SAFETY: the caller's word; the outlet is gone when this function returns.
        let mut outlet = unsafe { Outlet::new(sink, outbox) }?;
        let mut emit = |sample: SampleRef<'_>| outlet.push(&sample);
        collector.collect(&mut Sink::new(&mut emit))?;
        Ok(Status::OK)
    };
    // SAFETY: the caller's word.
    unsafe { call(instance, error, collect) }
}

/// `gz_collector.reload`
///
/// # Safety
/// As the header says, but that any pointer may be NULL.
pub unsafe extern "C" fn reload<C: Collector>(
    instance: *mut c_void,
    config: abi::Str,
    error: *mut abi::Error,
) -> Status {
    let reload = |collector: &mut C, _: &mut Outbox| {
        // SAFETY: the caller's word.
        let config = unsafe { read_config::<C>(config) }?;
        Ok(match collector.reload(config)? {
            Reload::Done => Status::OK,
            Reload::Restart => Status::RESTART,
        })
    };
    // SAFETY: the caller's word.
    unsafe { call(instance, error, reload) }
}

/// `gz_collector.destroy`
///
/// # Safety
/// As the header says, but that the pointer may be NULL.
pub unsafe extern "C" fn destroy<C: Collector>(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    // SAFETY: not NULL, so it is what `init` has handed out, and comes back this once.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<C>>()) };
    let Instance { collector, host, .. } = *instance;
    if let Err(panic) = catch(|| drop(collector)) {
        host.0.log(Level::Error, &format!("while ending: {panic}"));
    }
}

/// Runs a function of an instance.
///
/// # Safety
/// `instance` is NULL or what `init` has handed out for the same type, and nobody else uses it; of
/// `error` as the header says.
unsafe fn call<C: Collector>(
    instance: *mut c_void,
    error: *mut abi::Error,
    call: impl FnOnce(&mut C, &mut Outbox) -> Result<Status>,
) -> Status {
    // SAFETY: the caller's word.
    let Some(instance) = (unsafe { instance.cast::<Instance<C>>().as_mut() }) else {
        let none = Error::Internal("there is no instance".to_owned());
        // SAFETY: the caller's word for the slot.
        return unsafe { report(Ok(Err(none)), error) };
    };
    let outcome = if instance.poisoned {
        Err("panicked before".to_owned())
    } else {
        catch(|| call(&mut instance.collector, &mut instance.outbox))
    };
    instance.poisoned = outcome.is_err();
    // SAFETY: the caller's word for the slot.
    unsafe { report(outcome, error) }
}

/// Reads a configuration; problems are named by the key that has them.
///
/// # Safety
/// `json` is as the header says.
unsafe fn read_config<C: Collector>(json: abi::Str) -> Result<C::Config> {
    // SAFETY: the caller's word.
    let json = unsafe { json.text(abi::CONFIG_MAX) }.map_err(|f| Error::Config(f.to_string()))?;
    let map: Map<String, Value> =
        serde_json::from_str(json).map_err(|error| Error::Config(error.to_string()))?;
    serde_path_to_error::deserialize(Value::Object(map))
        .map_err(|error| Error::Config(error.to_string()))
}

/// Turns what a call came to into a status, and its text into the host's slot.
///
/// # Safety
/// As for [`abi::Error::write`].
unsafe fn report(
    outcome: std::result::Result<Result<Status>, String>,
    slot: *mut abi::Error,
) -> Status {
    let (status, text) = match &outcome {
        Ok(Ok(status)) => return *status,
        Ok(Err(error)) => (error.status(), error.text()),
        Err(panic) => (Status::ERR_PANIC, panic.as_str()),
    };
    // SAFETY: the caller's word.
    unsafe { abi::Error::write(slot, text) };
    status
}

/// Catches a panic; its text, if it has one, is the error.
fn catch<T>(call: impl FnOnce() -> T) -> std::result::Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let text = format!("panicked: {}", text.unwrap_or("no message"));
        discard(panic);
        text
    })
}

/// What was panicked with may itself panic when it is dropped; then it is leaked.
fn discard(panic: Box<dyn Any + Send>) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(another);
    }
}
