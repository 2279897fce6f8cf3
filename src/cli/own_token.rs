//! The token that a command shows its daemon: where it is found, and to whom it is not shown.

use std::env;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::local_socket::Way;

const VARIABLE: &str = "GZ_MONITOR_TOKEN";
/// Below the folder of a person's configuration.
const FILE: &str = "gz-monitor/token";
/// Bytes of a file that may be a token.
const LENGTH_MAX: u64 = 4_096;

/// How a command says who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// By a token.
    Token {
        token: Token,
        origin: String,
    },
    /// By the user that it runs as, which a Unix socket tells.
    User(u32),
    /// There is a token, which is not for this daemon.
    Kept {
        origin: String,
    },
    None,
}

/// A token, which does not show itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Identity {
    /// What to show the daemon that is reached this way: the token of the file that was named, else of
    /// the environment, else, to a daemon that is reached by an address, of this person's file.
    ///
    /// # Errors
    /// A file that cannot be read, or that others can.
    pub(super) fn find(named: Option<&Path>, way: &Way) -> anyhow::Result<Self> {
        if let Some(path) = named {
            let origin = path.display().to_string();
            return Ok(Self::Token { token: read(path)?, origin });
        }
        let found = match env::var(VARIABLE).ok().filter(|token| !token.is_empty()) {
            Some(token) => Some((Token(token), VARIABLE.to_owned())),
            None if matches!(way, Way::Socket(_)) => None,
            None => match own_file().filter(|path| path.exists()) {
                Some(path) => Some((read(&path)?, path.display().to_string())),
                None => None,
            },
        };
        Ok(match found {
            Some((_, origin)) if way.is_overheard() => Self::Kept { origin },
            Some((token, origin)) => Self::Token { token, origin },
            None if matches!(way, Way::Socket(_)) => {
                Self::User(rustix::process::geteuid().as_raw())
            }
            None => Self::None,
        })
    }

    /// The header that shows it.
    pub(super) fn header(&self) -> Option<String> {
        match self {
            Self::Token { token: Token(token), .. } => Some(format!("Bearer {token}")),
            _ => None,
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { origin, .. } => write!(f, "with the token of {origin}"),
            Self::User(uid) => write!(f, "as user {uid}"),
            Self::Kept { origin } => write!(
                f,
                "without the token of {origin}, which others could read on the way; use https, or say --token-file"
            ),
            Self::None => write!(
                f,
                "without a token; one is looked for in --token-file, {VARIABLE} and ~/.config/{FILE}"
            ),
        }
    }
}

fn own_file() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join(FILE))
}

fn read(path: &Path) -> anyhow::Result<Token> {
    let shown = path.display();
    let meta = fs::metadata(path).with_context(|| format!("cannot read the token in {shown}"))?;
    if meta.is_file() && meta.permissions().mode() & 0o077 != 0 {
        bail!("others can read the token in {shown}; chmod 600 it, and make another token");
    }
    if meta.len() > LENGTH_MAX {
        bail!("{shown} is too long for a token");
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the token in {shown}"))?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("{shown} has no token: one line, as `gz-monitor token create` prints it");
    }
    Ok(Token(token.to_owned()))
}
