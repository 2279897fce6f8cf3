//! What is wrong with a configuration: all of it at once, in the order in which it is read.

use std::fmt;

use strsim::damerau_levenshtein;

use super::Origin;

/// Problems beyond this many are counted and not listed.
pub const MAX_PROBLEMS: usize = 100;

/// One thing that is wrong. Prints as one line:
/// `etc/x.toml:7: server.prot: unknown key; did you mean "port"?`.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where it was said; `Default` where something is missing.
    pub origin: Origin,
    /// The key, dotted, with the entries of a list by name: `collector[cpu].interval`. Empty where
    /// no key is to blame.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// `message` about the key `path`, which was said at `origin`.
    pub fn new(
        origin: &Origin,
        path: impl Into<String>,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Self {
        Self { origin: origin.clone(), path: path.into(), message: message.into(), hint }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        if self.origin != Origin::Default {
            line.push_str(&format!("{}: ", self.origin));
        }
        if !self.path.is_empty() {
            line.push_str(&format!("{}: ", self.path));
        }
        line.push_str(&self.message);
        if let Some(hint) = &self.hint {
            line.push_str(&format!("; {hint}"));
        }
        f.write_str(&one_line(&line))
    }
}

/// All that is wrong with a configuration; never empty. Prints one line a problem.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.lines().join("\n"))]
pub struct Problems {
    list: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    pub(super) fn new(mut list: Vec<Problem>) -> Self {
        let unlisted = list.len().saturating_sub(MAX_PROBLEMS);
        list.truncate(MAX_PROBLEMS);
        Self { list, unlisted }
    }

    /// The first [`MAX_PROBLEMS`]: of the files in the order they are read, of the environment, of
    /// the flags.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// How many there are, with those that are not listed.
    pub fn count(&self) -> usize {
        self.list.len() + self.unlisted
    }

    /// One line for each that is listed, and one for the rest.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.list.iter().map(Problem::to_string).collect();
        if self.unlisted > 0 {
            lines.push(format!("and {} more", self.unlisted));
        }
        lines
    }
}

/// Text in which nothing moves the cursor, so that no file name or value can forge a line of a log.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The one of `known` that `word` was probably meant to be: within a third of its letters.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distances = known.into_iter().map(|known| {
        // Who cuts a word short means it, however much is missing.
        let cut = word.len() >= 3 && (known.starts_with(&word) || word.starts_with(known));
        (if cut { 1 } else { damerau_levenshtein(&word, known) }, known)
    });
    let (distance, known) = distances.min_by_key(|(distance, _)| *distance)?;
    let reach = (word.chars().count().max(known.chars().count()) / 3).max(1);
    (distance <= reach).then_some(known)
}

/// `did you mean "port"?`
pub(super) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, known).map(|known| format!("did you mean {known:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(nearest(word, ["port", "host", "insecure"]), expected, "{word}");
        };
        check("prot", Some("port"));
        check("Port", Some("port"));
        check("hosts", Some("host"));
        check("unsecure", Some("insecure"));
        check("insec", Some("insecure"));
        check("banana", None);
        check("", None);
    }

    #[test]
    fn a_problem_is_one_line_whatever_it_quotes() {
        let origin = Origin::file(std::path::Path::new("a\nb.toml"));
        let problem = Problem::new(&origin, "x", "bad\x1b[31m", Some("write y".to_owned()));
        assert_eq!(problem.to_string(), "a\u{fffd}b.toml: x: bad\u{fffd}[31m; write y");
    }

    #[test]
    fn problems_beyond_the_bound_are_counted() {
        let problem = Problem::new(&Origin::Default, "x", "bad", None);
        let problems = Problems::new(vec![problem; MAX_PROBLEMS + 3]);
        assert_eq!(problems.count(), MAX_PROBLEMS + 3);
        assert!(problems.to_string().ends_with("x: bad\nand 3 more"));
    }
}
