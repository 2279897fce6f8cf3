//! TOML text into values that know their lines.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::tree::{Node, Value};
use super::{Origin, tree};

/// Tables and lists within each other; nobody writes as many by hand, and walking them recurses.
const MAX_DEPTH: usize = 32;

/// A TOML file as values with their lines. Every syntax error becomes a problem, and then none of
/// the values is to be trusted: `None`. A number that cannot be held is a problem and left out.
pub(super) fn document(
    path: &Arc<Path>,
    bytes: &[u8],
    problems: &mut Vec<Problem>,
) -> Option<Node> {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let good = &bytes[..error.valid_up_to()];
            let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
            let origin = Origin::File { path: path.clone(), line: Some(line) };
            let hint = Some("save the file as UTF-8".to_owned());
            problems.push(Problem::new(&origin, "", "this is not UTF-8 text", hint));
            return None;
        }
    };
    let mut reader = Reader::new(Place::File(path.clone()), text);
    let (table, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    for error in &errors {
        reader.syntax(error);
    }
    let root = errors.is_empty().then(|| reader.table(table.get_ref(), 0..0, 0));
    problems.append(&mut reader.problems);
    root
}

/// A single TOML value that was said at `origin`, which is no file.
///
/// # Errors
/// What is wrong with its syntax.
pub(super) fn value(origin: &Origin, text: &str) -> Result<Node, String> {
    let value = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    let mut reader = Reader::new(Place::Elsewhere(origin.clone()), text);
    let node = reader.value(&value, 0);
    let refused = reader.problems.pop().map(|problem| problem.message);
    node.ok_or_else(|| refused.unwrap_or_default())
}

enum Place {
    File(Arc<Path>),
    Elsewhere(Origin),
}

struct Reader<'a> {
    place: Place,
    text: &'a str,
    /// Where each line but the first begins, in bytes.
    breaks: Vec<usize>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn new(place: Place, text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(offset, _)| offset + 1).collect();
        Self { place, text, breaks, problems: Vec::new() }
    }

    fn origin(&self, offset: usize) -> Origin {
        match &self.place {
            Place::File(path) => {
                let line = 1 + self.breaks.partition_point(|start| *start <= offset);
                Origin::File { path: path.clone(), line: Some(line) }
            }
            Place::Elsewhere(origin) => origin.clone(),
        }
    }

    /// Characters from the start of the line, counted from 1.
    fn column(&self, offset: usize) -> usize {
        let line = self.breaks.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).map_or(0, |index| self.breaks[index]);
        1 + self.text.get(start..offset).map_or(0, |text| text.chars().count())
    }

    fn syntax(&mut self, error: &toml::de::Error) {
        let span = error.span().unwrap_or(0..0);
        let quoted = self.text.get(span.clone()).unwrap_or_default();
        let message = match error.message() {
            "duplicate key" => format!("the key {quoted:?} is there twice"),
            message => format!("syntax error at column {}: {message}", self.column(span.start)),
        };
        self.problems.push(Problem::new(&self.origin(span.start), "", message, None));
    }

    fn refuse(&mut self, span: &Range<usize>, message: String) {
        self.problems.push(Problem::new(&self.origin(span.start), "", message, None));
    }

    fn table(&mut self, table: &DeTable<'_>, span: Range<usize>, depth: usize) -> Node {
        let mut values = BTreeMap::new();
        for (key, value) in table {
            if let Some(node) = self.value(value, depth + 1) {
                values.insert(key.get_ref().to_string(), node);
            }
        }
        Node { value: Value::Table(values), origin: self.origin(span.start) }
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Option<Node> {
        let span = value.span();
        let refused = match value.get_ref() {
            DeValue::Table(_) | DeValue::Array(_) if depth > MAX_DEPTH => {
                format!("more than {MAX_DEPTH} tables and lists within each other")
            }
            DeValue::Table(table) => return Some(self.table(table, span, depth)),
            value => match self.plain(value, depth) {
                Ok(value) => return Some(Node { value, origin: self.origin(span.start) }),
                Err(message) => message,
            },
        };
        self.refuse(&span, refused);
        None
    }

    fn plain(&mut self, value: &DeValue<'_>, depth: usize) -> Result<Value, String> {
        match value {
            DeValue::String(text) => Ok(Value::String(text.to_string())),
            DeValue::Boolean(value) => Ok(Value::Boolean(*value)),
            DeValue::Datetime(value) => Ok(Value::Datetime(value.to_string())),
            DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
                .map(Value::Integer)
                .map_err(|_| format!("{integer} does not fit into 64 bits")),
            DeValue::Float(float) => match float.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Value::Float(number)),
                _ => Err(format!("{float} is not a finite number")),
            },
            DeValue::Array(array) => {
                let nodes = array.iter().filter_map(|value| self.value(value, depth + 1));
                Ok(Value::List(nodes.collect()))
            }
            DeValue::Table(table) => Ok(self.table(table, 0..0, depth).value),
        }
    }
}

/// Tables around `node`, so that it lies at `path`.
pub(super) fn nest(path: &[tree::Step], node: Node) -> Node {
    path.iter().rev().fold(node, |inner, step| {
        let origin = inner.origin.clone();
        match step {
            tree::Step::Key(key) => {
                let table = BTreeMap::from([(key.clone(), inner)]);
                Node { value: Value::Table(table), origin }
            }
            tree::Step::Index(_) => Node { value: Value::List(vec![inner]), origin },
        }
    })
}
