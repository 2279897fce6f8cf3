//! What a program finds around itself.

use std::fs;

use crate::support::{daemon, until};
use crate::{PACE, sh, until_ok};

#[tokio::test]
async fn a_program_gets_what_it_is_given_and_no_more() {
    let builder = daemon();
    let out = builder.path().join("out");
    let script = format!(
        "exec > {0}.new; env; echo pwd=$(pwd); \
         echo stat=$(cut -d' ' -f 1,5 < /proc/$$/stat); grep -E 'Sig(Ign|Blk)' /proc/self/status; \
         ulimit -c; mv {0}.new {0}",
        out.display()
    );
    let keys = "config = { environment = [\"PATH\", \"GIVEN\"] }";
    let config = PACE.to_owned() + &sh("the-name", &script, keys);
    let builder = builder.env("GIVEN", "1").env("SECRET", "2").config(&config);
    let daemon = builder.start().await;
    until_ok(&daemon, "the-name").await;
    let text = until("it has written", async || fs::read_to_string(&out).ok()).await;
    let has = |line: &str| text.lines().any(|l| l == line);
    for line in ["GIVEN=1", "GZ_MONITOR_COLLECTOR=the-name", "GZ_MONITOR_ROOT=/", "pwd=/", "0"] {
        assert!(has(line), "{line}:\n{text}");
    }
    assert!(!text.contains("SECRET") && !text.contains("HOME="), "{text}");
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).expect("a line").trim().to_owned()
    };
    let stat = value("stat=");
    let (pid, group) = stat.split_once(' ').expect("two numbers");
    assert_eq!(pid, group, "it leads a group of its own");
    assert_eq!(value("SigBlk:"), "0000000000000000");
    let ignored = u64::from_str_radix(&value("SigIgn:"), 16).expect("a mask");
    assert_eq!(ignored & 1 << (13 - 1), 0, "SIGPIPE is the daemon's to ignore: {text}");
}

/// Told by the numbers themselves, which are no samples: a shell that redirects keeps files open.
#[tokio::test]
async fn no_files_but_the_three_streams() {
    // The daemon is left one that is not closed by execve(2).
    let left = fs::File::open("/dev/null").expect("a file");
    rustix::io::fcntl_setfd(&left, rustix::io::FdFlags::empty()).expect("a flag");
    let config = PACE.to_owned() + &sh("it", "ls /proc/$$/fd; exit 0", "interval = \"1h\"");
    let daemon = daemon().config(&config).start().await;
    let said = "collector says collector=\"it\" text=\"not understood: the value is missing: ";
    let log = daemon.log();
    let numbers = log.lines().filter_map(|line| line.split(said).nth(1)?.strip_suffix('"'));
    let numbers: Vec<&str> = numbers.take(4).collect();
    assert!(numbers.starts_with(&["0", "1", "2"]), "{log}");
    // The fourth, if it is there already, is of the second reading.
    assert_eq!(numbers.get(3).unwrap_or(&"0"), &"0", "{log}");
}
