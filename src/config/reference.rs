//! The configuration file that is installed: every key, commented out, with its documentation and
//! its default.

use std::collections::BTreeMap;

use toml::Value as Toml;

use super::Config;
use super::keys::named_tables;
use super::schema::{Shape, ordered_schema};
use super::show::whole;
use super::tree::{Step, string_text};
use crate::scheduler::Instance;
use crate::units::HumanDuration;

/// Columns of a comment.
const WIDTH: usize = 96;

const PREFACE: &str = "\
# gz-monitor, the configuration. Every key is here with its default, behind a #: take the # away to
# change one. The files conf.d/*.toml beside this one are read after it and win, then variables such
# as GZ_MONITOR__SERVER__PORT=9090, then flags. `gz-monitor check-config` says what is wrong, and
# with --show what holds and where it was said; `gz-monitor reload` applies a change.
#
# A duration is written \"150ms\", \"5s\" or \"2h30m\"; a size \"512\", \"64KiB\" or \"8MiB\".
";

/// `etc/gz-monitor.toml`, made from the structs: without a change it means [`Config::default`].
pub fn reference() -> String {
    let schema = ordered_schema();
    let root = Shape::new(&schema);
    let defaults = whole(&Config::default());
    let mut text = PREFACE.to_owned();
    let mut last = String::new();
    for (name, section) in ordered(root) {
        match section.is("array") {
            true => example(&mut last, name, section),
            false => {
                comment(&mut text, section.description());
                text.push_str(&format!("[{name}]\n"));
                let values = defaults.get(name).and_then(Toml::as_table);
                keys(&mut text, name, section, values);
            }
        }
    }
    text + &last
}

/// The keys of a table: those that are always there as the struct has them, then the others.
pub(super) fn ordered<'a>(shape: Shape<'a>) -> Vec<(&'a str, Shape<'a>)> {
    let required: Vec<&str> = shape.required().collect();
    let mut keys: Vec<_> = shape.properties().collect();
    keys.sort_by_key(|(key, _)| {
        required.iter().position(|known| known == key).unwrap_or(required.len())
    });
    keys
}

/// What the documentation says about a key, with the texts that it may be.
fn explain(text: &mut String, shape: Shape<'_>) {
    let choices: Vec<String> =
        shape.choices().into_iter().map(|choice| format!("{choice:?}")).collect();
    match choices.split_last() {
        Some((last, others)) => {
            let listed = format!("{} or {last}", others.join(", "));
            comment(text, &format!("{} One of {listed}.", shape.description()));
        }
        None => comment(text, shape.description()),
    }
}

/// The keys of the section at `path`, then the sections within it.
fn keys(text: &mut String, path: &str, section: Shape<'_>, values: Option<&toml::Table>) {
    let (inner, plain): (Vec<_>, Vec<_>) =
        ordered(section).into_iter().partition(|(_, shape)| shape.properties().next().is_some());
    let (tables, plain): (Vec<_>, Vec<_>) =
        plain.into_iter().partition(|(_, shape)| entry_of(*shape).is_some());
    for (key, shape) in plain {
        explain(text, shape);
        match values.and_then(|values| values.get(key)) {
            Some(value) => text.push_str(&format!("#{key} = {value}\n")),
            // The space keeps it apart from the keys that a # alone turns off.
            None => text.push_str(&format!(
                "# No default; for example:\n# {key} = {:?}\n",
                shape.example().unwrap_or_default()
            )),
        }
    }
    for (key, shape) in tables {
        let path = format!("{path}.{key}");
        comment(text, shape.description());
        entry(text, &path, shape);
    }
    for (key, shape) in inner {
        let path = format!("{path}.{key}");
        comment(text, shape.description());
        text.push_str(&format!("[{path}]\n"));
        keys(text, &path, shape, values.and_then(|values| values.get(key)?.as_table()));
    }
}

