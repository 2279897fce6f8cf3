//! `[notify.channel.NAME]`: one place where notifications go.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;
use crate::units::HumanDuration;

/// One place where notifications go. A file is named by its path or, as a credential of the service
/// (LoadCredential=), by its name, and is read anew for every delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// What is there.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The address: of webhook, slack, discord, teams the whole of it; of ntfy that of the server,
    /// `https://ntfy.sh` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"https://hooks.example.org/gz-monitor")]
    pub url: Option<Secret>,
    /// The file that the address is in, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// Of webhook: the form of the body.
    #[serde(default)]
    pub format: Format,
    /// Of webhook and ntfy: what is sent as Authorization: Bearer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// The file that the token is in, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Of webhook: further headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// Of ntfy: the topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"alerts")]
    pub topic: Option<String>,
    /// Of email: the server, by name or address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"mail.example.org")]
    pub host: Option<String>,
    /// Of email: its port. If absent: 587 with starttls, 465 with tls, 25 with none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Of email: how the connection is secured.
    #[serde(default)]
    pub tls: Security,
    /// Of email: who logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Of email: the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The file that the password is in, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Of email: the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"gz-monitor <monitor@example.org>")]
    pub from: Option<String>,
    /// Of email: who gets it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = &["ops@example.org"])]
    pub to: Vec<String>,
    /// Of command: the program by its path, and its arguments. No shell reads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = &["/usr/local/bin/page", "--quiet"])]
    pub command: Vec<String>,
    /// Where there is TLS: a file with the certificates of authorities, in PEM, that are believed
    /// instead of those that this machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The title, as a template; see docs/notifications.md.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text, as a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Whether it is told when an alert is resolved.
    #[serde(default = "yes")]
    pub send_resolved: bool,
    /// A delivery that takes longer has failed.
    #[serde(default = "ten_seconds")]
    pub timeout: HumanDuration,
    /// Notifications a minute; further ones wait. 0 is without a limit.
    #[serde(default = "thirty")]
    pub max_per_minute: u32,
}

fn yes() -> bool {
    true
}

fn ten_seconds() -> HumanDuration {
    HumanDuration::secs(10)
}

fn thirty() -> u32 {
    30
}

/// What receives notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Webhook,
    Slack,
    Discord,
    Teams,
    Email,
    Ntfy,
    Command,
}

impl Kind {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Webhook => "webhook",
            Kind::Slack => "slack",
            Kind::Discord => "discord",
            Kind::Teams => "teams",
            Kind::Email => "email",
            Kind::Ntfy => "ntfy",
            Kind::Command => "command",
        }
    }

    /// Whether its notifications go by HTTP.
    pub fn is_http(self) -> bool {
        !matches!(self, Kind::Email | Kind::Command)
    }
}

/// The form of a webhook's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Our own JSON.
    #[default]
    Json,
    /// That of Prometheus' Alertmanager, version 4.
    Alertmanager,
}

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// It begins in the clear, and nothing is said before it is secured.
    #[default]
    Starttls,
    /// From the first byte.
    Tls,
    /// Not at all.
    None,
}

impl Channel {
    /// A channel of this kind with nothing but defaults.
    pub fn of(kind: Kind) -> Self {
        Self {
            kind,
            url: None,
            url_file: None,
            format: Format::default(),
            token: None,
            token_file: None,
            headers: BTreeMap::new(),
            topic: None,
            host: None,
            port: None,
            tls: Security::default(),
            username: None,
            password: None,
            password_file: None,
            from: None,
            to: Vec::new(),
            command: Vec::new(),
            ca: None,
            title: None,
            body: None,
            send_resolved: yes(),
            timeout: ten_seconds(),
            max_per_minute: thirty(),
        }
    }
}
