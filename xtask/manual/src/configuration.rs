//! `gz-monitor.toml(5)`: every section and key, with the words of the installed file.

use gz_monitor::config::{Key, sections};
use roff::{Inline, Roff, bold, italic, roman};

use crate::markdown::inline_code;
use crate::{Page, opening};

const DESCRIPTION: [&str; 4] = [
    "The configuration of gz-monitor(1), in TOML. Nothing has to be in it: every key has a default, or \
     need not be there.",
    "Read in this order, the later winning: /etc/gz-monitor/gz-monitor.toml, or the file that --config \
     names; conf.d/*.toml beside it, in the order of their names; variables such as \
     GZ_MONITOR__SERVER__PORT=9090; flags. Tables are merged key by key, and entries of [[collector]] by \
     name.",
    "A key that is not known is an error, as is a value of the wrong kind. gz-monitor-check-config(1) lists \
     all of them with their lines, and with --show prints what holds and where each value was said. SIGHUP \
     applies a change to the running daemon; a configuration that is not valid changes nothing.",
    "A duration is written \"150ms\", \"5s\" or \"2h30m\"; a size \"512\", \"64KiB\" or \"8MiB\".",
];

const EXAMPLE: &str = "\
[server]
port = 9090

[[collector]]
plugin = \"network\"
interval = \"1s\"
config = { exclude = [\"veth*\"] }

[[collector]]
plugin = \"vmstat\"
enabled = false";

/// The page.
pub fn page(date: &str) -> Page {
    let mut roff = opening("gz-monitor.toml", "5", date);
    roff.control("SH", ["NAME"]).text([roman("gz-monitor.toml - configuration of gz-monitor")]);
    roff.control("SH", ["SYNOPSIS"]).text([bold("/etc/gz-monitor/gz-monitor.toml")]);
    roff.control("br", []).text([bold("/etc/gz-monitor/conf.d/*.toml")]);
    roff.control("SH", ["DESCRIPTION"]);
    for (index, paragraph) in DESCRIPTION.iter().enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(*paragraph)]);
    }
    for section in sections() {
        roff.control("SH", [section.header.as_str()]);
        roff.text(words(&section.about));
        section.keys.iter().for_each(|key| add(&mut roff, key));
    }
    roff.control("SH", ["EXAMPLE"]).control("EX", []);
    for line in EXAMPLE.lines() {
        roff.text([roman(line)]);
    }
    roff.control("EE", []).control("SH", ["SEE ALSO"]);
    roff.text([roman("gz-monitor(1), gz-monitor-check-config(1), gz-monitor-plugin(7)")]);
    Page::of_manual("gz-monitor.toml", 5, roff.render())
}

fn add(roff: &mut Roff, key: &Key) {
    let mut term = vec![bold(key.name.as_str()), roman(": "), italic(key.kind.as_str())];
    if let Some(default) = &key.default {
        term.push(roman(format!(", default {default}")));
    }
    roff.control("TP", []).text(term).text(words(&key.about));
}

/// Documentation as one paragraph, what stands in back quotes in bold.
fn words(documentation: &str) -> Vec<Inline> {
    inline_code(&documentation.split_whitespace().collect::<Vec<_>>().join(" "))
}
