//! A webhook of Discord: <https://discord.com/developers/docs/resources/webhook#execute-webhook>.

use serde_json::{Value as Json, json};

use super::{bounded, colour};
use crate::notify::view::View;

/// Characters that Discord takes of an embed's title and description.
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 4_096;

pub(super) fn body(view: &View<'_>) -> Json {
    json!({
        "embeds": [{
            "title": bounded(&view.title, TITLE_MAX),
            "description": bounded(&view.body, DESCRIPTION_MAX),
            "color": colour(view),
            "timestamp": view.created_at,
        }],
        // No alert can call a channel together.
        "allowed_mentions": { "parse": [] },
    })
}
