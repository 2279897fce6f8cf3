//! Label sets during a query: each is held once, so that equal ones are told by address.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::sample::SeriesKey;

/// The label that holds the metric's name.
pub const NAME: &str = "__name__";

/// Labels in the order of their names, the metric's name among them; none is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Vec<(Arc<str>, Arc<str>)>);

impl Labels {
    /// The labels of a stored series.
    pub fn of(key: &SeriesKey) -> Self {
        let name = std::iter::once((NAME, key.name()));
        let mut labels = Self::default();
        for (name, value) in name.chain(key.labels()) {
            labels.set(name, value);
        }
        labels
    }

    /// Names and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The value of a label, empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.position(name).map_or("", |index| &self.0[index].1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives a label a value; an empty one removes it.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match (self.position(name), value.is_empty()) {
            (Ok(index), true) => drop(self.0.remove(index)),
            (Ok(index), false) => self.0[index].1 = value.into(),
            (Err(index), false) => self.0.insert(index, (name.into(), value.into())),
            (Err(_), true) => {}
        }
    }

    pub(super) fn without(&self, is_dropped: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| !is_dropped(name)).cloned().collect())
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(label, _)| (**label).cmp(name))
    }
}

impl fmt::Display for Labels {
    /// As PromQL writes it: `name{a="b"}`, or `{a="b"}` of what has no name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest: Vec<_> = self.iter().filter(|(name, _)| *name != NAME).collect();
        let name = self.get(NAME);
        if name.is_empty() && rest.is_empty() {
            return f.write_str("{}");
        }
        // A key prints its labels behind its name, which here may be empty.
        SeriesKey::new(name, rest).fmt(f)
    }
}

/// A label set that is held once.
#[derive(Debug, Clone)]
pub(super) struct Interned(pub(super) Arc<Labels>);

impl PartialEq for Interned {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Interned {}

impl std::hash::Hash for Interned {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

/// All label sets of a query, and what each becomes at each place of the expression: that is worked
/// out once, and not again at every step.
#[derive(Default)]
pub(super) struct LabelSets {
    all: HashSet<Arc<Labels>>,
    derived: HashMap<(usize, Interned), Interned>,
}

impl LabelSets {
    /// The one label set that equals `labels`.
    pub(super) fn intern(&mut self, labels: Labels) -> Interned {
        if let Some(known) = self.all.get(&labels) {
            return Interned(known.clone());
        }
        let labels = Arc::new(labels);
        self.all.insert(labels.clone());
        Interned(labels)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// What `labels` become at `place`, which has to be the same for the same `make`.
    pub(super) fn derive(
        &mut self,
        place: usize,
        labels: &Interned,
        make: impl FnOnce(&Labels) -> Labels,
    ) -> Interned {
        if let Some(known) = self.derived.get(&(place, labels.clone())) {
            return known.clone();
        }
        let made = self.intern(make(&labels.0));
        self.derived.insert((place, labels.clone()), made.clone());
        made
    }

    /// The labels but for the metric's name.
    pub(super) fn nameless(&mut self, labels: &Interned) -> Interned {
        self.derive(0, labels, |labels| labels.without(|name| name == NAME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_never_empty() {
        let mut labels = Labels::of(&SeriesKey::new("up", [("b", "2"), ("A", "1"), ("c", "")]));
        assert_eq!(labels.to_string(), r#"up{A="1",b="2"}"#);
        assert_eq!((labels.get("b"), labels.get("c"), labels.get(NAME)), ("2", "", "up"));
        labels.set(NAME, "");
        labels.set("a", "x\"");
        assert_eq!(labels.to_string(), r#"{A="1",a="x\"",b="2"}"#);
        assert_eq!(Labels::default().to_string(), "{}");
    }

    #[test]
    fn equal_label_sets_are_one() {
        let mut sets = LabelSets::default();
        let up = sets.intern(Labels::of(&SeriesKey::new("up", [("a", "1")])));
        let down = sets.intern(Labels::of(&SeriesKey::new("down", [("a", "1")])));
        assert!(up != down);
        assert!(sets.nameless(&up) == sets.nameless(&down));
    }
}
