//! Waiting for something that comes true by itself.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Longer than anything here takes on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

const PAUSE: Duration = Duration::from_millis(50);

/// Tries until it works; its last error is the reason when the time is over.
pub fn within<T>(
    time: Duration,
    mut attempt: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(error) if started.elapsed() >= time => {
                return Err(error).with_context(|| format!("still so after {time:?}"));
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

/// [`within`] the usual time.
pub fn until<T>(attempt: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    within(PATIENCE, attempt)
}
