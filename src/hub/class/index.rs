//! From what a message is about to the classes that want it, without a look at the others.

use std::collections::{BTreeSet, HashMap};

use crate::hub::{Filter, Subject, Type};
use crate::severity::Severity;

/// Classes by what they want. A class stands in one place for each type, or in one for each id.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By type: those that want every message of it.
    whole: [Vec<u32>; Type::ALL.len()],
    /// By the least level: those that want alerts at or above it.
    levels: [Vec<u32>; Severity::ALL.len()],
    tasks: HashMap<Box<str>, Vec<u32>>,
    collectors: HashMap<Box<str>, Vec<u32>>,
    groups: HashMap<Box<str>, Vec<u32>>,
}

impl Index {
    pub(super) fn add(&mut self, class: u32, filter: &Filter) {
        for kind in filter.types.iter() {
            match kind {
                Type::Alert => self.levels[filter.alert_level as usize].push(class),
                Type::TaskUpdate if !filter.task_ids.is_empty() => {
                    add_to(&mut self.tasks, &filter.task_ids, class);
                }
                Type::CollectorUpdate if !filter.collectors.is_empty() => {
                    add_to(&mut self.collectors, &filter.collectors, class);
                }
                // Nobody is in a group that it does not name.
                Type::GroupMessage => add_to(&mut self.groups, &filter.groups, class),
                _ => self.whole[kind as usize].push(class),
            }
        }
    }

    /// Takes out a class that was added with the same filter.
    pub(super) fn remove(&mut self, class: u32, filter: &Filter) {
        for kind in filter.types.iter() {
            match kind {
                Type::Alert => remove(&mut self.levels[filter.alert_level as usize], class),
                Type::TaskUpdate if !filter.task_ids.is_empty() => {
                    remove_from(&mut self.tasks, &filter.task_ids, class);
                }
                Type::CollectorUpdate if !filter.collectors.is_empty() => {
                    remove_from(&mut self.collectors, &filter.collectors, class);
                }
                Type::GroupMessage => remove_from(&mut self.groups, &filter.groups, class),
                _ => remove(&mut self.whole[kind as usize], class),
            }
        }
    }

    /// Puts the classes that want a message about `subject` into `found`, each once.
    pub(super) fn find(&self, subject: &Subject, found: &mut Vec<u32>) {
        found.clear();
        let named = match subject {
            Subject::TaskUpdate(id) => self.tasks.get(&**id),
            Subject::CollectorUpdate(name) => self.collectors.get(&**name),
            Subject::GroupMessage(name) => self.groups.get(&**name),
            Subject::Alert(severity) => {
                let levels = &self.levels[..=*severity as usize];
                levels.iter().for_each(|classes| found.extend(classes));
                None
            }
            Subject::SystemStatus | Subject::MetricsUpdate => None,
        };
        found.extend(named.into_iter().flatten());
        found.extend(&self.whole[subject.kind() as usize]);
    }

    /// Whether nobody wants anything.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let lists = self.whole.iter().chain(&self.levels);
        let named = [&self.tasks, &self.collectors, &self.groups];
        lists.clone().all(Vec::is_empty) && named.into_iter().all(HashMap::is_empty)
    }
}

fn add_to(named: &mut HashMap<Box<str>, Vec<u32>>, ids: &BTreeSet<String>, class: u32) {
    for id in ids {
        named.entry(id.as_str().into()).or_default().push(class);
    }
}

fn remove_from(named: &mut HashMap<Box<str>, Vec<u32>>, ids: &BTreeSet<String>, class: u32) {
    for id in ids {
        let Some(classes) = named.get_mut(id.as_str()) else { continue };
        remove(classes, class);
        if classes.is_empty() {
            named.remove(id.as_str());
        }
    }
}

fn remove(classes: &mut Vec<u32>, class: u32) {
    if let Some(place) = classes.iter().position(|one| *one == class) {
        classes.swap_remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::TypeSet;
    use proptest::prelude::*;

    fn subjects() -> Vec<Subject> {
        let ids = ["a", "b", "c", "other"];
        let tasks = ids.map(|id| Subject::TaskUpdate(id.into()));
        let collectors = ids.map(|id| Subject::CollectorUpdate(id.into()));
        let groups = ids.map(|id| Subject::GroupMessage(id.into()));
        let alerts = Severity::ALL.map(Subject::Alert);
        let rest = [Subject::SystemStatus, Subject::MetricsUpdate];
        tasks.into_iter().chain(collectors).chain(groups).chain(alerts).chain(rest).collect()
    }

    pub(crate) fn filters() -> impl Strategy<Value = Filter> {
        let ids = || prop::collection::btree_set("[a-c]", 0..3);
        let types = prop::collection::vec(prop::sample::select(&Type::ALL[..]), 0..4);
        let level = prop::sample::select(&Severity::ALL[..]);
        (types, ids(), level, ids(), ids()).prop_map(
            |(types, task_ids, alert_level, collectors, groups)| {
                let types = types.into_iter().fold(TypeSet::NONE, TypeSet::with);
                Filter { types, task_ids, alert_level, collectors, groups }
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_matches(
            filters in prop::collection::vec(filters(), 1..12),
            gone in prop::collection::vec(any::<bool>(), 12),
        ) {
            let mut index = Index::default();
            for (class, filter) in filters.iter().enumerate() {
                index.add(class as u32, filter);
            }
            for (class, filter) in filters.iter().enumerate().filter(|(class, _)| gone[*class]) {
                index.remove(class as u32, filter);
            }
            for subject in subjects() {
                let mut found = Vec::new();
                index.find(&subject, &mut found);
                found.sort_unstable();
                let stays = filters.iter().enumerate().filter(|(class, _)| !gone[*class]);
                let matching = stays.filter(|(_, filter)| filter.matches(&subject));
                let expected: Vec<u32> = matching.map(|(class, _)| class as u32).collect();
                prop_assert_eq!(found, expected, "{:?}", subject);
            }
            for (class, filter) in filters.iter().enumerate().filter(|(class, _)| !gone[*class]) {
                index.remove(class as u32, filter);
            }
            prop_assert!(index.is_empty());
        }
    }
}
