//! What a step cannot do without, and whether it is here.

use std::path::Path;
use std::process::{Command, Stdio};

/// A thing that a step needs.
pub enum Need {
    /// A program, asked for its version because a name on the PATH may be an empty proxy.
    Program { probe: &'static [&'static str], source: &'static str },
    /// A file of the repository.
    File(&'static str),
}

impl Need {
    /// What is missing and where to get it, or `None`.
    pub fn missing(&self, root: &Path) -> Option<String> {
        match self {
            Need::File(path) => {
                (!root.join(path).exists()).then(|| format!("{path} is not in the repository"))
            }
            Need::Program { probe, source } => (!answers(probe))
                .then(|| format!("`{}` does not answer: {source}", probe.join(" "))),
        }
    }
}

fn answers(probe: &[&str]) -> bool {
    let mut command = Command::new(probe[0]);
    command.args(&probe[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
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
        check(Need::File("."), None);
        check(Need::File("a/b.toml"), Some("a/b.toml is not in the repository"));
    }
}
