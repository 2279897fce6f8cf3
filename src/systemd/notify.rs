//! What the service manager is told of us (sd_notify(3)). Without `$NOTIFY_SOCKET`, nothing.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;

/// A datagram may have 4096 bytes, and `systemctl status` shows one line.
const STATUS_BYTES_MAX: usize = 1024;

/// `READY=1`: started, or done with a reload.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(&line(status))]);
}

/// `STATUS=`: what `systemctl status` shows.
pub fn status(text: &str) {
    send(&[NotifyState::Status(&line(text))]);
}

/// `RELOADING=1`, with the time: without it in the same datagram, systemd would take the next
/// `READY=1` for that of an earlier reload.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "no monotonic clock"),
    }
}

/// `STOPPING=1`: the end has begun.
pub fn stopping(text: &str) {
    send(&[NotifyState::Stopping, NotifyState::Status(&line(text))]);
}

/// `EXTEND_TIMEOUT_USEC=`: the start or the end goes on, and is heard of again within `time`.
pub fn extend_timeout(time: Duration) {
    let micros = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    send(&[NotifyState::ExtendTimeoutUsec(micros)]);
}

/// The time after which the service manager ends a service that does not feed its watchdog;
/// `None` if it has none for this process.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|time| !time.is_zero())
}

/// `WATCHDOG=1`: all is well.
pub fn feed_watchdog() {
    send(&[NotifyState::Watchdog]);
}

/// `STATUS=` and `ERRNO=`: why there will be no daemon. `errno` is that of errno(3), if there is one.
pub fn failed(text: &str, errno: Option<i32>) {
    let text = line(text);
    let errno = errno.and_then(|errno| u32::try_from(errno).ok()).map(NotifyState::Errno);
    let states: Vec<_> = [NotifyState::Status(&text)].into_iter().chain(errno).collect();
    send(&states);
}

/// The errno(3) that is at the bottom of an error.
pub fn errno_of(error: &(dyn std::error::Error + 'static)) -> Option<i32> {
    let chain = std::iter::successors(Some(error), |error| error.source());
    let mut errors = chain.filter_map(|error| error.downcast_ref::<io::Error>());
    errors.find_map(io::Error::raw_os_error)
}

/// A service manager that is busy makes the send wait: other tasks go on meanwhile.
pub(super) fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = tokio::task::block_in_place(|| sd_notify::notify(states)) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}

/// One line of bounded length: a line break would begin another assignment.
fn line(text: &str) -> String {
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if line.len() > STATUS_BYTES_MAX {
        let mut end = STATUS_BYTES_MAX - '…'.len_utf8();
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_line_of_bounded_length() {
        let check = |text: &str, expected: &str| assert_eq!(line(text), expected);
        check("3 clients", "3 clients");
        check("a\nREADY=1\r\u{1b}[0m", "a\u{fffd}READY=1\u{fffd}\u{fffd}[0m");
        let long = line(&"ä".repeat(2 * STATUS_BYTES_MAX));
        assert!(long.len() <= STATUS_BYTES_MAX && long.ends_with("ä…"), "{}", long.len());
    }

    #[test]
    fn an_errno_is_found_below_other_errors() {
        let inner = io::Error::from_raw_os_error(98);
        assert_eq!(errno_of(&inner), Some(98));
        let outer = anyhow::Error::from(inner).context("cannot listen");
        assert_eq!(errno_of(outer.as_ref()), Some(98));
        assert_eq!(errno_of(&io::Error::other("no number")), None);
    }
}
