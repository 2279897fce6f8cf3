//! Files that are no plugins: named with the reason, and nothing else is disturbed.

use std::fs;

use crate::folder::{Folder, compile, set_mode, text};
use crate::support::{PROGRAM, run};
use crate::{children, collector, until_collected, until_collector, with_plugins};

/// Starts a daemon with a good plugin beside what `spoil` puts into the folder, and looks for the
/// `reasons` in its log and in what `plugin list` says.
async fn check(spoil: impl FnOnce(&Folder), reasons: &[(&str, &str)]) {
    let folder = Folder::new();
    folder.acts("good.so", &["-DPREFIX=\"good-\""]);
    spoil(&folder);
    let daemon = with_plugins(&folder, "").start().await;
    until_collected(&daemon, "good-acts").await;
    until_collected(&daemon, "cpu").await;
    let (code, list, errors) = run(&["plugin", "list", "--plugin-dir", text(&folder.path())]);
    assert_eq!((code, &*errors), (0, ""), "{list}");
    assert!(list.contains("good-acts-too"), "{list}");
    // Quotes within a field are escaped.
    let log = daemon.log().replace("\\\"", "\"");
    for (name, reason) in reasons {
        let path = folder.file(name).display().to_string();
        let is_told = |line: &str| line.contains(&path) && line.contains(reason);
        assert!(log.lines().any(is_told), "{name}: {reason:?} is not in the log:\n{log}");
        let (_, told) = list.split_once("\nRefused:").expect("something is refused");
        let told = told.split_once(&*path).map_or("", |(_, rest)| rest);
        assert!(told.lines().nth(1).is_some_and(|line| line.contains(reason)), "{name}: {list}");
    }
    // Each is tried once, not at each look.
    let tried = log.matches("plugin refused").count();
    assert_eq!(tried, reasons.len(), "{log}");
    assert_eq!(children(&daemon).len(), 2, "nothing else runs");
}

#[tokio::test]
async fn what_is_no_library() {
    let spoil = |folder: &Folder| {
        folder.write("text.so", &[b'x'; 4096]);
        folder.write("empty.so", b"");
        let whole = fs::read(folder.file("good.so")).expect("a library");
        folder.write("cut.so", &whole[..whole.len() / 3]);
        // e_machine of the ELF header, elf(5): another architecture.
        let mut foreign = whole;
        foreign[18] = if foreign[18] == 0x28 { 0x3e } else { 0x28 };
        folder.write("foreign.so", &foreign);
        folder.write("ignored.txt", b"not looked at");
    };
    let reasons = [
        ("text.so", "invalid ELF header"),
        ("empty.so", "file too short"),
        ("cut.so", "loaded"),
        ("foreign.so", "it cannot be loaded"),
    ];
    check(spoil, &reasons).await;
}

#[tokio::test]
async fn what_breaks_the_interface() {
    let spoil = |folder: &Folder| {
        folder.acts("symbol.so", &["-DSYMBOL=other"]);
        folder.acts("major.so", &["-DMAJOR=2"]);
        folder.acts("short.so", &["-DCOLLECTOR_SIZE=16"]);
        folder.acts("null.so", &["-DCOLLECT=NULL", "-Wno-unused-function"]);
        folder.acts("id.so", &["-DPREFIX=\"Not An Id \""]);
    };
    let reasons = [
        ("symbol.so", "it has no symbol \"gz_plugin\""),
        ("major.so", "built for plugin ABI 2; this program speaks 1"),
        ("short.so", "collector 0: gz_collector has 16 bytes"),
        ("null.so", "collector 0: collect is NULL"),
        ("id.so", "id cannot be \"Not An Id acts\""),
    ];
    check(spoil, &reasons).await;
}

