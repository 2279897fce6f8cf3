//! Where the tokens of a daemon are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::persist::{self, Folder};
use crate::server::{Token, TokensFile, TokensFileError};

const NAME: &str = "tokens.json";
/// The state directory that systemd makes for the service (StateDirectory=).
const OF_SERVICE: &str = "/var/lib/gz-monitor";

/// The file of the tokens of a daemon that is configured so; `None` if there is no place for one.
pub fn tokens_file(config: &Config) -> Option<TokensFile> {
    let is_root = rustix::process::geteuid().is_root();
    let is_installed = Path::new(OF_SERVICE).is_dir();
    find(config, |name| std::env::var_os(name), is_root && is_installed)
}

/// Reads it; nothing if it is not there.
///
/// # Errors
/// What is wrong with it.
pub(super) fn load(config: &Config) -> Result<Loaded, TokensFileError> {
    let file = tokens_file(config);
    let tokens = file.as_ref().map_or(Ok(None), TokensFile::load)?;
    Ok(Loaded { file, tokens })
}

/// The file, and what is in it.
pub(super) struct Loaded {
    pub(super) file: Option<TokensFile>,
    pub(super) tokens: Option<Vec<Token>>,
}

fn find(
    config: &Config,
    env: impl Fn(&str) -> Option<OsString>,
    is_admin_of_service: bool,
) -> Option<TokensFile> {
    if let Some(named) = &config.server.auth.tokens_file {
        let is_path = named.as_str().starts_with('/');
        let path = named.path().unwrap_or_else(|| PathBuf::from(named.as_str()));
        return Some(if is_path { TokensFile::at(path) } else { TokensFile::credential(path) });
    }
    let chosen = config.storage.path.clone().filter(|path| path.is_absolute());
    // Root speaks of the service, unless its own state was named.
    let of_service = is_admin_of_service && env("STATE_DIRECTORY").is_none();
    let of_service = (of_service && env("XDG_STATE_HOME").is_none()).then(|| OF_SERVICE.into());
    // Tokens are kept though nothing else is.
    let usual = || Folder::find(&persist::Config::default(), &env).path().map(Path::to_owned);
    let folder: PathBuf = chosen.or(of_service).or_else(usual)?;
    Some(TokensFile::at(folder.join(NAME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_are_beside_the_database_or_where_it_would_be() {
        let check = |toml: &str, env: &[(&str, &str)], is_root: bool, expected: Option<&str>| {
            let config: Config = toml::from_str(toml).expect("a configuration");
            let find = |name: &str| {
                env.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            let found = super::find(&config, find, is_root);
            let path = found.as_ref().map(|file| file.path().display().to_string());
            assert_eq!(path.as_deref(), expected, "{toml} {env:?} {is_root}");
        };
        let (systemd, home) = (("STATE_DIRECTORY", "/state"), ("HOME", "/home/me"));
        check("", &[systemd, home], false, Some("/state/tokens.json"));
        check("", &[home], false, Some("/home/me/.local/state/gz-monitor/tokens.json"));
        check("", &[home], true, Some("/var/lib/gz-monitor/tokens.json"));
        check("", &[systemd, home], true, Some("/state/tokens.json"));
        let xdg = ("XDG_STATE_HOME", "/xdg");
        check("", &[xdg, home], true, Some("/xdg/gz-monitor/tokens.json"));
        check("[storage]\nenabled = false", &[systemd], false, Some("/state/tokens.json"));
        check("[storage]\npath = \"/db\"", &[systemd], true, Some("/db/tokens.json"));
        check("[storage]\npath = \"\"", &[systemd], false, Some("/state/tokens.json"));
        check("", &[], false, None);
        let named = "[server.auth]\ntokens_file = \"/etc/t\"";
        check(named, &[systemd], true, Some("/etc/t"));
    }
}
