//! Samples on their way over the plugin interface: copied into a small buffer, and handed to the
//! host when it is full and when the collection ends.

use std::ops::Range;
use std::ptr;

use gz_monitor_abi as abi;

use crate::{Error, Kind, Result, SampleRef};

/// Samples that one call of `emit` carries at the most.
pub const SAMPLES: usize = 64;
const LABELS: usize = 4 * SAMPLES;
const TEXT_BYTES: usize = 16 * 1024;

/// The buffer. It belongs to an instance, so that a collection allocates nothing.
pub struct Outbox {
    text: String,
    labels: Vec<[Range<usize>; 2]>,
    samples: Vec<Held>,
    /// What the host gets to see: pointers into the above, meaningless between two hand-overs.
    raw_labels: Vec<abi::Label>,
    raw_samples: Vec<abi::Sample>,
}

/// A sample, its strings being places in the buffer.
struct Held {
    name: Range<usize>,
    labels: Range<usize>,
    kind: Kind,
    value: f64,
}

impl Outbox {
    /// An empty one, of its full size.
    pub fn new() -> Self {
        Self {
            text: String::with_capacity(TEXT_BYTES),
            labels: Vec::with_capacity(LABELS),
            samples: Vec::with_capacity(SAMPLES),
            raw_labels: Vec::with_capacity(LABELS),
            raw_samples: Vec::with_capacity(SAMPLES),
        }
    }

    /// Whether there is no place for `sample` before the next hand-over.
    fn is_too_full_for(&self, sample: &SampleRef<'_>) -> bool {
        let labels = sample.labels.iter().map(|(key, value)| key.len() + value.len());
        let text = sample.name.len() + labels.sum::<usize>();
        self.samples.len() == SAMPLES
            || self.labels.len() + sample.labels.len() > LABELS
            || self.text.len() + text > TEXT_BYTES
    }

    fn hold(&mut self, sample: &SampleRef<'_>) {
        let first = self.labels.len();
        let name = self.hold_text(sample.name);
        for (key, value) in sample.labels {
            let label = [self.hold_text(key), self.hold_text(value)];
            self.labels.push(label);
        }
        let (labels, kind, value) = (first..self.labels.len(), sample.kind, sample.value);
        self.samples.push(Held { name, labels, kind, value });
    }

    fn hold_text(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    /// Points the raw samples at what is held.
    fn point(&mut self) -> &[abi::Sample] {
        let Self { text, labels, samples, raw_labels, raw_samples } = self;
        let str = |place: &Range<usize>| abi::Str::new(&text[place.clone()]);
        raw_labels.clear();
        raw_labels.extend(
            labels.iter().map(|[key, value]| abi::Label { key: str(key), value: str(value) }),
        );
        raw_samples.clear();
        raw_samples.extend(samples.iter().map(|held| {
            let labels = &raw_labels[held.labels.clone()];
            abi::Sample {
                name: str(&held.name),
                labels: if labels.is_empty() { ptr::null() } else { labels.as_ptr() },
                label_count: labels.len(),
                value: held.value,
                unix_ns: 0,
                kind: match held.kind {
                    Kind::Gauge => 0,
                    Kind::Counter => 1,
                },
                reserved: 0,
            }
        }));
        raw_samples
    }

    /// Forgets what is held, and what a sample larger than the buffer has made it grow by.
    fn empty(&mut self) {
        self.samples.clear();
        self.labels.clear();
        self.labels.shrink_to(LABELS);
        self.raw_labels.clear();
        self.raw_labels.shrink_to(LABELS);
        self.text.clear();
        self.text.shrink_to(TEXT_BYTES);
    }
}

/// The way from an outbox to the host, for one collection. What is held when it is dropped is handed
/// over then, so that what came before an error or a panic is kept.
pub struct Outlet<'a> {
    outbox: &'a mut Outbox,
    sink: *const abi::Sink,
    emit: abi::Emit,
    /// The host has said that it takes no more.
    closed: bool,
}

impl<'a> Outlet<'a> {
    /// # Safety
    /// `sink` is NULL or what the header says, and outlives the outlet.
    ///
    /// # Errors
    /// NULL, truncated, or without its function.
    pub unsafe fn new(sink: *const abi::Sink, outbox: &'a mut Outbox) -> Result<Self> {
        let refuse = |why: String| Error::Internal(format!("the sink cannot be used: {why}"));
        if sink.is_null() {
            return Err(refuse("NULL".to_owned()));
        }
        // SAFETY: not NULL, and begins with its size.
        let size = unsafe { (&raw const (*sink).struct_size).read() };
        // SAFETY: the caller's word.
        let copy = unsafe { abi::copy_prefix(sink, size as usize) };
        let copy = copy.map_err(|refusal| refuse(refusal.to_string()))?;
        let emit = copy.emit.ok_or_else(|| refuse("emit is NULL".to_owned()))?;
        Ok(Self { outbox, sink, emit, closed: false })
    }

    /// Takes a sample; hands over what is held before if it does not fit any more.
    pub fn push(&mut self, sample: &SampleRef<'_>) {
        if self.outbox.is_too_full_for(sample) {
            self.hand_over();
        }
        if !self.closed {
            self.outbox.hold(sample);
        }
    }

    fn hand_over(&mut self) {
        if !self.closed && !self.outbox.samples.is_empty() {
            let samples = self.outbox.point();
            // SAFETY: the host's own function, of the sink that it is of, within the call of
            // `collect` by the contract of `new`; the samples and what they lead to are in the
            // outbox, which nobody changes meanwhile.
            let status = unsafe {
                (self.emit)(self.sink, samples.as_ptr(), samples.len(), size_of::<abi::Sample>())
            };
            self.closed = status != abi::Status::OK;
        }
        self.outbox.empty();
    }
}

impl Drop for Outlet<'_> {
    fn drop(&mut self) {
        self.hand_over();
    }
}
