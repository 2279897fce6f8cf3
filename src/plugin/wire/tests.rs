//! What lines mean, and that no bytes can hurt.

use super::*;
use proptest::prelude::*;

fn read(line: &str) -> Result<Record<'_>, Malformed> {
    Reader::default().read(line.as_bytes())
}

fn sample(line: &str) -> (String, Vec<(String, String)>, f64, Kind) {
    match read(line) {
        Ok(Record::Sample(Sample { name, labels, value, kind, .. })) => {
            let labels = labels.into_iter().map(|(n, v)| (n.into_owned(), v.into_owned()));
            (name.into_owned(), labels.collect(), value, kind)
        }
        other => panic!("{line}: {other:?}"),
    }
}

fn labels(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn samples_of_json() {
    let line = r#"{"name":"a","labels":{"x":"1","y":"\"q\"\n"},"value":1.5}"#;
    let expected = ("a".to_owned(), labels(&[("x", "1"), ("y", "\"q\"\n")]), 1.5, Kind::Gauge);
    assert_eq!(sample(line), expected);
    assert_eq!(sample(r#"{"type":"sample","name":"a_total","value":3}"#).3, Kind::Counter);
    assert_eq!(sample(r#"{"name":"a_total","value":3,"kind":"gauge"}"#).3, Kind::Gauge);
    assert!(sample(r#"{"name":"a","value":"NaN"}"#).2.is_nan());
    assert_eq!(sample(r#"{"name":"a","value":"-Inf"}"#).2, f64::NEG_INFINITY);
}

#[test]
fn samples_of_text() {
    assert_eq!(sample("a 1.5"), ("a".to_owned(), Vec::new(), 1.5, Kind::Gauge));
    let line = r#"a_total{x="1", y="a\"b\\c\nd",} +Inf 1700000000000"#;
    let expected = labels(&[("x", "1"), ("y", "a\"b\\c\nd")]);
    assert_eq!(sample(line), ("a_total".to_owned(), expected, f64::INFINITY, Kind::Counter));
    assert_eq!(sample("a{} 1e3").2, 1000.0);
}

#[test]
fn times_of_samples() {
    let check = |line: &str, expected: Option<i64>| {
        let Ok(Record::Sample(sample)) = read(line) else { panic!("{line}: {:?}", read(line)) };
        assert_eq!(sample.unix_ns, expected, "{line}");
    };
    check("a 1", None);
    check("a 1 1700000000123", Some(1_700_000_000_123_000_000));
    check("a 1 1700000000.25", Some(1_700_000_000_250_000_000));
    check("a 1 -5 # {trace_id=\"x\"} 1", Some(-5_000_000));
    check("a 1 # {trace_id=\"x\"} 1", None);
    check("a 1 9223372036854775807", Some(i64::MAX));
    check("a 1 NaN", Some(0));
    check(r#"{"name":"a","value":1,"timestamp":1700000000123}"#, Some(1_700_000_000_123_000_000));
    check(r#"{"name":"a","value":1,"timestamp":0}"#, Some(0));
    check(r#"{"name":"a","value":1,"timestamp":1e300}"#, Some(i64::MAX));
    check(r#"{"name":"a","value":1,"timestamp":null}"#, None);
}

#[test]
fn a_declared_type_holds() {
    let mut reader = Reader::default();
    assert_eq!(reader.read(b"# TYPE bytes counter"), Ok(Record::Nothing));
    assert_eq!(reader.read(b"# HELP bytes What it is"), Ok(Record::Nothing));
    let Ok(Record::Sample(sample)) = reader.read(b"bytes 1") else { panic!("a sample") };
    assert_eq!(sample.kind, Kind::Counter);
}

#[test]
fn parts_of_a_histogram_are_totals() {
    let mut reader = Reader::default();
    assert_eq!(reader.read(b"# TYPE t histogram"), Ok(Record::Nothing));
    for (line, expected) in
        [("t_bucket{le=\"1\"} 1", Kind::Counter), ("t_sum 1", Kind::Counter), ("t 1", Kind::Gauge)]
    {
        let Ok(Record::Sample(sample)) = reader.read(line.as_bytes()) else { panic!("a sample") };
        assert_eq!(sample.kind, expected, "{line}");
    }
}

#[test]
fn what_is_remembered_of_types_is_bounded() {
    let mut reader = Reader::default();
    for number in 0..TYPES_MAX + 10 {
        let line = format!("# TYPE m{number} counter");
        assert_eq!(reader.read(line.as_bytes()), Ok(Record::Nothing));
    }
    assert_eq!(reader.types.len(), TYPES_MAX);
    assert_eq!(reader.read(b"# TYPE m0 gauge"), Ok(Record::Nothing));
    assert_eq!(reader.types["m0"], Kind::Gauge);
    let mut reader = Reader::default();
    let line = format!("# TYPE {} counter", "m".repeat(TYPE_NAME_MAX + 1));
    assert_eq!(reader.read(line.as_bytes()), Ok(Record::Nothing));
    assert!(reader.types.is_empty());
}

#[test]
fn ends_and_logs() {
    assert_eq!(read(r#"{"type":"end"}"#), Ok(Record::End(Ending::Ok)));
    let line = r#"{"type":"end","status":"unavailable","message":"gone"}"#;
    assert_eq!(read(line), Ok(Record::End(Ending::Failed("gone".to_owned()))));
    let line = r#"{"type":"end","status":"absent","message":"no card"}"#;
    assert_eq!(read(line), Ok(Record::End(Ending::Absent("no card".to_owned()))));
    let line = r#"{"type":"log","level":"warn","message":"hm"}"#;
    assert_eq!(read(line), Ok(Record::Log(Level::Warn, "hm".into())));
    assert_eq!(read(""), Ok(Record::Nothing));
    let line = r#"{"type":"refused","reason":"value","message":"a is NaN"}"#;
    let (reason, message) = (Reason::Value, "a is NaN".into());
    assert_eq!(read(line), Ok(Record::Refused { reason, count: 1, message }));
    let line = r#"{"type":"refused","reason":"limit","count":12}"#;
    let (reason, message) = (Reason::Limit, "".into());
    assert_eq!(read(line), Ok(Record::Refused { reason, count: 12, message }));
    assert!(read(r#"{"type":"refused","count":-1}"#).is_err());
}

#[test]
fn what_is_wrong_is_said() {
    let check = |line: &str, expected: &str| {
        let error = read(line).expect_err(line).to_string();
        assert!(error.contains(expected), "{line}: {error}");
    };
    check("{", "EOF");
    check(r#"{"name":"a"}"#, "\"value\"");
    check(r#"{"value":1}"#, "\"name\"");
    check(r#"{"name":"a","value":"x"}"#, "NaN");
    check(r#"{"name":"a","value":1,"kind":"x"}"#, "kind");
    check(r#"{"name":"a","value":1,"labels":{"x":1}}"#, "string");
    check(r#"{"type":"x"}"#, "type");
    check(r#"{"name":"a","value":1,"unit":"s"}"#, "unit");
    check("a", "value is missing");
    check("a x", "no number");
    check("a{x=1} 1", "not quoted");
    check("a{x=\"1} 1", "not closed");
    check("a{x=\"1\" y=\"2\"} 1", "neither");
    check("a 1 x", "time stamp");
    check(r#"{"name":"a","value":1,"timestamp":"now"}"#, "f64");
    assert!(Reader::default().read(b"\xff").is_err());
}

#[test]
fn long_lines_are_lost_and_nothing_else() {
    let mut lines = Lines::new(4);
    let mut got = Vec::new();
    for piece in ["ab", "c\nde", "fghi", "jk\nl\nmnopq\nr"] {
        lines.push(piece.as_bytes(), |line| {
            got.push(line.map(|line| String::from_utf8_lossy(line).into_owned()));
        });
    }
    let line = |text: &str| Ok(text.to_owned());
    assert_eq!(got, [line("abc"), Err(Overflow), line("l"), Err(Overflow)]);
    assert_eq!(lines.finish(), b"r");
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused(line: Vec<u8>) {
        let _ = Reader::default().read(&line);
    }

    #[test]
    fn any_text_is_read_or_refused(line in r#"[a{}=",\\ 1#n]{0,40}"#) {
        let _ = Reader::default().read(line.as_bytes());
    }

    /// However the bytes are cut, the lines are the same.
    #[test]
    fn cutting_changes_nothing(text in "[ab\n]{0,60}", cuts in prop::collection::vec(1usize..9, 1..30)) {
        let collect = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let (mut lines, mut got) = (Lines::new(5), Vec::new());
            for piece in pieces {
                lines.push(piece, |line| got.push(line.map(<[u8]>::to_vec)));
            }
            (got, lines.finish())
        };
        let whole = collect(&mut std::iter::once(text.as_bytes()));
        let (mut rest, mut pieces) = (text.as_bytes(), Vec::new());
        for cut in cuts {
            let (piece, tail) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        pieces.push(rest);
        prop_assert_eq!(whole, collect(&mut pieces.into_iter()));
    }

    /// What the exposition writes is read back as it was.
    #[test]
    fn text_survives_a_round_trip(value: String, number in -1e9..1e9f64) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("a{{x=\"{escaped}\"}} {number}");
        let got = sample(&line);
        prop_assert_eq!((got.1, got.2), (labels(&[("x", &value)]), number));
    }
}
