//! The functions that a template may call, with Prometheus' names and results.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Node, Value};

/// A function of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Humanize,
    Humanize1024,
    HumanizePercentage,
    HumanizeDuration,
    HumanizeTimestamp,
    Printf,
    ToUpper,
    ToLower,
    Title,
    StripPort,
    Index,
}

impl Function {
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "humanize" => Self::Humanize,
            "humanize1024" => Self::Humanize1024,
            "humanizePercentage" => Self::HumanizePercentage,
            "humanizeDuration" => Self::HumanizeDuration,
            "humanizeTimestamp" => Self::HumanizeTimestamp,
            "printf" => Self::Printf,
            "toUpper" => Self::ToUpper,
            "toLower" => Self::ToLower,
            "title" => Self::Title,
            "stripPort" => Self::StripPort,
            "index" => Self::Index,
            _ => return None,
        })
    }

    /// How many arguments it takes.
    pub(super) fn arguments(self) -> RangeInclusive<usize> {
        match self {
            Self::Printf => 1..=16,
            Self::Index => 2..=2,
            _ => 1..=1,
        }
    }

    pub(super) fn call(self, arguments: &[Value]) -> Result<Value, String> {
        let Some(first) = arguments.first() else { return Err("no argument".to_owned()) };
        Ok(Value::Text(match self {
            Self::Humanize => humanize(first.number()?),
            Self::Humanize1024 => humanize_1024(first.number()?),
            Self::HumanizePercentage => format!("{}%", general(first.number()? * 100.0, 4)),
            Self::HumanizeDuration => humanize_duration(first.number()?),
            Self::HumanizeTimestamp => humanize_timestamp(first.number()?)?,
            Self::Printf => printf(&first.text(), &arguments[1..])?,
            Self::ToUpper => first.text().to_uppercase(),
            Self::ToLower => first.text().to_lowercase(),
            Self::Title => title(&first.text()),
            Self::StripPort => strip_port(&first.text()),
            Self::Index => return Err("index is for $labels".to_owned()),
        }))
    }
}

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const LARGE_1024: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return general(value, 4);
    }
    if value.abs() >= 1.0 { scaled(value, 1000.0, &LARGE) } else { small(value) }
}

fn humanize_1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return general(value, 4);
    }
    scaled(value, 1024.0, &LARGE_1024)
}

fn scaled(mut value: f64, step: f64, prefixes: &[&'static str]) -> String {
    let mut prefix = "";
    for next in prefixes {
        if value.abs() < step {
            break;
        }
        (prefix, value) = (*next, value / step);
    }
    general(value, 4) + prefix
}

fn small(mut value: f64) -> String {
    let mut prefix = "";
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        (prefix, value) = (next, value * 1000.0);
    }
    general(value, 4) + prefix
}

fn humanize_duration(value: f64) -> String {
    if !value.is_finite() {
        return general(value, 4);
    }
    if value == 0.0 {
        return "0s".to_owned();
    }
    if value.abs() < 1.0 {
        return small(value) + "s";
    }
    let (sign, whole) = (if value < 0.0 { "-" } else { "" }, value.abs() as u64);
    let (seconds, minutes) = (whole % 60, whole / 60 % 60);
    let (hours, days) = (whole / 3_600 % 24, whole / 86_400);
    if days > 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours > 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes > 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        general(value, 4) + "s"
    }
}

fn humanize_timestamp(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Ok(general(value, 4));
    }
    let at = Timestamp::from_millisecond((value * 1000.0).round() as i64)
        .map_err(|_| "this time is out of range".to_owned())?;
    let at = at.to_zoned(TimeZone::UTC);
    Ok(at.strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string())
}

fn title(text: &str) -> String {
    let mut starts = true;
    let one = |c: char| {
        let titled = if starts { c.to_uppercase().next().unwrap_or(c) } else { c };
        starts = !(c.is_alphanumeric() || c == '_' || c == '\'');
        titled
    };
    text.chars().map(one).collect()
}

fn strip_port(text: &str) -> String {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "0"));
    let is_address = host.starts_with('[') || !host.contains(':');
    match is_address && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) {
        true => host.trim_start_matches('[').trim_end_matches(']').to_owned(),
        false => text.to_owned(),
    }
}

