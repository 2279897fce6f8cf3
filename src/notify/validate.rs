//! What no type can say about `[notify]`: what goes with which kind of channel, and which names there are.

use std::collections::BTreeSet;

use super::channel::Kind;
use super::route::ALL_LABELS;
use super::{Channel, Config, RouteConfig, Secret, template};
use crate::alert::Matcher;
use crate::sample::is_label_name;

/// Channels and routes that there may be.
const CHANNELS_MAX: usize = 64;
const ROUTES_MAX: usize = 256;
/// Bytes of a channel's name.
const NAME_MAX: usize = 64;
/// Who may get one mail.
const RECIPIENTS_MAX: usize = 100;

/// Something that is wrong: keys and indices from `notify` on, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub path: Vec<String>,
    pub message: String,
    pub hint: Option<String>,
}

/// Collects what is wrong at one place.
struct Place<'a> {
    path: Vec<String>,
    found: &'a mut Vec<Mistake>,
}

impl Place<'_> {
    fn refuse(&mut self, key: &str, message: impl Into<String>) {
        self.refuse_with(key, message, None);
    }

    fn refuse_with(&mut self, key: &str, message: impl Into<String>, hint: Option<String>) {
        let mut path = self.path.clone();
        path.extend((!key.is_empty()).then(|| key.to_owned()));
        self.found.push(Mistake { path, message: message.into(), hint });
    }
}

/// All that is wrong with it, but for its numbers.
pub fn mistakes(config: &Config) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut top = Place { path: Vec::new(), found: &mut found };
    if config.channel.len() > CHANNELS_MAX {
        top.refuse(
            "channel",
            format!("{} channels are too many: {CHANNELS_MAX} at most", config.channel.len()),
        );
    }
    if config.route.len() > ROUTES_MAX {
        top.refuse(
            "route",
            format!("{} routes are too many: {ROUTES_MAX} at most", config.route.len()),
        );
    }
    for (name, one) in &config.channel {
        let path = vec!["channel".to_owned(), name.clone()];
        channel(name, one, &mut Place { path, found: &mut found });
    }
    let mut keys = BTreeSet::new();
    for (index, one) in config.route.iter().enumerate() {
        let path = vec!["route".to_owned(), index.to_string()];
        let mut place = Place { path, found: &mut found };
        route(one, config, &mut place);
        if !keys.insert(one.key()) {
            let hint = "give it a name of its own".to_owned();
            place.refuse_with("", "a route before it is called or matches the same", Some(hint));
        }
    }
    found
}

fn channel(name: &str, channel: &Channel, place: &mut Place<'_>) {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(legal) {
        let message =
            format!("a channel's name is 1 to {NAME_MAX} letters, digits, \"_\" or \"-\"");
        place.refuse("", message);
    }
    foreign_keys(channel, place);
    match channel.kind {
        Kind::Webhook | Kind::Slack | Kind::Discord | Kind::Teams => {
            needs_one(place, "url", channel.url.is_some(), channel.url_file.is_some());
        }
        Kind::Ntfy => {
            let topic = channel.topic.as_deref().unwrap_or_default();
            if topic.is_empty() || !topic.chars().all(legal) {
                place.refuse("topic", "ntfy needs a topic of letters, digits, \"_\" and \"-\"");
            }
        }
        Kind::Email => email(channel, place),
        Kind::Command => match channel.command.first() {
            Some(program) if program.starts_with('/') => {}
            Some(program) => {
                place.refuse("command", format!("{program:?} must be an absolute path"))
            }
            None => place.refuse("command", "it must name a program"),
        },
    }
    if channel.command.iter().any(|word| word.contains('\0')) {
        place.refuse("command", "a NUL byte cannot be passed to a program");
    }
    address(channel, place);
    for (key, secret, file) in [
        ("url", &channel.url, &channel.url_file),
        ("token", &channel.token, &channel.token_file),
        ("password", &channel.password, &channel.password_file),
    ] {
        if secret.is_some() && file.is_some() {
            place.refuse(key, format!("it is said here or in {key}_file, not both"));
        }
        if secret.as_ref().is_some_and(|secret| secret.expose() == Secret::SHOWN) {
            place.refuse(key, "this is what is shown instead of a secret, and no secret");
        }
    }
    for (key, text) in [("title", &channel.title), ("body", &channel.body)] {
        if let Some(Err(error)) = text.as_deref().map(template::check) {
            place.refuse(key, format!("this is no template: {error}"));
        }
    }
    for name in channel.headers.keys() {
        let own = ["idempotency-key", "content-type", "content-length", "host"];
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            place.refuse("headers", format!("{name:?} cannot be the name of a header"));
        } else if own.contains(&name.to_ascii_lowercase().as_str()) {
            place.refuse("headers", format!("{name:?} is set by gz-monitor itself"));
        }
    }
}

