//! Cuts output into lines, and into what carriage returns have overwritten on them.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::meter::Segment;

/// What of a line is looked at; the rest of a longer one is only passed on.
const SEGMENT_BYTES: usize = 16 << 10;

/// Signs to the terminal: colours, movements of the cursor, titles.
#[expect(clippy::unwrap_used, reason = "a constant, which a test matches")]
static ESCAPES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]")
        .unwrap()
});

/// What is done with the parts.
pub(super) trait Reader {
    /// A part, as soon as it is known.
    fn segment(&mut self, segment: Segment<'_>);
    /// A whole line, as a terminal shows it.
    fn line(&mut self, text: &str);
}

/// Where one stream of output stands.
#[derive(Debug, Default)]
pub(super) struct Segments {
    bytes: Vec<u8>,
    /// The last part of the present line that said something.
    shown: String,
    /// A carriage return was the last sign; it may be half of a line's end.
    has_return: bool,
    /// The present part overwrites another.
    is_redrawn: bool,
}

impl Segments {
    /// Takes in what was just printed.
    pub(super) fn feed(&mut self, bytes: &[u8], reader: &mut impl Reader) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    self.end_segment(false, reader);
                    self.end_line(reader);
                }
                b'\r' => self.has_return = true,
                byte => {
                    if std::mem::take(&mut self.has_return) {
                        self.end_segment(true, reader);
                        self.is_redrawn = true;
                    }
                    if self.bytes.len() < SEGMENT_BYTES {
                        self.bytes.push(*byte);
                    }
                }
            }
        }
        // What is drawn now is read now: its end comes with the next picture, or never.
        if (self.is_redrawn || self.has_return) && !self.bytes.is_empty() {
            let text = plain(&self.bytes);
            reader.segment(Segment { text: &text, is_redrawn: true, is_open: !self.has_return });
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self, reader: &mut impl Reader) {
        self.end_segment(false, reader);
        if !self.shown.is_empty() {
            self.end_line(reader);
        }
    }

    fn end_segment(&mut self, by_return: bool, reader: &mut impl Reader) {
        let text = plain(&self.bytes);
        self.bytes.clear();
        if text.trim().is_empty() {
            return;
        }
        let is_redrawn = self.is_redrawn || by_return;
        reader.segment(Segment { text: &text, is_redrawn, is_open: false });
        self.shown = text;
    }

    fn end_line(&mut self, reader: &mut impl Reader) {
        reader.line(&std::mem::take(&mut self.shown));
        (self.has_return, self.is_redrawn) = (false, false);
    }
}

/// Text without signs to the terminal.
fn plain(bytes: &[u8]) -> String {
    let text = ESCAPES.replace_all(bytes, &b""[..]);
    let text = String::from_utf8_lossy(&text);
    text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen {
        segments: Vec<String>,
        lines: Vec<String>,
    }

    impl Reader for Seen {
        fn segment(&mut self, Segment { text, is_redrawn, is_open }: Segment<'_>) {
            let signs = [("~", is_redrawn), ("…", is_open)].map(|(s, is)| if is { s } else { "" });
            self.segments.push(format!("{text}{}", signs.concat()));
        }

        fn line(&mut self, text: &str) {
            self.lines.push(text.to_owned());
        }
    }

    /// In one piece, and byte by byte.
    fn check(text: &[u8], segments: &[&str], lines: &[&str]) {
        for size in [text.len().max(1), 1] {
            let (mut cutter, mut seen) = (Segments::default(), Seen::default());
            text.chunks(size).for_each(|chunk| cutter.feed(chunk, &mut seen));
            cutter.end(&mut seen);
            assert_eq!(seen.lines, lines, "{size}");
            if size > 1 {
                seen.segments.retain(|text| !text.ends_with('…'));
                assert_eq!(seen.segments, segments);
            }
        }
    }

    #[test]
    fn lines_and_what_is_redrawn() {
        check(b"one\ntwo\r\n\nthree", &["one", "two", "three"], &["one", "two", "", "three"]);
        check(b"10%\r20%\r  \r30%\ndone\n", &["10%~", "20%~", "30%~", "done"], &["30%", "done"]);
        check(b"\r10%\r20%", &["10%~", "20%~"], &["20%"]);
        check(b"\x1b[32m42%\x1b[0m\x1b]0;title\x07 \x1b(Bok\x07\n", &["42% ok"], &["42% ok"]);
        check(b"a\xff\xc3\xbc\n", &["a\u{fffd}\u{fc}"], &["a\u{fffd}\u{fc}"]);
        check(b"", &[], &[]);
    }

    #[test]
    fn what_is_being_drawn_is_shown_before_its_end() {
        let (mut cutter, mut seen) = (Segments::default(), Seen::default());
        cutter.feed(b"copying", &mut seen);
        cutter.feed(b"\r42%", &mut seen);
        cutter.feed(b"\r", &mut seen);
        assert_eq!(seen.segments, ["copying~", "42%~…", "42%~"]);
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_than_its_bound() {
        let (mut cutter, mut seen) = (Segments::default(), Seen::default());
        for _ in 0..10 {
            cutter.feed(&[b'x'; 4096], &mut seen);
        }
        cutter.feed(b"\n", &mut seen);
        assert_eq!(seen.lines[0].len(), SEGMENT_BYTES);
    }
}
