//! The form that each receiver wants a notification in. They only think; `deliver` does.

mod alertmanager;
mod discord;
mod email;
mod ntfy;
mod slack;
mod teams;
#[cfg(test)]
mod tests;

pub(super) use email::message;

use serde_json::Value as Json;

use super::Channel;
use super::channel::{Format, Kind};
use super::view::View;
use crate::severity::Severity;

/// The JSON that goes to a receiver by HTTP.
pub(super) fn json(view: &View<'_>, channel: &Channel) -> String {
    let body: Json = match (channel.kind, channel.format) {
        (Kind::Webhook, Format::Alertmanager) => alertmanager::body(view),
        (Kind::Slack, _) => slack::body(view),
        (Kind::Discord, _) => discord::body(view),
        (Kind::Teams, _) => teams::body(view),
        (Kind::Ntfy, _) => ntfy::body(view, channel.topic.as_deref().unwrap_or_default()),
        (Kind::Webhook | Kind::Email | Kind::Command, _) => return view.json(),
    };
    body.to_string()
}

/// How a level looks where there are colours: red, green, blue.
fn colour(view: &View<'_>) -> u32 {
    match view.severity {
        _ if !view.is_firing() => 0x2e_a0_43,
        Severity::Critical => 0xd1_24_2f,
        Severity::High => 0xe1_6f_24,
        Severity::Medium => 0xd4_a7_2c,
        Severity::Low | Severity::Info => 0x09_69_da,
    }
}

/// A text within a receiver's bound, which counts characters.
fn bounded(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => {
            let end = text.char_indices().nth(characters - 1).map_or(0, |(end, _)| end);
            format!("{}…", &text[..end])
        }
    }
}
