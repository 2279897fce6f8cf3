//! `[plugins]`: where libraries are found.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::HumanDuration;

/// Where libraries are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folders whose `*.so` are plugins. They and the files must be writable by nobody but root and
    /// the daemon's own user.
    pub folders: Vec<PathBuf>,
    /// How often to look for new, changed and removed files.
    pub rescan: HumanDuration,
}

impl Default for Config {
    fn default() -> Self {
        let folders = ["/usr/lib/gz-monitor/plugins", "/usr/local/lib/gz-monitor/plugins"];
        Self { folders: folders.map(PathBuf::from).into(), rescan: HumanDuration::secs(5) }
    }
}

/// Where the code of a library runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// In a child, which it can crash, hang or fill without anybody else noticing.
    #[default]
    Process,
    /// In the daemon: for a library that is trusted as the daemon itself is.
    Inline,
}
