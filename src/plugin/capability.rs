//! The capabilities (capabilities(7)) of the daemon, and which of them a child keeps.

use std::fmt;
use std::io;

use rustix::thread::{self, CapabilitySet};

/// A set of capabilities, written as systemd and capabilities(7) write them: `CAP_NET_RAW`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities(CapabilitySet);

const PREFIX: &str = "CAP_";

impl Capabilities {
    /// None of them.
    pub const NONE: Self = Self(CapabilitySet::empty());

    /// The set of one, by its name.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix(PREFIX)?;
        CapabilitySet::from_name(name).map(Self)
    }

    /// The set of those that are known by these names.
    pub fn of_names(names: &[String]) -> Self {
        let known = names.iter().filter_map(|name| Self::named(name));
        Self(known.fold(CapabilitySet::empty(), |all, one| all | one.0))
    }

    /// Every name that there is.
    pub fn names() -> Vec<String> {
        Self(CapabilitySet::from_bits_retain(u64::MAX)).list()
    }

    /// The mask that /proc/PID/status shows.
    pub fn from_bits(bits: u64) -> Self {
        Self(CapabilitySet::from_bits_retain(bits))
    }

    /// As [`Capabilities::from_bits`] takes it.
    pub fn bits(self) -> u64 {
        self.0.bits()
    }

    /// Those of this process that it can use or hand on.
    ///
    /// # Errors
    /// Those of capget(2).
    pub fn of_this_process() -> io::Result<Self> {
        Ok(Self(thread::capabilities(None)?.permitted))
    }

    /// Those of ours that `others` has not.
    pub fn without(self, others: Self) -> Self {
        Self(self.0 - others.0)
    }

    /// Whether it has all of `others`.
    pub fn has(self, others: Self) -> bool {
        self.0.contains(others.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// By name, those that the kernel has added since this was written left out.
    pub fn list(self) -> Vec<String> {
        self.0.iter_names().map(|(name, _)| format!("{PREFIX}{name}")).collect()
    }

    /// Has the program that this process becomes by execve(2) keep these, as far as we have them, and
    /// no others. Root keeps all.
    ///
    /// # Errors
    /// Those of prctl(2) and capset(2).
    pub(super) fn keep_only(self) -> io::Result<()> {
        let mut sets = thread::capabilities(None)?;
        let mut kept = self.0 & sets.permitted;
        // What is neither inheritable nor in the bounding set cannot become so.
        let may_keep = |one: &CapabilitySet| {
            sets.inheritable.contains(*one)
                || thread::capability_is_in_bounding_set(*one) == Ok(true)
        };
        kept = kept.iter().filter(may_keep).collect();
        thread::clear_ambient_capability_set()?;
        sets.inheritable = kept;
        match thread::set_capabilities(None, sets) {
            // The service's filter of system calls refuses it. Inheritable capabilities then stay, which
            // count only for files that have some, and for none after no_new_privs.
            Err(error) if !thread::no_new_privs().unwrap_or(false) => return Err(error.into()),
            _ => {}
        }
        if rustix::process::geteuid().is_root() {
            // What root keeps needs no ambient set, which may be refused for want of inheritable ones.
            return Ok(());
        }
        kept.iter().try_for_each(|one| thread::configure_capability_in_ambient_set(one, true))?;
        Ok(())
    }
}

impl Default for Capabilities {
    fn default() -> Self {
        Self::NONE
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list() {
            names if names.is_empty() => f.write_str("none"),
            names => f.write_str(&names.join(" ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let both = ["CAP_SYS_RAWIO", "CAP_NET_RAW", "CAP_NOTHING"].map(str::to_owned);
        let both = Capabilities::of_names(&both);
        assert_eq!(both.to_string(), "CAP_NET_RAW CAP_SYS_RAWIO");
        assert_eq!(both.bits(), 1 << 13 | 1 << 17);
        assert_eq!(Capabilities::NONE.to_string(), "none");
        for wrong in ["", "CAP_", "NET_RAW", "cap_net_raw", "CAP_NET_RAW "] {
            assert_eq!(Capabilities::named(wrong), None, "{wrong:?}");
        }
        assert_eq!(Capabilities::names().len(), 41);
    }

    #[test]
    fn sets() {
        let (raw, both) = (Capabilities::from_bits(1 << 13), Capabilities::from_bits(1 << 13 | 1));
        assert_eq!(both.without(raw).to_string(), "CAP_CHOWN");
        assert!(both.has(raw) && !raw.has(both) && raw.has(Capabilities::NONE));
        // One that the kernel has and we do not know.
        assert_eq!(Capabilities::from_bits(1 << 60 | 1).to_string(), "CAP_CHOWN");
    }
}
