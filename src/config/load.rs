//! From sources to a configuration that is known to be good, or to all that is wrong with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::check::{Missing, check};
use super::problem::{Problem, Problems};
use super::schema::Shape;
use super::sources::{self, Document, Kind, Sources};
use super::tree::Node;
use super::{Config, Origin, decode, overrides, parse, rule_file, schema, validate};
use crate::server::{TlsConfig, TlsError, TokensFileError};

/// Whether a plugin, by its name, takes this `[collector.config]`; the error is a sentence.
pub type PluginCheck<'a> = dyn Fn(&str, &Map<String, Json>) -> Result<(), String> + 'a;

/// What only the rooms that import `config` know.
#[derive(Clone, Copy)]
pub struct Checks<'a> {
    /// Called once, before anything else is asked: looks through the plugin folders.
    pub discover: &'a dyn Fn(&Config),
    /// The plugins that a collector may name.
    pub known_plugins: &'a dyn Fn() -> Vec<String>,
    /// Why there may be no plugin of this name now, though there may be later.
    pub why_missing: &'a dyn Fn(&str) -> Option<String>,
    /// Asked once for each collector.
    pub plugin_config: &'a PluginCheck<'a>,
    /// Reads the certificate and its key.
    pub certificate: &'a dyn Fn(&TlsConfig) -> Result<(), TlsError>,
    /// Reads the tokens; how many are in force.
    pub tokens: &'a dyn Fn(&Config) -> Result<usize, TokensFileError>,
}

/// A configuration that is good.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What to run.
    pub config: Config,
    /// What was written, and where; a key that nobody wrote is absent.
    pub origins: Node,
    /// The files that were read, in their order.
    pub files: Vec<PathBuf>,
    /// What is not as it was meant, and keeps nothing from running.
    pub warnings: Vec<Problem>,
}

/// Reads, merges and checks what `sources` say.
///
/// # Errors
/// Everything that is wrong: files that cannot be read, syntax, unknown keys, wrong types, bad
/// values, and values that do not go together.
pub fn load(sources: &Sources, checks: &Checks<'_>) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let documents = sources::read(sources, &mut problems);
    assemble(documents, sources, Some(checks), problems)
}

/// As [`load`], but knows no plugin: to know them, every library in the plugin folders is run once.
/// It is for who needs a setting of the daemon and runs none. So a collector of a plugin that does
/// not exist passes, and a `[collector.config]` that its plugin would refuse; all else is checked.
///
/// # Errors
/// As [`load`], but for these two.
pub fn load_without_plugins(sources: &Sources) -> Result<Loaded, Problems> {
    let mut problems = Vec::new();
    let documents = sources::read(sources, &mut problems);
    assemble(documents, sources, None, problems)
}

/// Checks `bytes` as if they were the one file of a configuration, `gz-monitor.toml`. Any bytes do,
/// so this is where a fuzzer begins.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(bytes: &[u8], checks: &Checks<'_>) -> Result<Loaded, Problems> {
    let path: Arc<Path> = Path::new("gz-monitor.toml").into();
    let documents = vec![Document { path, bytes: bytes.to_vec(), kind: Kind::Settings }];
    assemble(documents, &Sources::default(), Some(checks), Vec::new())
}

/// As [`load_bytes`], of the one file in `alerts.d`; its name says whether it is of ours or of
/// Prometheus' form.
///
/// # Errors
/// As [`load`].
pub fn load_rule_bytes(name: &str, bytes: &[u8], checks: &Checks<'_>) -> Result<Loaded, Problems> {
    let path: Arc<Path> = Path::new("alerts.d").join(name).into();
    let kind = Kind::of_rules(&path);
    let documents = vec![Document { path, bytes: bytes.to_vec(), kind }];
    assemble(documents, &Sources::default(), Some(checks), Vec::new())
}

fn assemble(
    documents: Vec<Document>,
    sources: &Sources,
    checks: Option<&Checks<'_>>,
    mut problems: Vec<Problem>,
) -> Result<Loaded, Problems> {
    let schema = schema::schema();
    let shape = Shape::new(&schema);
    let files: Vec<PathBuf> = documents.iter().map(|file| file.path.to_path_buf()).collect();

    let (mut roots, mut refused) = (Vec::new(), Vec::new());
    for document in documents {
        roots.extend(read(&document, &mut problems, &mut refused));
    }
    // What a broken file says is unknown, so nothing is missing and nothing contradicts the rest.
    let is_whole = problems.is_empty();
    problems.append(&mut refused);
    roots.extend(overrides::of_environment(&sources.env, shape, &mut problems));
    roots.extend(overrides::of_flags(&sources.flags, shape, &mut problems));

    let mut tree = Node::empty(&Origin::Default);
    let mut struck = Vec::new();
    for mut root in roots {
        // One by one, for a mistake in one file is one even if a later file covers it.
        check(&mut root, shape, Missing::Allowed, &mut problems, &mut struck);
        tree.lay_over(root);
    }
    let missing = if is_whole { Missing::Refused } else { Missing::Dropped };
    check(&mut tree, shape, missing, &mut problems, &mut struck);
    let config = decode::decode(&mut tree, &mut problems, &mut struck);
    let mut warnings = Vec::new();
    if let Some(config) = config.as_ref().filter(|_| is_whole) {
        if let Some(checks) = checks {
            (checks.discover)(config);
        }
        let found = validate::validate(config, &tree, &struck, checks);
        problems.extend(found.problems);
        warnings = found.warnings;
    }
    match config.filter(|_| problems.is_empty()) {
        Some(config) => Ok(Loaded { config, origins: tree, files, warnings }),
        None => {
            problems.sort_by_key(|problem| place(&problem.origin, &files));
            Err(Problems::new(problems))
        }
    }
}

/// A document as values with their lines, if it can be read. What is understood and does not belong
/// there is `refused`.
fn read(
    document: &Document,
    problems: &mut Vec<Problem>,
    refused: &mut Vec<Problem>,
) -> Option<Node> {
    let Document { path, bytes, kind } = document;
    match kind {
        Kind::Settings => parse::document(path, bytes, problems),
        Kind::PrometheusRules => rule_file::document(path, bytes, problems, refused),
        Kind::Rules => {
            let mut root = parse::document(path, bytes, problems)?;
            rule_file::refuse_others(&mut root, refused);
            Some(root)
        }
    }
}

/// The order in which problems are told: as the sources are read. Files that could not be read are
/// first, for the rest may follow from them.
fn place(origin: &Origin, files: &[PathBuf]) -> (usize, usize) {
    match origin {
        Origin::File { path, line } => {
            let file = files.iter().position(|file| **file == **path);
            (file.map_or(0, |file| file + 1), line.unwrap_or(0))
        }
        Origin::Environment(_) => (usize::MAX - 2, 0),
        Origin::Flag(_) => (usize::MAX - 1, 0),
        Origin::Default => (usize::MAX, 0),
    }
}
