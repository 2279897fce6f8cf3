//! `gz-monitor plugin new`: in each language a folder that builds, passes its own test, and runs.

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{PROGRAM, collector, daemon, run, until_collected};
use tempfile::TempDir;

/// Makes a plugin in `folder`, and returns its folder and what was printed.
fn new(folder: &Path, name: &str, language: &str) -> (PathBuf, String) {
    let dir = folder.to_str().expect("UTF-8");
    let (code, out, err) = run(&["plugin", "new", name, "--lang", language, "--dir", dir]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    let made = folder.join(name);
    let [first, .., last] = out.lines().collect::<Vec<_>>()[..] else { panic!("{out}") };
    assert!(first.starts_with(&format!("{} is a plugin now", made.display())), "{out}");
    assert!(last.starts_with("    "), "commands come last: {out}");
    assert!(made.join("README.md").exists() && made.join(".gitignore").exists());
    for entry in ["README.md", ".gitignore"] {
        let text = fs::read_to_string(made.join(entry)).expect("text");
        assert!(!text.contains('@'), "{entry} is filled in: {text}");
    }
    (made, out)
}

/// Runs a program in `folder`, which must succeed; what it prints.
fn succeed(folder: &Path, command: &mut Command) -> String {
    let output = command.current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("this test needs {command:?}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out + &err
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[tokio::test]
async fn in_c() {
    let place = folder();
    let (fans, out) = new(place.path(), "my-fans", "c");
    assert!(out.contains("    make check\n    sudo make install\n"), "{out}");
    let checked =
        succeed(&fans, Command::new("make").args(["check", &format!("GZ_MONITOR={PROGRAM}")]));
    assert!(checked.contains("my-fans: ") && checked.contains("\nNothing is wrong."), "{checked}");
    let plugins = place.path().join("plugins");
    succeed(
        &fans,
        Command::new("make").args(["install", &format!("PLUGINS={}", plugins.display())]),
    );
    runs(&plugins, "window=\"15m\"").await;
}

#[tokio::test]
async fn in_rust() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin_new");
    // Always in the same place, so that what it depends on is built once.
    let _ = fs::remove_dir_all(place.join("my-fans"));
    fs::create_dir_all(&place).expect("a folder");
    let (fans, out) = new(&place, "my-fans", "rust");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).arg("--offline").env("CARGO_TARGET_DIR", place.join("target"));
        succeed(&fans, &mut cargo)
    };
    // The versions that are here already, so that nothing is fetched.
    let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock");
    fs::copy(lock, fans.join("Cargo.lock")).expect("a copy");
    let tested = cargo(&["test"]);
    assert!(tested.contains("test result: ok. 3 passed"), "{tested}");
    assert!(!tested.contains("warning"), "{tested}");
    cargo(&["build"]);
    let library = "libgz_plugin_my_fans.so";
    assert!(
        out.contains(&format!("    gz-monitor plugin check target/release/{library}\n")),
        "{out}"
    );
    let built = place.join("target/debug").join(library);
    let (code, checked, err) = run(&["plugin", "check", built.to_str().expect("UTF-8")]);
    assert_eq!(code, 0, "{checked}{err}");
    assert!(checked.contains("  my_fans_load{window=\"15m\"} "), "{checked}");
    let plugins = folder();
    let mut install = Command::new("install");
    let installed = plugins.path().join("plugins/my-fans.so");
    succeed(&fans, install.args(["-D", "-m", "755"]).arg(built).arg(installed));
    runs(&plugins.path().join("plugins"), "window=\"15m\"").await;
}

/// Has a daemon run the plugin in this folder.
async fn runs(plugins: &Path, label: &str) {
    let daemon = daemon().argument("--plugin-dir").argument(plugins.to_str().expect("UTF-8"));
    let daemon = daemon.start().await;
    until_collected(&daemon, "my-fans").await;
    let metrics = daemon.get("/metrics").await.text;
    assert!(metrics.contains(&format!("my_fans_load{{{label}}} ")), "{metrics}");
}

#[tokio::test]
async fn in_python() {
    let Ok(python) = Command::new("python3").arg("--version").output() else {
        assert!(std::env::var_os("CI").is_none(), "python3 is missing");
        return;
    };
    assert!(python.status.success());
    let place = folder();
    let (fans, out) = new(place.path(), "my-fans", "python");
    assert!(out.ends_with("    gz-monitor server --config my-fans.toml\n"), "{out}");
    let tested = succeed(&fans, Command::new("python3").args(["-m", "unittest"]));
    assert!(tested.contains("Ran 3 tests") && tested.contains("\nOK"), "{tested}");
    let printed = succeed(&fans, Command::new("./my-fans.py").arg("5m"));
    assert_eq!(printed.lines().count(), 2, "{printed}");
    let config = fs::read_to_string(fans.join("my-fans.toml")).expect("a configuration");
    let wrong =
        config.replace("name = \"my-fans\"", "name = \"wrong\"").replace("py\"]", "py\", \"1h\"]");
    let daemon = daemon().config(&(config + &wrong)).start().await;
    until_collected(&daemon, "my-fans").await;
    let metrics = daemon.get("/metrics").await.text;
    assert!(metrics.contains("my_fans_load{window=\"15m\"} "), "{metrics}");
    let wrong = collector(&daemon, "wrong").await;
    assert_eq!(
        (&wrong["state"], &wrong["error"]),
        (&"stopped".into(), &"'1h' is none of 1m, 5m, 15m".into())
    );
}

#[test]
fn what_is_there_is_not_touched() {
    let place = folder();
    let dir = place.path().to_str().expect("UTF-8");
    let mine = place.path().join("fans");
    fs::create_dir(&mine).expect("a folder");
    for language in ["rust", "c", "python"] {
        let (code, out, err) = run(&["plugin", "new", "fans", "--lang", language, "--dir", dir]);
        assert_eq!((code, &*out), (1, ""), "{err}");
        assert!(err.contains(&format!("{} is there already", mine.display())), "{err}");
        assert_eq!(fs::read_dir(&mine).expect("a folder").count(), 0);
    }
    let nowhere = place.path().join("nowhere");
    let (code, _, err) = run(&["plugin", "new", "fans", "--dir", nowhere.to_str().expect("UTF-8")]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("nowhere/fans: No such file or directory"), "{err}");
}

#[test]
fn names_that_cannot_be() {
    for (name, words) in
        [("Fans", "a small letter"), ("../fans", "a small letter"), ("cpu", "itself")]
    {
        let (code, out, err) = run(&["plugin", "new", name]);
        assert_eq!((code, &*out), (2, ""), "{err}");
        assert!(err.contains(words) && err.contains(name), "{err}");
    }
}
