//! The configuration as its users meet it: files, messages, the merged result, the installed file.
//!
//! `UPDATE_GOLDEN=1 cargo test --test config` rewrites the expected texts and
//! `etc/gz-monitor.toml`.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use gz_monitor::cli::check_config;
use gz_monitor::config::{self, Checks, Config, Loaded, Override, Problems, Sources};
use gz_monitor::server::Certificate;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value as Json};

fn plugins() -> Vec<String> {
    ["cpu", "load", "memory"].map(str::to_owned).into()
}

fn plugin_config(_: &str, config: &Map<String, Json>) -> Result<(), String> {
    match config.get("refuse").and_then(Json::as_str) {
        Some(reason) => Err(format!("refused {reason}")),
        None => Ok(()),
    }
}

/// Plugins that a file may have are known by their names here.
fn why_missing(plugin: &str) -> Option<String> {
    plugin.starts_with("lib").then(|| "lib.so is refused".to_owned())
}

fn checks() -> Checks<'static> {
    Checks {
        discover: &|_| {},
        known_plugins: &plugins,
        why_missing: &why_missing,
        plugin_config: &plugin_config,
        certificate: &|tls| Certificate::load(tls, Timestamp::UNIX_EPOCH).map(drop),
        tokens: &|_| Ok(0),
    }
}

/// The `.toml` files of `tests/config/KIND`.
fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(kind);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().unwrap() == "toml").collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Compares `text` with the file `golden`, or rewrites that.
fn expect(golden: &Path, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return fs::write(golden, text).unwrap();
    }
    let expected = fs::read_to_string(golden).unwrap_or_default();
    assert_eq!(text, expected, "{}: run with UPDATE_GOLDEN=1 if it is right", golden.display());
}

/// Loads a file as if its folder were the current one.
fn load_case(path: &Path) -> Result<Loaded, Problems> {
    config::load_bytes(&fs::read(path).unwrap(), &checks())
}

#[test]
fn invalid_files_are_refused_with_these_words() {
    for path in cases("invalid") {
        let problems = load_case(&path).expect_err(&path.display().to_string());
        expect(&path.with_extension("err"), &format!("{problems}\n"));
    }
}

#[test]
fn valid_files_mean_this() {
    for path in cases("valid") {
        let loaded = load_case(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let shown = config::show(&loaded);
        expect(&path.with_extension("show"), &shown);
        let again = config::load_bytes(shown.as_bytes(), &checks()).unwrap();
        assert_eq!(again.config, loaded.config, "{}", path.display());
    }
}

/// A folder with files in it, by their names below the folder.
struct Dir(tempfile::TempDir);

impl Dir {
    fn of(files: &[(&str, &str)]) -> Self {
        let dir = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = dir.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn sources(&self) -> Sources {
        Sources { file: Some(self.path("main.toml")), explicit: true, ..Sources::default() }
    }

    /// What `check-config` prints, standard error last, and its exit code.
    fn check_config(&self, sources: &Sources, show: bool) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let args = check_config::Args { show };
        let code = check_config::run(&args, sources, &checks(), &mut out, &mut err).unwrap();
        let text = String::from_utf8([out, err].concat()).unwrap();
        let folder = format!("{}/", self.0.path().display());
        format!("{}exit code {code}", text.replace(&folder, "/etc/"))
    }
}

fn env(variables: &[(&str, &str)]) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn flag(path: &str, value: &str, flag: &str) -> Override {
    Override { path: path.to_owned(), value: value.to_owned(), flag: flag.to_owned() }
}

/// The lines of `text` that do not show a default, nor a header without such lines.
fn said(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.ends_with("# default")).collect();
    let is_header = |line: &str| line.starts_with('[') || line.is_empty();
    let keep = |(index, line): (usize, &&str)| {
        let next = lines.get(index + 1).copied().unwrap_or_default();
        let kept = !line.is_empty() && (!is_header(line) || !is_header(next));
        kept.then_some(format!("{line}\n"))
    };
    lines.iter().enumerate().filter_map(keep).collect()
}

