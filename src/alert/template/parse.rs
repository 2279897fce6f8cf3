//! From a text to the parts of a template.

use super::function::{Function, check_format};
use super::{Node, Part, TemplateError};

/// Brackets within each other, and pipes in a row; nobody writes as many by hand, and reading them
/// recurses.
const MAX_DEPTH: usize = 16;

pub(super) fn parts(text: &str) -> Result<Vec<Part>, TemplateError> {
    let (mut parts, mut at) = (Vec::new(), 0);
    let mut trims = false;
    while let Some(open) = text[at..].find("{{").map(|found| at + found) {
        let (inner, close, after) = place(text, open)?;
        let mut plain = &text[at..open];
        if trims {
            plain = plain.trim_start();
        }
        if inner.starts_with("- ") {
            plain = plain.trim_end();
        }
        parts.push(Part::Text(plain.to_owned()));
        trims = inner.ends_with(" -");
        let inner = inner.strip_prefix('-').filter(|it| it.starts_with(' ')).unwrap_or(inner);
        let inner = inner.strip_suffix('-').filter(|it| it.ends_with(' ')).unwrap_or(inner);
        // It is a part of the text, so that this is its place in it.
        let start = inner.as_ptr().addr() - text.as_ptr().addr();
        let is_comment = inner.trim().starts_with("/*") && inner.trim().ends_with("*/");
        if !is_comment {
            let mut reader = Reader { text, tokens: tokens(text, start, inner)?, at: 0, close };
            parts.push(Part::Place(reader.whole()?));
        }
        at = after;
    }
    let rest = &text[at..];
    parts.push(Part::Text(if trims { rest.trim_start() } else { rest }.to_owned()));
    parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
    Ok(parts)
}

/// What is within the braces that open here, where it ends, and where the text goes on.
fn place(text: &str, open: usize) -> Result<(&str, usize, usize), TemplateError> {
    let start = open + 2;
    let mut quote = None;
    let mut escaped = false;
    for (offset, character) in text[start..].char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(end) if character == end => quote = None,
            Some(_) => {}
            None if matches!(character, '"' | '`') => quote = Some(character),
            None if text[start + offset..].starts_with("}}") => {
                let close = start + offset;
                return Ok((&text[start..close], close, close + 2));
            }
            None => {}
        }
    }
    Err(error(text, open, "\"{{\" is not closed"))
}

fn error(text: &str, at: usize, message: impl Into<String>) -> TemplateError {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    TemplateError { line, column, message: message.into() }
}

#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    start: usize,
}

fn tokens<'a>(
    text: &'a str,
    start: usize,
    inner: &'a str,
) -> Result<Vec<Token<'a>>, TemplateError> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '-' | '+');
    while let Some(first) = inner[at..].chars().next() {
        let rest = &inner[at..];
        let length = match first {
            '"' => string_length(rest),
            '`' => rest[1..].find('`').map(|end| end + 2),
            c if is_word(c) => Some(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
            c => Some(c.len_utf8()),
        };
        let length = length.ok_or_else(|| error(text, start + at, "this string does not end"))?;
        if !first.is_whitespace() {
            tokens.push(Token { text: &rest[..length], start: start + at });
        }
        at += length;
    }
    Ok(tokens)
}

fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    /// Where the braces close.
    close: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Result<Token<'a>, TemplateError> {
        let token = self.peek().ok_or_else(|| error(self.text, self.close, "unexpected \"}}\""))?;
        self.at += 1;
        Ok(token)
    }

    fn refuse<T>(&self, token: Token<'_>, message: String) -> Result<T, TemplateError> {
        Err(error(self.text, token.start, message))
    }

    fn whole(&mut self) -> Result<Node, TemplateError> {
        let node = self.pipeline(0)?;
        match self.peek() {
            None => Ok(node),
            Some(token) => self.refuse(token, format!("unexpected {:?}", token.text)),
        }
    }

    /// Commands with `|` between them: what one comes to is the last argument of the next, so that
    /// each is within all that come after it.
    fn pipeline(&mut self, depth: usize) -> Result<Node, TemplateError> {
        let mut node = self.command(None, depth)?;
        let mut pipes = 0;
        while let Some(pipe) = self.peek().filter(|token| token.text == "|") {
            if pipes == MAX_DEPTH {
                return self.refuse(pipe, "too many functions one after the other".to_owned());
            }
            (self.at, pipes) = (self.at + 1, pipes + 1);
            node = self.command(Some(node), depth)?;
        }
        Ok(node)
    }

    fn command(&mut self, piped: Option<Node>, depth: usize) -> Result<Node, TemplateError> {
        let first = self.next()?;
        let is_name = first.text.starts_with(|c: char| c.is_alphabetic());
        if !is_name {
            let node = self.operand(first, depth)?;
            return match piped {
                None => Ok(node),
                Some(_) => self.refuse(first, format!("{:?} is no function", first.text)),
            };
        }
        let Some(function) = Function::of(first.text) else {
            return self.refuse(first, format!("{:?} is not supported here", first.text));
        };
        let mut arguments = Vec::new();
        while let Some(token) = self.peek().filter(|token| !matches!(token.text, "|" | ")")) {
            self.at += 1;
            arguments.push(self.operand(token, depth)?);
        }
        arguments.extend(piped);
        if !function.arguments().contains(&arguments.len()) {
            let message = format!("{:?} has {} arguments", first.text, arguments.len());
            return self.refuse(first, message);
        }
        if function == Function::Printf
            && let Err(message) = check_format(&arguments)
        {
            return self.refuse(first, message);
        }
        if let (Function::Index, [Node::Labels, Node::Text(name)]) = (function, &arguments[..]) {
            return Ok(Node::Label(name.clone()));
        }
        if function == Function::Index {
            return self.refuse(first, "index is for $labels and a name".to_owned());
        }
        Ok(Node::Call(function, arguments))
    }

    fn operand(&mut self, token: Token<'a>, depth: usize) -> Result<Node, TemplateError> {
        let text = token.text;
        match text {
            "$value" | ".Value" => return Ok(Node::Value),
            "$labels" | ".Labels" => return Ok(Node::Labels),
            "(" if depth == MAX_DEPTH => {
                return self.refuse(token, "too many brackets within each other".to_owned());
            }
            "(" => {
                let node = self.pipeline(depth + 1)?;
                let close = self.next()?;
                return match close.text {
                    ")" => Ok(node),
                    other => self.refuse(close, format!("unexpected {other:?}")),
                };
            }
            _ => {}
        }
        let label = text.strip_prefix("$labels.").or_else(|| text.strip_prefix(".Labels."));
        if let Some(name) = label.filter(|name| crate::sample::is_label_name(name)) {
            return Ok(Node::Label(name.to_owned()));
        }
        if let Some(raw) = text.strip_prefix('`') {
            return Ok(Node::Text(raw.trim_end_matches('`').to_owned()));
        }
        if text.starts_with('"') {
            // Go's escapes that people use are JSON's.
            let string = serde_json::from_str(text).map(Node::Text);
            return string
                .or_else(|_| self.refuse(token, "this string has a bad escape".to_owned()));
        }
        if let Ok(number) = text.parse::<f64>()
            && text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        {
            return Ok(Node::Number(number));
        }
        if Function::of(text).is_some_and(|function| function.arguments().contains(&0)) {
            return self.refuse(token, format!("write ({text})"));
        }
        self.refuse(token, format!("{text:?} is not supported here"))
    }
}
