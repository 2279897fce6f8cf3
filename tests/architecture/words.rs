//! Paths and single words in a token list, and those that some place may not hold.

use crate::Violation;
use crate::imports::Pure;
use crate::source::{SourceFile, Token};

/// Only these may hold `unsafe`; a folder or the file of the same name.
const UNSAFE_PLACES: [&str; 3] = ["plugins/abi", "plugins/sdk", "src/plugin/library"];

const UNBOUNDED: [&str; 3] = ["unbounded_channel", "UnboundedReceiver", "UnboundedSender"];

/// What a pure module may not name, by crate.
const IMPURE: [(&str, &[&str]); 2] = [
    ("std", &["env", "fs", "net", "process", "thread"]),
    ("tokio", &["fs", "net", "process", "runtime", "signal", "spawn", "task", "time"]),
];

/// Whether the tokens from `offset` on are `expected`.
pub fn at(tokens: &[Token], offset: usize, expected: &[&str]) -> bool {
    tokens.len() >= offset + expected.len()
        && expected.iter().zip(&tokens[offset..]).all(|(text, token)| token.text == *text)
}

/// The words that come next in a path: `b` in `::b::c`, `b` and `c` in `::{b::x, c}`.
pub fn heads(tokens: &[Token]) -> Vec<&Token> {
    if !at(tokens, 0, &[":", ":"]) || tokens.len() < 3 {
        return Vec::new();
    }
    if tokens[2].text != "{" {
        return vec![&tokens[2]];
    }
    let (mut depth, mut heads) = (0, Vec::new());
    for (index, token) in tokens.iter().enumerate().skip(2) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if depth == 1 && ["{", ","].contains(&tokens[index - 1].text.as_str()) => {
                heads.push(token);
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    heads
}

/// Whether the token at `at` continues a path (`self::super`, `super::super`).
pub fn follows_path(tokens: &[Token], at: usize) -> bool {
    at >= 3 && tokens[at - 1].text == ":" && tokens[at - 3].text == "super"
}

/// How long the chain of `super::super` is that `tokens` begins with.
pub fn count_supers(tokens: &[Token]) -> usize {
    let mut count = 1;
    while at(tokens, count * 3 - 2, &[":", ":", "super"]) {
        count += 1;
    }
    count
}

/// `unsafe` outside the rooms that exist for it, and queues without a bound.
pub fn check_bans(files: &[SourceFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files {
        let unsafe_allowed = UNSAFE_PLACES.iter().any(|place| is_in(&file.path, place));
        for (index, token) in file.tokens.iter().enumerate() {
            let word = token.text.as_str();
            let is_called = || at(&file.tokens, index + 1, &["("]);
            let what = match word {
                "unsafe" if !unsafe_allowed => "`unsafe` outside the rooms for it".to_owned(),
                _ if UNBOUNDED.contains(&word) || (word == "unbounded" && is_called()) => {
                    format!("`{word}`: every queue has a bound")
                }
                _ => continue,
            };
            violations.push(Violation::new(&file.path, token.line, what));
        }
    }
    violations
}

/// I/O, tasks, threads and clocks in the modules that are to be pure.
pub fn check_pure(files: &[SourceFile], pure: &Pure) -> Vec<Violation> {
    let mut violations = Vec::new();
    let below = |path: &str, modules: &[String]| {
        modules.iter().any(|module| is_in(path, &format!("src/{}", module.replace("::", "/"))))
    };
    for file in files {
        if !below(&file.path, &pure.modules) {
            continue;
        }
        for (index, token) in file.product.iter().enumerate() {
            let rest = &file.product[index..];
            let mut add = |what| violations.push(Violation::new(&file.path, token.line, what));
            if at(rest, 0, &[":", ":", "now"]) {
                add("asks a clock; a pure module is given `now`".to_owned());
            }
            let Some((_, banned)) = IMPURE.iter().find(|(name, _)| token.text == *name) else {
                continue;
            };
            for head in heads(&rest[1..]) {
                if banned.contains(&head.text.as_str()) {
                    add(format!("names `{}::{}` in a pure module", token.text, head.text));
                }
            }
        }
    }
    violations
}

fn is_in(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}
