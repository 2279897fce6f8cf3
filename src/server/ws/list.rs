//! The words of a header that is a list of names with parameters (RFC 9110 section 5.6).

use std::borrow::Cow;

/// The header is no such list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// Reads one line of such a header from its front.
pub(super) struct Lexer<'a> {
    rest: &'a [u8],
}

impl<'a> Lexer<'a> {
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self { rest: line }
    }

    /// Goes to the next member of the list, past empty ones; false if there is none.
    pub(super) fn next_member(&mut self) -> bool {
        while self.takes(b',') {}
        !self.rest.is_empty()
    }

    /// A member is followed by a comma, or by nothing.
    pub(super) fn end_member(&mut self) -> Result<(), Broken> {
        self.skip_blanks();
        if self.rest.is_empty() || self.takes(b',') { Ok(()) } else { Err(Broken) }
    }

    /// Takes `delimiter` if it comes next; blanks around it are nothing.
    pub(super) fn takes(&mut self, delimiter: u8) -> bool {
        self.skip_blanks();
        let Some(rest) = self.rest.strip_prefix(&[delimiter]) else { return false };
        self.rest = rest;
        self.skip_blanks();
        true
    }

    /// A name.
    pub(super) fn token(&mut self) -> Result<&'a str, Broken> {
        let end = self.rest.iter().position(|byte| !is_token(*byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        str::from_utf8(token).ok().filter(|token| !token.is_empty()).ok_or(Broken)
    }

    /// A value: a name, or one in quotes, which must be a name all the same (RFC 6455 section 9.1).
    pub(super) fn token_or_quoted(&mut self) -> Result<Cow<'a, str>, Broken> {
        let Some(quoted) = self.rest.strip_prefix(b"\"") else {
            return self.token().map(Cow::Borrowed);
        };
        let (mut value, mut bytes) = (String::new(), quoted.iter());
        loop {
            let byte = match *bytes.next().ok_or(Broken)? {
                b'"' => break,
                b'\\' => *bytes.next().ok_or(Broken)?,
                byte => byte,
            };
            if !is_token(byte) {
                return Err(Broken);
            }
            value.push(char::from(byte));
        }
        self.rest = bytes.as_slice();
        if value.is_empty() { Err(Broken) } else { Ok(Cow::Owned(value)) }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// The bytes of a token (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