#[test]
fn what_may_mend_itself_is_a_warning() {
    let load = |plugin: &str| {
        config::load_bytes(format!("[[collector]]\nplugin = \"{plugin}\"").as_bytes(), &checks())
    };
    let warnings = load("libx").unwrap().warnings;
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let why = "there is no plugin \"libx\": lib.so is refused";
    assert_eq!(warnings, [format!("gz-monitor.toml:2: collector[libx].plugin: {why}")]);
    assert!(load("cpu").unwrap().warnings.is_empty());
    assert!(load("y").is_err());
}

#[test]
fn later_sources_win_and_every_value_knows_its_own() {
    let dir = Dir::of(&[
        (
            "main.toml",
            "[server]\nport = 1\nmax_connections = 5\n\n[status]\ninterval = \"1s\"\n\
             [[collector]]\nplugin = \"load\"\ninterval = \"1s\"\nlabels = { a = \"1\" }\n",
        ),
        ("conf.d/10-port.toml", "\n\nserver.port = 2\n"),
        (
            "conf.d/20.toml",
            "[server]\nport = 3\n\n[[collector]]\nname = \"load\"\nplugin = \"load\"\n\
             deadline = \"2s\"\nlabels = { b = \"2\" }\n\n[[collector]]\nplugin = \"memory\"\n",
        ),
        ("conf.d/.30.toml.swp", "no TOML"),
        ("conf.d/.hidden.toml", "no TOML"),
        ("conf.d/README", "no TOML"),
    ]);
    let sources = Sources {
        env: env(&[
            ("GZ_MONITOR__HUB__LOG_BYTES", "1MiB"),
            ("GZ_MONITOR__SERVER__INSECURE", "true"),
            ("GZ_MONITOR__SERVER__MAX_CONNECTIONS", "6"),
            ("GZ_MONITOR__TASKS", "{ max_tasks = 7 }"),
            ("GZ_MONITOR__COLLECTOR", "[{ plugin = \"memory\", enabled = false }]"),
            ("GZ_MONITOR_OTHER", "is not ours"),
        ]),
        flags: vec![
            flag("server.max_connections", "8", "--max-connections"),
            flag("log.level", "debug", "-d"),
        ],
        ..dir.sources()
    };
    insta::assert_snapshot!(said(&dir.check_config(&sources, true)), @r#"
    [server]
    port = 3  # /etc/conf.d/20.toml:2
    insecure = true  # GZ_MONITOR__SERVER__INSECURE
    max_connections = 8  # --max-connections
    [hub]
    log_bytes = "1MiB"  # GZ_MONITOR__HUB__LOG_BYTES
    [status]
    interval = "1s"  # /etc/main.toml:6
    [[collector]]
    name = "load"  # /etc/conf.d/20.toml:5
    plugin = "load"  # /etc/conf.d/20.toml:6
    interval = "1s"  # /etc/main.toml:9
    deadline = "2s"  # /etc/conf.d/20.toml:7
    [collector.labels]
    a = "1"  # /etc/main.toml:10
    b = "2"  # /etc/conf.d/20.toml:8
    [[collector]]
    plugin = "memory"  # GZ_MONITOR__COLLECTOR
    enabled = false  # GZ_MONITOR__COLLECTOR
    [tasks]
    max_tasks = 7  # GZ_MONITOR__TASKS
    [log]
    level = "debug"  # -d
    exit code 0
    "#);
    insta::assert_snapshot!(dir.check_config(&sources, false), @r#"
    configuration is valid
    read /etc/main.toml
    read /etc/conf.d/10-port.toml
    read /etc/conf.d/20.toml
    exit code 0
    "#);
}

#[test]
fn all_sources_are_blamed_at_once() {
    let dir = Dir::of(&[
        ("main.toml", "[server]\nprot = 1\n"),
        ("conf.d/10.toml", "[log]\nlevel = \"loud\"\n[[collector]]\nname = \"x\"\n"),
        ("conf.d/20.toml", "[server\n"),
        ("conf.d/30.toml/file", "conf.d/30.toml is a folder"),
    ]);
    std::os::unix::fs::symlink("nowhere", dir.path("conf.d/40.toml")).unwrap();
    let sources = Sources {
        env: env(&[
            ("GZ_MONITOR__SERVER__PROT", "1"),
            ("GZ_MONITOR__SERVER__PORT", "many"),
            ("GZ_MONITOR__SERVER__INSECURE", "yes"),
            ("GZ_MONITOR__SERVER__PORT__NUMBER", "1"),
            ("GZ_MONITOR__SEVER__PORT", "1"),
            ("GZ_MONITOR__STATUS__INTERVAL", "5"),
            ("GZ_MONITOR__COLLECTOR__LOAD__INTERVAL", "5s"),
            ("GZ_MONITOR__COLLECTOR", "load"),
            ("GZ_MONITOR__TASKS", "many"),
            ("GZ_MONITOR__HUB", "{ log_messages = "),
            ("GZ_MONITOR__", "1"),
            ("GZ_MONITOR__SERVER____PORT", "1"),
        ]),
        flags: vec![flag("server.port", "99999", "--port"), flag("log.levl", "info", "--level")],
        ..dir.sources()
    };
    insta::assert_snapshot!(dir.check_config(&sources, true), @r#"
    /etc/conf.d/30.toml: cannot be read: it is a directory
    /etc/conf.d/40.toml: cannot be read: no such file
    /etc/main.toml:2: server.prot: unknown key; did you mean "port"?
    /etc/conf.d/10.toml:2: log.level: "loud" is not one of "error", "warn", "info", "debug", "trace"
    /etc/conf.d/20.toml:1: syntax error at column 8: unclosed table, expected `]`
    GZ_MONITOR__: unknown key ""
    GZ_MONITOR__COLLECTOR__LOAD__INTERVAL: a key of the list collector cannot be set; set the whole list, as in [{ plugin = "load" }]
    GZ_MONITOR__HUB: hub: this is not a TOML value: unclosed inline table, expected `}`
    GZ_MONITOR__SERVER__PORT__NUMBER: server.port has no keys
    GZ_MONITOR__SERVER__PROT: unknown key "PROT"; did you mean "PORT"?
    GZ_MONITOR__SERVER____PORT: unknown key ""
    GZ_MONITOR__SEVER__PORT: unknown key "SEVER"; did you mean "SERVER"?
    GZ_MONITOR__COLLECTOR: collector: expected a list, found the string "load"
    GZ_MONITOR__SERVER__INSECURE: server.insecure: expected true or false, found the string "yes"
    GZ_MONITOR__SERVER__PORT: server.port: expected an integer, found the string "many"
    GZ_MONITOR__TASKS: tasks: expected a table, found the string "many"
    GZ_MONITOR__STATUS__INTERVAL: status.interval: "5" is not a duration: write a number with a unit, such as "5s", "100ms" or "2h30m"
    --level: unknown key "levl"; did you mean "level"?
    --port: server.port: 99999 is out of range: 0 to 65535
    configuration is not valid: 19 problems
    exit code 78
    "#);
}

#[test]
fn a_file_has_to_be_there_only_if_it_was_named() {
    let dir = Dir::of(&[("conf.d/10.toml", "server.port = 1")]);
    let named = dir.sources();
    insta::assert_snapshot!(dir.check_config(&named, false), @r#"
    /etc/main.toml: cannot be read: no such file
    configuration is not valid: 1 problem
    exit code 78
    "#);
    let default = Sources { explicit: false, ..named };
    insta::assert_snapshot!(dir.check_config(&default, false), @r#"
    configuration is valid
    read /etc/conf.d/10.toml
    exit code 0
    "#);
    insta::assert_snapshot!(dir.check_config(&Sources::default(), false), @r#"
    configuration is valid
    no file was read: everything not set elsewhere has its default
    exit code 0
    "#);
}

#[test]
fn files_have_bounds() {
    let line = "# a comment of 32 characters....\n";
    let dir = Dir::of(&[("main.toml", &line.repeat((1 << 20) / line.len() + 1))]);
    for index in 0..=config::MAX_FILES {
        let name = format!("conf.d/{index}.toml");
        fs::create_dir_all(dir.path("conf.d")).unwrap();
        fs::write(dir.path(&name), "").unwrap();
    }
    insta::assert_snapshot!(dir.check_config(&dir.sources(), false), @r#"
    /etc/main.toml: cannot be read: it is larger than 1024 KiB
    /etc/conf.d: has more than 256 files
    configuration is not valid: 2 problems
    exit code 78
    "#);
}

#[test]
fn two_entries_of_one_name_never_merge_within_a_file() {
    let entry = "[[collector]]\nplugin = \"cpu\"\n";
    let dir = Dir::of(&[("main.toml", entry), ("conf.d/10.toml", &entry.repeat(2))]);
    insta::assert_snapshot!(dir.check_config(&dir.sources(), false), @r#"
    /etc/conf.d/10.toml:3: collector[cpu]: a collector before it has the same name; give it a name of its own
    configuration is not valid: 1 problem
    exit code 78
    "#);
}

#[test]
fn a_variable_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;

    let value = std::ffi::OsString::from_vec(vec![0xff]);
    let env = vec![("GZ_MONITOR__LOG__LEVEL".into(), value)];
    let problems = config::load(&Sources { env, ..Sources::default() }, &checks()).unwrap_err();
    assert_eq!(problems.to_string(), "GZ_MONITOR__LOG__LEVEL: this is not UTF-8 text");
}

/// The text with the `#` taken from before each key, up to the example of a collector.
fn uncommented(text: &str) -> String {
    let keys = text.split("#[[collector]]").next().unwrap();
    let is_key = |rest: &str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if is_key(rest) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    keys.lines().map(line).collect()
}

#[test]
fn the_installed_file_holds_every_key_at_its_default() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/gz-monitor.toml");
    let text = config::reference();
    expect(&golden, &text);

    let load = |text: &str| config::load_bytes(text.as_bytes(), &checks()).unwrap();
    assert_eq!(load(&text).config, Config::default(), "as it is installed");
    let whole = load(&uncommented(&text));
    assert_eq!(whole.config, Config::default(), "with every key");
    assert!(!config::show(&whole).contains("# default"), "a key is not in the file");
}

#[test]
fn the_example_of_a_collector_is_valid_and_whole() {
    let text = config::reference();
    let (_, example) = text.split_once("#[[collector]]").unwrap();
    let lines = example.lines().filter(|line| !line.starts_with("# "));
    let lines: Vec<&str> = lines.map(|line| line.trim_start_matches('#')).collect();
    let loaded =
        config::load_bytes(format!("[[collector]]{}", lines.join("\n")).as_bytes(), &checks());
    let collector = &loaded.unwrap().config.collector[0];
    assert_eq!(collector.name(), "load");
    let schema = config::schema();
    for key in schema["$defs"]["Instance"]["properties"].as_object().unwrap().keys() {
        assert!(
            example.contains(&format!("#{key} = "))
                || example.contains(&format!("# {key} = "))
                || example.contains(&format!(".{key}]"))
        );
    }
}

#[test]
fn a_difference_says_what_to_apply() {
    let check = |old: &str, new: &str| {
        let load = |text: &str| config::load_bytes(text.as_bytes(), &checks()).unwrap().config;
        let changes = config::diff(&load(old), &load(new));
        assert_eq!(changes.is_empty(), changes.to_string() == "nothing");
        let sections: Vec<String> = changes.sections.iter().cloned().collect();
        format!("{changes} | {}", sections.join(" "))
    };
    insta::assert_snapshot!(check("", ""), @"nothing |");
    insta::assert_snapshot!(check("server.port = 8080", "server.port = 9090\nlog.level = \"warn\""), @"log.level info -> warn, server.port 8080 -> 9090 | log server");
    // Longer than the two units that people are shown.
    insta::assert_snapshot!(check("status.interval = \"1h1m1s\"", "status.interval = \"1h1m2s\""), @"status.interval 1h1m1s -> 1h1m2s | status");
    insta::assert_snapshot!(check("collectors.deadline = \"1s\"", "collectors.deadline = \"1000ms\""), @"nothing |");
    let old =
        "[[collector]]\nplugin = \"cpu\"\n[[collector]]\nplugin = \"memory\"\ninterval = \"1s\"";
    let new = "[[collector]]\nplugin = \"memory\"\nlabels.a = \"b\"\nconfig.x = [1]\n[[collector]]\nplugin = \"load\"";
    insta::assert_snapshot!(check(old, new), @r#"collector[memory].config unset -> {"x":[1]}, collector[memory].interval 1s -> unset, collector[memory].labels unset -> {"a":"b"}, collector[load] added, collector[cpu] removed | collector"#);
    let reordered =
        "[[collector]]\nplugin = \"memory\"\ninterval = \"1s\"\n[[collector]]\nplugin = \"cpu\"";
    insta::assert_snapshot!(check(old, reordered), @"nothing |");
}

/// Text that is often nearly a configuration.
fn nearly_toml() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "[",
        "]",
        "[[",
        "]]",
        "=",
        " = ",
        ".",
        "\n",
        "\"",
        "{",
        "}",
        ",",
        "server",
        "port",
        "host",
        "collector",
        "plugin",
        "\"load\"",
        "name",
        "log",
        "level",
        "\"info\"",
        "1",
        "-1",
        "nan",
        "1e400",
        "2024-01-01",
        "true",
        "interval",
        "\"5s\"",
        "config",
        "labels",
        "#",
        "\\",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_a_configuration_or_refused(bytes: Vec<u8>) {
        let _ = config::load_bytes(&bytes, &checks());
    }

    #[test]
    fn any_text_is_a_configuration_or_refused_in_words(text in nearly_toml()) {
        match config::load_bytes(text.as_bytes(), &checks()) {
            Ok(loaded) => {
                let again = config::load_bytes(config::show(&loaded).as_bytes(), &checks());
                prop_assert_eq!(again.map(|again| again.config), Ok(loaded.config));
            }
            Err(problems) => prop_assert!(problems.count() > 0),
        }
    }

    #[test]
    fn a_variable_means_what_a_file_says(port: u16, insecure: bool, millis in 100u32..1_000_000) {
        let text = format!(
            "server.port = {port}\nserver.insecure = {insecure}\nstatus.interval = \"{millis}ms\""
        );
        let file = config::load_bytes(text.as_bytes(), &checks()).unwrap().config;
        let env = env(&[
            ("GZ_MONITOR__SERVER__PORT", &port.to_string()),
            ("GZ_MONITOR__SERVER__INSECURE", &insecure.to_string()),
            ("GZ_MONITOR__STATUS__INTERVAL", &format!("{millis}ms")),
        ]);
        let environment = config::load(&Sources { env, ..Sources::default() }, &checks());
        prop_assert_eq!(environment.unwrap().config, file);
    }

    #[test]
    fn any_variable_is_taken_or_refused(name in "[A-Z_]{0,20}", value: String) {
        let env = env(&[(&format!("GZ_MONITOR__{name}"), &value)]);
        let _ = config::load(&Sources { env, ..Sources::default() }, &checks());
    }

    #[test]
    fn files_in_two_or_in_one_mean_the_same(ports in prop::collection::vec(any::<u16>(), 0..5), names in prop::collection::vec("[a-c]", 0..6)) {
        let mut files = vec![("main.toml".to_owned(), String::new())];
        for (index, port) in ports.iter().enumerate() {
            files.push((format!("conf.d/a{index:03}.toml"), format!("server.port = {port}")));
        }
        for (index, name) in names.iter().enumerate() {
            let entry = format!(
                "[[collector]]\nname = \"{name}\"\nplugin = \"cpu\"\ninterval = \"{}s\"", index + 1
            );
            files.push((format!("conf.d/b{index:03}.toml"), entry));
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let config = config::load(&Dir::of(&files).sources(), &checks()).unwrap().config;

        prop_assert_eq!(config.server.port, ports.last().copied().unwrap_or(8080));
        let mut expected: Vec<(String, u64)> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            match expected.iter_mut().find(|(known, _)| known == name) {
                Some((_, interval)) => *interval = index as u64 + 1,
                None => expected.push((name.clone(), index as u64 + 1)),
            }
        }
        let got: Vec<(String, u64)> = config.collector.iter()
            .map(|one| (one.name().to_owned(), one.interval.unwrap().as_secs())).collect();
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn files_as_large_and_as_deep_as_may_be_are_refused_in_time() {
    let load = |text: &str| config::load_bytes(text.as_bytes(), &checks()).map(|_| ());
    let keys = vec!["a"; 70].join(".");
    let deep = format!("{keys} = {}1{}", format!("{{ {keys} = ").repeat(70), "}".repeat(70));
    assert!(load(&deep).is_err());

    let many: String = (0..20_000).map(|index| format!("key_{index} = 1\n")).collect();
    assert_eq!(load(&many).unwrap_err().count(), 20_000);
    assert!(load(&"[[collector]]\n".repeat(20_000)).is_err());
    let bad = "[[collector]]\nplugin = \"cpu\"\ninterval = \"\"\n".repeat(300);
    assert!(load(&bad).unwrap_err().count() >= config::MAX_PROBLEMS);
    let many = "[[collector]]\nplugin = \"cpu\"\n".repeat(20_000);
    insta::assert_snapshot!(load(&many).unwrap_err(), @"gz-monitor.toml:1: collector: 20000 collectors are too many; write 1000 at most");
}

#[test]
fn a_secret_is_not_shown_and_its_change_is_told() {
    let text = |token: &str| {
        format!(
            "[notify.channel.ops]\ntype = \"slack\"\nurl = \"https://hooks.example.org/{token}\"\n"
        )
    };
    let load = |token: &str| config::load_bytes(text(token).as_bytes(), &checks()).unwrap();
    let (one, other) = (load("s3cret"), load("other"));
    let shown = config::show(&one);
    assert!(shown.contains("url = \"(redacted)\"  # gz-monitor.toml:3"), "{shown}");
    assert!(!shown.contains("s3cret") && !format!("{:?}", one.config).contains("s3cret"));
    let changes = config::diff(&one.config, &other.config);
    assert_eq!(changes.to_string(), "notify.channel.ops (redacted) -> (redacted)");
    assert!(config::diff(&one.config, &load("s3cret").config).is_empty());
    // What is shown instead of it is not taken for it.
    let problems = config::load_bytes(shown.as_bytes(), &checks()).unwrap_err().to_string();
    assert!(problems.contains("no secret") && !problems.contains("s3cret"), "{problems}");
}

#[test]
fn the_examples_of_the_document_on_notifications_are_valid() {
    let document = include_str!("../docs/notifications.md");
    let blocks: Vec<&str> =
        document.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() > 8);
    let all: String = ["ops", "hook", "mail", "phone", "pager"]
        .map(|name| format!("[notify.channel.{name}]\ntype = \"command\"\ncommand = [\"/x\"]\n"))
        .concat();
    for block in blocks {
        let text = match block.contains("[[notify.route]]") {
            true => format!("{block}\n{all}"),
            false => block.to_owned(),
        };
        let loaded = config::load_bytes(text.as_bytes(), &checks());
        assert!(loaded.is_ok(), "{block}: {}", loaded.unwrap_err());
    }
}
