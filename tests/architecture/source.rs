//! The Rust files of a repository as flat token lists, with the test-only parts known.

use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// The folders that hold our code.
const FOLDERS: [&str; 5] = ["src", "plugins", "xtask", "tests", "benches"];

/// One token: comments are gone, a string is one token, a group is its brackets and what they hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// One file.
pub struct SourceFile {
    /// From the repository's root, with `/`.
    pub path: String,
    pub text: String,
    /// Every token.
    pub tokens: Vec<Token>,
    /// The tokens that are also compiled outside tests.
    pub product: Vec<Token>,
    /// Lines that only tests compile.
    pub test_lines: usize,
    /// Names of the file's modules that are declared `#[cfg(test)] mod name;`.
    test_modules: Vec<String>,
}

/// Reads every `.rs` file below `root`'s code folders, in the order of their paths; the error names
/// the file that cannot be read or is not made of Rust's tokens.
pub fn read_tree(root: &Path) -> Result<Vec<SourceFile>, String> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        find_rust_files(&root.join(folder), &mut paths);
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        files.push(SourceFile::new(name, text)?);
    }
    mark_test_files(&mut files);
    Ok(files)
}

fn find_rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let foreign = ["target", "node_modules"].iter().any(|other| name == *other);
        if path.is_dir() && !foreign {
            find_rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A file that its parent declares `#[cfg(test)]` has no product tokens, nor has what lies below it.
fn mark_test_files(files: &mut [SourceFile]) {
    let test_modules: Vec<Vec<String>> = files
        .iter()
        .flat_map(|file| {
            let own = file.module();
            file.test_modules.iter().map(move |name| [own.clone(), vec![name.clone()]].concat())
        })
        .collect();
    for file in files {
        let module = file.module();
        if test_modules.iter().any(|test| module.starts_with(test)) {
            file.product.clear();
        }
    }
}

impl SourceFile {
    fn new(path: String, text: String) -> Result<Self, String> {
        let stream: TokenStream = text.parse().map_err(|error| format!("{path}: {error}"))?;
        let (mut tokens, mut product) = (Vec::new(), Product::default());
        flatten(stream.clone(), &mut tokens);
        product.take(stream);
        let Product { tokens: product, test_lines, test_modules } = product;
        Ok(Self { path, text, tokens, product, test_lines, test_modules })
    }

    /// The module that the file is: `src/hub/mod.rs` and `src/hub.rs` are `[src, hub]`.
    pub fn module(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs");
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
            parts.pop();
        }
        parts
    }
}

/// What is left of a file once its test-only items are cut out.
#[derive(Default)]
struct Product {
    tokens: Vec<Token>,
    test_lines: usize,
    test_modules: Vec<String>,
}

impl Product {
    fn take(&mut self, stream: TokenStream) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut at = 0;
        while at < trees.len() {
            let item = &trees[at..];
            if is_test_attribute(item) {
                let length = item_length(item);
                self.cut(&item[..length]);
                at += length;
                continue;
            }
            match &trees[at] {
                TokenTree::Group(group) => {
                    self.tokens.extend(bracket(group, true));
                    self.take(group.stream());
                    self.tokens.extend(bracket(group, false));
                }
                tree => self.tokens.push(token(tree)),
            }
            at += 1;
        }
    }

    fn cut(&mut self, item: &[TokenTree]) {
        let (first, last) = (item[0].span().start().line, item[item.len() - 1].span().end().line);
        self.test_lines += last + 1 - first;
        if let [.., TokenTree::Ident(keyword), TokenTree::Ident(name), TokenTree::Punct(_)] = item
            && keyword == "mod"
        {
            self.test_modules.push(name.to_string());
        }
    }
}

/// Whether `trees` begins with `#[test]`, `#[tokio::test]` or a `#[cfg(…)]` that demands `test`.
fn is_test_attribute(trees: &[TokenTree]) -> bool {
    let [TokenTree::Punct(hash), TokenTree::Group(attribute), ..] = trees else { return false };
    if hash.as_char() != '#' || attribute.delimiter() != Delimiter::Bracket {
        return false;
    }
    let inner: Vec<TokenTree> = attribute.stream().into_iter().collect();
    match &inner[..] {
        [TokenTree::Ident(cfg), TokenTree::Group(predicate)] if cfg == "cfg" => {
            demands_test(predicate.stream())
        }
        [.., TokenTree::Ident(last)] => last == "test",
        _ => false,
    }
}

/// `test` alone or in an `all(…)`; `any(test, …)` and `not(test)` are compiled outside tests too.
fn demands_test(predicate: TokenStream) -> bool {
    let trees: Vec<TokenTree> = predicate.into_iter().collect();
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(p) if p.as_char() == ',');
    match &trees[..] {
        [TokenTree::Ident(word)] => word == "test",
        [TokenTree::Ident(word), TokenTree::Group(inner)] if word == "all" => {
            let inner: Vec<TokenTree> = inner.stream().into_iter().collect();
            inner.split(is_comma).any(|part| demands_test(part.iter().cloned().collect()))
        }
        _ => false,
    }
}

/// How many trees the item at the front takes: up to its `;`, its body, or a `,` (of a field or an
/// arm). Where an item goes on after that, too little is cut, so nothing escapes the rules.
fn item_length(trees: &[TokenTree]) -> usize {
    let ends = |tree: &TokenTree| match tree {
        TokenTree::Punct(punct) => matches!(punct.as_char(), ';' | ','),
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    trees.iter().position(ends).map_or(trees.len(), |last| last + 1)
}

fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    for tree in stream {
        match &tree {
            TokenTree::Group(group) => {
                tokens.extend(bracket(group, true));
                flatten(group.stream(), tokens);
                tokens.extend(bracket(group, false));
            }
            tree => tokens.push(token(tree)),
        }
    }
}

fn token(tree: &TokenTree) -> Token {
    let text = tree.to_string();
    Token { text: text.trim_start_matches("r#").to_owned(), line: tree.span().start().line }
}

fn bracket(group: &Group, open: bool) -> Option<Token> {
    let pair = match group.delimiter() {
        Delimiter::Parenthesis => ["(", ")"],
        Delimiter::Brace => ["{", "}"],
        Delimiter::Bracket => ["[", "]"],
        Delimiter::None => return None,
    };
    let span = if open { group.span_open() } else { group.span_close() };
    Some(Token { text: pair[usize::from(!open)].to_owned(), line: span.start().line })
}
