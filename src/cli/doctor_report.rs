//! How `gz-monitor doctor` shows what was found to a person, in 80 columns.

use std::io::{self, Write};

use crate::api::{Doctor, DropIn, Finding, Rights, Severity};
use crate::units::ByteSize;

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Where the second column begins.
const INDENT: usize = 14;

/// Prints `doctor` of the daemon at a place, or of this process, if no daemon answers at that place.
pub(super) fn print(
    out: &mut impl Write,
    doctor: &Doctor,
    place: Result<&str, &str>,
) -> io::Result<()> {
    if let Err(place) = place {
        let text = format!(
            "No daemon answers at {place}. This is what the present process sees, which is not what \
             the service sees: start it, and ask again."
        );
        row(out, "", &text, 0)?;
        writeln!(out)?;
    }
    rights(out, &doctor.daemon, place)?;
    for finding in &doctor.findings {
        writeln!(out)?;
        show(out, finding, &doctor.findings)?;
    }
    writeln!(out)?;
    let count = |wanted| doctor.findings.iter().filter(|one| one.severity == wanted).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match (errors, warnings) {
        (0, 0) => writeln!(out, "Nothing is wrong.")?,
        _ => writeln!(out, "{}, {}.", plural(errors, "error"), plural(warnings, "warning"))?,
    }
    for (number, drop_in) in drop_ins(&doctor.findings).iter().enumerate() {
        let named = drop_in.example.as_deref();
        let named = named.map(|name| format!(", {name} of the examples")).unwrap_or_default();
        writeln!(out, "\nDrop-in {}{named}:\n", number + 1)?;
        drop_in
            .text
            .lines()
            .filter(|line| !is_comment(line))
            .try_for_each(|line| writeln!(out, "    {line}"))?;
    }
    Ok(())
}

fn rights(out: &mut impl Write, rights: &Rights, place: Result<&str, &str>) -> io::Result<()> {
    let mut line = |label: &str, text: String| row(out, label, &text, INDENT);
    let user = match &rights.user_name {
        Some(name) => format!("user {name} ({})", rights.user),
        None => format!("user {}", rights.user),
    };
    match place {
        Ok(place) => line("daemon", format!("process {}, {user}, {place}", rights.pid))?,
        Err(_) => line("this process", user)?,
    }
    let capabilities = match &rights.capabilities[..] {
        [] => "none".to_owned(),
        names if names.len() > 8 => format!("{} of them", names.len()),
        names => names.join(" "),
    };
    line("capabilities", capabilities)?;
    let sandbox = [
        (rights.no_new_privileges, "no new privileges"),
        (rights.system_calls_filtered, "system calls filtered"),
        (rights.root_read_only == Some(true), "/ read-only"),
        (rights.private_devices == Some(true), "a /dev of its own"),
        (rights.other_addresses == Some(false), "no packets but to 127.0.0.1"),
    ];
    line("sandbox", those(&sandbox).unwrap_or_else(|| "none is seen".to_owned()))?;
    let sees = [
        (rights.other_processes, "other users' processes"),
        (rights.other_processes_io == Some(true), "what these read and write"),
        (rights.system_bus, "the system bus"),
        (rights.journal, "the journal"),
        (rights.pressure == "on", "pressure (PSI)"),
    ];
    line("sees", those(&sees).unwrap_or_else(|| "nothing of other users".to_owned()))?;
    if !rights.hidden_disks.is_empty() {
        line("", format!("not the disks {}", rights.hidden_disks.join(", ")))?;
    }
    let closed = rights.address_families.iter().filter(|(_, open)| !**open);
    let closed: Vec<&str> = closed.map(|(name, _)| name.as_str()).collect();
    if !closed.is_empty() {
        line("", format!("no sockets of {}", closed.join(", ")))?;
    }
    let memory = rights.memory_limit_bytes.map(|bytes| ByteSize(bytes).approximate());
    let files = rights.open_files_limit.map(|files| files.to_string());
    let or_none = |limit: Option<String>| limit.unwrap_or_else(|| "no limit".to_owned());
    line("limits", format!("memory {}, open files {}", or_none(memory), or_none(files)))?;
    if let Some(state) = &rights.state_directory {
        let how = if rights.state_directory_writable == Some(true) { "" } else { "not " };
        line("state", format!("{state}, {how}writable"))?;
    }
    let clock = rights.clock_synchronised.map_or("not known", |_| "synchronised");
    line("clock", clock.to_owned())
}

