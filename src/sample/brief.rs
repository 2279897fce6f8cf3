//! Foreign text for a line of a log or an answer: short, and harmless to a terminal.

/// Bytes that are shown.
const SHOWN_BYTES: usize = 160;

/// `text`, cut if it is long, with what is not printed escaped as Rust does.
pub fn brief(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= SHOWN_BYTES {
            shown.push('…');
            break;
        }
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_moves_a_cursor_is_escaped() {
        let check = |text: &str, expected: &str| assert_eq!(brief(text), expected);
        check("name \"größe\" is 'odd'", "name \"größe\" is 'odd'");
        check("a\nb\x1b[31m\u{202e}c\0", "a\\nb\\u{1b}[31m\\u{202e}c\\0");
        check(&"x".repeat(1 << 20), &format!("{}…", "x".repeat(SHOWN_BYTES)));
    }

    proptest! {
        #[test]
        fn it_is_short_and_one_line(text: String) {
            let shown = brief(&text);
            prop_assert!(shown.len() < SHOWN_BYTES + 16);
            prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
        }
    }
}
