//! A notification as templates and receivers see it: our own JSON, as the document says.

use serde::Serialize;

use super::{Channel, Kind, Labels, Notice, Payload, template};
use crate::severity::Severity;

/// Names of rules that a title has; of more it is said how many.
const NAMES_MAX: usize = 3;
/// Of the version of this form.
const VERSION: &str = "1";

/// What a webhook gets, and templates are filled in with.
#[derive(Debug, Clone, Serialize)]
pub(super) struct View<'a> {
    pub(super) version: &'static str,
    /// The idempotency key.
    pub(super) id: &'a str,
    pub(super) kind: Kind,
    /// "firing" if anything fires, else "resolved".
    pub(super) status: &'static str,
    pub(super) severity: Severity,
    pub(super) host: &'a str,
    pub(super) channel: &'a str,
    pub(super) route: &'a str,
    pub(super) group_key: &'a str,
    pub(super) group: &'a Labels,
    pub(super) created_at: &'a str,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) alerts: &'a [Notice],
    pub(super) truncated: usize,
    /// Of the title: "FIRING", "FIRING:3", "STILL FIRING", "ESCALATED", "RESOLVED", "TEST".
    #[serde(skip)]
    label: String,
    /// Of the title: the names of the rules.
    #[serde(skip)]
    names: String,
}

/// With what only templates see.
#[derive(Serialize)]
struct Filling<'a> {
    #[serde(flatten)]
    view: &'a View<'a>,
    label: &'a str,
    names: &'a str,
    firing: Vec<&'a Notice>,
    resolved: Vec<&'a Notice>,
}

impl<'a> View<'a> {
    pub(super) fn new(
        key: &'a str,
        payload: &'a Payload,
        name: &'a str,
        channel: &Channel,
        host: &'a str,
    ) -> Self {
        let status = if payload.is_firing() { "firing" } else { "resolved" };
        let mut view = Self {
            version: VERSION,
            id: key,
            kind: payload.kind,
            status,
            severity: payload.severity(),
            host,
            channel: name,
            route: &payload.route,
            group_key: &payload.group_key,
            group: &payload.group,
            created_at: &payload.created_at,
            title: String::new(),
            body: String::new(),
            alerts: &payload.alerts,
            truncated: payload.truncated,
            label: label(payload),
            names: names(&payload.alerts),
        };
        let title = view.fill(channel.title.as_deref(), template::TITLE, name);
        // A title is a line: it becomes a header of mail.
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        let body = view.fill(channel.body.as_deref(), template::BODY, name);
        (view.title, view.body) = (title, body);
        view
    }

    /// A template that fails is no reason to say nothing.
    fn fill(&self, template: Option<&str>, usual: &str, channel: &str) -> String {
        let (firing, resolved) = self.alerts.iter().partition(|alert| alert.is_firing());
        let (label, names) = (&self.label, &self.names);
        let filling = Filling { view: self, label, names, firing, resolved };
        let filled = template.map(|template| template::fill(template, &filling));
        if let Some(Err(error)) = &filled {
            tracing::warn!(channel, error, "a template failed; the usual text is sent");
        }
        let filled = filled.and_then(Result::ok);
        filled.unwrap_or_else(|| template::fill(usual, &filling).unwrap_or_default())
    }

    /// It as JSON.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are JSON")
    }

    pub(super) fn is_firing(&self) -> bool {
        self.status == "firing"
    }
}

fn label(payload: &Payload) -> String {
    let firing = payload.alerts.iter().filter(|alert| alert.is_firing()).count();
    let counted = |word: &str, count: usize| match count {
        0 | 1 => word.to_owned(),
        count => format!("{word}:{count}"),
    };
    match payload.kind {
        Kind::Test => "TEST".to_owned(),
        Kind::Escalation => counted("ESCALATED", firing),
        Kind::Repeat => counted("STILL FIRING", firing + payload.truncated),
        Kind::Firing if firing > 0 => counted("FIRING", firing + payload.truncated),
        Kind::Firing | Kind::Resolved => counted("RESOLVED", payload.alerts.len()),
    }
}

fn names(alerts: &[Notice]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for alert in alerts.iter().filter(|alert| !alert.rule_name.is_empty()) {
        if !names.contains(&&*alert.rule_name) {
            names.push(&alert.rule_name);
        }
    }
    match names.len().checked_sub(NAMES_MAX) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMES_MAX].join(", ")),
        _ => names.join(", "),
    }
}
