//! What of the daemon's own a child is lent, because its collector's entry names it.

use std::env;
use std::fs;
use std::path::PathBuf;

use gz_monitor_sdk::{Host, Level};

use crate::plugin::{Capabilities, Failure};

/// Where systemd puts what `LoadCredential=` names, systemd.exec(5).
pub(super) const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// What the entry of a collector names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Capabilities that it keeps.
    pub capabilities: Capabilities,
    /// Credentials of the service that it reads, by name.
    pub credentials: Vec<String>,
}

/// What a child gets of it.
pub(super) struct Lent {
    pub(super) capabilities: Capabilities,
    /// The folder of the credentials.
    pub(super) credentials: Option<PathBuf>,
}

impl Lent {
    /// Looks for what is wanted. A capability that the daemon has not is told of and done without: the
    /// program may find another way.
    ///
    /// # Errors
    /// [`Failure::Permanent`] for a credential that is not there: it cannot come while the daemon runs.
    pub(super) fn find(wanted: &Wanted, host: &Host) -> Result<Self, Failure> {
        let capabilities = wanted.capabilities;
        let ours = Capabilities::of_this_process().unwrap_or_default();
        let missing = capabilities.without(ours);
        if !missing.is_empty() {
            let text = format!("capabilities: the daemon has no {missing} to hand on");
            host.log(Level::Warn, &text);
        }
        let credentials = match &wanted.credentials[..] {
            [] => None,
            names => Some(folder_with(names)?),
        };
        Ok(Self { capabilities, credentials })
    }
}

fn folder_with(names: &[String]) -> Result<PathBuf, Failure> {
    let fail = |text: String| Failure::Permanent(format!("credentials: {text}"));
    let folder = env::var_os(CREDENTIALS_DIRECTORY).map(PathBuf::from).ok_or_else(|| {
        fail(format!(
            "{:?}: the daemon has none; the service needs LoadCredential={}:/path",
            names[0], names[0]
        ))
    })?;
    for name in names {
        let path = folder.join(name);
        match fs::metadata(&path) {
            Ok(file) if file.is_file() => {}
            Ok(_) => return Err(fail(format!("{name:?}: {} is no file", path.display()))),
            Err(error) => {
                let text = format!(
                    "{name:?}: {}: {error}; the service needs LoadCredential={name}:/path",
                    path.display()
                );
                return Err(fail(text));
            }
        }
    }
    Ok(folder)
}
