//! `[notify]`: when somebody is told of alerts, and within what bounds.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, RouteConfig};
use crate::units::{ByteSize, HumanDuration};

/// Who is told of alerts, and when. Without a channel nobody is; docs/notifications.md has examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The first notification of a group waits so long for further alerts.
    pub group_wait: HumanDuration,
    /// Between two notifications of one group, when something in it has changed.
    pub group_interval: HumanDuration,
    /// What still fires, and nobody has acknowledged, is told again after this time.
    pub repeat_interval: HumanDuration,
    /// Notifications that are delivered at the same time; of one channel it is one.
    pub max_concurrent: usize,
    /// Notifications of one channel that wait to be delivered; at the bound the oldest is given up.
    pub max_pending: usize,
    /// Bytes of the alerts in one notification; of further ones it is said how many.
    pub max_size: ByteSize,
    /// The pause after the first failure of a delivery; with each further one it doubles.
    pub retry_min: HumanDuration,
    /// It grows no further than to this.
    pub retry_max: HumanDuration,
    /// A notification that could not be delivered for so long is given up.
    pub max_age: HumanDuration,
    /// Notifications that were delivered or given up, kept to be looked at.
    pub keep: usize,
    /// Where notifications go, each under a name of its own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub channel: BTreeMap<String, Channel>,
    /// Which alerts go where. The first route that an alert fits takes it, unless it says
    /// continue = true. Without any route every alert goes to every channel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<RouteConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            group_wait: HumanDuration::secs(10),
            group_interval: HumanDuration::secs(60),
            repeat_interval: HumanDuration::secs(4 * 3_600),
            max_concurrent: 4,
            max_pending: 1_000,
            max_size: ByteSize(64 << 10),
            retry_min: HumanDuration::secs(1),
            retry_max: HumanDuration::secs(300),
            max_age: HumanDuration::secs(86_400),
            keep: 1_000,
            channel: BTreeMap::new(),
            route: Vec::new(),
        }
    }
}