/// The tables that a list holds, or a table under names that somebody gives.
fn entry_of(shape: Shape<'_>) -> Option<Shape<'_>> {
    let listed = shape.step(&Step::Index(0)).filter(|_| shape.is("array"));
    named_tables(shape).or(listed.filter(|entry| entry.properties().next().is_some()))
}

/// One of them with every key, all of it commented out.
fn entry(text: &mut String, path: &str, shape: Shape<'_>) {
    let Some(one) = entry_of(shape) else { return };
    match shape.is("array") {
        // The space keeps it apart from what a # alone turns off.
        true => text.push_str(&format!("# [[{path}]]\n")),
        false => text.push_str(&format!("# [{path}.NAME]\n")),
    }
    for (key, shape) in ordered(one) {
        explain(text, shape);
        let example = || match shape.choices().first() {
            Some(choice) => format!("{choice:?}"),
            None if shape.is("array") => shape.example_list().unwrap_or_else(|| "[]".to_owned()),
            None if shape.is("object") => "{}".to_owned(),
            None if shape.is("boolean") => "true".to_owned(),
            None if shape.is("string") => string_text(shape.example().unwrap_or_default()),
            None => "1".to_owned(),
        };
        let default = shape.default().filter(|default| default != "[]" && default != "{}");
        text.push_str(&format!("# {key} = {}\n", default.unwrap_or_else(example)));
    }
}

/// An entry of the list of collectors, all of it commented out.
fn example(text: &mut String, name: &str, list: Shape<'_>) {
    let Some(entry) = list.step(&Step::Index(0)) else { return };
    let instance = Instance {
        name: Some("load".to_owned()),
        interval: Some(HumanDuration::secs(15)),
        jitter: Some(HumanDuration::secs(1)),
        deadline: Some(HumanDuration::secs(2)),
        labels: BTreeMap::from([("site".to_owned(), "lab".to_owned())]),
        ..Instance::of("load")
    };
    let values = toml::Table::try_from(instance).expect("an entry without a config is TOML");
    comment(text, entry.description());
    text.push_str(&format!("#[[{name}]]\n"));
    let (mut plain, mut tables) = (String::new(), String::new());
    let mut known = ordered(entry);
    known.sort_by_key(|(key, _)| {
        values.keys().position(|known| known == key).unwrap_or(values.len())
    });
    for (key, shape) in known {
        let into = if shape.is("object") { &mut tables } else { &mut plain };
        explain(into, shape);
        match values.get(key) {
            Some(Toml::Table(inner)) => {
                into.push_str(&format!("#[{name}.{key}]\n"));
                for (key, value) in inner {
                    into.push_str(&format!("#{key} = {value}\n"));
                }
            }
            Some(value) => into.push_str(&format!("#{key} = {value}\n")),
            None if shape.is("object") => into.push_str(&format!("#[{name}.{key}]\n")),
            // Both stand for another key of the example; the space keeps them apart.
            None if !shape.choices().is_empty() => {
                into.push_str(&format!("# {key} = {:?}\n", shape.choices()[0]));
            }
            None => {
                let list = shape.example_list().unwrap_or_default();
                into.push_str(&format!("# {key} = {list}\n"));
            }
        }
    }
    text.push_str(&(plain + &tables));
}

/// A blank line, then `words` as a comment, each paragraph broken at [`WIDTH`].
fn comment(text: &mut String, words: &str) {
    text.push('\n');
    for paragraph in words.split("\n\n") {
        let mut line = "#".to_owned();
        for word in paragraph.split_whitespace() {
            if line.len() + 1 + word.len() > WIDTH {
                text.push_str(&format!("{line}\n"));
                line = "#".to_owned();
            }
            line.push_str(&format!(" {word}"));
        }
        text.push_str(&format!("{line}\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Section {
        /// How long at most.
        timeout: Option<HumanDuration>,
        /// How many.
        count: u32,
    }

    #[test]
    fn a_key_without_a_default_is_told_apart() {
        let schema = schemars::schema_for!(Section).into();
        let mut text = String::new();
        let values = toml::Table::from_iter([("count".to_owned(), Toml::Integer(5))]);
        keys(&mut text, "section", Shape::new(&schema), Some(&values));
        insta::assert_snapshot!(text.trim(), @r#"
        # How many.
        #count = 5

        # How long at most.
        # No default; for example:
        # timeout = "5s"
        "#);
    }
}
