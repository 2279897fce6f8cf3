//! The plugins and collectors of a running daemon as a table for a person at a terminal.

use std::io::{self, Write};

use serde_json::Value;

use crate::units::ByteSize;

/// Columns of the narrowest terminal that there is.
pub(super) const WIDTH: usize = 80;
/// A longer name has a line of its own, so that the columns hold.
const NAME_MAX: usize = 26;

/// What the daemon at `url` answers to /api/v1/plugins and /api/v1/collectors. A line that is longer
/// than `width` is broken between words. What is in trouble has a `!` at the start of its line.
pub(super) fn print(out: &mut impl Write, url: &str, all: &Value, width: usize) -> io::Result<()> {
    let list = |name: &str| all[name].as_array().map(Vec::as_slice).unwrap_or_default();
    let (plugins, collectors) = (list("plugins"), list("collectors"));
    let names = plugins.iter().chain(collectors).map(|one| text(&one["name"]).chars().count());
    // Collectors of a plugin are two columns further in.
    let column = names.max().unwrap_or_default().min(NAME_MAX) + 2;
    let mut table = Table { out, column, width };
    table.row(' ', "NAME", ["KIND", "STATE", "SAMPLES", "STARTS", "MEMORY"])?;
    for plugin in plugins {
        let of_it = |collector: &&Value| collector["plugin"] == plugin["name"];
        table.plugin(plugin, &collectors.iter().filter(of_it).collect::<Vec<_>>())?;
    }
    let is_orphan = |collector: &&Value| plugins.iter().all(|p| p["name"] != collector["plugin"]);
    for collector in collectors.iter().filter(is_orphan) {
        table.collector(collector, text(&collector["name"]), "-")?;
        table.note(
            "    ",
            &format!("of plugin {}, which is not there", text(&collector["plugin"])),
        )?;
        table.trouble(collector)?;
    }
    table.refused(list("refused"))?;
    let ill = collectors.iter().filter(|collector| is_ill(collector)).count();
    let (all, trouble) = (collectors.len(), if ill == 0 { "none" } else { &*ill.to_string() });
    writeln!(table.out, "\n{all} collectors at {url}, {trouble} in trouble")
}

struct Table<'a, W> {
    out: &'a mut W,
    /// Width of the names.
    column: usize,
    width: usize,
}

impl<W: Write> Table<'_, W> {
    /// A plugin, what its library is, and its collectors. The one of the same name is in its row.
    fn plugin(&mut self, plugin: &Value, collectors: &[&Value]) -> io::Result<()> {
        let (name, kind) = (text(&plugin["name"]), text(&plugin["kind"]));
        let own = collectors.iter().find(|collector| collector["name"] == plugin["name"]);
        match own {
            Some(own) => self.collector(own, name, kind)?,
            None => self.row(' ', name, [kind, "-", "-", "-", "-"])?,
        }
        if let Some(file) = plugin["file"].as_str() {
            let version = plugin["version"].as_str();
            let version = version.map(|version| format!("version {version}, ")).unwrap_or_default();
            self.note("    ", &format!("{version}ABI {}, {file}", text(&plugin["abi"])))?;
        }
        if let Some(own) = own {
            self.trouble(own)?;
        }
        for collector in collectors.iter().filter(|one| one["name"] != plugin["name"]) {
            self.collector(collector, &format!("  {}", text(&collector["name"])), "")?;
            self.trouble(collector)?;
        }
        Ok(())
    }

    fn collector(&mut self, collector: &Value, name: &str, kind: &str) -> io::Result<()> {
        let number = |key: &str| collector[key].as_u64();
        let samples = number("samples").map_or("-".to_owned(), |count| count.to_string());
        let starts = number("starts").map_or("-".to_owned(), |count| count.to_string());
        let memory = number("resident_memory_bytes");
        let memory = memory.map_or("-".to_owned(), |bytes| ByteSize(bytes).approximate());
        let mark = if is_ill(collector) { '!' } else { ' ' };
        self.row(mark, name, [kind, text(&collector["state"]), &samples, &starts, &memory])
    }

    fn row(&mut self, mark: char, name: &str, cells: [&str; 5]) -> io::Result<()> {
        let [kind, state, samples, starts, memory] = cells;
        let (column, mut name) = (self.column, name);
        if name.chars().count() > column {
            writeln!(self.out, "{mark} {name}")?;
            name = "";
        }
        writeln!(
            self.out,
            "{mark} {name:column$}  {kind:8}  {state:9}  {samples:>7}  {starts:>6}  {memory:>9}"
        )
    }

    /// Why a collector does not work, or has nothing to do.
    fn trouble(&mut self, collector: &Value) -> io::Result<()> {
        if let Some(reason) = collector["reason"].as_str() {
            self.note("      ", reason)?;
        }
        if let Some(refused) = collector["config_error"].as_str() {
            self.note("!     ", &format!("new configuration refused: {refused}"))?;
        }
        let Some(error) = collector["error"].as_str() else { return Ok(()) };
        match collector["consecutive_failures"].as_u64() {
            Some(failures @ 2..) => {
                self.note("!     ", &format!("{failures} times in a row: {error}"))
            }
            _ => self.note("!     ", error),
        }
    }

    fn refused(&mut self, refused: &[Value]) -> io::Result<()> {
        if !refused.is_empty() {
            writeln!(self.out, "\nRefused:")?;
        }
        for one in refused {
            writeln!(self.out, "! {}", printable(text(&one["file"])))?;
            self.note("!     ", text(&one["reason"]))?;
        }
        Ok(())
    }

    /// A text below a row, each of its lines after `indent`.
    fn note(&mut self, indent: &str, text: &str) -> io::Result<()> {
        let mut line = indent.to_owned();
        for word in printable(text).split_whitespace() {
            if line.len() > indent.len() {
                if line.chars().count() + 1 + word.chars().count() > self.width {
                    writeln!(self.out, "{line}")?;
                    line.truncate(indent.len());
                } else {
                    line.push(' ');
                }
            }
            line.push_str(word);
        }
        writeln!(self.out, "{line}")
    }
}

