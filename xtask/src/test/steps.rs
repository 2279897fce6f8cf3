//! The steps of `cargo xtask test`, in the order in which they run: the quick ones first.

use std::fs;
use std::path::Path;

use super::need::Need;
use crate::schema;

/// One step: what it is called, what must be there, and what it runs.
pub struct Step {
    pub name: &'static str,
    pub about: &'static str,
    pub needs: &'static [Need],
    pub actions: &'static [Action],
}

/// One command of a step.
#[derive(Default)]
pub struct Action {
    pub argv: &'static [&'static str],
    /// The folder that it runs in, below the repository's root.
    pub folder: &'static str,
    /// Variables of its environment; `{root}` is the repository's root.
    pub env: &'static [(&'static str, &'static str)],
    /// A file that it makes and the file that it makes it from: while the first is the newer one there
    /// is nothing to do.
    pub makes: Option<(&'static str, &'static str)>,
}

impl Action {
    const fn new(argv: &'static [&'static str]) -> Self {
        Self { argv, folder: "", env: &[], makes: None }
    }

    /// Whether what it makes is there and up to date.
    pub fn is_done(&self, root: &Path) -> bool {
        let Some((made, source)) = self.makes else { return false };
        let changed = |path| fs::metadata(root.join(path)).and_then(|meta| meta.modified()).ok();
        changed(made).zip(changed(source)).is_some_and(|(made, source)| made >= source)
    }
}

const CARGO_DENY: Need = Need::Program {
    probe: &["cargo", "deny", "--version"],
    source: "cargo install --locked cargo-deny",
};

const RUSTFMT: Need =
    Need::Program { probe: &["cargo", "fmt", "--version"], source: "rustup component add rustfmt" };

const CLIPPY: Need = Need::Program {
    probe: &["cargo", "clippy", "--version"],
    source: "rustup component add clippy",
};

/// Older ones cannot run Playwright.
const NODE: Need = Need::Program {
    probe: &["node", "--eval", "process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)"],
    source: "install Node 20 or newer",
};

const NPM: Need = Need::Program { probe: &["npm", "--version"], source: "apt-get install npm" };

/// Where the browser test looks for it too.
const CHROMIUM: Need = Need::ProgramAt {
    variable: "CHROMIUM",
    usual: "/usr/bin/chromium",
    source: "apt-get install chromium",
};

const GO: Need = Need::Program { probe: &["go", "version"], source: "apt-get install golang-go" };

/// Where Debian puts it; the Go client of the protocol's document imports it.
const GORILLA_WEBSOCKET: Need = Need::Program {
    probe: &["test", "-d", "/usr/share/gocode/src/github.com/gorilla/websocket"],
    source: "apt-get install golang-github-gorilla-websocket-dev",
};

const CARGO_DEB: Need = Need::Program {
    probe: &["cargo", "deb", "--version"],
    source: "cargo install --locked cargo-deb",
};

const CARGO_GENERATE_RPM: Need = Need::Program {
    probe: &["cargo", "generate-rpm", "--version"],
    source: "cargo install --locked cargo-generate-rpm",
};

const LINTIAN: Need =
    Need::Program { probe: &["lintian", "--version"], source: "apt-get install lintian" };

const RPMLINT: Need =
    Need::Program { probe: &["rpmlint", "--version"], source: "apt-get install rpmlint" };

/// rpmlint reads packages with it, and its own package does without.
const RPM: Need = Need::Program { probe: &["rpm", "--version"], source: "apt-get install rpm" };

const OBJDUMP: Need =
    Need::Program { probe: &["objdump", "--version"], source: "apt-get install binutils" };

const CXX: Need = Need::Program { probe: &["c++", "--version"], source: "apt-get install g++" };

const MMDEBSTRAP: Need =
    Need::Program { probe: &["mmdebstrap", "--version"], source: "apt-get install mmdebstrap" };

const NSPAWN: Need = Need::Program {
    probe: &["systemd-nspawn", "--version"],
    source: "apt-get install systemd-container",
};

const CURL: Need = Need::Program { probe: &["curl", "--version"], source: "apt-get install curl" };

const DPKG_DEB: Need =
    Need::Program { probe: &["dpkg-deb", "--version"], source: "apt-get install dpkg" };

const CC: Need = Need::Program { probe: &["cc", "--version"], source: "apt-get install gcc" };
/// Its tool writes the samples, the server is asked.
const PROMETHEUS: Need =
    Need::Program { probe: &["prometheus", "--version"], source: "apt-get install prometheus" };

const PROMTOOL: Need =
    Need::Program { probe: &["promtool", "--version"], source: "apt-get install prometheus" };

/// Pinned, with all that it needs, in tests/schema/requirements.txt.
const SCHEMATHESIS: Need = Need::ProgramAt {
    variable: schema::VARIABLE,
    usual: schema::USUAL,
    source: "python3 -m venv target/ci/schemathesis && \
             target/ci/schemathesis/bin/pip install -r tests/schema/requirements.txt",
};

const BUILD_DAEMON: Action = Action::new(&["cargo", "build", "--bin=gz-monitor"]);

/// What the tests in a browser need of npm.
const NPM_CI: Action = Action {
    folder: "tests/browser",
    makes: Some((
        "tests/browser/node_modules/.package-lock.json",
        "tests/browser/package-lock.json",
    )),
    ..Action::new(&["npm", "ci", "--no-audit", "--no-fund"])
};

