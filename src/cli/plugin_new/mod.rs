//! `gz-monitor plugin new`: makes a folder with a plugin that builds, has a test, and runs.

mod project;
mod vendor;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use gz_monitor_abi::{ID_MAX, check_id};

use super::exit::Failure;
use crate::daemon::Plugins;
use project::File;

/// The arguments of `plugin new`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the plugin and its folder are called
    #[arg(value_parser = plugin_name)]
    name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    lang: Language,
    /// Where the folder is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    /// A library, with the SDK
    Rust,
    /// A library, with gz_plugin.h
    C,
    /// A program
    Python,
}

fn plugin_name(text: &str) -> Result<String, String> {
    if !check_id(text) {
        return Err(format!(
            "write a small letter, then small letters, digits, `-` or `_`, {ID_MAX} at most"
        ));
    }
    if Plugins::default().host().get(text).is_some() {
        return Err("a plugin of the daemon itself has this name".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let Args { name, lang, dir } = args;
    let folder = dir.join(name);
    let path = std::path::absolute(&folder).context("there is no current folder")?;
    let path = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    let (files, commands) = match lang {
        Language::Rust => (project::rust(name)?, project::RUST_COMMANDS),
        Language::C => (project::c(name), project::C_COMMANDS),
        Language::Python => (project::python(name, path), project::PYTHON_COMMANDS),
    };
    create(&folder, &files)?;
    let mut out = io::stdout().lock();
    let shown = folder.strip_prefix(".").unwrap_or(&folder).to_string_lossy();
    writeln!(out, "{shown} is a plugin now. README.md in it says more; to try it, type\n")?;
    for command in commands {
        let command = project::fill(command, name).replace("@FOLDER@", &quoted(&shown));
        writeln!(out, "    {command}")?;
    }
    Ok(())
}

/// Makes the folder, which must not be there, and the files.
fn create(folder: &Path, files: &[File]) -> anyhow::Result<()> {
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} is there already; take another name, or --dir", folder.display())
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot make {}", folder.display()));
        }
    }
    for file in files {
        let path = folder.join(&file.path);
        write(&path, file).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn write(path: &Path, file: &File) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mode = if file.is_program { 0o777 } else { 0o666 };
    let mut open = OpenOptions::new();
    open.write(true).create_new(true).mode(mode).open(path)?.write_all(&file.content)
}

/// A path as a shell reads it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "fans", "my-fans_2"] {
            assert_eq!(plugin_name(good).as_deref(), Ok(good));
        }
        for bad in ["", "Fans", "2fans", "-fans", "my fans", "../fans", "fäns", &"x".repeat(65)] {
            let error = plugin_name(bad).expect_err(bad);
            assert!(error.starts_with("write a small letter, "), "{bad}: {error}");
        }
        for taken in ["cpu", "command", "gz-monitor"] {
            assert!(plugin_name(taken).is_err_and(|error| error.contains("itself has this name")));
        }
    }

    #[test]
    fn paths_for_a_shell() {
        let check = |path, expected| assert_eq!(quoted(path), expected);
        check("../plug-ins/fans_2", "../plug-ins/fans_2");
        check("/my plugins/fans", "'/my plugins/fans'");
        check("it's", r"'it'\''s'");
    }
}
