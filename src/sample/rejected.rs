//! Samples that were refused: how many for each reason, and what was wrong with the first.

use std::ops::AddAssign;

use super::brief;

/// Why a sample was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A name that Prometheus does not allow, or what could not be read at all.
    Invalid,
    /// A counter that is negative or no number, or no number where the operator wants one.
    Value,
    /// Another collector has the series, or it came twice.
    Duplicate,
    /// Beyond one of the bounds on samples, labels, texts and series.
    Limit,
    /// With a time of its own that is too far from that of the collection.
    Timestamp,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Invalid, Self::Value, Self::Duplicate, Self::Limit, Self::Timestamp];

    /// Its name in metrics and messages.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Invalid => "invalid",
            Reason::Value => "value",
            Reason::Duplicate => "duplicate",
            Reason::Limit => "limit",
            Reason::Timestamp => "timestamp",
        }
    }

    /// The reason of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// How many samples were refused, and what was wrong with the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    counts: [u64; Reason::ALL.len()],
    first: Option<(Reason, String)>,
}

impl Rejected {
    /// Counts one; only of the first it is asked what is wrong.
    pub fn add(&mut self, reason: Reason, what: impl FnOnce() -> String) {
        self.add_many(reason, 1, what);
    }

    /// Counts some for one reason.
    pub fn add_many(&mut self, reason: Reason, count: u64, what: impl FnOnce() -> String) {
        if count > 0 {
            let counted = &mut self.counts[reason as usize];
            *counted = counted.saturating_add(count);
            self.first.get_or_insert_with(|| (reason, brief(&what())));
        }
    }

    /// How many for this reason.
    pub fn count(&self, reason: Reason) -> u64 {
        self.counts[reason as usize]
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What was wrong with the first: short, and harmless to a terminal.
    pub fn first(&self) -> Option<(Reason, &str)> {
        self.first.as_ref().map(|(reason, what)| (*reason, what.as_str()))
    }
}

impl AddAssign<&Self> for Rejected {
    fn add_assign(&mut self, more: &Self) {
        self.counts
            .iter_mut()
            .zip(more.counts)
            .for_each(|(count, more)| *count = count.saturating_add(more));
        if self.first.is_none() {
            self.first.clone_from(&more.first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_named_and_all_are_counted() {
        let mut rejected = Rejected::default();
        rejected.add(Reason::Limit, || "x".repeat(10_000));
        rejected.add(Reason::Value, || unreachable!("only the first is asked"));
        let mut sum = Rejected::default();
        sum += &rejected;
        sum += &rejected;
        let counts = Reason::ALL.map(|reason| sum.count(reason));
        assert_eq!((counts, sum.total()), ([0, 2, 0, 2, 0], 4));
        let (reason, what) = sum.first().unwrap();
        assert!(reason == Reason::Limit && what.len() < 200, "{what}");
    }

    #[test]
    fn names_are_unique() {
        for reason in Reason::ALL {
            assert_eq!(Reason::of(reason.name()), Some(reason));
        }
        assert_eq!(Reason::of("other"), None);
    }
}