const fn node_test(argv: &'static [&'static str]) -> Action {
    Action { env: &[("GZ_MONITOR_BIN", "{root}/target/debug/gz-monitor")], ..Action::new(argv) }
}

/// Every step.
pub const STEPS: [Step; 15] = [
    Step {
        name: "lock",
        about: "Cargo.lock agrees with every Cargo.toml",
        needs: &[],
        actions: &[Action::new(&["cargo", "fetch", "--locked"])],
    },
    Step {
        name: "fmt",
        about: "the code is formatted",
        needs: &[RUSTFMT],
        actions: &[Action::new(&["cargo", "fmt", "--all", "--check"])],
    },
    Step {
        name: "clippy",
        about: "no lint of rustc or clippy has anything to say",
        needs: &[CLIPPY],
        actions: &[Action::new(&[
            "cargo",
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ])],
    },
    Step {
        name: "build",
        about: "the daemon and its plugins build; later steps run them",
        needs: &[],
        actions: &[Action::new(&["cargo", "build", "--workspace"])],
    },
    Step {
        name: "test",
        about: "unit, integration and documentation tests",
        needs: &[],
        actions: &[
            Action::new(&["cargo", "build", "--workspace"]),
            Action::new(&["cargo", "test", "--workspace", "--no-fail-fast"]),
        ],
    },
    Step {
        name: "bench",
        about: "each benchmark runs once, unoptimised and unmeasured",
        needs: &[],
        // The development profile, so that not every dependency is built a second time.
        actions: &[Action::new(&[
            "cargo",
            "bench",
            "--workspace",
            "--profile=dev",
            "--bench=*",
            "--",
            "--test",
        ])],
    },
    Step {
        name: "doc",
        about: "the documentation builds without a warning",
        needs: &[],
        actions: &[Action {
            env: &[("RUSTDOCFLAGS", "-D warnings")],
            ..Action::new(&["cargo", "doc", "--workspace", "--no-deps"])
        }],
    },
    Step {
        name: "deny",
        about: "bans, licences and sources of the dependencies",
        needs: &[CARGO_DENY],
        actions: &[Action::new(&[
            "cargo",
            "deny",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ])],
    },
    Step {
        name: "fuzz",
        about: "the fuzz targets on their seeds, and on what is made of them",
        needs: &[Need::File("tests/fuzz/Cargo.toml"), CXX],
        actions: &[Action::new(&["cargo", "xtask", "fuzz"])],
    },
    Step {
        name: "promql",
        about: "queries have the results that a real Prometheus gives",
        needs: &[PROMETHEUS, PROMTOOL],
        actions: &[Action::new(&[
            "cargo",
            "test",
            "--test=query",
            "--",
            "--ignored",
            "prometheus::",
        ])],
    },
    Step {
        name: "schema",
        about: "every answer of the API is as its openapi.json says",
        needs: &[Need::File("tests/schema/requirements.txt"), SCHEMATHESIS],
        actions: &[BUILD_DAEMON, Action::new(&["cargo", "xtask", "schema"])],
    },
    Step {
        name: "browser",
        about: "the dashboard in a real browser, and the encodings with clients of npm",
        needs: &[
            Need::File("tests/browser/package.json"),
            Need::File("tests/browser/dashboard.test.mjs"),
            NODE,
            NPM,
            CHROMIUM,
        ],
        actions: &[
            BUILD_DAEMON,
            NPM_CI,
            node_test(&[
                "node",
                "--test",
                "--test-reporter=spec",
                "tests/browser/dashboard.test.mjs",
                "tests/browser/history.test.mjs",
                "tests/browser/codings.test.mjs",
                "tests/browser/security.test.mjs",
            ]),
        ],
    },
    Step {
        name: "document",
        about: "the clients of the protocol's document, word for word, on port 8080",
        needs: &[
            Need::File("tests/browser/package.json"),
            Need::File("tests/browser/document.test.mjs"),
            NODE,
            NPM,
            CHROMIUM,
            GO,
            GORILLA_WEBSOCKET,
        ],
        actions: &[
            BUILD_DAEMON,
            NPM_CI,
            node_test(&[
                "node",
                "--test",
                "--test-reporter=spec",
                "tests/browser/document.test.mjs",
            ]),
        ],
    },
    Step {
        name: "dist",
        about: "the packages are made, and lintian and rpmlint have nothing to say",
        needs: &[CARGO_DEB, CARGO_GENERATE_RPM, LINTIAN, RPMLINT, RPM, OBJDUMP],
        actions: &[Action::new(&["cargo", "xtask", "dist", "--check"])],
    },
    Step {
        name: "e2e",
        about: "the package on a real systemd, of two releases of Debian",
        needs: &[Need::Root, MMDEBSTRAP, NSPAWN, DPKG_DEB, CURL, CC],
        actions: &[Action::new(&["cargo", "xtask", "e2e"])],
    },
];

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn an_action_is_done_while_its_product_is_the_newer_file() {
        let root = tempfile::tempdir().unwrap();
        let action = Action { makes: Some(("made", "source")), ..Action::new(&["true"]) };
        let write = |name: &str, age_s: u64| {
            let file = fs::File::create(root.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
        };
        write("source", 20);
        assert!(!action.is_done(root.path()), "nothing is made yet");
        write("made", 30);
        assert!(!action.is_done(root.path()), "made from an older source");
        write("made", 10);
        assert!(action.is_done(root.path()));
        assert!(!Action::new(&["true"]).is_done(root.path()), "makes no file");
    }
}
