//! Which room imports which, against the table in `rooms.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::source::{SourceFile, Token};
use crate::{Violation, words};

/// `rooms.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    may_import: BTreeMap<String, Vec<String>>,
    pub pure: Pure,
}

/// The modules that do no I/O.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pure {
    pub modules: Vec<String>,
}

impl Table {
    /// The table of this repository.
    pub fn ours() -> Self {
        toml::from_str(include_str!("rooms.toml")).expect("rooms.toml is a table")
    }

    /// Whether `room` may import `other`; `None` where `room` has no row.
    fn allows(&self, room: &str, other: &str) -> Option<bool> {
        let row = self.may_import.get(room)?;
        let has = |word: &str| row.iter().any(|entry| entry == word);
        // The crate's two roots have a row, yet nobody can import them.
        let any =
            has("*") && self.may_import.contains_key(other) && !["main", "lib"].contains(&other);
        Some(room == other || has(other) || (any && !has(&format!("!{other}"))))
    }

    /// The table as ARCHITECTURE.md shows it.
    pub fn markdown(&self) -> String {
        let mut text = "| Room | May import |\n| --- | --- |\n".to_owned();
        for (room, row) in &self.may_import {
            let row: Vec<String> = row.iter().map(|other| format!("`{other}`")).collect();
            let row = if row.is_empty() { "–".to_owned() } else { row.join(", ") };
            text.push_str(&format!("| `{room}` | {row} |\n"));
        }
        text
    }

    /// The first room that reaches itself by way of others, if one does.
    pub fn cycle(&self) -> Option<&str> {
        let mut low: Vec<&str> = vec!["sdk", "abi"];
        let rooms = || self.may_import.keys().map(String::as_str);
        let is_low = |low: &[&str], room: &str| {
            let mut imported = rooms().filter(|other| *other != room);
            imported.all(|o| low.contains(&o) || self.allows(room, o) != Some(true))
        };
        while let Some(room) = rooms().find(|room| !low.contains(room) && is_low(&low, room)) {
            low.push(room);
        }
        rooms().find(|room| !low.contains(room))
    }
}

/// Every import of a file in `src/` that its room's row does not allow.
pub fn check(files: &[SourceFile], table: &Table) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("src/")) {
        let room = file.path["src/".len()..].split('/').next().unwrap_or_default();
        let room = room.trim_end_matches(".rs");
        for (line, other) in imports(file) {
            let what = match (other, table.allows(room, other)) {
                (_, Some(true)) => continue,
                (_, None) => format!("room `{room}` has no row in rooms.toml"),
                ("*" | "self" | "as", _) => "imports the whole crate; name the room".to_owned(),
                _ => format!("room `{room}` may not import `{other}`"),
            };
            violations.push(Violation::new(&file.path, line, what));
        }
    }
    violations
}

/// The line and the room of every path that leaves its file by way of the crate's root.
fn imports(file: &SourceFile) -> Vec<(usize, &str)> {
    let tokens = &file.product[..];
    let mut found = Vec::new();
    let mut modules = ModuleStack::new(file.module().len() - 1);
    for (at, token) in tokens.iter().enumerate() {
        let rest = &tokens[at..];
        modules.pass(tokens, at);
        let mut add = |token: &Token, room| found.push((token.line, room));
        match token.text.as_str() {
            "gz_monitor_sdk" => add(token, "sdk"),
            "gz_monitor_abi" => add(token, "abi"),
            "crate" if words::at(rest, 1, &["as"]) => add(token, "as"),
            "crate" | "gz_monitor" => {
                words::heads(&rest[1..]).into_iter().for_each(|head| add(head, &head.text));
            }
            "super" if !words::follows_path(tokens, at) => {
                let supers = words::count_supers(rest);
                if supers == modules.depth() {
                    let after = &rest[supers * 3 - 2..];
                    words::heads(after).into_iter().for_each(|head| add(head, &head.text));
                }
            }
            _ => {}
        }
    }
    found
}

/// How many modules lie between the crate's root and a place in a file.
struct ModuleStack {
    file: usize,
    /// One entry per open brace: whether it is a module's.
    braces: Vec<bool>,
}

impl ModuleStack {
    fn new(file: usize) -> Self {
        Self { file, braces: Vec::new() }
    }

    fn pass(&mut self, tokens: &[Token], at: usize) {
        match tokens[at].text.as_str() {
            "{" => self.braces.push(at >= 2 && tokens[at - 2].text == "mod"),
            "}" => drop(self.braces.pop()),
            _ => {}
        }
    }

    fn depth(&self) -> usize {
        self.file + self.braces.iter().filter(|module| **module).count()
    }
}
