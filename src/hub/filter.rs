//! Which messages a client wants.

use std::collections::BTreeSet;

use super::{Subject, Type};
use crate::severity::Severity;

/// A set of message types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeSet(u8);

impl TypeSet {
    /// No type.
    pub const NONE: TypeSet = TypeSet(0);
    /// Every type.
    pub const ALL: TypeSet = TypeSet((1 << Type::ALL.len()) - 1);

    /// This set with `kind` in it.
    pub fn with(self, kind: Type) -> Self {
        Self(self.0 | 1 << kind as u8)
    }

    /// This set without `kind`.
    pub fn without(self, kind: Type) -> Self {
        Self(self.0 & !(1 << kind as u8))
    }

    /// Whether `kind` is in it.
    pub fn contains(self, kind: Type) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// The types in it.
    pub fn iter(self) -> impl Iterator<Item = Type> {
        Type::ALL.into_iter().filter(move |kind| self.contains(*kind))
    }
}

/// Which messages a client wants: of these types, each narrowed by the one condition that fits it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter {
    pub types: TypeSet,
    /// Of `task_update`, those of these tasks; all if empty.
    pub task_ids: BTreeSet<String>,
    /// Of `alert`, those at or above this level.
    pub alert_level: Severity,
    /// Of `collector_update`, those of these collectors; all if empty.
    pub collectors: BTreeSet<String>,
    /// Of `group_message`, those of these groups; none if empty.
    pub groups: BTreeSet<String>,
}

impl Default for Filter {
    /// What a client gets that has not subscribed: everything but the raw samples.
    fn default() -> Self {
        Self {
            types: TypeSet::ALL.without(Type::CollectorUpdate),
            task_ids: BTreeSet::new(),
            alert_level: Severity::Info,
            collectors: BTreeSet::new(),
            groups: BTreeSet::new(),
        }
    }
}

impl Filter {
    /// The filter that nothing matches.
    pub fn nothing() -> Self {
        Self { types: TypeSet::NONE, ..Self::default() }
    }

    /// The groups whose members have this filter.
    pub fn memberships(&self) -> impl Iterator<Item = &String> {
        self.groups.iter().filter(|_| self.types.contains(Type::GroupMessage))
    }

    /// Whether a message about `subject` is wanted.
    pub fn matches(&self, subject: &Subject) -> bool {
        let among = |set: &BTreeSet<String>, id: &str| set.is_empty() || set.contains(id);
        self.types.contains(subject.kind())
            && match subject {
                Subject::SystemStatus | Subject::MetricsUpdate => true,
                Subject::TaskUpdate(id) => among(&self.task_ids, id),
                Subject::Alert(severity) => *severity >= self.alert_level,
                Subject::CollectorUpdate(name) => among(&self.collectors, name),
                Subject::GroupMessage(name) => self.groups.contains(&**name),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_condition_narrows_its_own_type_only() {
        let filter = Filter {
            types: TypeSet::ALL,
            task_ids: BTreeSet::from(["a".to_owned()]),
            alert_level: Severity::High,
            collectors: BTreeSet::from(["cpu".to_owned()]),
            groups: BTreeSet::from(["ops".to_owned()]),
        };
        let check =
            |subject, expected| assert_eq!(filter.matches(&subject), expected, "{subject:?}");
        check(Subject::SystemStatus, true);
        check(Subject::MetricsUpdate, true);
        check(Subject::TaskUpdate("a".into()), true);
        check(Subject::TaskUpdate("b".into()), false);
        check(Subject::Alert(Severity::Medium), false);
        check(Subject::Alert(Severity::High), true);
        check(Subject::Alert(Severity::Critical), true);
        check(Subject::CollectorUpdate("cpu".into()), true);
        check(Subject::CollectorUpdate("load".into()), false);
        check(Subject::GroupMessage("ops".into()), true);
        check(Subject::GroupMessage("dev".into()), false);
    }

    #[test]
    fn the_default_leaves_raw_samples_out() {
        let filter = Filter::default();
        assert!(filter.matches(&Subject::SystemStatus));
        assert!(filter.matches(&Subject::Alert(Severity::Info)));
        assert!(!filter.matches(&Subject::CollectorUpdate("cpu".into())));
        let all = Filter { types: TypeSet::ALL, ..Filter::default() };
        assert!(!all.matches(&Subject::GroupMessage("ops".into())), "nobody is in a group unasked");
        let groups = BTreeSet::from(["ops".to_owned()]);
        let alerts = Filter { types: TypeSet::NONE.with(Type::Alert), groups, ..Filter::default() };
        assert!(!alerts.matches(&Subject::GroupMessage("ops".into())));
        assert_eq!(alerts.memberships().count(), 0);
        assert!(!Filter::nothing().matches(&Subject::SystemStatus));
    }
}
