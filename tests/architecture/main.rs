//! The walls of the house, checked: who imports whom, where `unsafe` may be, how long and how named a
//! file may be. Each rule is a function over a source tree, so `planted` can break it and look.

mod imports;
mod layout;
mod planted;
mod source;
mod words;

use std::fmt;
use std::path::Path;

use imports::Table;

/// A broken rule and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    path: String,
    /// From 1; 0 where it is no line's fault.
    line: usize,
    what: String,
}

impl Violation {
    pub fn new(path: &str, line: usize, what: String) -> Self {
        Self { path: path.to_owned(), line, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, what } = self;
        if *line == 0 { write!(f, "{path}: {what}") } else { write!(f, "{path}:{line}: {what}") }
    }
}

/// Every rule over the repository at `root`; the violations one per line, in the order of the files.
fn violations(root: &Path) -> Vec<String> {
    let table = Table::ours();
    let files = match source::read_tree(root) {
        Ok(files) => files,
        Err(error) => return vec![error],
    };
    let mut found = imports::check(&files, &table);
    found.extend(words::check_bans(&files));
    found.extend(words::check_pure(&files, &table.pure));
    found.extend(layout::check_files(&files));
    found.extend(layout::check_top_level(root));
    found.sort();
    found.dedup();
    found.iter().map(Violation::to_string).collect()
}

#[test]
fn the_repository_keeps_its_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = violations(root);
    let files = source::read_tree(root).unwrap();
    let (median, ninetieth) = layout::percentiles(&files);
    println!("{} files: median {median} lines, 90th percentile {ninetieth}", files.len());
    assert!(found.is_empty(), "{} broken rules:\n{}", found.len(), found.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    assert_eq!(Table::ours().cycle(), None);
}

#[test]
fn the_document_shows_the_table() {
    let document = include_str!("../../ARCHITECTURE.md");
    let table = Table::ours().markdown();
    assert!(document.contains(&table), "ARCHITECTURE.md is to have this table:\n\n{table}");
}
