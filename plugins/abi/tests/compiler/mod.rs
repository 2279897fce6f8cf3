//! The C and C++ compilers of the machine, and headers of other versions for them to compile with.

#![allow(clippy::unwrap_used, reason = "a failure fails the test")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const HEADER: &str = include_str!("../../include/gz_plugin.h");

/// Runs a compiler; `None` where there is none, which only an interactive run may pass over.
fn run(program: &str, arguments: &[&str]) -> Option<()> {
    let output = match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{program}: {error}");
            // Past the test harness, which would keep it to itself.
            std::io::stderr()
                .write_all(format!("SKIPPED: {program}: {error}\n").as_bytes())
                .unwrap();
            return None;
        }
    };
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}:\n{messages}");
    Some(())
}

/// Compiles `source` as `standard` with every warning an error.
pub fn check(program: &str, standard: &str, source: &Path) -> Option<()> {
    let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/include");
    let source = source.to_str().unwrap();
    let strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", include];
    run(program, &[&[standard][..], &strict, &[source]].concat())
}

/// Builds `tests/plugin.c` in `folder` against `header`.
pub fn plugin(folder: &Path, header: &str) -> Option<PathBuf> {
    fs::write(folder.join("gz_plugin.h"), header).unwrap();
    let (include, library) = (format!("-I{}", folder.display()), folder.join("plugin.so"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plugin.c");
    let strict = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic"];
    let shared = ["-shared", "-fPIC", "-o", library.to_str().unwrap(), &include, source];
    run("cc", &[&strict[..], &shared].concat())?;
    Some(library)
}

/// The header as it is.
pub fn header() -> String {
    HEADER.to_owned()
}

/// The header of another major.
pub fn header_of_major_2() -> String {
    replace(HEADER, "GZ_ABI_MAJOR 1u", "GZ_ABI_MAJOR 2u")
}

/// The header of the next minor: structs have grown at their ends.
pub fn header_of_minor_1() -> String {
    let (before, rest) = HEADER.split_once("/* The layout, where").unwrap();
    let (_, after) = rest.split_once("#undef GZ_LAYOUT_\n#endif\n").unwrap();
    let grown = [
        ("GZ_ABI_MINOR 0u", "GZ_ABI_MINOR 1u"),
        ("\n} gz_error;", "\n  uint64_t added;\n} gz_error;"),
        ("\n} gz_sample;", "\n  gz_str unit;\n} gz_sample;"),
        ("\n} gz_collector;", "\n  gz_str added;\n} gz_collector;"),
        ("\n} gz_plugin_entry;", "\n  uint64_t added;\n} gz_plugin_entry;"),
    ];
    grown.iter().fold(format!("{before}{after}"), |text, (old, new)| replace(&text, old, new))
}

fn replace(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old}");
    text.replace(old, new)
}
