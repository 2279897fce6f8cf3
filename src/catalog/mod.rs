//! What the metrics that come with gz-monitor mean: the HELP of `/metrics`, of `/api/v1/metadata` and of
//! `docs/metrics.md`. Metrics of other plugins have none.

mod host;
mod own;

use std::borrow::Cow;

use host::HOST;
use own::OWN;

/// Series of a histogram have the name of the whole and one of these.
const PARTS_OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_count", "_sum"];

/// What a metric means, on one line and without characters that a format would escape.
pub fn help(name: &str) -> Option<Cow<'static, str>> {
    let whole = PARTS_OF_HISTOGRAMS.iter().find_map(|part| name.strip_suffix(part));
    let known = look_up(name).or_else(|| look_up(whole?));
    known.map(Cow::Borrowed).or_else(|| memory_field(name).map(Cow::Owned))
}

fn look_up(name: &str) -> Option<&'static str> {
    [HOST, OWN].iter().find_map(|table| {
        let index = table.binary_search_by_key(&name, |(known, _)| known).ok()?;
        Some(table[index].1)
    })
}

/// Which fields there are in /proc/meminfo is up to the kernel.
fn memory_field(name: &str) -> Option<String> {
    let field = name.strip_prefix("node_memory_")?;
    let field = field.strip_suffix("_bytes").unwrap_or(field);
    Some(format!("The field {field} of /proc/meminfo (proc_meminfo(5))."))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page of the documentation.
    fn page() -> String {
        let mut page = "# Metrics\n\n\
            What `/metrics`, the history and rules know by these names. The tables come from the code: \
            `UPDATE_GOLDEN=1 cargo test --lib catalog` writes them. A program's or library's own metrics \
            are what it says they are.\n"
            .to_owned();
        for (title, table) in [("The host", HOST), ("The daemon itself", OWN)] {
            page += &format!("\n## {title}\n\n| Metric | Meaning |\n| --- | --- |\n");
            for (name, meaning) in table {
                page += &format!("| `{name}` | {meaning} |\n");
            }
            if title == "The host" {
                page += "| `node_memory_FIELD_bytes` | The field FIELD of /proc/meminfo \
                         (proc_meminfo(5)); without `_bytes` where it is a number. |\n";
            }
        }
        page
    }

    #[test]
    fn the_documentation_has_them_all() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(file, page()).expect("it can be written");
        }
        let text = std::fs::read_to_string(file).expect("it is there");
        assert!(text == page(), "run UPDATE_GOLDEN=1 cargo test --lib catalog");
    }

    #[test]
    fn names_are_in_order_and_meanings_need_no_escape() {
        for table in [HOST, OWN] {
            assert!(table.is_sorted_by(|one, next| one.0 < next.0), "{table:?}");
            for (name, meaning) in table {
                assert!(!meaning.contains(['\\', '\n', '"', '|']), "{name}");
                assert!(meaning.ends_with('.'), "{name}");
            }
        }
    }

    #[test]
    fn parts_of_histograms_and_fields_of_memory_have_a_meaning() {
        let check = |name: &str, begin: Option<&str>| {
            let found = help(name);
            assert_eq!(found.is_some(), begin.is_some(), "{name}: {found:?}");
            assert!(found.unwrap_or_default().starts_with(begin.unwrap_or("")), "{name}");
        };
        check("node_load1", Some("Mean number"));
        check("gz_ws_write_messages_bucket", Some("Messages that went out"));
        check("gz_ws_write_messages_total", None);
        check("node_memory_Dirty_bytes", Some("The field Dirty of"));
        check("node_memory_HugePages_Free", Some("The field HugePages_Free of"));
        check("backup_bytes", None);
    }
}
