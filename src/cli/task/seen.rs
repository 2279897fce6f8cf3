//! What was seen of a command's output so far, for whoever reports on it.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::meter::{Meter, Reading, Segment, Source};
use super::segments::{Reader, Segments};

/// Of a line, what is kept.
const LINE_BYTES: usize = 400;

/// What was seen so far; the newest reading replaces the one before.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    pub(super) reading: Reading,
    pub(super) tail: VecDeque<String>,
    /// When that was read.
    pub(super) at: Option<Timestamp>,
    /// Rises with each reading.
    pub(super) readings: u64,
}

/// Where readers put what they see, and where it is waited for.
#[derive(Debug, Clone)]
pub(super) struct Board {
    seen: Arc<Mutex<Seen>>,
    news: Arc<Notify>,
    lines: usize,
}

impl Board {
    /// One that keeps this many of the last lines.
    pub(super) fn new(lines: usize) -> Self {
        Self { seen: Arc::default(), news: Arc::default(), lines }
    }

    pub(super) fn look(&self) -> Seen {
        self.seen.lock().clone()
    }

    /// How many readings there were.
    pub(super) fn readings(&self) -> u64 {
        self.seen.lock().readings
    }

    /// Returns when there was another reading.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    fn take(&self, reading: Reading) {
        let mut seen = self.seen.lock();
        let Reading { progress, processed, total, details } = reading;
        let before = &mut seen.reading;
        // Counts and a percentage are each other's successors; details stay until there are others.
        if progress.is_some() || processed.is_some() {
            (before.progress, before.processed) = (progress, processed);
        }
        let is_left = |total: &f64| processed.is_none_or(|processed| processed <= *total);
        before.total = total.or(before.total.filter(is_left));
        before.details = details.or(before.details.take());
        (seen.at, seen.readings) = (Some(Timestamp::now()), seen.readings + 1);
        drop(seen);
        self.news.notify_one();
    }

    fn keep(&self, line: &str) {
        if self.lines == 0 || line.trim().is_empty() {
            return;
        }
        let line = line.trim_end();
        let end = line.floor_char_boundary(LINE_BYTES);
        let mut seen = self.seen.lock();
        if seen.tail.len() >= self.lines {
            seen.tail.pop_front();
        }
        seen.tail.push_back(line[..end].to_owned());
    }
}

/// Reads one stream of output.
#[derive(Debug)]
pub(super) struct Stream {
    segments: Segments,
    look: Look,
}

#[derive(Debug)]
struct Look {
    board: Board,
    meter: Meter,
}

impl Stream {
    pub(super) fn new(board: Board, source: Source) -> Self {
        Self { segments: Segments::default(), look: Look { board, meter: Meter::new(source) } }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.segments.feed(bytes, &mut self.look);
    }

    pub(super) fn end(&mut self) {
        self.segments.end(&mut self.look);
    }
}

impl Reader for Look {
    fn segment(&mut self, segment: Segment<'_>) {
        if let Some(reading) = self.meter.read(segment) {
            self.board.take(reading);
        }
    }

    fn line(&mut self, text: &str) {
        self.board.keep(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_reading_and_the_last_lines() {
        let board = Board::new(2);
        let mut stream = Stream::new(board.clone(), Source::Auto);
        stream.feed(b"one\n[1/4] two\n\n[3/4] three\nfour");
        let seen = board.look();
        assert_eq!(
            (seen.readings, seen.reading.processed, seen.reading.total),
            (2, Some(3.0), Some(4.0))
        );
        assert_eq!(seen.tail, ["[1/4] two", "[3/4] three"]);
        stream.feed(b"\n{\"progress\":50,\"details\":1}\n{\"progress\":60}\nlast");
        stream.end();
        let seen = board.look();
        assert_eq!((seen.reading.progress, seen.reading.details), (Some(60.0), Some(1.into())));
        assert_eq!(seen.tail, ["{\"progress\":60}", "last"]);
    }

    #[test]
    fn a_long_line_is_cut_and_none_may_be_wanted() {
        let (board, none) = (Board::new(1), Board::new(0));
        for board in [&board, &none] {
            Stream::new(board.clone(), Source::Auto)
                .feed(format!("{}\n", "ü".repeat(500)).as_bytes());
        }
        assert_eq!(board.look().tail[0].len(), LINE_BYTES);
        assert!(none.look().tail.is_empty());
    }
}
