//! The history from outside.

use jiff::Timestamp;

use super::*;
use crate::units::{ByteSize, HumanDuration};

fn key(name: &str) -> Arc<SeriesKey> {
    Arc::new(SeriesKey::new(name, [("device", "sda")]))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn history(memory_s: u64, max_bytes: u64) -> History {
    let (memory, max_bytes) = (HumanDuration::secs(memory_s), ByteSize(max_bytes));
    History::new(&Config { memory, max_bytes, ..Config::default() })
}

fn read(history: &History, key: &SeriesKey, from_s: i64, to_s: i64) -> Vec<(i64, f64)> {
    let (from, to) = (from_s * 1000, to_s * 1000);
    let points = history.excerpt(key, from, to).map(|excerpt| excerpt.points(from, to).unwrap());
    points.unwrap_or_default().iter().map(|point| (point.at / 1000, point.value)).collect()
}

#[test]
fn every_sample_of_the_last_while_is_there() {
    let (mut history, key) = (history(3600, 1 << 20), key("disk"));
    for second in (0..7200).step_by(5) {
        history.push(&key, at(second), second as f64 * 0.5);
        history.trim(at(second));
    }
    let all: Vec<_> = (3600..7200).step_by(5).map(|s| (s, s as f64 * 0.5)).collect();
    assert_eq!(read(&history, &key, 3600, 9999), all);
    assert_eq!(read(&history, &key, 3599, 3609), [(3600, 1800.0), (3605, 1802.5)]);
    let kept = history.samples();
    assert!((720..=720 + 240).contains(&kept), "{kept} samples are kept");
    assert!(history.bytes() < 720 * 5, "{} bytes", history.bytes());
}

#[test]
fn a_rare_series_does_not_stay_for_longer() {
    let (mut history, key) = (history(3600, 1 << 20), key("rare"));
    for second in (0..36_000).step_by(120) {
        history.push(&key, at(second), 1.0);
        history.trim(at(second));
    }
    let kept = read(&history, &key, 0, 36_000);
    assert!(kept[0].0 >= 36_000 - 3600 - 1200, "from {}", kept[0].0);
}

#[test]
fn memory_is_bounded_and_the_oldest_goes_first() {
    let mut history = history(3600, 100_000);
    let keys: Vec<_> = (0..50).map(|index| key(&format!("series_{index}"))).collect();
    let mut noise = 1u64;
    for second in 0..3000 {
        for key in &keys {
            noise = noise.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            history.push(key, at(second), f64::from_bits(noise >> 2));
        }
        history.trim(at(second));
        assert!(history.bytes() <= 100_000, "{} bytes at {second} s", history.bytes());
    }
    for key in &keys {
        let kept = read(&history, key, 0, 3000);
        let newest = kept.last().map(|(second, _)| *second);
        assert_eq!(newest, Some(2999), "the newest sample stays");
        assert_eq!(kept.len() as i64, 3000 - kept[0].0, "and there is no hole");
    }
    let counted: usize = history.tracks.values().map(Track::size).sum();
    assert_eq!(history.bytes(), counted);
}

#[test]
fn less_memory_than_one_sample_is_no_panic() {
    let mut history = history(3600, 1);
    for second in 0..10 {
        history.push(&key("a"), at(second), 1.0);
        history.trim(at(second));
    }
    assert_eq!((history.series(), history.bytes()), (0, 0));
}

#[test]
fn an_end_is_marked_once_and_then_the_series_goes() {
    let (mut history, key) = (history(60, 1 << 20), key("a"));
    history.end(&key, at(1));
    assert_eq!(history.series(), 0, "what never was does not end");
    history.push(&key, at(1), f64::from_bits(STALE_BITS));
    history.push(&key, at(2), 2.0);
    history.end(&key, at(3));
    let points = history.excerpt(&key, 0, 9000).unwrap().points(0, 9000).unwrap();
    let stale: Vec<bool> = points.iter().map(|point| point.is_stale()).collect();
    assert_eq!(stale, [false, false, true], "a sample's own NaN is no end");
    history.trim(at(62));
    assert_eq!(history.series(), 1);
    history.trim(at(75));
    assert_eq!((history.series(), history.bytes()), (0, 0));
}

#[test]
fn a_late_sample_is_left_out_and_takes_nothing_with_it() {
    let (mut history, key) = (history(3600, 1 << 20), key("a"));
    for second in 100..110 {
        history.push(&key, at(second), second as f64);
    }
    history.push(&key, at(109), 0.0);
    assert_eq!(history.dropped().late, 0, "the same sample again is not late");
    history.push(&key, Timestamp::from_millisecond(108_500).unwrap(), 0.0);
    history.push(&key, at(3), 0.0);
    assert_eq!((read(&history, &key, 0, 999).len(), history.dropped().late), (10, 2));
    history.push(&key, at(110), 1.0);
    assert_eq!(read(&history, &key, 109, 999), [(109, 109.0), (110, 1.0)]);
}

#[test]
fn a_clock_set_back_takes_back_what_is_later() {
    let (mut history, keys) = (history(7200, 1 << 20), [key("a"), key("b")]);
    let push = |history: &mut History, second: i64| {
        keys.iter().for_each(|key| history.push(key, at(second), second as f64));
    };
    (0..1000).for_each(|second| push(&mut history, second));
    // Far enough for sealed chunks.
    history.set_back(at(300));
    (301..400).for_each(|second| push(&mut history, second));
    for key in &keys {
        let all: Vec<_> = (0..400).map(|second| (second, second as f64)).collect();
        assert_eq!(read(&history, key, 0, 9999), all);
    }
    history.set_back(at(-1));
    assert_eq!((history.series(), history.bytes()), (0, 0));
}

#[test]
fn who_reads_on_gets_each_sample_once() {
    let (mut history, key) = (history(3600, 1 << 20), key("a"));
    let (mut place, mut got) = (Place::behind(i64::MIN), Vec::new());
    let read_on = |history: &History, place: &mut Place, got: &mut Vec<i64>| {
        let track = history.walk(None, 9).next().map(|(_, track)| track);
        track.expect("a track").read_on(place, |point| got.push(point.at / 1000));
    };
    for second in 0..1000 {
        history.push(&key, at(second), second as f64);
        if second % 13 == 0 {
            read_on(&history, &mut place, &mut got);
        }
    }
    read_on(&history, &mut place, &mut got);
    assert_eq!(got, Vec::from_iter(0..1000));
    // Samples that were read and taken back come anew; what came before does not.
    history.set_back(at(499));
    place.last = place.last.min(499_000);
    for second in 500..510 {
        history.push(&key, at(second), 0.0);
    }
    got.clear();
    read_on(&history, &mut place, &mut got);
    assert_eq!(got, Vec::from_iter(500..510));
    let mut late = Place::behind(504_000);
    got.clear();
    read_on(&history, &mut late, &mut got);
    assert_eq!(got, Vec::from_iter(505..510));
}

#[test]
fn what_is_nowhere_else_stays_while_there_is_room_and_is_counted_when_it_goes() {
    let (mut history, key) = (history(60, 4_000), key("a"));
    history.keep(true);
    for second in 0..300 {
        history.push(&key, at(second), 1.0);
        history.trim(at(second));
    }
    assert_eq!(read(&history, &key, 0, 999).len(), 300);
    let wrote = |history: &History, until: i64| {
        history.walk(None, 1).for_each(|(_, track)| track.wrote(until));
    };
    wrote(&history, 250_000);
    history.trim(at(400));
    let kept = read(&history, &key, 0, 999);
    assert!(kept.len() < 300 && kept.contains(&(251, 1.0)), "{} are kept", kept.len());
    assert_eq!(history.dropped().memory, 0);
    for second in 400..3000 {
        history.push(&key, at(second), 1.0 / second as f64);
        history.trim(at(second));
    }
    let kept = read(&history, &key, 251, 9999).len() as u64;
    let lost = history.dropped().memory;
    assert!(lost > 0 && lost >= 2649 - kept, "{lost} are lost, {kept} kept");
    // What is written is not lost when it goes.
    for second in 3000..6000 {
        history.push(&key, at(second), 1.0 / second as f64);
        wrote(&history, second * 1000);
        history.trim(at(second));
    }
    assert_eq!(history.dropped().memory, lost);
}

#[test]
fn keys_are_those_of_the_metric() {
    let mut history = history(60, 1 << 20);
    for name in ["a", "a_b", "b"] {
        history.push(&key(name), at(1), 1.0);
    }
    let names = |name: Option<&str>| -> Vec<String> {
        history.keys(name).iter().map(|key| key.name().to_owned()).collect()
    };
    assert_eq!(names(Some("a")), ["a"]);
    assert_eq!(names(None), ["a", "a_b", "b"]);
    assert!(names(Some("c")).is_empty());
}