/// An address is not quoted: there may be a token in it.
fn address(channel: &Channel, place: &mut Place<'_>) {
    let Some(url) = &channel.url else { return };
    let is_web = super::deliver::Address::parse(url.expose()).is_some();
    if !is_web && url.expose() != Secret::SHOWN {
        let hint = "write one such as \"https://hooks.example.org/path\"".to_owned();
        place.refuse_with(
            "url",
            "this is no address of the web, or one with a password in it",
            Some(hint),
        );
    }
}

fn needs_one(place: &mut Place<'_>, key: &str, given: bool, in_file: bool) {
    if !given && !in_file {
        place.refuse("", format!("it needs {key} or {key}_file"));
    }
}

fn email(channel: &Channel, place: &mut Place<'_>) {
    if channel.host.as_deref().unwrap_or_default().is_empty() {
        place.refuse("host", "mail needs the host of a server");
    }
    let check = |text: &str| text.parse::<lettre::message::Mailbox>();
    let from = channel.from.as_deref().unwrap_or_default();
    if let Err(error) = check(from) {
        place.refuse("from", format!("{from:?} is no address of mail: {error}"));
    }
    if channel.to.is_empty() || channel.to.len() > RECIPIENTS_MAX {
        place.refuse("to", format!("1 to {RECIPIENTS_MAX} addresses"));
    }
    for address in &channel.to {
        if let Err(error) = check(address) {
            place.refuse("to", format!("{address:?} is no address of mail: {error}"));
        }
    }
    let has_password = channel.password.is_some() || channel.password_file.is_some();
    if channel.username.is_some() != has_password {
        place.refuse("username", "a username and a password go together");
    }
}

/// Keys that mean nothing to a channel of this kind.
fn foreign_keys(channel: &Channel, place: &mut Place<'_>) {
    use Kind::{Command, Email, Ntfy, Webhook};
    let kind = channel.kind;
    let (is_mail, is_hook) = (kind == Email, kind == Webhook);
    let has_token = is_hook || kind == Ntfy;
    let given = [
        ("url", channel.url.is_some(), kind.is_http()),
        ("url_file", channel.url_file.is_some(), kind.is_http()),
        ("format", channel.format != Default::default(), is_hook),
        ("token", channel.token.is_some(), has_token),
        ("token_file", channel.token_file.is_some(), has_token),
        ("headers", !channel.headers.is_empty(), is_hook),
        ("topic", channel.topic.is_some(), kind == Ntfy),
        ("host", channel.host.is_some(), is_mail),
        ("port", channel.port.is_some(), is_mail),
        ("tls", channel.tls != Default::default(), is_mail),
        ("username", channel.username.is_some(), is_mail),
        ("password", channel.password.is_some(), is_mail),
        ("password_file", channel.password_file.is_some(), is_mail),
        ("from", channel.from.is_some(), is_mail),
        ("to", !channel.to.is_empty(), is_mail),
        ("command", !channel.command.is_empty(), kind == Command),
        ("ca", channel.ca.is_some(), kind != Command),
    ];
    for (key, is_given, is_its) in given {
        if is_given && !is_its {
            place.refuse(key, format!("a channel of type {:?} has no {key}", kind.name()));
        }
    }
}

fn route(route: &RouteConfig, config: &Config, place: &mut Place<'_>) {
    for (key, channels) in [("channels", &route.channels), ("escalate_to", &route.escalate_to)] {
        for name in channels.iter().filter(|name| !config.channel.contains_key(*name)) {
            let names: Vec<&str> = config.channel.keys().map(String::as_str).collect();
            let hint = (!names.is_empty()).then(|| format!("there are {}", names.join(", ")));
            place.refuse_with(key, format!("there is no channel {name:?}"), hint);
        }
    }
    if let Err(error) = route.matches.iter().try_for_each(|text| text.parse::<Matcher>().map(drop))
    {
        place.refuse("matches", error.to_string());
    }
    let is_legal = |name: &&String| *name == ALL_LABELS || is_label_name(name);
    if let Some(name) = route.group_by.iter().find(|name| !is_legal(name)) {
        place.refuse("group_by", format!("{name:?} is no label name, nor {ALL_LABELS:?}"));
    }
    if route.escalate_after.is_some() == route.escalate_to.is_empty() {
        place.refuse("escalate_after", "escalate_after and escalate_to go together");
    }
}
