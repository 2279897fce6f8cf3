//! A message of ntfy, published as JSON: <https://docs.ntfy.sh/publish/#publish-as-json>.

use serde_json::{Value as Json, json};

use crate::notify::template::TEXT_BYTES_MAX;
use crate::notify::view::View;
use crate::severity::Severity;

/// Bytes of a message; a longer one would become an attachment.
const MESSAGE_MAX: usize = 4_000;
const _: () = assert!(MESSAGE_MAX < TEXT_BYTES_MAX);

pub(super) fn body(view: &View<'_>, topic: &str) -> Json {
    let (priority, tag) = match view.severity {
        _ if !view.is_firing() => (3, "white_check_mark"),
        Severity::Critical => (5, "rotating_light"),
        Severity::High => (4, "warning"),
        Severity::Medium => (3, "warning"),
        Severity::Low => (2, "information_source"),
        Severity::Info => (1, "information_source"),
    };
    let message = &view.body[..view.body.floor_char_boundary(MESSAGE_MAX)];
    json!({
        "topic": topic,
        "title": view.title,
        "message": message,
        "priority": priority,
        "tags": [tag],
    })
}
