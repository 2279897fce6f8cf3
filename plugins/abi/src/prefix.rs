//! How two minors understand each other: the shorter of the two sizes is copied, the rest is zero.

use std::mem::MaybeUninit;

use crate::{Collector, Entry, Host, Refusal, Root, STRUCT_SIZE_MAX, Sample, Sink};

/// A struct that may grow at its end.
///
/// # Safety
/// All bytes zero is a valid value, and so is any value with trailing bytes, a multiple of its
/// alignment, set to zero; no field is wider than that alignment unless each aligned part of it may
/// be zero by itself.
pub unsafe trait Versioned: Copy {
    /// What the header calls it.
    const NAME: &'static str;
    /// Bytes that it had in minor 0: what is shorter was never valid.
    const LEAST: usize;
}

// Numbers, pointers and optional functions may be zero, and a `Str` half of which is zero is empty
// or NULL with a length, which its reader refuses.
macro_rules! versioned {
    ($($type:ty: $name:literal, $least:expr;)+) => {$(
        // SAFETY: of numbers, pointers, optional functions and `Str` alone.
        unsafe impl Versioned for $type {
            const NAME: &'static str = $name;
            const LEAST: usize = $least;
        }
    )+};
}

// While the minor is 0 every struct is as long as it was then. Whoever appends a field writes down
// the old size here.
versioned! {
    Entry: "gz_plugin_entry", size_of::<Entry>();
    Collector: "gz_collector", size_of::<Collector>();
    Sample: "gz_sample", size_of::<Sample>();
    Sink: "gz_sink", size_of::<Sink>();
    Host: "gz_host", size_of::<Host>();
    Root: "gz_root", size_of::<Root>();
}

/// Copies a struct of which its author knew `size` bytes: what is past them is zero, what is past
/// ours is not looked at.
///
/// # Safety
/// If `source` is not NULL and `size` is within the bounds, `size` bytes can be read there and do not
/// change during the call, and the fields in them are of the types that `T` has there.
///
/// # Errors
/// NULL, not aligned, shorter than minor 0, longer than any struct may be.
pub unsafe fn copy_prefix<T: Versioned>(source: *const T, size: usize) -> Result<T, Refusal> {
    check_place(T::NAME, source)?;
    check_size::<T>(size)?;
    // A size that ends within a field does not cut it: half a pointer is worse than none.
    let whole_fields = size.min(size_of::<T>()) / align_of::<T>() * align_of::<T>();
    let mut local = MaybeUninit::<T>::zeroed();
    // SAFETY: the caller's word for the source; the local has at least as many bytes.
    unsafe {
        std::ptr::copy_nonoverlapping(
            source.cast::<u8>(),
            local.as_mut_ptr().cast::<u8>(),
            whole_fields,
        );
    }
    // SAFETY: zeroes, over which came a prefix of a `T`: valid by the trait.
    Ok(unsafe { local.assume_init() })
}

/// Refuses a size that no minor had or may have.
pub(crate) fn check_size<T: Versioned>(size: usize) -> Result<(), Refusal> {
    if (T::LEAST..=STRUCT_SIZE_MAX).contains(&size) {
        return Ok(());
    }
    Err(Refusal::Size { what: T::NAME, size, least: T::LEAST, most: STRUCT_SIZE_MAX })
}

/// Refuses NULL and what cannot be the address of a `T`.
pub(crate) fn check_place<T>(what: &'static str, place: *const T) -> Result<(), Refusal> {
    if place.is_null() {
        Err(Refusal::Null { what })
    } else if place.is_aligned() {
        Ok(())
    } else {
        Err(Refusal::Misaligned { what })
    }
}