/// A number as C's `%.{precision}g` has it, with the words of Go for what is not finite.
fn general(value: f64, precision: usize) -> String {
    if !value.is_finite() {
        let word = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        return word.to_owned();
    }
    let precision = precision.max(1);
    let scientific = format!("{value:.*e}", precision - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= precision as i32 {
        return format!("{}e{}", trimmed(digits), signed(exponent));
    }
    let decimals = (precision as i32 - 1 - exponent).max(0) as usize;
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

/// Without zeros behind the point that say nothing.
fn trimmed(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

fn signed(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{:02}", exponent.abs())
}

/// One verb of a format, such as `%-8.2f`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verb {
    left: bool,
    zeros: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

/// Wider or more precise than anybody wants.
const MAX_WIDTH: usize = 100;

/// The plain texts and verbs of a format.
fn pieces(format: &str) -> Result<Vec<Result<Verb, char>>, String> {
    let (mut found, mut rest) = (Vec::new(), format.chars().peekable());
    while let Some(character) = rest.next() {
        if character != '%' {
            found.push(Err(character));
            continue;
        }
        let mut verb =
            Verb { left: false, zeros: false, plus: false, width: 0, precision: None, letter: '%' };
        while let Some(flag) = rest.next_if(|c| matches!(c, '-' | '0' | '+')) {
            match flag {
                '-' => verb.left = true,
                '0' => verb.zeros = true,
                _ => verb.plus = true,
            }
        }
        let number = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut number = None;
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                let digit = digit as usize - '0' as usize;
                number = Some((number.unwrap_or(0) * 10 + digit).min(MAX_WIDTH));
            }
            number
        };
        verb.width = number(&mut rest).unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            verb.precision = Some(number(&mut rest).unwrap_or(0));
        }
        match rest.next() {
            Some('%') => found.push(Err('%')),
            Some(letter @ ('s' | 'v' | 'q' | 'f' | 'e' | 'g')) => {
                found.push(Ok(Verb { letter, ..verb }));
            }
            Some(letter) => return Err(format!("printf: %{letter} is not supported")),
            None => return Err("printf: the format ends within a verb".to_owned()),
        }
    }
    Ok(found)
}

/// Whether the format is one, and has as many verbs as there are arguments behind it.
pub(super) fn check_format(arguments: &[Node]) -> Result<(), String> {
    let Some(Node::Text(format)) = arguments.first() else {
        return Err("printf begins with a format in quotes".to_owned());
    };
    let verbs = pieces(format)?.iter().filter(|piece| piece.is_ok()).count();
    if verbs == arguments.len() - 1 {
        return Ok(());
    }
    Err(format!("printf: {verbs} verbs for {} arguments", arguments.len() - 1))
}

fn printf(format: &str, arguments: &[Value]) -> Result<String, String> {
    let (mut text, mut arguments) = (String::new(), arguments.iter());
    for piece in pieces(format)? {
        match piece {
            Err(character) => text.push(character),
            Ok(verb) => {
                let value = arguments.next().ok_or("printf: an argument is missing")?;
                text.push_str(&verb.print(value)?);
            }
        }
    }
    Ok(text)
}

impl Verb {
    fn print(self, value: &Value) -> Result<String, String> {
        let number = |print: &dyn Fn(f64) -> String| -> Result<String, String> {
            let number = value.number()?;
            let plus = if self.plus && number >= 0.0 { "+" } else { "" };
            Ok(match number.is_finite() {
                true => format!("{plus}{}", print(number)),
                false => general(number, 1),
            })
        };
        let body = match self.letter {
            'f' => number(&|it| format!("{it:.*}", self.precision.unwrap_or(6)))?,
            'g' => match self.precision {
                Some(precision) => number(&|it| general(it, precision))?,
                None => number(&shortest)?,
            },
            'e' => number(&|it| {
                let text = format!("{it:.*e}", self.precision.unwrap_or(6));
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
                format!("{digits}e{}", signed(exponent.parse().unwrap_or(0)))
            })?,
            'q' => format!("{:?}", value.text()),
            _ => {
                let text = value.text();
                self.precision.map_or(text.clone(), |most| text.chars().take(most).collect())
            }
        };
        let missing = self.width.saturating_sub(body.chars().count());
        Ok(match (self.left, self.zeros) {
            (true, _) => format!("{body}{}", " ".repeat(missing)),
            (false, true) if !body.starts_with('-') => format!("{}{body}", "0".repeat(missing)),
            _ => format!("{}{body}", " ".repeat(missing)),
        })
    }
}

/// As many digits as tell the number from its neighbours.
fn shortest(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..21).contains(&exponent) {
        return format!("{value}");
    }
    format!("{digits}e{}", signed(exponent))
}
