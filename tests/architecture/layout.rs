//! Names, sizes and openings of files, and what lies at the top of the repository.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Violation;
use crate::source::SourceFile;

const LINES_MAX: usize = 400;

/// Names that say nothing of what is inside.
const DRAWERS: [&str; 9] =
    ["common", "helper", "helpers", "manager", "managers", "misc", "shared", "util", "utils"];

const TOP_LEVEL: [&str; 24] = [
    ".cargo",
    ".ci",
    ".editorconfig",
    ".git",
    ".gitattributes",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "SECURITY.md",
    "benches",
    "clippy.toml",
    "deny.toml",
    "docs",
    "etc",
    "packaging",
    "plugins",
    "rustfmt.toml",
    "src",
    "target",
    "tests",
    "xtask",
];

/// Everything that one file can do wrong by its name, length or opening.
pub fn check_files(files: &[SourceFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files {
        let mut add = |line, what| violations.push(Violation::new(&file.path, line, what));
        if !opens_with_sentence(&file.text) {
            add(1, "does not open with a `//!` sentence that ends in a full stop".to_owned());
        }
        let lines = product_lines(file);
        if lines > LINES_MAX {
            add(LINES_MAX, format!("{lines} lines without tests; {LINES_MAX} at the most"));
        }
        let stems = file.path.trim_end_matches(".rs").split('/');
        for name in stems.filter(|name| DRAWERS.contains(name)) {
            add(1, format!("`{name}` is a drawer, not a room; name it by what it holds"));
        }
        for pair in file.tokens.windows(2) {
            if pair[0].text == "mod" && DRAWERS.contains(&pair[1].text.as_str()) {
                let what = format!("`mod {}` is a drawer, not a room", pair[1].text);
                add(pair[1].line, what);
            }
        }
    }
    violations
}

/// Entries of the repository's top level that are not on the list.
pub fn check_top_level(root: &Path) -> Vec<Violation> {
    let known = |name: &str| TOP_LEVEL.contains(&name) || name.starts_with("LICENSE");
    let unknown = top_level(root).into_iter().filter(|name| !known(name));
    unknown.map(|name| Violation::new(&name, 0, "not on the top level's list".to_owned())).collect()
}

/// What is in the repository, by git where it can say (an editor's ignored folder is none of ours),
/// else by the folder itself.
fn top_level(root: &Path) -> Vec<String> {
    let listed = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let git = root.join(".git").exists().then(|| {
        Command::new("git")
            .arg("-C")
            .arg(root)
            .args(listed)
            .output()
            .ok()
            .filter(|o| o.status.success())
    });
    let mut names: Vec<String> = match git.flatten() {
        Some(output) => String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|path| path.split('/').next().map(str::to_owned))
            .collect(),
        None => fs::read_dir(root)
            .expect("the repository can be listed")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect(),
    };
    names.sort();
    names.dedup();
    names
}

/// Whether the first paragraph of the file is a `//!` comment that ends as a sentence does.
fn opens_with_sentence(text: &str) -> bool {
    let comment = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let paragraph: Vec<&str> = comment.take_while(|line| !line.is_empty()).collect();
    let sentence = paragraph.join(" ");
    sentence.contains(' ') && sentence.trim_end_matches([')', '`', '"']).ends_with(['.', ':', '?'])
}

fn product_lines(file: &SourceFile) -> usize {
    file.text.lines().count().saturating_sub(file.test_lines)
}

/// The median and the 90th percentile of the files' lengths, tests left out.
pub fn percentiles(files: &[SourceFile]) -> (usize, usize) {
    let mut lengths: Vec<usize> = files.iter().map(product_lines).collect();
    lengths.sort_unstable();
    let nearest_rank = |percent: usize| {
        let rank = (lengths.len() * percent).div_ceil(100);
        lengths.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    };
    (nearest_rank(50), nearest_rank(90))
}
