//! The groups in which something was said, and the number of the last message of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Config;
use crate::bounds::OutOfBounds;

const NAME_BYTES_MAX: usize = 64;

/// Why a message to a group is not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error(
        "group: {0:?} is no name for a group: it has 1 to {NAME_BYTES_MAX} letters and digits of ASCII, and . _ - except as the first"
    )]
    Name(String),
    #[error(transparent)]
    Size(OutOfBounds),
}

/// Refuses what a group cannot be called.
///
/// # Errors
/// [`Error::Name`].
pub fn check_name(name: &str) -> Result<(), Error> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let fits = name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(is_inner);
    // What a stranger wrote is not repeated at any length.
    if fits { Ok(()) } else { Err(Error::Name(name.chars().take(NAME_BYTES_MAX).collect())) }
}

/// The groups in which something was said.
#[derive(Debug)]
pub struct Registry {
    last: BTreeMap<Arc<str>, u64>,
    limits: Config,
}

impl Registry {
    /// Nothing was said yet.
    pub fn new(config: &Config) -> Self {
        Self { last: BTreeMap::new(), limits: config.clone() }
    }

    /// Adopts new bounds.
    pub fn configure(&mut self, config: &Config) {
        self.limits = config.clone();
        self.trim();
    }

    /// Takes in what was said before the start; what is known already is newer.
    pub fn restore(&mut self, last: Vec<(Arc<str>, u64)>) {
        for (name, seq) in last {
            self.last.entry(name).or_insert(seq);
        }
        self.trim();
    }

    /// Whether `data`, which is JSON, may be said in the group `name`.
    ///
    /// # Errors
    /// [`Error`].
    pub fn check(&self, name: &str, data: &str) -> Result<(), Error> {
        check_name(name)?;
        let limit = *self.limits.max_message_size as usize;
        OutOfBounds::check("data", data.len(), limit).map_err(Error::Size)
    }

    /// The message `seq` was the last one in the group `name`.
    pub fn published(&mut self, name: &Arc<str>, seq: u64) {
        match self.last.get_mut(name) {
            Some(last) => *last = seq,
            None => {
                self.last.insert(name.clone(), seq);
                self.trim();
            }
        }
    }

    /// Groups by name, with the number of the last message of each.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.last.iter().map(|(name, seq)| (name, *seq))
    }

    fn trim(&mut self) {
        while self.last.len() > self.limits.max_groups
            && let Some(silent) = self.last.iter().min_by_key(|(_, seq)| **seq)
        {
            let silent = silent.0.clone();
            self.last.remove(&silent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::ByteSize;

    #[test]
    fn names_are_short_and_plain() {
        for name in ["ops", "0", "A.b_c-d", &"x".repeat(64)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "-a", ".", "a b", "a/b", "ö", "a\n", &"x".repeat(65)] {
            assert!(matches!(check_name(name), Err(Error::Name(_))), "{name:?}");
        }
    }

    #[test]
    fn what_is_said_is_bounded() {
        let config = Config { max_message_size: ByteSize(4), ..Config::default() };
        let registry = Registry::new(&config);
        assert_eq!(registry.check("ops", "1234"), Ok(()));
        let error = registry.check("ops", "12345").expect_err("too large");
        assert_eq!(error.to_string(), "data has 5 bytes; it may have 1 to 4");
        assert!(matches!(registry.check("o p s", "1"), Err(Error::Name(_))));
    }

    #[test]
    fn the_group_that_was_silent_for_longest_is_forgotten() {
        let mut registry = Registry::new(&Config { max_groups: 2, ..Config::default() });
        registry.restore(vec![("a".into(), 5), ("b".into(), 3)]);
        registry.published(&"b".into(), 7);
        registry.restore(vec![("b".into(), 3)]);
        registry.published(&"c".into(), 8);
        let known: Vec<_> = registry.iter().map(|(name, seq)| (&**name, seq)).collect();
        assert_eq!(known, [("b", 7), ("c", 8)]);
        registry.configure(&Config { max_groups: 1, ..Config::default() });
        assert_eq!(registry.iter().count(), 1);
    }
}
