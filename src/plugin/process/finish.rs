//! A program that is run to its end, and only then listened to.

use std::io::Read;
use std::process::Child as Process;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Lets a program run to its end, within `deadline`, and returns the first `limit` bytes that it
/// printed. Of its process group nothing is left then.
///
/// # Errors
/// How it failed, with its last words.
pub(in crate::plugin) fn finish(
    mut process: Process,
    deadline: Instant,
    limit: u64,
) -> Result<Vec<u8>, String> {
    let out = read(process.stdout.take(), limit);
    let err = read(process.stderr.take(), limit);
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or("it has no process id")?;
    while !has_ended(pid) && Instant::now() < deadline {
        thread::sleep(LOOK_EVERY);
    }
    let in_time = has_ended(pid);
    // Whoever is left of the group holds the pipes open, and the readers would wait for it.
    let _ = rustix::process::kill_process_group(pid, Signal::KILL);
    let _ = process.kill();
    let status = process.wait().map_err(|error| error.to_string())?;
    let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
    if status.success() {
        return Ok(out);
    }
    let how = if in_time { format!("ended with {status}") } else { "did not end in time".into() };
    match String::from_utf8_lossy(&err).trim().lines().last() {
        Some(last) => Err(format!("{how}; its last words: {last}")),
        None => Err(how),
    }
}

/// Whether it has ended. It stays to be waited for, so that its number is nobody else's.
pub(super) fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(rustix::process::waitid(WaitId::Pid(pid), options), Ok(Some(_)))
}

fn read(stream: Option<impl Read + Send + 'static>, limit: u64) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // What was read before an error is what there is.
            let _ = stream.take(limit).read_to_end(&mut bytes);
        }
        bytes
    })
}
