//! The tree into the structs of the rooms. A value that its room refuses is taken out and the rest
//! is tried again, so that all of them are found.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::check::quoted;
use super::problem::{MAX_PROBLEMS, Problem};
use super::tree::{Node, Step, Value};

/// The struct that `tree` says; at the root that is the whole configuration. What is refused is
/// appended to `problems`, taken out of the tree and its path appended to `struck`; `None` if what
/// is left still is none.
pub(super) fn decode<T: DeserializeOwned>(
    tree: &mut Node,
    problems: &mut Vec<Problem>,
    struck: &mut Vec<String>,
) -> Option<T> {
    let mut consequences: Vec<Vec<Step>> = Vec::new();
    for _ in 0..MAX_PROBLEMS {
        let error = match serde_path_to_error::deserialize::<_, T>(tree.to_json()) {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let path = existing(tree, steps(error.path()));
        let described = tree.describe(&path);
        // What lacks a value only because that one was refused is no problem of its own.
        if !consequences.iter().any(|bad| bad.starts_with(&path)) {
            let origin = tree.origin_of(&path).clone();
            let message = message(tree.get(&path), &error.inner().to_string());
            problems.push(Problem::new(&origin, described.clone(), message, None));
        }
        tree.strike(&path)?;
        struck.push(described);
        consequences.retain(|bad| !bad.starts_with(&path));
        // The entries behind one that was taken out have moved up: its path now means another.
        if matches!(path.last(), Some(Step::Key(_))) {
            consequences.push(path);
        }
    }
    None
}

fn steps(path: &serde_path_to_error::Path) -> Vec<Step> {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().map_while(step).collect()
}

/// `path` up to where the tree has a value.
fn existing(tree: &Node, mut path: Vec<Step>) -> Vec<Step> {
    while tree.get(&path).is_none() {
        path.pop();
    }
    path
}

/// serde's text, which the room may have worded, with the refused text unless it quotes that.
fn message(node: Option<&Node>, error: &str) -> String {
    match node.map(|node| &node.value) {
        Some(Value::String(text)) if !error.contains(&format!("{text:?}")) => {
            format!("{}: {error}", quoted(text))
        }
        _ => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::super::parse;
    use super::*;
    use crate::units::{ByteSize, HumanDuration};

    #[derive(Debug, Deserialize)]
    struct Root {
        entry: Vec<Entry>,
    }

    #[derive(Debug, Deserialize)]
    struct Entry {
        size: ByteSize,
        #[serde(default)]
        time: HumanDuration,
    }

    #[test]
    fn an_entry_whose_required_value_is_refused_goes_without_a_word() {
        let text = "[[entry]]\nsize = \"x\"\ntime = \"y\"\n[[entry]]\nsize = \"1B\"\n\
                    time = \"z\"\n[[entry]]\nsize = \"2B\"\n";
        let (mut problems, mut struck) = (Vec::new(), Vec::new());
        let path = Path::new("x.toml").into();
        let mut tree = parse::document(&path, text.as_bytes(), &mut problems).expect("valid TOML");
        let root: Root = decode(&mut tree, &mut problems, &mut struck).expect("two good entries");
        let sizes: Vec<u64> = root.entry.iter().map(|entry| *entry.size).collect();
        assert_eq!(sizes, [1, 2]);
        assert!(root.entry.iter().all(|entry| entry.time.is_zero()));
        let blamed: Vec<String> = problems.iter().map(|one| one.origin.to_string()).collect();
        assert_eq!(blamed, ["x.toml:2", "x.toml:3", "x.toml:6"]);
    }
}
