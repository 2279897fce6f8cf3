//! `gz-monitor plugin list` and `plugin check`.

use crate::folder::{Folder, text};
use crate::support::run;

fn check(folder: &Folder, config: &str) -> (i32, String, String) {
    let file = folder.file("acts.so");
    let arguments =
        ["plugin", "check", text(&file), "--collections", "3", "--collector-config", config];
    run(&arguments)
}

#[test]
fn a_good_library_passes() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let (code, out, err) = check(&folder, "{\"limit\": 9}");
    assert_eq!(code, 0, "{out}{err}");
    for line in [
        "acts: Does what a file says.",
        "acts-too: Does it too.",
        "  version     0.1, for plugin ABI 1.0",
        "  acts_limit 9",
        "  collected   3 of 3 times, 2 samples the last time",
        "  config      no schema",
        "  reload      taken by the instance",
        "  reload      starts it anew",
        "  destroy     ended well",
        "Nothing is wrong.",
    ] {
        assert!(out.lines().any(|present| present == line), "{line:?} is not in\n{out}");
    }
    assert!(out.contains("resident, grown by "), "{out}");
    assert!(err.contains("acts is started"), "{err}");
}

#[test]
fn a_bad_one_does_not() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    for (order, wrong) in [
        ("segfault", "WRONG       ended with signal: 11 (SIGSEGV)"),
        ("samples", "samples refused, the first because: name \"acts_nan\": a gauge cannot be NaN"),
        ("init-config", "WRONG       configuration: no such mode"),
        ("million", "samples refused, the first because: more than the collection may bring"),
        (
            "reload-config",
            "WRONG       reload of the same configuration: configuration: no such mode",
        ),
        (
            "reload-segfault",
            "WRONG       reload of the same configuration: ended with signal: 11 (SIGSEGV)",
        ),
        (
            "reload-hang",
            "WRONG       reload of the same configuration: did not answer within 9s, and was killed",
        ),
        ("destroy-segfault", "WRONG       destroy: ended with signal: 11 (SIGSEGV)"),
        ("destroy-hang", "WRONG       destroy: did not end when it was told to, and was killed"),
    ] {
        folder.order("orders", order);
        let config = format!("{{\"orders\":\"{}\"}}", folder.beside("orders").display());
        let (code, out, err) = check(&folder, &config);
        assert_eq!(code, 1, "{order}: {out}{err}");
        assert!(out.contains(wrong) && out.ends_with("Something is wrong.\n"), "{order}: {out}");
    }
}

#[test]
fn a_schema_has_to_be_an_object() {
    let folder = Folder::new();
    for (schema, code, line) in [
        (r#"{\"type\": \"object\"}"#, 0, "  config      has a schema of 18 bytes"),
        ("[]", 1, "  WRONG       config_schema is no JSON object: "),
        ("{", 1, "  WRONG       config_schema is no JSON object: "),
    ] {
        folder.acts("acts.so", &[&format!("-DSCHEMA=\"{schema}\"")]);
        let (status, out, err) = check(&folder, "{}");
        assert_eq!(status, code, "{schema}: {out}{err}");
        assert!(out.contains(line), "{schema}: {out}");
    }
}

#[test]
fn what_is_no_plugin_and_what_is_no_configuration() {
    let folder = Folder::new();
    folder.acts("acts.so", &["-DMAJOR=2"]);
    let (code, _, err) = check(&folder, "{}");
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("is no plugin") && err.contains("built for plugin ABI 2"), "{err}");
    let (code, _, err) = check(&folder, "[]");
    assert_eq!(code, 2, "{err}");
    let missing = run(&["plugin", "check", "/nonexistent.so"]);
    assert_eq!(missing.0, 1);
    assert!(missing.2.contains("/nonexistent.so: No such file"), "{}", missing.2);
}

#[test]
fn the_list_has_all_kinds() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let (code, out, err) = run(&["plugin", "list", "--plugin-dir", text(&folder.path())]);
    assert_eq!((code, &*err), (0, ""));
    let row = |name: &str| {
        let line = out.lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("{name} is not in\n{out}")).to_owned()
    };
    assert!(row("cpu").contains("built-in") && row("command").contains("program"), "{out}");
    assert!(row("acts").contains("library   0.1 "), "{out}");
    let file = folder.file("acts.so");
    assert!(out.contains(&format!("{}, ABI 1.0", file.display())), "{out}");
    assert!(!out.contains("Refused"), "{out}");
    assert!(out.ends_with(&format!("looked for in {}\n", folder.path().display())), "{out}");
}
