//! Where in an expression something stands: the parser tells what is wrong, but not where.

use promql_parser::parser;

use super::Error;

/// What the parser says of a text that its grammar does not have; it says no more.
const NOT_IN_GRAMMAR: &str = "invalid promql query";

/// What may follow a beginning that is sound so far; brackets that are open are closed behind it.
const ENDINGS: [&str; 14] = [
    "", "x", "\"x\"", "=\"x\"", "x=\"x\"", "1m", "5m]", "5m:]", ":]", "(x)", "(x) x", "(x)(x)",
    "(1, x)", "1",
];

/// Those of two signs.
const OPERATORS: [&str; 6] = ["==", "!=", ">=", "<=", "=~", "!~"];

/// A part of an expression that is not divided further.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    /// What a string says, if this is one.
    fn quoted(&self) -> Option<&str> {
        let quote = self.text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        Some(self.text.trim_matches(quote))
    }

    /// Whether this is a string without its end.
    pub(super) fn is_open_string(&self) -> bool {
        let Some(quote) = self.text.chars().next() else { return false };
        matches!(quote, '"' | '\'' | '`') && string_length(self.text, quote).is_none()
    }
}

/// The tokens of an expression: names with numbers and durations, strings, and signs.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '.');
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => string_length(rest, first).unwrap_or(rest.len()),
            c if is_word(c) && c != ':' => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if OPERATORS.contains(&rest.get(..2).unwrap_or_default()) => 2,
            c => c.len_utf8(),
        };
        if !first.is_whitespace() && first != '#' {
            tokens.push(Token { text: &rest[..length], start: at });
        }
        at += length;
    }
    tokens
}

/// How long the string at the start is, if it ends.
fn string_length(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' if quote != '`' => escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// An error at a byte of the text.
pub(super) fn error(text: &str, at: usize, message: impl Into<String>) -> Error {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::Parse { line, column, message: message.into() }
}

/// The place of a word; if it calls something, behind it is a bracket or what an aggregation has there.
pub(super) fn of_call(text: &str, name: &str) -> usize {
    let tokens = tokens(text);
    let is_call = |pair: &&[Token<'_>]| {
        pair[0].text == name && matches!(pair[1].text, "(" | "by" | "without")
    };
    tokens.windows(2).find(is_call).map_or_else(|| of_word(text, name), |pair| pair[0].start)
}

/// The place of a word, or the start.
pub(super) fn of_word(text: &str, word: &str) -> usize {
    let tokens = tokens(text);
    tokens.iter().find(|token| token.text == word).map_or(0, |token| token.start)
}

/// The error for what the parser refused with `message`.
pub(super) fn refused(text: &str, message: &str) -> Error {
    if message == NOT_IN_GRAMMAR {
        return unexpected(text);
    }
    if let Some((_, pattern)) = message.split_once("illegal regex for ") {
        let tokens = tokens(text);
        let place = tokens.iter().find(|token| token.quoted() == Some(pattern));
        return error(text, place.map_or(0, |token| token.start), message);
    }
    // The parser's own texts name the function, the sign or the number.
    let named = message.split('\'').nth(1);
    let name = named.or_else(|| message.split_once("syntax: ").map(|(_, name)| name));
    error(text, of_call(text, name.unwrap_or_default()), message)
}

/// The first token that no sound expression has there. A beginning of a sound beginning is sound, so
/// the place is found by halving.
fn unexpected(text: &str) -> Error {
    let tokens = tokens(text);
    let (mut sound, mut broken) = (0, tokens.len() + 1);
    while broken - sound > 1 {
        let middle = sound.midpoint(broken);
        let end = tokens[middle - 1].start + tokens[middle - 1].text.len();
        if can_go_on(&text[..end]) { sound = middle } else { broken = middle }
    }
    match tokens.get(sound) {
        Some(token) => error(text, token.start, format!("unexpected {:?}", token.text)),
        None => error(text, text.len(), "unexpected end of input"),
    }
}

fn can_go_on(beginning: &str) -> bool {
    let mut open = Vec::new();
    for token in tokens(beginning) {
        match token.text {
            "(" => open.push(')'),
            "[" => open.push(']'),
            "{" => open.push('}'),
            ")" | "]" | "}" => drop(open.pop()),
            _ => {}
        }
    }
    let closing: String = open.iter().rev().collect();
    // What was divided into words and is refused all the same is refused for its meaning.
    let in_grammar = |text: &str| {
        let refused = |message: String| message != NOT_IN_GRAMMAR;
        parser::lexer(text).is_ok() && parser::parse(text).err().is_none_or(refused)
    };
    ENDINGS.iter().any(|ending| {
        // An ending may close one bracket of its own.
        let closed = if ending.ends_with(']') { closing.get(1..).unwrap_or("") } else { &closing };
        in_grammar(&format!("{beginning} {ending}{closed}"))
            || in_grammar(&format!("{beginning} {ending}{closed} x"))
            || in_grammar(&format!("{beginning} {ending}{closed} + x"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_words_strings_and_signs() {
        let text = "sum by(a) (x{b!~\"c \\\" d\"}[5m] offset -1h) # end\n>= `q\\`";
        let texts: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
        assert_eq!(
            texts,
            [
                "sum",
                "by",
                "(",
                "a",
                ")",
                "(",
                "x",
                "{",
                "b",
                "!~",
                "\"c \\\" d\"",
                "}",
                "[",
                "5m",
                "]",
                "offset",
                "-",
                "1h",
                ")",
                ">=",
                "`q\\`"
            ]
        );
    }
}
