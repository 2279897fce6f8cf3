//! What a program finds around itself.

use std::fs;

use crate::support::{daemon, until};
use crate::{PACE, sh, until_ok};

#[tokio::test]
async fn a_program_gets_what_it_is_given_and_no_more() {
    let builder = daemon();
    let out = builder.path().join("out");
    let script = format!(
        "ls /proc/$$/fd > {0}.fds; exec > {0}.new; env; echo pwd=$(pwd); \
         echo stat=$(cut -d' ' -f 1,5 < /proc/$$/stat); grep -E 'Sig(Ign|Blk)' /proc/$$/status; \
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
    let fds = fs::read_to_string(out.with_extension("fds")).expect("its files");
    assert_eq!(fds, "0\n1\n2\n");
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
