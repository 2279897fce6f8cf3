//! Reads how far a command has come from what it prints.
//!
//! Believed at once are percentages and counts that look like a progress bar: redrawn on one line,
//! framed (`[ 42%]`, `[3/10]`), beside a bar, or alone on a line. Any other one may be part of a
//! sentence ("100% cotton"): it is believed when the same words come again with a higher number. An
//! object of JSON with `progress`, `processed`, `total` or `details` is believed at once, and from then
//! on nothing else is.

use std::collections::VecDeque;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// Sentences with a number that may come again.
const REMEMBERED: usize = 16;
/// Percentage and count of one line are the same thing if they are no further apart.
const SAME_PERCENT: f64 = 1.5;

/// How far a command has come, as it says itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) progress: Option<f64>,
    pub(super) processed: Option<f64>,
    pub(super) total: Option<f64>,
    pub(super) details: Option<Value>,
}

/// A part of the output: a line, or what a carriage return has it overwrite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    /// Without colours and other signs to the terminal.
    pub(super) text: &'a str,
    /// It stands between carriage returns.
    pub(super) is_redrawn: bool,
    /// It has no end yet: its last number may be cut.
    pub(super) is_open: bool,
}

/// What of the output is heeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Source {
    /// Percentages, counts and JSON
    Auto,
    /// JSON lines only
    Json,
    /// Nothing
    None,
}

/// Reads one stream of output.
#[derive(Debug)]
pub(super) struct Meter {
    source: Source,
    sentences: VecDeque<(String, f64)>,
}

/// What a line of JSON may say; it may say other things as well.
#[derive(Debug, Deserialize)]
struct Line {
    progress: Option<f64>,
    processed: Option<f64>,
    total: Option<f64>,
    details: Option<Value>,
}

#[expect(clippy::unwrap_used, reason = "constants, each of which a test matches")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}

/// Behind a number there must be an end, so that "100%ile" and "1/2/2024" are none.
static PERCENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:^|[\s\[(|:=>#])(\d{1,3}(?:\.\d{1,6})?) ?%(?:$|[\s\[\])|,;:.!…])")
});
static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[\s\[(|:])(\d{1,15}(?:\.\d{1,6})?) ?/ ?(\d{1,15}(?:\.\d{1,6})?)(?:$|[\s\])|,;:!…]|\.(?:\s|$))",
    )
});
static FRAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\[\s*[\d.]+\s*(?:%|/\s*[\d.]+)\s*\]|\(\s*[\d.]+\s*/\s*[\d.]+\s*\)\s*$")
});
static BAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"[\[|(][#=*█▉▊▋▌▍▎▏▓▒░━─╸╺>.\-\s]*[#=*█▓░━]{2}[#=*█▉▊▋▌▍▎▏▓▒░━─╸╺>.\-\s]*[\])|]|[█▓░━]{3}",
    )
});

impl Meter {
    pub(super) fn new(source: Source) -> Self {
        Self { source, sentences: VecDeque::new() }
    }

    /// What a part of the output says of progress.
    pub(super) fn read(&mut self, segment: Segment<'_>) -> Option<Reading> {
        if self.source == Source::None {
            return None;
        }
        if let Some(line) = json(segment).filter(|_| !segment.is_open) {
            self.source = Source::Json;
            return Some(line);
        }
        if self.source == Source::Json {
            return None;
        }
        let percent = number(&PERCENT, segment.text, 1).filter(|percent| *percent <= 100.0);
        let count = count(segment.text).filter(|_| !segment.is_open);
        let agree = |percent: f64, (done, all): (f64, f64)| {
            all > 0.0 && (percent - 100.0 * done / all).abs() <= SAME_PERCENT
        };
        let (reading, value) = match (percent, count) {
            (None, None) => return None,
            (Some(percent), Some(count)) if agree(percent, count) => of_count(count),
            (Some(percent), _) => {
                (Reading { progress: Some(percent), ..Reading::default() }, percent)
            }
            (None, Some(count)) => of_count(count),
        };
        (is_sure(segment) || self.is_told_again(segment.text, value)).then_some(reading)
    }

    /// Whether these words were there before, with a lower number.
    fn is_told_again(&mut self, text: &str, value: f64) -> bool {
        let words: String = text.chars().filter(|c| c.is_alphabetic()).collect();
        let before = self.sentences.iter().position(|(known, _)| *known == words);
        let before = before.and_then(|place| self.sentences.remove(place));
        self.sentences.push_back((words, value));
        if self.sentences.len() > REMEMBERED {
            self.sentences.pop_front();
        }
        before.is_some_and(|(_, before)| value > before)
    }
}

fn of_count((done, all): (f64, f64)) -> (Reading, f64) {
    (Reading { processed: Some(done), total: Some(all), ..Reading::default() }, done)
}

/// Whether it looks like a progress bar and not like a sentence.
fn is_sure(Segment { text, is_redrawn, .. }: Segment<'_>) -> bool {
    let is_alone = !text.contains(|c: char| c.is_alphabetic());
    is_redrawn || is_alone || FRAMED.is_match(text) || BAR.is_match(text)
}

fn number(pattern: &Regex, text: &str, group: usize) -> Option<f64> {
    pattern.captures(text)?.get(group)?.as_str().parse().ok()
}

