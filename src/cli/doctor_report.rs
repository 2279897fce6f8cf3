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
