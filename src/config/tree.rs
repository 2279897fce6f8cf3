//! Configuration as it was written: values that remember where they were said, and how later ones
//! are laid over earlier ones.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::Origin;

/// The lists whose entries have names and are merged by them.
const NAMED_LISTS: [&[&str]; 5] = [
    &["collector"],
    &["alerts", "rule"],
    &["alerts", "record"],
    &["alerts", "inhibit"],
    &["alerts", "maintenance"],
];

/// A value and where it was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub value: Value,
    pub origin: Origin,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    String(String),
    /// A date, a time or both, as it was written.
    Datetime(String),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

/// One step from a value to one that it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl Node {
    /// A table without keys.
    pub(super) fn empty(origin: &Origin) -> Self {
        Self { value: Value::Table(BTreeMap::new()), origin: origin.clone() }
    }

    /// Lays the document `later` over this one: its values win, tables are merged by key, named
    /// lists by name, other lists are replaced.
    pub(super) fn lay_over(&mut self, later: Node) {
        self.merge(later, &mut Vec::new());
    }

    fn merge(&mut self, later: Node, path: &mut Vec<String>) {
        match (&mut self.value, later.value) {
            (Value::Table(earlier), Value::Table(later)) => {
                for (key, node) in later {
                    path.push(key.clone());
                    let named = NAMED_LISTS.iter().any(|list| list.iter().eq(path.iter()));
                    match earlier.entry(key) {
                        Entry::Vacant(entry) => _ = entry.insert(node),
                        Entry::Occupied(mut entry) if named => {
                            entry.get_mut().merge_named(node, path);
                        }
                        Entry::Occupied(mut entry) => entry.get_mut().merge(node, path),
                    }
                    path.pop();
                }
            }
            (value, later_value) => {
                *value = later_value;
                self.origin = later.origin;
            }
        }
    }

    /// Entries of one document never merge with each other: two of one name are a mistake there.
    fn merge_named(&mut self, later: Node, path: &mut Vec<String>) {
        match (&mut self.value, later.value) {
            (Value::List(earlier), Value::List(later)) => {
                let mut free: BTreeMap<String, usize> = BTreeMap::new();
                for (index, entry) in earlier.iter().enumerate() {
                    if let Some(name) = entry.entry_name() {
                        free.entry(name.to_owned()).or_insert(index);
                    }
                }
                for node in later {
                    match node.entry_name().and_then(|name| free.remove(name)) {
                        Some(index) => earlier[index].merge(node, path),
                        None => earlier.push(node),
                    }
                }
            }
            (_, value) => *self = Node { value, origin: later.origin },
        }
    }

    /// What an entry of a list is called: its `id`, else its `name`, else its `plugin`.
    pub(super) fn entry_name(&self) -> Option<&str> {
        let Value::Table(table) = &self.value else { return None };
        let text = |key| match &table.get(key)?.value {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        };
        text("id")
            .or_else(|| text("name"))
            .or_else(|| text("plugin"))
            .filter(|name| !name.is_empty())
    }

    /// The value one step on.
    pub(super) fn step(&self, step: &Step) -> Option<&Node> {
        match (&self.value, step) {
            (Value::Table(table), Step::Key(key)) => table.get(key),
            (Value::List(list), Step::Index(index)) => list.get(*index),
            _ => None,
        }
    }

    /// The value at `path`.
    pub(super) fn get(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(self, |node, step| node.step(step))
    }

    /// Where `path` was said, or the nearest value that holds it.
    pub(super) fn origin_of(&self, path: &[Step]) -> &Origin {
        let mut node = self;
        for step in path {
            match node.step(step) {
                Some(next) => node = next,
                None if matches!(step, Step::Key(_)) && is_entry(path) => return &node.origin,
                None => return &Origin::Default,
            }
        }
        &node.origin
    }

    /// Takes the value at `path` out.
    pub(super) fn strike(&mut self, path: &[Step]) -> Option<Node> {
        let (last, parents) = path.split_last()?;
        let parent = parents.iter().try_fold(self, |node, step| match (&mut node.value, step) {
            (Value::Table(table), Step::Key(key)) => table.get_mut(key),
            (Value::List(list), Step::Index(index)) => list.get_mut(*index),
            _ => None,
        })?;
        match (&mut parent.value, last) {
            (Value::Table(table), Step::Key(key)) => table.remove(key),
            (Value::List(list), Step::Index(index)) if *index < list.len() => {
                Some(list.remove(*index))
            }
            _ => None,
        }
    }

    /// `path` for people: `collector[cpu].interval`.
    pub(super) fn describe(&self, path: &[Step]) -> String {
        let mut text = String::new();
        let mut node = Some(self);
        for step in path {
            node = node.and_then(|node| node.step(step));
            match step {
                Step::Key(key) if text.is_empty() => text.push_str(&key_text(key)),
                Step::Key(key) => text.push_str(&format!(".{}", key_text(key))),
                Step::Index(index) => match node.and_then(Node::entry_name) {
                    Some(name) => text.push_str(&format!("[{name}]")),
                    None => text.push_str(&format!("[{index}]")),
                },
            }
        }
        text
    }

    /// As JSON, for serde: a date becomes a string.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Boolean(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => (*value).into(),
            Value::String(text) | Value::Datetime(text) => text.as_str().into(),
            Value::List(list) => list.iter().map(Node::to_json).collect(),
            Value::Table(table) => {
                table.iter().map(|(key, node)| (key.clone(), node.to_json())).collect()
            }
        }
    }
}

/// Whether `path` lies in an entry of a list: what such an entry lacks is missing at its place.
fn is_entry(path: &[Step]) -> bool {
    path.iter().any(|step| matches!(step, Step::Index(_)))
}

/// A key as TOML writes it: bare if it may be.
pub(super) fn key_text(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !key.is_empty() && key.chars().all(bare) {
        true => key.to_owned(),
        false => string_text(key),
    }
}

/// A string as TOML writes it on one line. JSON's escapes are among TOML's, which has one more.
pub(super) fn string_text(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\x7f', "\\u007F")
}

/// The steps of a dotted path of keys: `server.port`.
pub(super) fn keys(dotted: &str) -> Vec<Step> {
    dotted.split('.').map(|key| Step::Key(key.to_owned())).collect()
}
