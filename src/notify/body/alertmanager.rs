//! The body of Alertmanager's webhooks, version 4, which many receivers know.
//!
//! See <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>.

use serde_json::{Value as Json, json};

use crate::notify::view::View;
use crate::notify::{Labels, Notice};

/// What Go has for a time that there is none of.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn body(view: &View<'_>) -> Json {
    let alerts: Vec<Json> = view.alerts.iter().map(alert).collect();
    let labels = view.alerts.iter().map(Notice::all_labels);
    let annotations = view.alerts.iter().map(annotations);
    json!({
        "version": "4",
        "groupKey": view.group_key,
        "truncatedAlerts": view.truncated,
        "status": view.status,
        "receiver": view.channel,
        "groupLabels": view.group,
        "commonLabels": common(labels),
        "commonAnnotations": common(annotations),
        "externalURL": "",
        "alerts": alerts,
    })
}

fn alert(alert: &Notice) -> Json {
    json!({
        "status": if alert.is_firing() { "firing" } else { "resolved" },
        "labels": alert.all_labels(),
        "annotations": annotations(alert),
        "startsAt": alert.starts_at,
        "endsAt": alert.ends_at.as_deref().unwrap_or(NEVER),
        "generatorURL": "",
        "fingerprint": alert.id,
    })
}

/// The message is what others call the description.
fn annotations(alert: &Notice) -> Labels {
    let mut annotations = alert.annotations.clone();
    annotations.entry("description".to_owned()).or_insert_with(|| alert.message.clone());
    annotations
}

/// What all have in common.
fn common(mut all: impl Iterator<Item = Labels>) -> Labels {
    let first = all.next().unwrap_or_default();
    all.fold(first, |mut common, labels| {
        common.retain(|name, text| labels.get(name) == Some(text));
        common
    })
}
