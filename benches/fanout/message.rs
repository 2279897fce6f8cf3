//! What is published: an update of a task as a busy daemon sends it, with the time and a number in it.

use rustix::time::{ClockId, clock_gettime};

/// Opens the mark that a client looks for: `@NANOSECONDS NUMBER`. Nothing else has this byte.
pub const MARK: u8 = b'@';

/// A clock that all processes of a machine share, in nanoseconds.
pub fn now_nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The id of a task.
pub fn task_id(number: u64) -> String {
    format!("task-{number}")
}

/// The `data` of a message; with the envelope around it, the whole has about `bytes` bytes.
pub fn data(task: &str, number: u64, bytes: usize) -> String {
    const ENVELOPE: usize = 90;
    let (at, done) = (now_nanos(), number % 200);
    let mut text = format!(
        r#"{{"id":"{task}","name":"Bulk clone @{at} {number}","status":"running","progress":{}.5,"start_time":"2026-01-10T09:30:00Z","details":{{"processed":{done},"total":200,"errors":{},"organisations":["#,
        done / 2,
        number % 3,
    );
    let mut index = 0;
    while text.len() + ENVELOPE + 40 < bytes {
        let comma = if index == 0 { "" } else { "," };
        let repositories = (number * 7 + index * 13) % 120;
        text += &format!(
            r#"{comma}{{"name":"team-{}","repositories":{repositories},"bytes":{},"state":"{}"}}"#,
            (number + index) % 40,
            (number * 7_919 + index * 104_729) % 5_000_000,
            if (number + index).is_multiple_of(4) { "cloning" } else { "done" },
        );
        index += 1;
    }
    text + "]}}"
}

/// A whole message, as the hub encodes it, for a server that has no hub.
pub fn envelope(number: u64, data: &str) -> String {
    format!(
        r#"{{"type":"task_update","seq":{number},"timestamp":"2026-01-10T10:00:00.123456Z","data":{data}}}"#
    )
}
