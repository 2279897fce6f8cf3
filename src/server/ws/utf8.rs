//! UTF-8 that arrives in pieces, refused at the first byte that cannot belong to it.

/// The bytes so far cannot be the beginning of a UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Impossible;

/// How many bytes at the start of `text` are whole characters, where the first `checked` are known
/// to be. The rest, at most three bytes, is a character that has begun and can still end well.
pub(super) fn whole_characters(text: &[u8], checked: usize) -> Result<usize, Impossible> {
    match str::from_utf8(&text[checked..]) {
        Ok(_) => Ok(text.len()),
        Err(error) if error.error_len().is_none() => Ok(checked + error.valid_up_to()),
        Err(_) => Err(Impossible),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` byte by byte; gives the index of the byte at which it was refused.
    fn refused_at(text: &[u8]) -> Option<usize> {
        let mut checked = 0;
        for end in 1..=text.len() {
            match whole_characters(&text[..end], checked) {
                Ok(whole) => checked = whole,
                Err(Impossible) => return Some(end - 1),
            }
        }
        None
    }

    #[test]
    fn refused_at_the_first_impossible_byte() {
        let check = |text: &[u8], expected| assert_eq!(refused_at(text), expected, "{text:x?}");
        check("κόσμε \u{10ffff} \u{d7ff} \u{e000}".as_bytes(), None);
        check(b"ok\x80", Some(2));
        check(b"ok\xff", Some(2));
        // A slash in two, three and four bytes: longer than it may be.
        check(b"\xc0\xaf", Some(0));
        check(b"\xe0\x80\xaf", Some(1));
        check(b"\xf0\x80\x80\xaf", Some(1));
        // A surrogate half, and one above U+10FFFF.
        check(b"\xed\xa0\x80", Some(1));
        check(b"\xf4\x90\x80\x80", Some(1));
        check(b"\xf5\x80\x80\x80", Some(0));
        // A character that ends too early.
        check(b"\xe2\x82A", Some(2));
        check(b"\xf0\x9f\x98A", Some(3));
        // One that only waits for its end.
        check(b"\xf0\x9f\x98", None);
    }

    #[test]
    fn a_character_that_has_begun_is_not_counted() {
        assert_eq!(whole_characters("aé€".as_bytes(), 0), Ok(6));
        assert_eq!(whole_characters(&"aé€".as_bytes()[..5], 1), Ok(3));
        assert_eq!(whole_characters(&"é😀".as_bytes()[..5], 2), Ok(2));
    }
}
