//! A workflow of Microsoft Teams that posts an Adaptive Card when a webhook request is received:
//! <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>.

use serde_json::{Value as Json, json};

use super::bounded;
use crate::notify::view::View;
use crate::severity::Severity;

/// A message may have 28 KB, which is counted in UTF-16.
const TITLE_MAX: usize = 256;
const TEXT_MAX: usize = 8_000;

pub(super) fn body(view: &View<'_>) -> Json {
    let colour = match view.severity {
        _ if !view.is_firing() => "Good",
        Severity::Critical | Severity::High => "Attention",
        Severity::Medium => "Warning",
        Severity::Low | Severity::Info => "Accent",
    };
    let title = bounded(&view.title, TITLE_MAX);
    let mut items = vec![json!({
        "type": "TextBlock", "text": title, "weight": "Bolder", "size": "Medium", "color": colour,
        "wrap": true,
    })];
    // In a text block one line break is none.
    let lines = bounded(&view.body, TEXT_MAX).replace('\n', "\n\n");
    if !lines.is_empty() {
        items.push(json!({ "type": "TextBlock", "text": lines, "wrap": true }));
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": items,
                "msteams": { "width": "Full" },
            },
        }],
    })
}
