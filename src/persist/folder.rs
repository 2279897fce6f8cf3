//! Which folder the database is in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::Config;

/// The folder, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folder {
    /// Nothing is kept, as the configuration says.
    None,
    /// Nobody has said where, and this user has no place for such things.
    Homeless,
    /// Somebody has said so.
    Chosen(PathBuf),
    /// Nobody has: it is where a person's daemon keeps its state. A second daemon of that person
    /// does without.
    Usual(PathBuf),
}

impl Folder {
    /// The folder that `config` means, in the environment `env`.
    pub fn find(config: &Config, env: impl Fn(&str) -> Option<OsString>) -> Self {
        match &config.path {
            _ if !config.enabled => return Self::None,
            Some(path) if path.as_os_str().is_empty() => return Self::None,
            Some(path) => return Self::Chosen(path.clone()),
            None => {}
        }
        let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
        // systemd.exec(5): several are separated by colons.
        if let Some(list) = env("STATE_DIRECTORY")
            && let Some(first) = std::env::split_paths(&list).next().filter(|p| p.is_absolute())
        {
            return Self::Chosen(first);
        }
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
        state.map_or(Self::Homeless, |state| Self::Usual(state.join("gz-monitor")))
    }

    /// Its path, if there is one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::None | Self::Homeless => None,
            Self::Chosen(path) | Self::Usual(path) => Some(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_wins_then_systemd_then_the_person() {
        let check = |path: Option<&str>, env: &[(&str, &str)], expected: Folder| {
            let config = Config { path: path.map(PathBuf::from), ..Config::default() };
            let find = |name: &str| {
                env.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
            };
            assert_eq!(Folder::find(&config, find), expected, "{path:?} {env:?}");
        };
        let systemd = ("STATE_DIRECTORY", "/var/lib/gz-monitor:/var/lib/other");
        let (xdg, home) = (("XDG_STATE_HOME", "/xdg"), ("HOME", "/home/me"));
        check(Some("/here"), &[systemd, xdg, home], Folder::Chosen("/here".into()));
        check(Some(""), &[systemd, xdg, home], Folder::None);
        check(None, &[systemd, xdg, home], Folder::Chosen("/var/lib/gz-monitor".into()));
        check(None, &[xdg, home], Folder::Usual("/xdg/gz-monitor".into()));
        let usual = Folder::Usual("/home/me/.local/state/gz-monitor".into());
        check(None, &[("XDG_STATE_HOME", "relative"), home], usual.clone());
        check(None, &[("STATE_DIRECTORY", ""), home], usual);
        check(None, &[], Folder::Homeless);
        let off = Config { enabled: false, path: Some("/here".into()), ..Config::default() };
        assert_eq!(Folder::find(&off, |_| None), Folder::None);
    }
}
