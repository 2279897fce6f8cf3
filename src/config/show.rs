//! The merged configuration as TOML, each value with the place where it was said.

use toml::Value as Toml;

use super::load::Loaded;
use super::problem::one_line;
use super::tree::{Node, Step, Value, key_text, string_text};
use super::{Config, Origin};
use crate::notify::Secret;

/// All of `loaded` as a valid TOML file: what was written as it was written, else the default; each
/// value with its origin behind it.
pub fn show(loaded: &Loaded) -> String {
    let mut text = String::new();
    let root = whole(&loaded.config);
    table(&mut text, &root, &loaded.origins, &mut Vec::new());
    text.trim_start().to_owned()
}

/// `config` as TOML values in the order of the structs.
pub(super) fn whole(config: &Config) -> toml::Table {
    toml::Table::try_from(config).expect("a configuration that was read from TOML is TOML")
}

/// The plain values of a table first, then the tables within it under headers of their own.
fn table(text: &mut String, values: &toml::Table, tree: &Node, path: &mut Vec<Step>) {
    for pass in [false, true] {
        for (key, value) in values {
            path.push(Step::Key(key.clone()));
            match (pass, value) {
                (true, Toml::Table(inner)) => {
                    if inner.is_empty() || inner.values().any(is_plain) {
                        text.push_str(&format!("\n[{}]\n", header(path)));
                    }
                    table(text, inner, tree, path);
                }
                (true, Toml::Array(entries)) if is_tables(entries) => {
                    for (index, entry) in entries.iter().enumerate() {
                        text.push_str(&format!("\n[[{}]]\n", header(path)));
                        path.push(Step::Index(index));
                        if let Toml::Table(inner) = entry {
                            table(text, inner, tree, path);
                        }
                        path.pop();
                    }
                }
                (false, value) if is_plain(value) => {
                    text.push_str(&line(key, value, tree.get(path)))
                }
                _ => {}
            }
            path.pop();
        }
    }
}

/// Whether `value` is written behind its key, and not under a header.
fn is_plain(value: &Toml) -> bool {
    match value {
        Toml::Table(_) => false,
        Toml::Array(entries) => !is_tables(entries),
        _ => true,
    }
}

fn is_tables(entries: &[Toml]) -> bool {
    !entries.is_empty() && entries.iter().all(Toml::is_table)
}

/// The keys alone: TOML has no index in a header, it means the last entry of a list.
fn header(path: &[Step]) -> String {
    let key = |step: &Step| match step {
        Step::Key(key) => Some(key_text(key)),
        Step::Index(_) => None,
    };
    path.iter().filter_map(key).collect::<Vec<_>>().join(".")
}

fn line(key: &str, value: &Toml, written: Option<&Node>) -> String {
    let origin = written.map_or(&Origin::Default, |node| &node.origin);
    let text = match (written.map(|node| &node.value), value) {
        // What is not to be shown is not shown as it was written either.
        (_, Toml::String(text)) if text == Secret::SHOWN => string_text(text),
        (Some(Value::String(text)), _) | (_, Toml::String(text)) => string_text(text),
        _ => value.to_string(),
    };
    format!("{} = {text}  # {}\n", key_text(key), one_line(&origin.to_string()))
}
