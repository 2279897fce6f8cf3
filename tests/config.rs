//! The configuration as its users meet it: files, messages, the merged result, the installed file.
//!
//! `UPDATE_GOLDEN=1 cargo test --test config` rewrites the expected texts and
//! `etc/gz-monitor.toml`.

use std::fs;
use std::path::{Path, PathBuf};

use gz_monitor::cli::check_config;
use gz_monitor::config::{self, Checks, Config, Loaded, Override, Problems, Sources};
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

const PLUGINS: [&str; 3] = ["cpu", "loadavg", "memory"];

fn plugin_config(_: &str, config: &Map<String, Json>) -> Result<(), String> {
    match config.get("refuse").and_then(Json::as_str) {
        Some(reason) => Err(format!("refused {reason}")),
        None => Ok(()),
    }
}

fn checks() -> Checks<'static> {
    Checks { known_plugins: &PLUGINS, plugin_config: &plugin_config }
}

/// The `.toml` files of `tests/config/KIND`.
fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(kind);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().unwrap() == "toml").collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Compares `text` with the file `golden`, or rewrites that.
fn expect(golden: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(golden, text).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    assert_eq!(text, expected, "{}: run with UPDATE_GOLDEN=1 if it is right", golden.display());
}

/// Loads a file as if its folder were the current one.
fn load_case(path: &Path) -> Result<Loaded, Problems> {
    config::load_bytes(&fs::read(path).unwrap(), &checks())
}

#[test]
fn invalid_files_are_refused_with_these_words() {
    for path in cases("invalid") {
        let problems = load_case(&path).expect_err(&path.display().to_string());
        expect(&path.with_extension("err"), &format!("{problems}\n"));
    }
}

#[test]
fn valid_files_mean_this() {
    for path in cases("valid") {
        let loaded = load_case(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let shown = config::show(&loaded);
        expect(&path.with_extension("show"), &shown);
        let again = config::load_bytes(shown.as_bytes(), &checks()).unwrap();
        assert_eq!(again.config, loaded.config, "{}", path.display());
    }
}