#[tokio::test]
async fn what_lacks_a_library() {
    let spoil = |folder: &Folder| {
        let (source, gone) = (folder.beside("gone.c"), folder.beside("libgone.so"));
        fs::write(&source, "int gone(void) { return 0; }\n").expect("a file");
        compile("cc", &["-shared", "-fPIC", "-o", text(&gone), text(&source)]);
        let here = format!("-L{}", gone.parent().expect("a folder").display());
        folder.acts("needs.so", &["-DNEEDS_GONE", &here, "-lgone"]);
        fs::remove_file(gone).expect("removed");
    };
    check(spoil, &[("needs.so", "libgone.so: cannot open shared object file")]).await;
}

#[tokio::test]
async fn what_others_can_change() {
    let spoil = |folder: &Folder| {
        folder.acts("open.so", &["-DPREFIX=\"open-\""]);
        set_mode(&folder.file("open.so"), 0o775);
    };
    check(spoil, &[("open.so", "others can write to it (mode 775); chmod go-w it")]).await;
}

#[tokio::test]
async fn what_has_a_name_that_is_taken() {
    let spoil = |folder: &Folder| {
        folder.acts("twin.so", &["-DPREFIX=\"good-\""]);
        let source = folder.beside("cpu.c");
        let text_of =
            fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plugins/acts.c"));
        let named = text_of.expect("a source").replace("PREFIX \"acts\"", "\"cpu\"");
        fs::write(&source, named.replace("PREFIX \"acts-too\"", "\"mine\"")).expect("a file");
        let include = concat!("-I", env!("CARGO_MANIFEST_DIR"), "/plugins/abi/include");
        let made = folder.beside("cpu.new");
        compile("cc", &["-shared", "-fPIC", include, "-o", text(&made), text(&source)]);
        folder.put(&made, "zcpu.so");
        // Only its collector `cpu` is refused.
        folder.remove("good.so");
        folder.acts("good.so", &["-DPREFIX=\"good-\""]);
    };
    let folder = Folder::new();
    folder.acts("good.so", &["-DPREFIX=\"good-\""]);
    spoil(&folder);
    let daemon = with_plugins(&folder, "").start().await;
    until_collected(&daemon, "good-acts").await;
    until_collected(&daemon, "mine").await;
    assert_eq!(collector(&daemon, "cpu").await["plugin"], "cpu");
    daemon.until_logged("has the name of a built-in plugin").await;
    daemon.until_logged("has the name of one of").await;
    // The twin takes over when the first is gone.
    let of_good = || children(&daemon).iter().all(|(_, line)| !line.contains("twin.so"));
    assert!(of_good());
    folder.remove("good.so");
    crate::support::until("the twin runs", async || (!of_good()).then_some(())).await;
    until_collected(&daemon, "good-acts").await;
}

#[tokio::test]
async fn a_folder_that_others_can_change() {
    let folder = Folder::new();
    folder.acts("good.so", &["-DPREFIX=\"good-\""]);
    set_mode(&folder.path(), 0o777);
    let daemon = with_plugins(&folder, "").start().await;
    daemon.until_logged("others can write to it (mode 777); chmod go-w it").await;
    until_collected(&daemon, "cpu").await;
    assert!(collector(&daemon, "good-acts").await.is_null());
    // Mended, it is used without a restart.
    set_mode(&folder.path(), 0o755);
    until_collected(&daemon, "good-acts").await;
}

#[tokio::test]
async fn what_does_harm_when_it_is_loaded() {
    let spoil = |folder: &Folder| {
        folder.acts("crashes.so", &["-DON_LOAD=*(volatile int *)8=1"]);
        folder.acts("exits.so", &["-DON_LOAD=exit(0)"]);
        folder.acts("hangs.so", &["-DON_LOAD=for(;;)sleep(1)"]);
        folder.acts("hangs-too.so", &["-DON_LOAD=for(;;)sleep(1)"]);
    };
    let reasons = [
        ("crashes.so", "it was loaded to be described, and ended with signal: 11 (SIGSEGV)"),
        ("exits.so", "it was loaded to be described, and ended the process"),
        ("hangs.so", "it was loaded to be described, and did not end in time"),
        ("hangs-too.so", "it was loaded to be described, and did not end in time"),
    ];
    check(spoil, &reasons).await;
}

