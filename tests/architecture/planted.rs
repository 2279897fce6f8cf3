//! Plants one fault at a time in a small tree and sees it found: a rule that cannot fail is no rule.

use std::fs;

use tempfile::TempDir;

use crate::{layout, source, violations};

/// Writes `text` to `path` in a tree of its own, with a first sentence where `text` is Rust and has
/// none, and compares what the rules say.
fn check(path: &str, text: &str, expected: &[&str]) {
    let needs_opening = path.ends_with(".rs") && !text.starts_with("//");
    let opening = if needs_opening { "//! A file.\n" } else { "" };
    let tree = plant(&[(path, &format!("{opening}{text}"))]);
    assert_eq!(violations(tree.path()), expected, "{path}: {text}");
}

/// A tree of these files; it goes when it is dropped.
fn plant(files: &[(&str, &str)]) -> TempDir {
    let tree = tempfile::tempdir().expect("a folder for temporary files");
    for (path, text) in files {
        let file = tree.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a writable folder");
        fs::write(file, text).expect("a writable folder");
    }
    tree
}

#[test]
fn a_room_imports_only_what_its_row_names() {
    let refused = &["src/hub/log.rs:2: room `hub` may not import `store`"];
    check("src/hub/log.rs", "use crate::store::Store;", refused);
    check("src/hub/log.rs", "use crate::{units, store::{A, B}};", refused);
    check("src/hub/log.rs", "fn f() { crate::store::f() }", refused);
    check("src/hub/log.rs", "fn f() { print!(\"{}\", crate::store::f()) }", refused);
    check("src/hub/log.rs", "use super::super::store::Store;", refused);
    check("src/hub/log.rs", "mod a { use super::super::super::store::Store; }", refused);
    check(
        "src/hub/mod.rs",
        "use super::store::A;",
        &["src/hub/mod.rs:2: room `hub` may not import `store`"],
    );
    check(
        "src/hub.rs",
        "use super::{store, units};",
        &["src/hub.rs:2: room `hub` may not import `store`"],
    );
    check("src/hub/log.rs", "use crate::units::ByteSize;\nuse crate::hub::Config;", &[]);
    check("src/hub/log.rs", "use super::store::Own; pub(super) fn f() {}", &[]);
    check("src/hub/log.rs", "const A: &str = \"crate::store::A\"; // use crate::store;", &[]);
}

#[test]
fn tests_may_import_what_they_like() {
    let test = "mod tests { use crate::store::Store; }";
    check("src/hub/log.rs", &format!("#[cfg(test)]\n{test}"), &[]);
    check("src/hub/log.rs", &format!("#[cfg(all(unix, test))]\n{test}"), &[]);
    check("src/hub/log.rs", "#[cfg(test)] use crate::{store, task};\n", &[]);
    for cfg in ["not(test)", "any(test, unix)", "unix"] {
        let text = format!("#[cfg({cfg})]\n{test}");
        check("src/hub/log.rs", &text, &["src/hub/log.rs:3: room `hub` may not import `store`"]);
    }
    let after = format!("#[cfg(test)]\n{test}\nuse crate::store::Store;");
    check("src/hub/log.rs", &after, &["src/hub/log.rs:4: room `hub` may not import `store`"]);
}

#[test]
fn a_test_module_may_be_a_file_of_its_own() {
    let tests = ("src/hub/tests.rs", "//! Its tests.\nuse crate::store::Store;\n");
    let tree = plant(&[("src/hub/mod.rs", "//! A room.\n#[cfg(test)]\nmod tests;\n"), tests]);
    assert_eq!(violations(tree.path()), [""; 0]);
    let tree = plant(&[("src/hub/mod.rs", "//! A room.\nmod tests;\n"), tests]);
    let found = violations(tree.path());
    assert_eq!(found, ["src/hub/tests.rs:2: room `hub` may not import `store`"]);
}

#[test]
fn the_edges_of_the_table() {
    check(
        "src/daemon/mod.rs",
        "use crate::{server, config};\nuse crate::cli;",
        &["src/daemon/mod.rs:3: room `daemon` may not import `cli`"],
    );
    check(
        "src/collectors/loadavg.rs",
        "use gz_monitor_sdk::Sink;\nuse crate::sample::Value;",
        &["src/collectors/loadavg.rs:3: room `collectors` may not import `sample`"],
    );
    check(
        "src/store/mod.rs",
        "use gz_monitor_sdk::Sink;",
        &["src/store/mod.rs:2: room `store` may not import `sdk`"],
    );
    check(
        "src/main.rs",
        "use gz_monitor::cli;\nuse gz_monitor::daemon;",
        &["src/main.rs:3: room `main` may not import `daemon`"],
    );
    check(
        "src/attic.rs",
        "use crate::units;",
        &["src/attic.rs:2: room `attic` has no row in rooms.toml"],
    );
    for whole in ["use crate::*;", "use crate as all;", "use crate::{self};"] {
        check(
            "src/server/mod.rs",
            whole,
            &["src/server/mod.rs:2: imports the whole crate; name the room"],
        );
    }
}

