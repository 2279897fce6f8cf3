//! Plugin folders for a test, with libraries that it builds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plugins");
const INCLUDE: &str = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/plugins/abi/include");

/// A plugin folder that the daemon trusts, and beside it a place for what tells plugins what to do.
pub struct Folder {
    all: TempDir,
}

impl Folder {
    pub fn new() -> Self {
        let folder = Self { all: tempfile::tempdir().expect("a folder") };
        fs::create_dir(folder.path()).expect("a folder");
        set_mode(&folder.path(), 0o755);
        folder
    }

    /// The plugin folder.
    pub fn path(&self) -> PathBuf {
        self.all.path().join("plugins")
    }

    /// A place for a file that is no plugin.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.all.path().join(name)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Builds `acts.c` with these arguments of the compiler and puts it in the folder in one step, as
    /// an upgrade does.
    pub fn acts(&self, name: &str, arguments: &[&str]) {
        let source = format!("{HERE}/acts.c");
        let mut all = vec!["-std=gnu11", "-Wno-infinite-recursion", &source];
        all.extend(arguments);
        self.build("cc", name, &all);
    }

    /// Builds `throws.cpp`.
    pub fn throws(&self, name: &str) {
        self.build("c++", name, &["-std=c++17", &format!("{HERE}/throws.cpp")]);
    }

    fn build(&self, compiler: &str, name: &str, arguments: &[&str]) {
        let made = self.beside(&format!("{name}.new"));
        let common = ["-fPIC", "-shared", "-O0", INCLUDE, "-o"];
        compile(compiler, &[&common[..], &[text(&made)], arguments].concat());
        self.put(&made, name);
    }

    /// Moves a file into the folder.
    pub fn put(&self, made: &Path, name: &str) {
        set_mode(made, 0o755);
        fs::rename(made, self.file(name)).expect("renamed");
    }

    /// A file in the folder with this content.
    pub fn write(&self, name: &str, content: &[u8]) {
        let made = self.beside(&format!("{name}.new"));
        fs::write(&made, content).expect("a file");
        self.put(&made, name);
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).expect("removed");
    }

    /// Tells a plugin whose orders are in this file what to do from now on.
    pub fn order(&self, name: &str, order: &str) {
        let new = self.beside("order.new");
        fs::write(&new, order).expect("a file");
        fs::rename(new, self.beside(name)).expect("renamed");
    }
}

pub fn compile(compiler: &str, arguments: &[&str]) {
    let output = Command::new(compiler).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("this test needs {compiler}: {error}"));
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler} {arguments:?}:\n{messages}");
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The SDK's example, built as a library.
pub fn scenarios() -> PathBuf {
    let arguments = ["build", "--offline", "-p", "gz-monitor-sdk", "--example", "scenarios"];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).args(["--message-format", "json"]).current_dir(HERE);
    let output = cargo.output().expect("cargo");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    let artifacts = String::from_utf8(output.stdout).expect("JSON");
    let artifact = artifacts.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let is_it = message["target"]["name"] == "scenarios" && message["filenames"].is_array();
        is_it.then(|| PathBuf::from(message["filenames"][0].as_str().expect("a path")))
    });
    artifact.expect("cargo says what it has built")
}