#[tokio::test]
async fn what_prints_when_it_is_loaded_is_fine() {
    let folder = Folder::new();
    folder.acts("prints.so", &["-DON_LOAD=puts(\"[{\")"]);
    let daemon = with_plugins(&folder, "").start().await;
    until_collected(&daemon, "acts").await;
}

/// A daemon whose configuration names a plugin whose file is refused, until `mend`.
async fn stopped_until_mended(spoil: impl Fn(&Folder), reason: &str, mend: impl Fn(&Folder)) {
    let folder = Folder::new();
    spoil(&folder);
    let folders = format!("[plugins]\nfolders = [\"{}\"]\n", folder.path().display());
    let entry = "[[collector]]\nplugin = \"acts-too\"\nname = \"named\"\n";
    let config = folder.beside("gz-monitor.toml");
    fs::write(&config, folders + entry).expect("a file");
    let (code, out, errors) = run(&["check-config", "--config", text(&config)]);
    assert_eq!(code, 0, "{errors}");
    assert!(out.starts_with("configuration is valid\n"), "{out}");
    let warning = "gz-monitor.toml:4: collector[named].plugin: there is no plugin \"acts-too\": ";
    assert!(errors.contains("warning: ") && errors.contains(warning), "{errors}");
    assert!(errors.contains(reason), "{errors}");

    let daemon = with_plugins(&folder, entry).start().await;
    let is_stopped = |now: &serde_json::Value| now["state"] == "stopped";
    let it = until_collector(&daemon, "named", "is stopped", is_stopped).await;
    assert!(it["error"].as_str().is_some_and(|error| error.contains(reason)), "{it}");
    assert!(daemon.log().contains("configuration warning="), "{}", daemon.log());
    until_collected(&daemon, "cpu").await;
    mend(&folder);
    until_collected(&daemon, "named").await;
}

#[tokio::test]
async fn a_bad_upgrade_of_a_plugin_that_is_named() {
    let spoil = |folder: &Folder| folder.acts("acts.so", &["-DMAJOR=2"]);
    let reason = "/acts.so, which is refused: its description is refused: built for plugin ABI 2";
    stopped_until_mended(spoil, reason, |folder| folder.acts("acts.so", &[])).await;
}

#[tokio::test]
async fn a_plugin_that_is_named_and_that_others_can_change() {
    let spoil = |folder: &Folder| {
        folder.acts("libacts_too.so", &[]);
        set_mode(&folder.file("libacts_too.so"), 0o777);
    };
    let reason = "/libacts_too.so is refused: others can write to it";
    let mend = |folder: &Folder| set_mode(&folder.file("libacts_too.so"), 0o755);
    stopped_until_mended(spoil, reason, mend).await;
}

#[tokio::test]
async fn a_plugin_that_is_named_and_whose_file_leads_nowhere() {
    let spoil = |folder: &Folder| {
        let link = std::os::unix::fs::symlink("/nonexistent/acts.so", folder.file("acts.so"));
        link.expect("a link");
    };
    let mend = |folder: &Folder| folder.acts("acts.so", &[]);
    stopped_until_mended(spoil, "No such file or directory", mend).await;
}

#[test]
fn a_name_that_no_file_can_have() {
    let folder = Folder::new();
    folder.acts("acts.so", &[]);
    let config = folder.beside("gz-monitor.toml");
    fs::write(&config, "[[collector]]\nplugin = \"actz\"\n").expect("a file");
    let (config, plugins) = (text(&config).to_owned(), folder.path());
    let server = ["server", "--port", "0", "--config", &config, "--plugin-dir", text(&plugins)];
    let (code, _, errors) = run(&server);
    assert_eq!(code, 78, "{PROGRAM}: {errors}");
    assert!(errors.contains("there is no plugin \"actz\"; did you mean \"acts\"?"), "{errors}");
}
