//! What the shards have done, as counters that others read.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::hub::{Coding, Counts, Encoding, Sent, Type};

/// Bounds of the histograms.
pub const LATENCY_BOUNDS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
pub const BATCH_BOUNDS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What the shards have done.
#[derive(Debug)]
pub struct Vitals {
    connections: Vec<AtomicI64>,
    messages: [[AtomicU64; Type::ALL.len()]; Coding::ALL.len()],
    replies: [AtomicU64; Coding::ALL.len()],
    bytes: [AtomicU64; Coding::ALL.len()],
    conflated: AtomicU64,
    gaps: AtomicU64,
    slow_disconnects: AtomicU64,
    /// By shard: clients that take nothing, and how far the furthest is behind.
    stalled: Vec<Stalled>,
    /// Messages of the stream in one write.
    pub batch: Histogram<{ BATCH_BOUNDS.len() }>,
    /// Seconds from the publication of a message to the write that had its last byte: of the oldest
    /// message in each.
    pub latency: Histogram<{ LATENCY_BOUNDS.len() }>,
}

/// Clients that take nothing at present.
#[derive(Debug, Default)]
struct Stalled {
    clients: AtomicU64,
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// Clients that take nothing at present, and how far the furthest of them is behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Laggards {
    pub clients: u64,
    pub messages: u64,
    pub bytes: u64,
}

/// Counts by size, with fixed bounds.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: [f64; N],
    counts: [AtomicU64; N],
    beyond: AtomicU64,
    /// Millionths.
    sum: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    fn new(bounds: [f64; N]) -> Self {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        Self { bounds, counts, beyond: AtomicU64::new(0), sum: AtomicU64::new(0) }
    }

    fn record(&self, value: f64) {
        let place = self.bounds.iter().position(|bound| value <= *bound);
        let count = place.map_or(&self.beyond, |place| &self.counts[place]);
        count.fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add((value * 1e6) as u64, Ordering::Relaxed);
    }

    /// For each bound, and at last for infinity, how many are not above it; and the sum of all.
    pub fn cumulative(&self) -> (Vec<(f64, u64)>, f64) {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.counts.iter().chain([&self.beyond]);
        let mut sum = 0;
        let buckets = bounds.zip(counts).map(|(bound, count)| {
            sum += count.load(Ordering::Relaxed);
            (bound, sum)
        });
        (buckets.collect(), self.sum.load(Ordering::Relaxed) as f64 / 1e6)
    }
}

impl Vitals {
    pub(super) fn new(shards: usize) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            connections: (0..shards).map(|_| AtomicI64::new(0)).collect(),
            messages: std::array::from_fn(|_| std::array::from_fn(|_| zero())),
            replies: std::array::from_fn(|_| zero()),
            bytes: std::array::from_fn(|_| zero()),
            conflated: zero(),
            gaps: zero(),
            slow_disconnects: zero(),
            stalled: (0..shards).map(|_| Stalled::default()).collect(),
            batch: Histogram::new(BATCH_BOUNDS),
            latency: Histogram::new(LATENCY_BOUNDS),
        }
    }

    pub(super) fn connected(&self, shard: usize, more: i64) {
        self.connections[shard].fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn disconnected_slow(&self) {
        self.slow_disconnects.fetch_add(1, Ordering::Relaxed);
    }

    /// One write of messages of the stream.
    pub(super) fn wrote(&self, counts: &Counts) {
        let Some(oldest) = counts.oldest else { return };
        self.batch.record(f64::from(counts.total()));
        self.latency.record(age(oldest).as_secs_f64());
    }

    pub(super) fn sent(&self, sent: &Sent) {
        let add = |sum: &AtomicU64, more: u64| {
            if more > 0 {
                sum.fetch_add(more, Ordering::Relaxed);
            }
        };
        for coding in 0..Coding::ALL.len() {
            let sums = self.messages[coding].iter().zip(sent.messages[coding]);
            sums.for_each(|(sum, more)| add(sum, more));
            add(&self.replies[coding], sent.replies[coding]);
            add(&self.bytes[coding], sent.bytes[coding]);
        }
        add(&self.conflated, sent.conflated);
        add(&self.gaps, sent.gaps);
    }

    pub(super) fn stalled(&self, shard: usize, laggards: Laggards) {
        let Stalled { clients, messages, bytes } = &self.stalled[shard];
        clients.store(laggards.clients, Ordering::Relaxed);
        messages.store(laggards.messages, Ordering::Relaxed);
        bytes.store(laggards.bytes, Ordering::Relaxed);
    }

    /// Connections, by shard.
    pub fn connections(&self) -> impl Iterator<Item = i64> {
        self.connections.iter().map(|count| count.load(Ordering::Relaxed))
    }

    /// Messages sent, by type and encoding; those outside of the stream are a type of their own.
    pub fn messages(&self) -> impl Iterator<Item = (&'static str, Encoding, u64)> {
        let count = |counts: &dyn Fn(usize) -> u64, encoding: Encoding| {
            let codings = Coding::ALL.into_iter().filter(|coding| coding.encoding == encoding);
            codings.map(|coding| counts(coding.index())).sum()
        };
        let mut all = Vec::new();
        for encoding in [Encoding::Json, Encoding::MessagePack] {
            for kind in Type::ALL {
                let of =
                    |coding: usize| self.messages[coding][kind as usize].load(Ordering::Relaxed);
                all.push((kind.name(), encoding, count(&of, encoding)));
            }
            let of = |coding: usize| self.replies[coding].load(Ordering::Relaxed);
            all.push(("reply", encoding, count(&of, encoding)));
        }
        all.into_iter()
    }

    /// Bytes sent, by coding.
    pub fn bytes(&self) -> impl Iterator<Item = (Coding, u64)> {
        Coding::ALL.into_iter().zip(self.bytes.iter().map(|sum| sum.load(Ordering::Relaxed)))
    }

    /// States left out for clients that were behind.
    pub fn conflated(&self) -> u64 {
        self.conflated.load(Ordering::Relaxed)
    }

    /// Runs of the stream that were lost to a client.
    pub fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Relaxed)
    }

    /// Clients that were sent away because they were too slow.
    pub fn slow_disconnects(&self) -> u64 {
        self.slow_disconnects.load(Ordering::Relaxed)
    }

    /// The clients that take nothing at present, of all shards.
    pub fn laggards(&self) -> Laggards {
        let mut all = Laggards::default();
        for Stalled { clients, messages, bytes } in &self.stalled {
            all.clients += clients.load(Ordering::Relaxed);
            all.messages = all.messages.max(messages.load(Ordering::Relaxed));
            all.bytes = all.bytes.max(bytes.load(Ordering::Relaxed));
        }
        all
    }
}

fn age(published: Instant) -> Duration {
    published.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_what_is_not_above_each_bound() {
        let histogram = Histogram::new([1.0, 2.0]);
        [0.5, 1.0, 1.5, 7.0].into_iter().for_each(|value| histogram.record(value));
        let buckets = vec![(1.0, 2), (2.0, 3), (f64::INFINITY, 4)];
        assert_eq!(histogram.cumulative(), (buckets, 10.0));
    }
}
