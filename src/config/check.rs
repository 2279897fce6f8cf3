//! Holds what was written against the schema: unknown keys, wrong types, missing keys.

use std::net::IpAddr;

use super::problem::{Problem, did_you_mean, nearest};
use super::schema::Shape;
use super::tree::{Node, Step, Value, key_text};

/// What to make of a table that lacks a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Another document may say it.
    Allowed,
    /// All was read, so that it is a problem.
    Refused,
    /// A file that could not be read may have said it: the table is of no use, and no problem.
    Dropped,
}

/// What is wrong, and where, so that it can be taken out of the tree and the rest looked at.
struct Findings<'a> {
    root: &'a Node,
    schema: Shape<'a>,
    missing: Missing,
    problems: &'a mut Vec<Problem>,
    bad: Vec<Vec<Step>>,
}

/// Checks `root` against `schema` and takes out what is wrong. That is appended to `problems`, and
/// its path to `struck`.
pub(super) fn check(
    root: &mut Node,
    schema: Shape<'_>,
    missing: Missing,
    problems: &mut Vec<Problem>,
    struck: &mut Vec<String>,
) {
    let mut findings = Findings { root, schema, missing, problems, bad: Vec::new() };
    findings.node(root, schema, &mut Vec::new());
    let mut bad = findings.bad;
    struck.extend(bad.iter().map(|path| root.describe(path)));
    // From the end, so that no index of a list moves before it is used.
    bad.sort();
    for path in bad.iter().rev() {
        root.strike(path);
    }
}

impl Findings<'_> {
    fn refuse(&mut self, node: &Node, path: &[Step], message: String, hint: Option<String>) {
        let described = self.root.describe(path);
        self.problems.push(Problem::new(&node.origin, described, message, hint));
        self.bad.push(path.to_vec());
    }

    fn node(&mut self, node: &Node, shape: Shape<'_>, path: &mut Vec<Step>) {
        let types = shape.types();
        if !types.is_empty() && !types.iter().any(|name| fits(&node.value, name)) {
            let (message, hint) = self.wrong_type(node, shape, path);
            return self.refuse(node, path, message, hint);
        }
        match &node.value {
            Value::Table(table) => {
                for (key, value) in table {
                    path.push(Step::Key(key.clone()));
                    match shape.step(&path[path.len() - 1]) {
                        Some(inner) => self.node(value, inner, path),
                        None if shape.is_closed() => {
                            let hint = self.where_instead(key, shape);
                            self.refuse(value, path, "unknown key".to_owned(), hint);
                        }
                        None => {}
                    }
                    path.pop();
                }
                let mut missing = shape.required().filter(|key| !table.contains_key(*key));
                match (missing.next(), self.missing) {
                    (Some(key), Missing::Refused) => {
                        self.refuse(node, path, format!("the key {key:?} is missing"), None);
                    }
                    (Some(_), Missing::Dropped) => self.bad.push(path.clone()),
                    (Some(_), Missing::Allowed) | (None, _) => {}
                }
            }
            Value::List(list) => {
                for (index, value) in list.iter().enumerate() {
                    path.push(Step::Index(index));
                    if let Some(inner) = shape.step(&path[path.len() - 1]) {
                        self.node(value, inner, path);
                    }
                    path.pop();
                }
            }
            Value::Integer(number) => {
                let (least, greatest) = shape.bounds();
                if *number < least || *number > greatest {
                    let message = match greatest {
                        i64::MAX => format!("{number} is out of range: {least} or more"),
                        _ => format!("{number} is out of range: {least} to {greatest}"),
                    };
                    self.refuse(node, path, message, None);
                }
            }
            Value::String(text) => self.text(node, text, shape, path),
            Value::Boolean(_) | Value::Float(_) | Value::Datetime(_) => {}
        }
    }

    fn text(&mut self, node: &Node, text: &str, shape: Shape<'_>, path: &[Step]) {
        let choices = shape.choices();
        if !choices.is_empty() && !choices.contains(&text) {
            let listed: Vec<String> = choices.iter().map(|one| format!("{one:?}")).collect();
            let message = format!("{} is not one of {}", quoted(text), listed.join(", "));
            self.refuse(node, path, message, did_you_mean(text, choices));
        } else if shape.format() == Some("ip") && text.parse::<IpAddr>().is_err() {
            let message = format!("{} is not an IP address", quoted(text));
            let hint = "write one such as \"127.0.0.1\", \"::1\" or \"0.0.0.0\"";
            self.refuse(node, path, message, Some(hint.to_owned()));
        }
    }

    fn wrong_type(&self, node: &Node, shape: Shape<'_>, path: &[Step]) -> (String, Option<String>) {
        let expected: Vec<&str> = shape.types().into_iter().map(type_text).collect();
        let mut message = format!("expected {}", expected.join(" or "));
        if let Some(example) = shape.example() {
            message.push_str(&format!(" such as {example:?}"));
        }
        message.push_str(&format!(", found {}", value_text(&node.value)));
        let hint = match (&node.value, path) {
            (Value::Table(_), [Step::Key(key)]) if shape.is("array") => {
                Some(format!("write [[{}]]", key_text(key)))
            }
            (Value::List(_), [Step::Key(key)]) if shape.is("object") => {
                let lists = self.schema.properties().filter(|(_, shape)| shape.is("array"));
                Some(match nearest(key, lists.map(|(name, _)| name)) {
                    Some(list) => format!("did you mean [[{list}]]?"),
                    None => format!("write [{}]", key_text(key)),
                })
            }
            _ => None,
        };
        (message, hint)
    }

    /// The nearest key that is known beside `key`, else the sections that know `key` itself.
    fn where_instead(&self, key: &str, shape: Shape<'_>) -> Option<String> {
        did_you_mean(key, shape.properties().map(|(known, _)| known)).or_else(|| {
            let sections: Vec<String> = self
                .schema
                .properties()
                .filter(|(_, section)| section.properties().any(|(known, _)| known == key))
                .map(|(name, _)| format!("[{name}]"))
                .collect();
            (!sections.is_empty()).then(|| format!("it belongs in {}", sections.join(" or ")))
        })
    }
}

fn fits(value: &Value, name: &str) -> bool {
    match value {
        Value::Boolean(_) => name == "boolean",
        Value::Integer(_) => name == "integer" || name == "number",
        Value::Float(_) => name == "number",
        Value::String(_) => name == "string",
        // The plain text of a date is what a key of type string is given.
        Value::Datetime(_) => false,
        Value::List(_) => name == "array",
        Value::Table(_) => name == "object",
    }
}

fn type_text(name: &str) -> &str {
    match name {
        "boolean" => "true or false",
        "integer" => "an integer",
        "number" => "a number",
        "array" => "a list",
        "object" => "a table",
        _ => "a string",
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Boolean(value) => value.to_string(),
        Value::Integer(value) => format!("the integer {value}"),
        Value::Float(value) => format!("the number {value}"),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Datetime(text) => format!("the date {text}"),
        Value::List(_) => "a list".to_owned(),
        Value::Table(_) => "a table".to_owned(),
    }
}

/// `text` in quotes, its end cut off if it is long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
