//! Whether our standard error is the journal.

use std::os::linux::fs::MetadataExt as _;

/// Whether systemd connected standard error to the journal (systemd.exec(5), `$JOURNAL_STREAM`). The
/// variable is inherited, so it says so only if the device and inode that it names are still those of
/// the stream.
pub fn is_connected() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", stderr.st_dev(), stderr.st_ino())
}
