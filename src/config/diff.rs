//! What a reload has to apply: the keys, sections and collectors that differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value as Json;

use super::Config;
use super::problem::one_line;
use super::tree::key_text;
use crate::notify::Secret;
use crate::scheduler::Instance;

/// One key that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The key, dotted; the entries of `[[collector]]` by name: `collector[cpu].interval`.
    pub path: String,
    /// The value before, as JSON; `None` if there was none.
    pub old: Option<Json>,
    /// The value after, as JSON; `None` if there is none.
    pub new: Option<Json>,
}

/// What differs between two configurations. Prints as one line: `server.port 8080 -> 9090`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// The sections, such as "server", in which a key differs; of them "collector" if any entry of
    /// the list was added or removed or has changed.
    pub sections: BTreeSet<String>,
    /// The collectors that only the new one has, by name.
    pub added: Vec<String>,
    /// The collectors that only the old one has, by name.
    pub removed: Vec<String>,
    /// The collectors of both, by name, that differ by themselves. A change of `[collectors]`,
    /// which holds for those that do not say otherwise, is in `sections` alone.
    pub changed: Vec<String>,
    /// Entries of other lists that only the new one has: `alerts.rule[disk-full]`.
    pub entries_added: Vec<String>,
    /// Those that only the old one has.
    pub entries_removed: Vec<String>,
    /// Every key that differs, but those of entries that were added or removed.
    pub values: Vec<Change>,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// Whether a key of the section `name` differs.
    pub fn touches(&self, name: &str) -> bool {
        self.sections.contains(name)
    }

    fn collectors(&mut self, old: &[Instance], new: &[Instance]) {
        let by_name = |list: &[Instance]| -> BTreeMap<String, Json> {
            list.iter().map(|one| (one.name().to_owned(), json(one))).collect()
        };
        let (old, new) = (by_name(old), by_name(new));
        self.removed = old.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
        self.added = new.keys().filter(|name| !old.contains_key(*name)).cloned().collect();
        for (name, old) in &old {
            let Some(new) = new.get(name).filter(|new| *new != old) else { continue };
            self.changed.push(name.clone());
            self.compare(format!("collector[{name}]"), Some(old), Some(new));
        }
        if !(self.removed.is_empty() && self.added.is_empty() && self.changed.is_empty()) {
            self.sections.insert("collector".to_owned());
        }
    }

    /// Of channels that differ by nothing that is shown, it is said that they do.
    fn secrets(&mut self, old: &Config, new: &Config) {
        for (name, channel) in &new.notify.channel {
            let before = old.notify.channel.get(name);
            if before.is_some_and(|before| before != channel && json(before) == json(channel)) {
                let shown = Some(Json::from(Secret::SHOWN));
                let path = format!("notify.channel.{}", key_text(name));
                self.values.push(Change { path, old: shown.clone(), new: shown });
                self.sections.insert("notify".to_owned());
            }
        }
    }

    /// Down to what is no table; a list counts as one value, unless its entries have names.
    fn compare(&mut self, path: String, old: Option<&Json>, new: Option<&Json>) {
        if old == new {
            return;
        }
        if let (Some(before), Some(after)) = (entries(old), entries(new))
            && !(before.is_empty() && after.is_empty())
        {
            return self.compare_entries(&path, &before, &after);
        }
        let (Some(Json::Object(before)), Some(Json::Object(after))) = (old, new) else {
            return self.values.push(Change { path, old: old.cloned(), new: new.cloned() });
        };
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let path = format!("{path}.{}", key_text(key));
            self.compare(path, before.get(key), after.get(key));
        }
    }
}

impl Changes {
    fn compare_entries(
        &mut self,
        path: &str,
        before: &BTreeMap<&str, &Json>,
        after: &BTreeMap<&str, &Json>,
    ) {
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        for name in names {
            let path = format!("{path}[{name}]");
            match (before.get(name), after.get(name)) {
                (None, _) => self.entries_added.push(path),
                (_, None) => self.entries_removed.push(path),
                (Some(old), Some(new)) => self.compare(path, Some(old), Some(new)),
            }
        }
    }
}

/// The entries of a list by their ids, or names; none if some have neither.
fn entries(list: Option<&Json>) -> Option<BTreeMap<&str, &Json>> {
    let Some(list) = list else { return Some(BTreeMap::new()) };
    let name = |entry: &Json| entry.get("id").or_else(|| entry.get("name")).is_some();
    let list = list.as_array().filter(|list| list.iter().all(name))?;
    let named = list.iter().filter_map(|entry| {
        let name = entry.get("id").or_else(|| entry.get("name"))?;
        Some((name.as_str()?, entry))
    });
    Some(named.collect())
}

impl Changes {
    /// One line for each.
    pub fn lines(&self) -> Vec<String> {
        let value = |value: &Option<Json>| match value {
            Some(Json::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "unset".to_owned(),
        };
        let changed = self.values.iter().map(|change| {
            format!("{} {} -> {}", change.path, value(&change.old), value(&change.new))
        });
        let added = self.added.iter().map(|name| format!("collector[{name}] added"));
        let removed = self.removed.iter().map(|name| format!("collector[{name}] removed"));
        let entries = self.entries_added.iter().map(|path| format!("{path} added"));
        let entries =
            entries.chain(self.entries_removed.iter().map(|path| format!("{path} removed")));
        changed.chain(added).chain(removed).chain(entries).map(|line| one_line(&line)).collect()
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.lines();
        let text = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
        f.write_str(&text)
    }
}

/// What differs between `old` and `new`. The order of the collectors does not count.
pub fn diff(old: &Config, new: &Config) -> Changes {
    let mut changes = Changes::default();
    if let (Json::Object(before), Json::Object(after)) = (json(old), json(new)) {
        let sections: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for section in sections.into_iter().filter(|section| *section != "collector") {
            let (old, new) = (before.get(section), after.get(section));
            if old != new {
                changes.sections.insert(section.clone());
                changes.compare(section.clone(), old, new);
            }
        }
    }
    changes.secrets(old, new);
    changes.collectors(&old.collector, &new.collector);
    changes
}

fn json(value: &impl serde::Serialize) -> Json {
    serde_json::to_value(value).expect("a configuration has only text for keys")
}
