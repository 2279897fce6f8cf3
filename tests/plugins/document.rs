//! The plugins that `docs/plugins-libraries.md` shows, word for word.

use std::fs;

use crate::folder::{Folder, compile, text};
use crate::support::run;

const DOCUMENT: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/plugins-libraries.md"));

/// The text between ```` ```LANGUAGE ```` and ```` ``` ````.
fn block(language: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).expect("a block");
    rest.split_once("```").expect("its end").0
}

#[test]
fn the_one_in_c_works() {
    let folder = Folder::new();
    let (source, made) = (folder.beside("loadavg.c"), folder.beside("loadavg.new"));
    fs::write(&source, block("c")).expect("a file");
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/plugins/abi/include");
    let strict = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", include, "-o"];
    compile("cc", &[&strict[..], &[text(&made), text(&source)]].concat());
    folder.put(&made, "loadavg.so");
    let (code, out, err) = run(&["plugin", "check", text(&folder.file("loadavg.so"))]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("  load_average "), "{out}");
}

#[test]
fn the_one_in_rust_is_that_of_the_sdk() {
    let sdk = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/sdk/src/lib.rs"));
    let lines = sdk.lines().map_while(|line| line.strip_prefix("//!"));
    let text: String =
        lines.map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect();
    assert!(text.contains(block("rust")), "the SDK's example is another:\n{text}");
}
