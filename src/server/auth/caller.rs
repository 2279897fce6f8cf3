//! Who asks, as far as it is known.

use std::fmt;
use std::sync::Arc;

use super::role::Role;
use super::token::Grant;

/// Who asks, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct Caller {
    pub(in crate::server) who: Who,
    /// None of somebody who has not said who they are, where one has to.
    pub(in crate::server) role: Option<Role>,
    /// What a connection of theirs goes on by.
    pub(in crate::server) grant: Grant,
    /// The groups whose messages they may see and send; all of them if `None`.
    pub(in crate::server) groups: Option<Arc<[String]>>,
}

/// What somebody who was let in may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) struct Rights {
    pub(in crate::server) who: Who,
    pub(in crate::server) role: Role,
    groups: Option<Arc<[String]>>,
}

impl Caller {
    /// See [`Rights::beyond`]; none of somebody who may not even ask.
    pub(in crate::server) fn beyond<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Option<&'a str> {
        self.rights().and_then(|rights| rights.beyond(names))
    }
}

impl Rights {
    /// The first of these groups of which they may neither see nor send messages.
    pub(in crate::server) fn beyond<'a>(
        &self,
        mut names: impl Iterator<Item = &'a str>,
    ) -> Option<&'a str> {
        let groups = self.groups.as_deref()?;
        names.find(|name| !groups.iter().any(|group| group == name))
    }
}

/// By what they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::server) enum Who {
    Anybody,
    /// Whoever has the token of this name.
    Token(Arc<str>),
    /// Whoever has logged in on the dashboard with it.
    Session(Arc<str>),
    /// Whoever has a certificate with this name, which the configuration lists.
    Certificate(Arc<str>),
    /// A user of this machine, by the Unix socket.
    User(u32),
}

/// The grant of everybody, while nobody has to say who they are.
pub(super) const OPEN: Grant = 0;
/// That of the users of this machine.
pub(super) const LOCAL: Grant = 1;
/// The first of those of tokens, sessions and certificates.
pub(super) const FIRST: Grant = 2;

impl Caller {
    /// Somebody, where nobody has to say who they are.
    pub(in crate::server) fn anybody() -> Self {
        Self { who: Who::Anybody, role: Some(Role::Admin), grant: OPEN, groups: None }
    }

    /// Somebody who has not said who they are.
    pub(super) fn stranger() -> Self {
        Self { role: None, ..Self::anybody() }
    }

    /// What they may do; nothing if they have not said who they are.
    pub(in crate::server) fn rights(&self) -> Option<Rights> {
        Some(Rights { who: self.who.clone(), role: self.role?, groups: self.groups.clone() })
    }

    pub(super) fn user(uid: u32, role: Role) -> Self {
        Self { who: Who::User(uid), role: Some(role), grant: LOCAL, groups: None }
    }
}

impl Who {
    /// The kind of it.
    pub(in crate::server) fn kind(&self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Token(_) => "token",
            Self::Session(_) => "session",
            Self::Certificate(_) => "certificate",
            Self::User(_) => "user",
        }
    }

    /// The name of the token that it goes back to.
    pub(in crate::server) fn token(&self) -> Option<&str> {
        match self {
            Self::Token(name) | Self::Session(name) => Some(name),
            Self::Anybody | Self::Certificate(_) | Self::User(_) => None,
        }
    }

    /// The name that the configuration lists, of a certificate.
    pub(in crate::server) fn certificate(&self) -> Option<&str> {
        match self {
            Self::Certificate(name) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("anybody"),
            Self::Token(name) => write!(f, "token {name}"),
            Self::Session(name) => write!(f, "session of token {name}"),
            Self::Certificate(name) => write!(f, "certificate {name}"),
            Self::User(uid) => write!(f, "user {uid}"),
        }
    }
}
