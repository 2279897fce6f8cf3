//! Every page is laid out without a complaint, and none of what it is made of is left out.

use std::path::Path;
use std::process::{Command, Output};

use gz_monitor_manual::pages;

const DATE: &str = "2026-01-31";

/// What `program` says on both outputs; it has to succeed.
fn said(program: &str, arguments: &[&str], path: &Path) -> String {
    String::from_utf8_lossy(&run(program, arguments, path).stdout).into_owned()
}

fn run(program: &str, arguments: &[&str], path: &Path) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).arg(path).env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80");
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {complaint}", path.display());
    output
}

fn text_of(path: &str) -> String {
    let found = pages(DATE).into_iter().find(|page| page.path == path);
    found.unwrap_or_else(|| panic!("no page {path}")).text.replace("\\-", "-")
}

#[test]
fn every_page_is_laid_out_without_a_warning() {
    let share = tempfile::tempdir().unwrap();
    gz_monitor_manual::write(share.path(), DATE).unwrap();
    for page in pages(DATE).iter().filter(|page| page.path.starts_with("man/")) {
        let path = share.path().join(&page.path);
        let warnings =
            run("man", &["--warnings", "-E", "UTF-8", "-Tutf8", "-Z", "-l"], &path).stderr;
        let warnings = String::from_utf8_lossy(&warnings);
        // Where a page of paper ends says nothing of a terminal.
        let is_warning = |line: &&str| {
            line.contains("warning:") && !line.contains("text block will not fit on one page")
        };
        let warnings: Vec<_> = warnings.lines().filter(is_warning).collect();
        assert!(warnings.is_empty(), "{}: {warnings:?}", page.path);
        let shown = said("man", &["-E", "UTF-8", "-l"], &path);
        assert!(shown.contains("SEE ALSO"), "{shown}");
    }
}

#[test]
fn every_command_has_a_page_that_its_parent_names() {
    fn check(command: &clap::Command, name: &str) {
        let page = text_of(&format!("man/man1/{name}.1"));
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let long = argument.get_long().map(|long| format!("--{long}"));
            assert!(long.is_none_or(|long| page.contains(&long)), "{name}: {argument}");
        }
        for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
            let inner_name = format!("{name}-{}", inner.get_name());
            assert!(page.contains(&format!("{inner_name}(1)")), "{name}: {inner_name}");
            check(inner, &inner_name);
        }
    }
    check(&gz_monitor::cli::command(), "gz-monitor");
    let hidden = pages(DATE).into_iter().filter(|page| page.path.contains("plugin-exec")).count();
    assert_eq!(hidden, 0, "what is not for people has no page");
}

#[test]
fn every_key_of_the_installed_file_is_explained() {
    let page = text_of("man/man5/gz-monitor.toml.5");
    let file = gz_monitor::config::reference();
    let mut keys = 0;
    for line in file.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        let is_word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || "_.".contains(c));
        let header = line.trim_matches(['[', ']']);
        if let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| is_word(key)) {
            // The example of labels has one of its own choice.
            assert!(key == "site" || page.contains(&format!("\\fB{key}\\fR: ")), "{key}");
            keys += 1;
        } else if line.starts_with('[') && line.ends_with(']') && is_word(header) {
            let name = header.rsplit('.').next().unwrap_or(header);
            assert!(page.contains(line) || page.contains(&format!("\\fB{name}\\fR: ")), "{line}");
        }
    }
    assert!(keys > 30, "only {keys} keys were found in the file");
}

#[test]
fn completions_are_scripts_that_know_the_commands() {
    let share = tempfile::tempdir().unwrap();
    gz_monitor_manual::write(share.path(), DATE).unwrap();
    let check = |shell: &str, path: &str| {
        let path = share.path().join(path);
        let script = std::fs::read_to_string(&path).unwrap();
        for word in ["check-config", "plugin", "watch", "--collector-config"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
        assert!(!script.contains("plugin-exec"), "{shell}: offers what is not for people");
        // Only bash is everywhere.
        if shell == "bash" || Command::new(shell).arg("--version").output().is_ok() {
            said(shell, &["-n"], &path);
        }
    };
    check("bash", "bash-completion/completions/gz-monitor");
    check("zsh", "zsh/vendor-completions/_gz-monitor");
    check("fish", "fish/vendor_completions.d/gz-monitor.fish");
}