fn count(text: &str) -> Option<(f64, f64)> {
    let (done, all) = (number(&COUNT, text, 1)?, number(&COUNT, text, 2)?);
    (done <= all && all > 0.0).then_some((done, all))
}

fn json(segment: Segment<'_>) -> Option<Reading> {
    let text = segment.text.trim();
    if !(text.starts_with('{') && text.ends_with('}')) {
        return None;
    }
    let Line { progress, processed, total, details } = serde_json::from_str(text).ok()?;
    let is_count = |count: Option<f64>| count.is_none_or(|count| count.is_finite() && count >= 0.0);
    let is_sound = progress.is_none_or(|progress| (0.0..=100.0).contains(&progress))
        && is_count(processed)
        && is_count(total)
        && processed.zip(total).is_none_or(|(processed, total)| processed <= total);
    let reading = Reading { progress, processed, total, details };
    (is_sound && reading != Reading::default()).then_some(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Segment<'_> {
        Segment { text, is_redrawn: false, is_open: false }
    }

    /// What is believed of each line, one after another.
    fn check(lines: &[&str], expected: &str) {
        let mut meter = Meter::new(Source::Auto);
        let told = lines.iter().map(|text| match meter.read(line(text)) {
            None => "-".to_owned(),
            Some(Reading { progress: Some(percent), .. }) => format!("{percent}%"),
            Some(Reading { processed: Some(done), total: Some(all), .. }) => {
                format!("{done}/{all}")
            }
            Some(other) => format!("{other:?}"),
        });
        assert_eq!(told.collect::<Vec<_>>().join(" "), expected, "{lines:?}");
    }

    #[test]
    fn what_looks_like_a_bar_is_believed_at_once() {
        check(&["42%"], "42%");
        check(&["  42.5 %  "], "42.5%");
        check(&["[ 42%] Building C object a.o"], "42%");
        check(&["[3/10] Compiling b"], "3/10");
        check(&["Building [====>       ] 42/100: serde"], "42/100");
        check(&["file.iso  45%[======>      ] 1,234  5MB/s"], "45%");
        check(&["━━━━━━━━━╸━━━━ 12.5/100.0 MB 3.1 MB/s"], "12.5/100");
        check(&["|#####     | 50%"], "50%");
        check(&["tests/test_a.py ....     [ 42%]"], "42%");
        check(&["  1,238,099  42%  0:00:08"], "42%");
    }

    #[test]
    fn what_is_redrawn_is_believed_at_once() {
        let mut meter = Meter::new(Source::Auto);
        let redrawn =
            Segment { is_redrawn: true, ..line("Receiving objects:  42% (123/292), 1.2 MiB") };
        let reading = meter.read(redrawn).expect("a reading");
        assert_eq!((reading.processed, reading.total), (Some(123.0), Some(292.0)));
        let open = Segment { is_redrawn: true, is_open: true, text: "3/1" };
        assert_eq!(meter.read(open), None, "it may become 3/10");
        let open = Segment { is_redrawn: true, is_open: true, text: "at 42%" };
        assert!(meter.read(open).is_some());
    }

    #[test]
    fn a_sentence_is_believed_when_it_comes_again_with_more() {
        check(&["100% cotton", "100% wool", "100% cotton"], "- - -");
        check(&["100% tests passed, 0 tests failed out of 5"], "-");
        check(&["done 10%", "done 10%", "done 20%", "done 30%"], "- - 20% 30%");
        check(&["Coverage: 85%", "Load: 90%"], "- -");
        check(&["Step 1/3 : FROM a", "copied 1/3 files", "copied 2/3 files"], "- - 2/3");
        check(&["1/2 cup of sugar", "3/4 cup of flour"], "- -");
    }

    #[test]
    fn other_numbers_are_none() {
        for text in [
            "2024/01/10 10:00:00 started",
            "1/2/2024",
            "see src/1/2",
            "24/7",
            "101%",
            "the 50%ile",
            "a5%",
            "http://x/3/10",
            "5/0",
            "100%25",
            "-5%",
        ] {
            check(&[text, text], "- -");
        }
    }

    #[test]
    fn lines_of_json_are_believed_and_then_nothing_else() {
        let mut meter = Meter::new(Source::Auto);
        let text = r#"{"progress":12.5,"details":{"errors":2},"level":"info"}"#;
        let reading = meter.read(line(text)).expect("a reading");
        assert_eq!(reading.progress, Some(12.5));
        assert_eq!(reading.details, Some(serde_json::json!({"errors": 2})));
        assert_eq!(meter.read(line("[ 42%]")), None);
        assert!(meter.read(line(r#" {"processed":1,"total":3} "#)).is_some());
        for nonsense in [
            r#"{"progress":101}"#,
            r#"{"processed":4,"total":3}"#,
            r#"{"processed":-1}"#,
            r#"{"progress":"x"}"#,
            r#"{"level":"info"}"#,
            "{}",
            "{",
        ] {
            assert_eq!(meter.read(line(nonsense)), None, "{nonsense}");
        }
        assert_eq!(Meter::new(Source::Json).read(line("[ 42%]")), None);
        assert_eq!(Meter::new(Source::None).read(line(text)), None);
    }
}
