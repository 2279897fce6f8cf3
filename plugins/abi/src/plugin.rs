//! A plugin's descriptors, read without running any of its code.

use std::collections::BTreeSet;

use crate::prefix::check_place;
use crate::{
    ABI_MAJOR, COLLECTORS_MAX, Collect, Collector, Destroy, Entry, GetCollectorExtension, ID_MAX,
    Init, Refusal, Reload, SCHEMA_MAX, SUMMARY_MAX, Str, VERSION_MAX, copy_prefix,
};

/// What a plugin says of itself.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// The (major, minor) that it was built against.
    pub abi: (u32, u32),
    /// In the plugin's order; at least one, no id twice.
    pub collectors: Vec<Descriptor>,
}

/// What a plugin says of one collector.
#[derive(Debug, Clone)]
pub struct Descriptor {
    /// `[a-z][a-z0-9_-]*`, at most [`ID_MAX`] bytes.
    pub id: String,
    /// The plugin's own; may be empty.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// JSON Schema of the configuration, unparsed; empty if there is none.
    pub config_schema: String,
    /// Suggested milliseconds between collections; 0 for the host's default.
    pub interval_ms: u32,
    /// Its functions.
    pub functions: Functions,
}

/// A collector's functions: valid as long as the library is loaded, to be called as the header says.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    /// Makes an instance.
    pub init: Init,
    /// Takes one reading.
    pub collect: Collect,
    /// Takes a new configuration; without it, an instance is made anew.
    pub reload: Option<Reload>,
    /// Ends the instance.
    pub destroy: Destroy,
    /// What the plugin offers beyond the header.
    pub get_extension: Option<GetCollectorExtension>,
}

/// Reads what the symbol `gz_plugin` leads to.
///
/// # Safety
/// `entry` and all that it leads to is as the header says, in so far as it is neither NULL,
/// misaligned, nor of a count, length or size that is refused: each such pointer can be read for as
/// many bytes as it is said to have, and these do not change during the call.
///
/// # Errors
/// The first thing that is not as the header says.
pub unsafe fn read_plugin(entry: *const Entry) -> Result<Plugin, Refusal> {
    check_place("gz_plugin", entry)?;
    // SAFETY: not NULL; these two fields are there in every major.
    let (abi_major, size) = unsafe {
        ((&raw const (*entry).abi_major).read(), (&raw const (*entry).struct_size).read())
    };
    if abi_major != ABI_MAJOR {
        return Err(Refusal::Major { plugin: abi_major });
    }
    // SAFETY: the major is ours, so these are the fields; for the size stands the caller.
    let entry = unsafe { copy_prefix(entry, size as usize) }?;
    let count = entry.collector_count as usize;
    if count == 0 || count > COLLECTORS_MAX as usize {
        let most = COLLECTORS_MAX as usize;
        return Err(Refusal::Count { what: "collectors", count, most });
    }
    check_place("gz_plugin_entry.collectors", entry.collectors)?;
    // SAFETY: not NULL, aligned, of a possible count; the rest is the caller's word.
    let descriptors = unsafe { std::slice::from_raw_parts(entry.collectors, count) };
    let mut ids = BTreeSet::new();
    let mut collectors = Vec::with_capacity(count);
    for (index, descriptor) in descriptors.iter().enumerate() {
        // SAFETY: the caller's word for what the entry leads to.
        let collector = unsafe { read_collector(*descriptor) }
            .map_err(|why| Refusal::Collector { index, why: Box::new(why) })?;
        if !ids.insert(collector.id.clone()) {
            return Err(Refusal::Duplicate { id: collector.id });
        }
        collectors.push(collector);
    }
    Ok(Plugin { abi: (abi_major, entry.abi_minor), collectors })
}

/// # Safety
/// As for [`read_plugin`].
unsafe fn read_collector(descriptor: *const Collector) -> Result<Descriptor, Refusal> {
    check_place("gz_collector", descriptor)?;
    // SAFETY: not NULL; the struct begins with its size, in every minor.
    let size = unsafe { (&raw const (*descriptor).struct_size).read() };
    // SAFETY: the caller's word.
    let raw = unsafe { copy_prefix(descriptor, size as usize) }?;
    // SAFETY: the caller's word for each string, here and below.
    let text = |what, text: Str, limit| match unsafe { text.text(limit) } {
        Ok(text) => Ok(text.to_owned()),
        Err(fault) => Err(Refusal::Text { what, fault }),
    };
    let id = text("id", raw.id, ID_MAX)?;
    if !check_id(&id) {
        return Err(Refusal::Malformed { what: "id", text: id });
    }
    let version = line("version", text("version", raw.version, VERSION_MAX)?)?;
    let summary = line("summary", text("summary", raw.summary, SUMMARY_MAX)?)?;
    if summary.is_empty() {
        return Err(Refusal::Malformed { what: "summary", text: summary });
    }
    let config_schema = text("config_schema", raw.config_schema, SCHEMA_MAX)?;
    if config_schema.chars().any(|c| c.is_control() && !c.is_ascii_whitespace()) {
        return Err(Refusal::Malformed { what: "config_schema", text: config_schema });
    }
    let functions = Functions {
        init: raw.init.ok_or(Refusal::Null { what: "init" })?,
        collect: raw.collect.ok_or(Refusal::Null { what: "collect" })?,
        reload: raw.reload,
        destroy: raw.destroy.ok_or(Refusal::Null { what: "destroy" })?,
        get_extension: raw.get_extension,
    };
    let interval_ms = raw.interval_ms;
    Ok(Descriptor { id, version, summary, config_schema, interval_ms, functions })
}

/// A text without control characters: it ends up in logs and on terminals.
fn line(what: &'static str, text: String) -> Result<String, Refusal> {
    if text.chars().any(char::is_control) {
        return Err(Refusal::Malformed { what, text });
    }
    Ok(text)
}

/// Whether a collector may be called so: `[a-z][a-z0-9_-]*`, at most [`ID_MAX`] bytes.
pub const fn check_id(id: &str) -> bool {
    let id = id.as_bytes();
    let mut index = 0;
    while index < id.len() {
        match id[index] {
            b'a'..=b'z' => {}
            b'0'..=b'9' | b'_' | b'-' if index > 0 => {}
            _ => return false,
        }
        index += 1;
    }
    !id.is_empty() && id.len() <= ID_MAX
}