#[test]
fn unsafe_has_its_rooms() {
    check(
        "src/hub/log.rs",
        "fn f() {\n unsafe { g() } }",
        &["src/hub/log.rs:3: `unsafe` outside the rooms for it"],
    );
    check(
        "tests/e2e.rs",
        "#[unsafe(no_mangle)] fn f() {}",
        &["tests/e2e.rs:2: `unsafe` outside the rooms for it"],
    );
    check("src/plugin/library/call.rs", "unsafe fn f() {}", &[]);
    check("src/plugin/library.rs", "unsafe fn f() {}", &[]);
    check("plugins/sdk/src/lib.rs", "unsafe fn f() {}", &[]);
    check("src/lib.rs", "#![forbid(unsafe_code)] // unsafe", &[]);
}

#[test]
fn queues_have_bounds() {
    check(
        "tests/e2e.rs",
        "fn f() { tokio::sync::mpsc::unbounded_channel() }",
        &["tests/e2e.rs:2: `unbounded_channel`: every queue has a bound"],
    );
    check(
        "src/hub/mod.rs",
        "struct A(UnboundedSender<u8>);",
        &["src/hub/mod.rs:2: `UnboundedSender`: every queue has a bound"],
    );
}

#[test]
fn pure_rooms_touch_nothing() {
    check(
        "src/store/mod.rs",
        "use std::{fmt, fs};",
        &["src/store/mod.rs:2: names `std::fs` in a pure module"],
    );
    check(
        "src/task/mod.rs",
        "fn f() { tokio::spawn(g()); }",
        &["src/task/mod.rs:2: names `tokio::spawn` in a pure module"],
    );
    check(
        "src/pipeline.rs",
        "fn f() { Instant::now() }",
        &["src/pipeline.rs:2: asks a clock; a pure module is given `now`"],
    );
    check(
        "src/hub/filter.rs",
        "use std::thread;",
        &["src/hub/filter.rs:2: names `std::thread` in a pure module"],
    );
    check("src/notify/run.rs", "use std::fs;", &[]);
    check("src/hub/log.rs", "use std::fs;", &[]);
    check("src/store/mod.rs", "use std::time::Instant; fn f(now: Instant) {}", &[]);
}

#[test]
fn files_open_with_a_sentence() {
    let refused = &["src/units.rs:1: does not open with a `//!` sentence that ends in a full stop"];
    check("src/units.rs", "// A plain comment.\n", refused);
    check("src/units.rs", "//! No full stop\n", refused);
    check("src/units.rs", "//! x.\n", refused);
    check("src/units.rs", "//! A heading\n//!\n//! A sentence.\n", refused);
    check("src/units.rs", "//! Durations, sizes:\n//!\n//! - and a list\n", &[]);
    check("src/units.rs", "//! A sentence over\n//! two lines (with an aside).\n", &[]);
}

#[test]
fn long_files_fail_but_for_their_tests() {
    let lines = |count: usize| "// A line.\n".repeat(count);
    let tests = "#[cfg(test)]\nmod tests {\n".to_owned() + &lines(300) + "}\n";
    let opening = "//! A file.\n";
    check("src/units.rs", &format!("{opening}{}", lines(399)), &[]);
    check("src/units.rs", &format!("{opening}{}{tests}", lines(399)), &[]);
    check(
        "src/units.rs",
        &format!("{opening}{}{tests}", lines(400)),
        &["src/units.rs:400: 401 lines without tests; 400 at the most"],
    );
}

#[test]
fn drawers_are_refused() {
    check(
        "src/hub/utils.rs",
        "fn f() {}",
        &["src/hub/utils.rs:1: `utils` is a drawer, not a room; name it by what it holds"],
    );
    check(
        "tests/common/mod.rs",
        "fn f() {}",
        &["tests/common/mod.rs:1: `common` is a drawer, not a room; name it by what it holds"],
    );
    check(
        "src/units.rs",
        "mod helpers { fn f() {} }",
        &["src/units.rs:2: `mod helpers` is a drawer, not a room"],
    );
}

#[test]
fn the_top_level_is_tidy() {
    check("scripts/build.sh", "", &["scripts: not on the top level's list"]);
    check("LICENSE-MIT", "", &[]);
    check("docs/guide.md", "", &[]);
}

#[test]
fn a_file_that_is_not_rust_is_named() {
    let tree = plant(&[("src/units.rs", "//! A file.\nfn f( {")]);
    let found = violations(tree.path());
    assert!(found.len() == 1 && found[0].starts_with("src/units.rs: "), "{found:?}");
}

#[test]
fn lengths_are_summed_up() {
    let texts: Vec<_> = (1..=10).map(|lines| "//! A line.\n".repeat(lines)).collect();
    let paths: Vec<_> = (1..=10).map(|lines| format!("src/file{lines}.rs")).collect();
    let files: Vec<_> = paths.iter().zip(&texts).map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let tree = plant(&files);
    let files = source::read_tree(tree.path()).unwrap();
    assert_eq!(layout::percentiles(&files), (5, 9));
}