/// A collector that waits for its first collection may yet be well.
fn is_ill(collector: &Value) -> bool {
    !matches!(text(&collector["state"]), "ok" | "waiting" | "absent")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// Without what a program could steer the terminal with.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn printed(all: &Value, width: usize) -> String {
        let mut out = Vec::new();
        print(&mut out, "http://127.0.0.1:8080", all, width).expect("memory takes all");
        String::from_utf8(out).expect("UTF-8")
    }

    fn collector(name: &str, plugin: &str, state: &str, error: Option<&str>) -> Value {
        let starts = (plugin != "cpu").then_some(3);
        json!({
            "name": name, "plugin": plugin, "state": state, "error": error, "samples": 51,
            "consecutive_failures": 14, "starts": starts,
            "resident_memory_bytes": starts.map(|_| 14_050_000),
        })
    }

    fn everything() -> Value {
        let library = |name: &str, version: Option<&str>| {
            json!({
                "name": name, "kind": "library", "version": version, "abi": "1.0",
                "file": "/usr/lib/gz-monitor/plugins/acts.so",
            })
        };
        let mut vmstat = collector("vmstat", "vmstat", "absent", None);
        vmstat["reason"] = "there is no /proc/vmstat".into();
        let last_words = "ended with exit status: 3; its last words: cannot reach \u{1b}[31mthe queue \
            on mail.example.org, port 25";
        json!({
            "plugins": [
                library("acts", Some("0.1")),
                library("acts-too", None),
                {"name": "command", "kind": "program"},
                {"name": "cpu", "kind": "built-in"},
                {"name": "vmstat", "kind": "built-in"},
            ],
            "collectors": [
                collector("acts", "acts", "broken", Some("ended with signal: 11 (SIGSEGV)")),
                collector("north", "acts", "ok", None),
                collector("cpu", "cpu", "ok", None),
                vmstat,
                collector("mail", "command", "failing", Some(last_words)),
                collector("a-name-that-is-much-too-long-for-its-column", "command", "ok", None),
                collector("fans", "fans", "stopped", Some("there is no plugin \"fans\"")),
            ],
            "refused": [{
                "file": "/usr/lib/gz-monitor/plugins/old.so",
                "reason": "it was loaded to be described, and ended with signal: 11 (SIGSEGV)",
            }],
        })
    }

    #[test]
    fn at_80_columns() {
        let text = printed(&everything(), WIDTH);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text, @r#"
          NAME                          KIND      STATE      SAMPLES  STARTS     MEMORY
        ! acts                          library   broken          51       3   13.4 MiB
            version 0.1, ABI 1.0, /usr/lib/gz-monitor/plugins/acts.so
        !     14 times in a row: ended with signal: 11 (SIGSEGV)
            north                                 ok              51       3   13.4 MiB
          acts-too                      library   -                -       -          -
            ABI 1.0, /usr/lib/gz-monitor/plugins/acts.so
          command                       program   -                -       -          -
        !   mail                                  failing         51       3   13.4 MiB
        !     14 times in a row: ended with exit status: 3; its last words: cannot reach
        !     [31mthe queue on mail.example.org, port 25
            a-name-that-is-much-too-long-for-its-column
                                                  ok              51       3   13.4 MiB
          cpu                           built-in  ok              51       -          -
          vmstat                        built-in  absent          51       3   13.4 MiB
              there is no /proc/vmstat
        ! fans                          -         stopped         51       3   13.4 MiB
            of plugin fans, which is not there
        !     14 times in a row: there is no plugin "fans"

        Refused:
        ! /usr/lib/gz-monitor/plugins/old.so
        !     it was loaded to be described, and ended with signal: 11 (SIGSEGV)

        7 collectors at http://127.0.0.1:8080, 3 in trouble
        "#);
    }

    #[test]
    fn for_a_program_each_error_is_one_line() {
        let text = printed(&everything(), usize::MAX);
        assert!(
            text.contains("last words: cannot reach [31mthe queue on mail.example.org"),
            "{text}"
        );
    }

    #[test]
    fn an_answer_without_anything() {
        let text = printed(&json!({}), WIDTH);
        assert!(
            text.ends_with("0 collectors at http://127.0.0.1:8080, none in trouble\n"),
            "{text}"
        );
    }
}
