//! The samples of one `emit`, each checked by itself: a bad one does not spoil its neighbours.

use crate::prefix::{check_place, check_size};
use crate::{
    EMIT_COUNT_MAX, LABELS_MAX, Label, Refusal, SAMPLE_TEXT_MAX, Sample, Str, copy_prefix,
};

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A total that only grows, until its source restarts at zero. Its name ends in `_total`.
    Counter,
}

/// One sample, borrowed from the plugin for as long as it takes to copy it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<'a> {
    /// UTF-8; whether it is a name, the host's own rules say.
    pub name: &'a str,
    /// Keys and values, in the plugin's order.
    pub labels: &'a [(&'a str, &'a str)],
    /// Gauge or counter.
    pub kind: Kind,
    /// The reading, of any bits.
    pub value: f64,
    /// Nanoseconds since 1970-01-01 UTC, if the plugin has taken the time.
    pub unix_ns: Option<i64>,
}

/// Hands each of `count` samples, `stride` bytes apart, to `take`: what it says, or why it says
/// nothing. Nothing is allocated on the way.
///
/// # Safety
/// In so far as it is neither NULL, misaligned, nor of a count, length or stride that is refused,
/// `samples` and all that it leads to is as the header says of `emit`, and does not change during
/// the call.
///
/// # Errors
/// When the arguments make no sense as a whole; then `take` has not been called.
pub unsafe fn read_samples(
    samples: *const Sample,
    count: usize,
    stride: usize,
    take: &mut dyn FnMut(Result<Reading<'_>, Refusal>),
) -> Result<(), Refusal> {
    if count == 0 {
        return Ok(());
    }
    if count > EMIT_COUNT_MAX {
        return Err(Refusal::Count { what: "samples", count, most: EMIT_COUNT_MAX });
    }
    check_place("samples", samples)?;
    check_size::<Sample>(stride)?;
    if !stride.is_multiple_of(align_of::<Sample>()) {
        return Err(Refusal::Stride { stride });
    }
    let mut labels = [("", ""); LABELS_MAX];
    for index in 0..count {
        // SAFETY: within `count * stride` bytes, which the caller vouches for; the bounds of both
        // keep the product far below the address space.
        let sample = unsafe { samples.byte_add(index * stride) };
        // SAFETY: the caller's word; NULL, place and size are checked.
        let sample = unsafe { copy_prefix(sample, stride) }?;
        // SAFETY: the caller's word for what the sample leads to.
        take(unsafe { read(&sample, &mut labels) });
    }
    Ok(())
}

/// # Safety
/// What `sample` leads to is as the header says, and stays so for `'plugin`.
unsafe fn read<'a, 'plugin>(
    sample: &Sample,
    buffer: &'a mut [(&'plugin str, &'plugin str); LABELS_MAX],
) -> Result<Reading<'a>, Refusal> {
    // SAFETY: the caller's word.
    let name = unsafe { text("name", sample.name) }?;
    let kind = match sample.kind {
        0 => Kind::Gauge,
        1 => Kind::Counter,
        kind => return Err(Refusal::Kind { kind }),
    };
    let count = sample.label_count;
    if count > LABELS_MAX {
        return Err(Refusal::Count { what: "labels", count, most: LABELS_MAX });
    }
    let mut raw: &[Label] = &[];
    if count > 0 {
        check_place("labels", sample.labels)?;
        // SAFETY: not NULL, aligned, of a possible count; the rest is the caller's word.
        raw = unsafe { std::slice::from_raw_parts(sample.labels, count) };
    }
    for (label, slot) in raw.iter().zip(buffer.iter_mut()) {
        // SAFETY: the caller's word, here and in the next line.
        let key = unsafe { text("label key", label.key) }?;
        // SAFETY: as above.
        let value = unsafe { text("label value", label.value) }?;
        *slot = (key, value);
    }
    let unix_ns = (sample.unix_ns != 0).then_some(sample.unix_ns);
    Ok(Reading { name, labels: &buffer[..count], kind, value: sample.value, unix_ns })
}

/// # Safety
/// As for [`Str::text`].
unsafe fn text<'a>(what: &'static str, text: Str) -> Result<&'a str, Refusal> {
    // SAFETY: the same contract.
    unsafe { text.text(SAMPLE_TEXT_MAX) }.map_err(|fault| Refusal::Text { what, fault })
}
