//! An incoming webhook of Slack: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use serde_json::{Value as Json, json};

use super::{bounded, colour};
use crate::notify::view::View;

/// Characters that Slack takes of a header and of a section.
const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3_000;

pub(super) fn body(view: &View<'_>) -> Json {
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": bounded(&view.title, HEADER_MAX) },
    })];
    if !view.body.is_empty() {
        let text = bounded(&escaped(&view.body), SECTION_MAX);
        blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }));
    }
    json!({
        // For notifications, where blocks are not shown.
        "text": escaped(&view.title),
        "attachments": [{ "color": format!("#{:06x}", colour(view)), "blocks": blocks }],
    })
}

/// The three characters that have a meaning (<https://docs.slack.dev/messaging/formatting-message-text>),
/// so that no alert can call a channel together.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
