//! Single values from outside the files: `GZ_MONITOR__SERVER__PORT=9090` and flags.

use std::ffi::OsString;

use super::Origin;
use super::parse;
use super::problem::{Problem, nearest};
use super::schema::Shape;
use super::sources::Override;
use super::tree::{Node, Step, Value, keys};

/// What every variable that configures something begins with.
pub const PREFIX: &str = "GZ_MONITOR__";

/// The documents that the environment says, in the order of the names of the variables.
pub(super) fn of_environment(
    env: &[(OsString, OsString)],
    schema: Shape<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Node> {
    let ours =
        env.iter().filter(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    let mut ours: Vec<&(OsString, OsString)> = ours.collect();
    ours.sort();
    let mut documents = Vec::new();
    for (name, value) in ours {
        let name = name.to_string_lossy();
        let origin = Origin::Environment(name.as_ref().into());
        let path: Vec<Step> = name[PREFIX.len()..]
            .split("__")
            .map(|key| Step::Key(key.to_ascii_lowercase()))
            .collect();
        let spell = |known: &str| known.to_ascii_uppercase();
        let node = match value.to_str() {
            Some(text) => place(&origin, &path, text, schema, spell),
            None => Err(Problem::new(&origin, "", "this is not UTF-8 text", None)),
        };
        match node {
            Ok(node) => documents.push(node),
            Err(problem) => problems.push(problem),
        }
    }
    documents
}

/// The documents that flags say, in their order.
pub(super) fn of_flags(
    flags: &[Override],
    schema: Shape<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<Node> {
    let mut documents = Vec::new();
    for Override { path, value, flag } in flags {
        let origin = Origin::Flag(flag.as_str().into());
        match place(&origin, &keys(path), value, schema, str::to_owned) {
            Ok(node) => documents.push(node),
            Err(problem) => problems.push(problem),
        }
    }
    documents
}

/// The document that says nothing but `text` at `path`.
fn place(
    origin: &Origin,
    path: &[Step],
    text: &str,
    schema: Shape<'_>,
    spell: impl Fn(&str) -> String,
) -> Result<Node, Problem> {
    let mut shape = schema;
    for (depth, step) in path.iter().enumerate() {
        let Step::Key(key) = step else { continue };
        let refuse = |message: String, hint| Err(Problem::new(origin, "", message, hint));
        match shape.step(step) {
            Some(next) => shape = next,
            None if shape.is("array") => {
                let hint = "set the whole list, as in [{ plugin = \"load\" }]".to_owned();
                let list = Node::empty(origin).describe(&path[..depth]);
                return refuse(format!("a key of the list {list} cannot be set"), Some(hint));
            }
            None if shape.is("object") => {
                let known = nearest(key, shape.properties().map(|(known, _)| known));
                let hint = known.map(|known| format!("did you mean {:?}?", spell(known)));
                return refuse(format!("unknown key {:?}", spell(key)), hint);
            }
            None => {
                let value = Node::empty(origin).describe(&path[..depth]);
                return refuse(format!("{value} has no keys"), None);
            }
        }
    }
    let value = value(origin, text, shape).map_err(|message| {
        Problem::new(origin, Node::empty(origin).describe(path), message, None)
    })?;
    Ok(parse::nest(path, value))
}

/// `text` as the schema wants it: as it is where that is a text, else a TOML value.
fn value(origin: &Origin, text: &str, shape: Shape<'_>) -> Result<Node, String> {
    let as_text = || Node { value: Value::String(text.to_owned()), origin: origin.clone() };
    if shape.is("string") {
        return Ok(as_text());
    }
    match parse::value(origin, text.trim()) {
        Ok(node) => Ok(node),
        // The check of types words it better: expected an integer, found the string "many".
        Err(_) if !text.trim_start().starts_with(['[', '{']) => Ok(as_text()),
        Err(error) => Err(format!("this is not a TOML value: {error}")),
    }
}
