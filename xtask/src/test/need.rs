//! What a step cannot do without, and whether it is here.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A thing that a step needs.
pub enum Need {
    /// A program, asked for its version because a name on the PATH may be an empty proxy.
    Program { probe: &'static [&'static str], source: &'static str },
    /// A program at the path that an environment variable names, or at a usual place, which may be below
    /// the repository's root.
    ProgramAt { variable: &'static str, usual: &'static str, source: &'static str },
    /// A file of the repository.
    File(&'static str),
    /// To be root, who may mount and make namespaces.
    Root,
}

impl Need {
    /// What is missing and where to get it, or `None`.
    pub fn missing(&self, root: &Path) -> Option<String> {
        match self {
            Need::File(path) => {
                (!root.join(path).exists()).then(|| format!("{path} is not in the repository"))
            }
            Need::Root => (!is_root()).then(|| "not root: run it with sudo".to_owned()),
            Need::Program { probe, source } => unanswered(probe, source),
            Need::ProgramAt { variable, usual, source } => {
                let usual = || root.join(usual).to_string_lossy().into_owned();
                let path = env::var(variable).unwrap_or_else(|_| usual());
                unanswered(&[&path, "--version"], &format!("{source}, or set {variable}"))
            }
        }
    }
}

/// The owner of a process's files in /proc is its effective user (proc(5)).
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

fn unanswered(probe: &[&str], source: &str) -> Option<String> {
    let mut command = Command::new(probe[0]);
    command.args(&probe[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let answers = command.status().is_ok_and(|status| status.success());
    (!answers).then(|| format!("`{}` does not answer: {source}", probe.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let root = tempfile::tempdir().unwrap();
        let check = |need: Need, expected: Option<&str>| {
            assert_eq!(need.missing(root.path()).as_deref(), expected);
        };
        let program = |probe| Need::Program { probe, source: "apt-get install it" };
        check(program(&["true", "--version"]), None);
        check(
            program(&["no-such-program", "--version"]),
            Some("`no-such-program --version` does not answer: apt-get install it"),
        );
        check(program(&["false"]), Some("`false` does not answer: apt-get install it"));
        let at = |usual| Need::ProgramAt { variable: "NO_SUCH_VARIABLE", usual, source: "get it" };
        check(at("/bin/true"), None);
        check(
            at("/no/such/program"),
            Some("`/no/such/program --version` does not answer: get it, or set NO_SUCH_VARIABLE"),
        );
        check(Need::File("."), None);
        check(Need::File("a/b.toml"), Some("a/b.toml is not in the repository"));
    }
}