/// The texts of those that hold.
fn those(all: &[(bool, &str)]) -> Option<String> {
    let texts: Vec<&str> = all.iter().filter(|(holds, _)| *holds).map(|(_, text)| *text).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn show(out: &mut impl Write, finding: &Finding, all: &[Finding]) -> io::Result<()> {
    let label = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let what = match &finding.collector {
        Some(name) => format!("collector {name} {}", finding.what),
        None => finding.what.clone(),
    };
    row(out, label, &what, INDENT)?;
    row(out, "  because", &finding.why, INDENT)?;
    let place = finding
        .drop_in
        .as_ref()
        .and_then(|drop_in| drop_ins(all).iter().position(|one| *one == drop_in));
    let numbered =
        place.map(|place| format!(" (drop-in {}, below)", place + 1)).unwrap_or_default();
    if finding.remedy.is_empty() {
        return Ok(());
    }
    row(out, "  remedy", &format!("{}{numbered}", finding.remedy), INDENT)
}

/// Each drop-in once: several collectors may need the same.
fn drop_ins(findings: &[Finding]) -> Vec<&DropIn> {
    let mut all: Vec<&DropIn> = Vec::new();
    for drop_in in findings.iter().filter_map(|finding| finding.drop_in.as_ref()) {
        if !all.contains(&drop_in) {
            all.push(drop_in);
        }
    }
    all
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#') || line.is_empty()
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A label, and a text that is broken between words, its lines below each other.
fn row(out: &mut impl Write, label: &str, text: &str, indent: usize) -> io::Result<()> {
    let mut line = format!("{label:<indent$}");
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}")?;
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    writeln!(out, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn of_a_service() -> Rights {
        Rights {
            pid: 42,
            user: 998,
            user_name: Some("gz-monitor".to_owned()),
            capabilities: vec!["CAP_DAC_READ_SEARCH".to_owned(), "CAP_SYS_PTRACE".to_owned()],
            no_new_privileges: true,
            system_calls_filtered: true,
            other_processes: true,
            other_processes_io: Some(true),
            root_read_only: Some(true),
            private_devices: Some(true),
            hidden_disks: vec!["sda".to_owned(), "sdb".to_owned()],
            hidden_homes: Vec::new(),
            address_families: BTreeMap::from([("AF_PACKET".to_owned(), false)]),
            other_addresses: Some(false),
            memory_limit_bytes: Some(512 << 20),
            open_files_limit: Some(65_536),
            state_directory: Some("/var/lib/gz-monitor".to_owned()),
            state_directory_writable: Some(true),
            journal: true,
            system_bus: true,
            pressure: "on".to_owned(),
            clock_synchronised: None,
            plugin_folders: Vec::new(),
            listeners: Vec::new(),
        }
    }

    #[test]
    fn a_report_fits_and_names_each_drop_in_once() {
        let finding =
            |severity, collector: Option<&str>, remedy: &str, file: Option<&str>| Finding {
                severity,
                collector: collector.map(str::to_owned),
                what: "fails".to_owned(),
                why: "its last words: ping: socket: Operation not permitted; raw sockets take \
                  CAP_NET_RAW, which the daemon has not"
                    .to_owned(),
                remedy: remedy.to_owned(),
                drop_in: file.map(|file| DropIn {
                    example: Some(file.to_owned()),
                    text: format!("# For {file}.\n\n[Service]\nAmbientCapabilities=CAP_NET_RAW\n"),
                }),
            };
        let doctor = Doctor {
            daemon: of_a_service(),
            findings: vec![
                finding(Severity::Error, Some("a"), "add it", Some("ping.conf")),
                finding(Severity::Warning, Some("b"), "add it", Some("ping.conf")),
                finding(Severity::Info, None, "", None),
            ],
        };
        let mut out = Vec::new();
        print(&mut out, &doctor, Ok("http://127.0.0.1:8080")).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text, @r"
        daemon        process 42, user gz-monitor (998), http://127.0.0.1:8080
        capabilities  CAP_DAC_READ_SEARCH CAP_SYS_PTRACE
        sandbox       no new privileges, system calls filtered, / read-only, a /dev of
                      its own, no packets but to 127.0.0.1
        sees          other users' processes, what these read and write, the system bus,
                      the journal, pressure (PSI)
                      not the disks sda, sdb
                      no sockets of AF_PACKET
        limits        memory 512.0 MiB, open files 65536
        state         /var/lib/gz-monitor, writable
        clock         not known

        error         collector a fails
          because     its last words: ping: socket: Operation not permitted; raw sockets
                      take CAP_NET_RAW, which the daemon has not
          remedy      add it (drop-in 1, below)

        warning       collector b fails
          because     its last words: ping: socket: Operation not permitted; raw sockets
                      take CAP_NET_RAW, which the daemon has not
          remedy      add it (drop-in 1, below)

        info          fails
          because     its last words: ping: socket: Operation not permitted; raw sockets
                      take CAP_NET_RAW, which the daemon has not

        1 error, 1 warning.

        Drop-in 1, ping.conf of the examples:

            [Service]
            AmbientCapabilities=CAP_NET_RAW
        ");
    }
}
