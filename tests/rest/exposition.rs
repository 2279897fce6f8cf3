//! `/metrics` read strictly, in both formats.

use std::collections::{BTreeMap, BTreeSet};

use crate::send;
use crate::support::{Daemon, daemon, until};

const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The series by name and labels as they are written.
type Series = BTreeMap<String, f64>;

/// Reads an exposition and panics at the first thing that a strict parser would refuse.
fn parse(text: &str, is_open: bool) -> Series {
    let mut families = BTreeSet::new();
    let (mut family, mut kind, mut helped) = (String::new(), String::new(), String::new());
    let mut series = Series::new();
    let body = if is_open { text.strip_suffix("# EOF\n").expect("an end") } else { text };
    assert!(body.ends_with('\n'), "the last line ends");
    for line in body.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["#", "HELP", name, _, ..] => {
                assert!(!families.contains(name) && helped != name, "{line}");
                helped = name.to_owned();
            }
            ["#", "TYPE", name, of] => {
                assert!(helped == name || !comes_with_it(name), "no HELP: {line}");
                assert!(is_name(name, true), "{line}");
                assert!(families.insert(name.to_owned()), "a family in two places: {line}");
                assert!(["gauge", "counter", "unknown"].contains(&of), "{line}");
                (family, kind) = (name.to_owned(), of.to_owned());
            }
            ["#", "UNIT", name, unit] => {
                assert!(is_open && name == family && name.ends_with(&format!("_{unit}")), "{line}");
            }
            ["#", ..] => panic!("a comment of no known kind: {line}"),
            _ => {
                let (key, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                let name = check_key(key);
                let suffix = if is_open && kind == "counter" { "_total" } else { "" };
                assert_eq!(name, format!("{family}{suffix}"), "not of the family above it: {line}");
                let number = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
                assert!(series.insert(key.to_owned(), number).is_none(), "twice: {line}");
            }
        }
    }
    series
}

/// What comes with the daemon has a HELP; what plugins bring has none.
fn comes_with_it(name: &str) -> bool {
    ["gz_", "node_", "system_", "ALERTS"].iter().any(|prefix| name.starts_with(prefix))
}

fn is_name(text: &str, may_have_colons: bool) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || (may_have_colons && c == ':');
    !text.is_empty() && text.chars().all(legal) && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// The metric's name of `name{label="value",...}`, whose labels are read to the letter.
fn check_key(key: &str) -> &str {
    let (name, labels) = key.split_once('{').unwrap_or((key, ""));
    assert!(is_name(name, true), "{key}");
    if labels.is_empty() {
        assert_eq!(name, key, "empty braces");
        return name;
    }
    let (mut rest, mut seen) = (labels, BTreeSet::new());
    loop {
        let (label, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{key}"));
        assert!(is_name(label, false) && seen.insert(label), "{key}");
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().unwrap_or_else(|| panic!("an open quote: {key}")) {
                (end, '"') => break end,
                (_, '\\') => {
                    let escaped = characters.next().map(|(_, c)| c);
                    assert!(matches!(escaped, Some('\\' | '"' | 'n')), "{key}");
                }
                _ => {}
            }
        };
        match &value[end + 1..] {
            "}" => return name,
            more => rest = more.strip_prefix(',').unwrap_or_else(|| panic!("{key}")),
        }
    }
}

async fn scrape(daemon: &Daemon, accept: &str, content_type: &str) -> Series {
    let answer = send(daemon, "GET", "/metrics", &[("accept", accept)], "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), content_type, "Accept: {accept}");
    parse(&answer.text, content_type == OPEN)
}

#[tokio::test]
async fn both_formats_are_read_strictly_and_tell_the_same() {
    // A label's value that has to be escaped.
    let config = "[[collector]]\nplugin = \"load\"\nlabels = { rack = 'a\"b\\c' }";
    // What looks at collectors may have looked before this one's first collection.
    let paced = format!("[collectors]\ninterval = \"1s\"\n{config}");
    let daemon = daemon().config(&paced).start().await;
    until("all collectors were looked at", || async {
        let text = scrape(&daemon, "*/*", TEXT).await;
        text.contains_key("gz_collector_success{collector=\"load\"}").then_some(())
    })
    .await;
    let text = scrape(&daemon, "*/*", TEXT).await;
    let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3,*/*;q=0.1";
    let open = scrape(&daemon, prometheus, OPEN).await;
    for prefix in ["node_load1", "node_cpu_seconds_total", "node_memory_", "gz_", "system_"] {
        assert!(text.keys().any(|key| key.starts_with(prefix)), "{prefix} in {:?}", text.keys());
        assert!(open.keys().any(|key| key.starts_with(prefix)), "{prefix} in {:?}", open.keys());
    }
    assert!(text.contains_key(r#"node_load1{rack="a\"b\\c"}"#), "{:?}", text.keys());
    for collector in ["load", "gz-monitor", "system"] {
        let key = format!("gz_collector_success{{collector=\"{collector}\"}}");
        assert!(text.contains_key(&key) && open.contains_key(&key), "{key}");
    }
    // Processes come and go between two requests; what stays must be in both.
    let stays = |key: &&String| key.starts_with("node_cpu_") || key.starts_with("node_memory_");
    let stay = |series: &Series| series.keys().filter(stays).cloned().collect::<Vec<_>>();
    assert_eq!(stay(&text), stay(&open));
}

#[tokio::test]
async fn the_accept_header_decides() {
    let daemon = daemon().start().await;
    scrape(&daemon, "text/plain", TEXT).await;
    scrape(&daemon, "application/openmetrics-text", OPEN).await;
    scrape(&daemon, "application/openmetrics-text;q=0, */*", TEXT).await;
}

#[test]
#[should_panic(expected = "a family in two places")]
fn the_parser_refuses_a_family_in_two_places() {
    parse("# TYPE a gauge\na 1\n# TYPE b gauge\nb 1\n# TYPE a gauge\na 2\n", false);
}

#[test]
#[should_panic(expected = "no HELP")]
fn the_parser_refuses_a_metric_of_the_daemon_without_a_meaning() {
    parse("# TYPE gz_new gauge\ngz_new 1\n", false);
}

#[test]
#[should_panic(expected = "twice")]
fn the_parser_refuses_a_series_that_is_there_twice() {
    parse("# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\n", false);
}
