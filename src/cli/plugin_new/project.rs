//! The files of a new plugin, per language, and what to type then.

use super::vendor;

/// A file of the project.
pub(super) struct File {
    /// From the project's folder.
    pub(super) path: String,
    pub(super) content: Vec<u8>,
    pub(super) is_program: bool,
}

impl File {
    pub(super) fn new(path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), content: content.into(), is_program: false }
    }
}

pub(super) const C_COMMANDS: [&str; 3] = ["cd @FOLDER@", "make check", "sudo make install"];

pub(super) const RUST_COMMANDS: [&str; 3] = [
    "cd @FOLDER@ && cargo test",
    "cargo build --release",
    "gz-monitor plugin check target/release/@LIBRARY@",
];

pub(super) const PYTHON_COMMANDS: [&str; 3] =
    ["cd @FOLDER@ && python3 -m unittest", "./@NAME@.py", "gz-monitor server --config @NAME@.toml"];

const HEADER: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/abi/include/gz_plugin.h"));

/// What the test of the Rust project finds in place of the host's.
const LOADAVG: &str = "0.50 0.25 0.125 1/2 3\n";

pub(super) fn c(name: &str) -> Vec<File> {
    let file = |path: &str, text| File::new(fill(path, name), fill(text, name));
    vec![
        file("@NAME@.c", include_str!("c/plugin.c.in")),
        file("Makefile", include_str!("c/Makefile.in")),
        file("README.md", include_str!("c/README.md.in")),
        file(".gitignore", "*.so\n"),
        File::new("gz_plugin.h", HEADER),
    ]
}

/// With the SDK in it, so that it builds wherever it is taken.
///
/// # Errors
/// If the SDK's manifests are not as this expects, which a test would have told.
pub(super) fn rust(name: &str) -> anyhow::Result<Vec<File>> {
    let file = |path: &str, text| File::new(path, fill(text, name));
    let mut files = vec![
        file("Cargo.toml", include_str!("rust/Cargo.toml.in")),
        file("src/lib.rs", include_str!("rust/lib.rs.in")),
        file("README.md", include_str!("rust/README.md.in")),
        file(".gitignore", "/target\n"),
        file("tests/root/proc/loadavg", LOADAVG),
    ];
    files.extend(vendor::sdk()?);
    Ok(files)
}

pub(super) fn python(name: &str, folder: &str) -> Vec<File> {
    let command = toml::Value::String(format!("{folder}/{name}.py")).to_string();
    let file = |path: &str, text: &str| {
        File::new(fill(path, name), fill(text, name).replace("@COMMAND@", &command))
    };
    let program = file("@NAME@.py", include_str!("python/plugin.py.in"));
    vec![
        File { is_program: true, ..program },
        file("test_collector.py", include_str!("python/test_collector.py.in")),
        file("@NAME@.toml", include_str!("python/collector.toml.in")),
        file("README.md", include_str!("python/README.md.in")),
        file(".gitignore", "__pycache__/\n"),
    ]
}

/// A template with the names in their places.
pub(super) fn fill(text: &str, name: &str) -> String {
    let word = name.replace('-', "_");
    let text = text.replace("@LIBRARY@", &format!("libgz_plugin_{word}.so"));
    text.replace("@NAME@", name).replace("@METRIC@", &word)
}
