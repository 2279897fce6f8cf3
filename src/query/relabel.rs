//! `label_replace` and `label_join`.

use promql_parser::parser::Expr;
use regex::Regex;

use super::Error;
use super::aggregate::is_label;
use super::evaluate::{Evaluation, Instant};

/// A hostile pattern may not take more memory, compiled.
const REGEX_BYTES_MAX: usize = 1 << 20;
/// A replacement may double a value, and so may the one around it.
const VALUE_BYTES_MAX: usize = 64 << 10;

impl Evaluation<'_> {
    /// `label_replace(v, to, replacement, from, regex)`.
    pub(super) fn label_replace(
        &mut self,
        arguments: &[Box<Expr>],
        at: i64,
    ) -> Result<Vec<Instant>, Error> {
        let [vector, to, replacement, from, pattern] = arguments else {
            return Err(Error::execution("label_replace takes five arguments"));
        };
        let (to, replacement) = (self.string(to)?, self.string(replacement)?);
        let (from, pattern) = (self.string(from)?, self.string(pattern)?);
        let regex = regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
            .size_limit(REGEX_BYTES_MAX)
            .build();
        let regex: Regex = regex.map_err(|_| {
            Error::execution(format!("invalid regular expression in label_replace(): {pattern}"))
        })?;
        check_label(&to, "destination", "label_replace")?;
        let mut vector = self.vector(vector, at)?;
        for instant in &mut vector {
            let labels = instant.labels.0.clone();
            if let Some(captures) = regex.captures(labels.get(&from)) {
                let mut value = String::new();
                captures.expand(&replacement, &mut value);
                check_length(&value, "label_replace")?;
                let mut labels = (*labels).clone();
                labels.set(&to, &value);
                instant.labels = self.sets.intern(labels);
            }
        }
        Ok(vector)
    }

    /// `label_join(v, to, separator, from…)`.
    pub(super) fn label_join(
        &mut self,
        arguments: &[Box<Expr>],
        at: i64,
    ) -> Result<Vec<Instant>, Error> {
        let [vector, to, separator, from @ ..] = arguments else {
            return Err(Error::execution("label_join takes at least three arguments"));
        };
        let (to, separator) = (self.string(to)?, self.string(separator)?);
        let mut sources = Vec::new();
        for source in from {
            let source = self.string(source)?;
            check_label(&source, "source", "label_join")?;
            sources.push(source);
        }
        check_label(&to, "destination", "label_join")?;
        let mut vector = self.vector(vector, at)?;
        for instant in &mut vector {
            let values: Vec<&str> =
                sources.iter().map(|source| instant.labels.0.get(source)).collect();
            let value = values.join(&separator);
            check_length(&value, "label_join")?;
            let mut labels = (*instant.labels.0).clone();
            labels.set(&to, &value);
            instant.labels = self.sets.intern(labels);
        }
        Ok(vector)
    }
}

fn check_label(name: &str, what: &str, function: &str) -> Result<(), Error> {
    if is_label(name) {
        return Ok(());
    }
    Err(Error::execution(format!("invalid {what} label name in {function}(): {name}")))
}

fn check_length(value: &str, function: &str) -> Result<(), Error> {
    if value.len() <= VALUE_BYTES_MAX {
        return Ok(());
    }
    let length = value.len();
    Err(Error::execution(format!(
        "{function}() makes a label of {length} bytes, which is too long"
    )))
}
