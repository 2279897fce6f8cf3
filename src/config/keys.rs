//! What can be configured, in words: every section and its keys, for the manual page.

use toml::Value as Toml;

use super::Config;
use super::reference::ordered;
use super::schema::{Shape, ordered_schema};
use super::show::whole;
use super::tree::Step;

/// A table of the file, or one of a list of tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// As it is written: `[server]`, `[[collector]]`.
    pub header: String,
    /// What it is for.
    pub about: String,
    /// Those that are not sections of their own.
    pub keys: Vec<Key>,
}

/// One key of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// What it may be: "a duration", "true or false".
    pub kind: String,
    /// As TOML; there may be none.
    pub default: Option<String>,
}

/// Every section, in the order of the installed file: lists come last.
pub fn sections() -> Vec<Section> {
    let schema = ordered_schema();
    let defaults = Toml::Table(whole(&Config::default()));
    let (mut plain, mut lists) = (Vec::new(), Vec::new());
    for (name, shape) in ordered(Shape::new(&schema)) {
        let found = if shape.is("array") { &mut lists } else { &mut plain };
        section(found, name, shape, defaults.get(name));
    }
    plain.extend(lists);
    plain
}

/// Adds the section at `path`, then those within it.
fn section(found: &mut Vec<Section>, path: &str, shape: Shape<'_>, defaults: Option<&Toml>) {
    let entry = shape.step(&Step::Index(0)).filter(|_| shape.is("array"));
    let named = named_tables(shape);
    let header = match (&entry, &named) {
        (Some(_), _) => format!("[[{path}]]"),
        (None, Some(_)) => format!("[{path}.NAME]"),
        (None, None) => format!("[{path}]"),
    };
    let table = entry.or(named).unwrap_or(shape);
    let (mut keys, mut inner) = (Vec::new(), Vec::new());
    for (name, shape) in ordered(table) {
        let default = defaults.and_then(|defaults| defaults.get(name));
        if is_section(shape) {
            inner.push((format!("{path}.{name}"), shape, default));
        } else {
            keys.push(Key {
                name: name.to_owned(),
                about: shape.description().to_owned(),
                kind: kind(shape),
                default: default.map(ToString::to_string),
            });
        }
    }
    found.push(Section { header, about: table.description().to_owned(), keys });
    for (path, shape, default) in inner {
        section(found, &path, shape, default);
    }
}

/// Whether its keys, or those of its entries, are spelled out.
fn is_section(shape: Shape<'_>) -> bool {
    let entry = shape.step(&Step::Index(0)).filter(|_| shape.is("array"));
    entry.or(named_tables(shape)).unwrap_or(shape).properties().next().is_some()
}

/// The tables of a table whose keys are names that somebody gives.
pub(super) fn named_tables(shape: Shape<'_>) -> Option<Shape<'_>> {
    let entry = shape.step(&Step::Key("NAME".to_owned())).filter(|_| shape.is("object"))?;
    let is_named = shape.properties().next().is_none() && entry.properties().next().is_some();
    is_named.then_some(entry)
}

fn kind(shape: Shape<'_>) -> String {
    let choices: Vec<String> =
        shape.choices().into_iter().map(|choice| format!("{choice:?}")).collect();
    if let Some((last, others)) = choices.split_last() {
        return if others.is_empty() {
            last.clone()
        } else {
            format!("{} or {last}", others.join(", "))
        };
    }
    // Durations and sizes are texts of a pattern, which their example tells apart.
    let kind = match (shape.types().as_slice(), shape.example(), shape.format()) {
        (["string"], Some("5s"), _) => "a duration",
        (["string"], Some("64KiB"), _) => "a size",
        (["string"], _, Some("ip")) => "an IP address",
        (["string"], ..) => "a text",
        (["integer"], ..) => "a whole number",
        (["number"], ..) => "a number",
        (["boolean"], ..) => "true or false",
        (["array"], ..) => "a list",
        (["object"], ..) => "a table",
        _ => "any value",
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_with_its_kind_and_default() {
        let sections = sections();
        let check = |header: &str, name: &str, expected: &str| {
            let section = sections.iter().find(|section| section.header == header).expect(header);
            let key = section.keys.iter().find(|key| key.name == name).expect(name);
            let default = key.default.as_deref().unwrap_or("none");
            assert_eq!(format!("{} [{default}]", key.kind), expected);
            assert!(!key.about.is_empty());
        };
        check("[server]", "host", "an IP address [\"127.0.0.1\"]");
        check("[server]", "port", "a whole number [8080]");
        check("[server]", "insecure", "true or false [false]");
        check("[server]", "max_body_size", "a size [\"256KiB\"]");
        check("[status]", "interval", "a duration [\"5s\"]");
        check("[log]", "format", "\"auto\", \"text\" or \"journald\" [\"auto\"]");
        check("[[collector]]", "plugin", "a text [none]");
        check("[[collector]]", "interval", "a duration [none]");
        check("[[collector]]", "labels", "a table [none]");
        assert!(sections.last().is_some_and(|section| section.header == "[[collector]]"));
    }
}
