//! The layout that the header asserts in C, asserted here for the mirror: the same numbers.

#![cfg(target_pointer_width = "64")]

use crate::{Collector, Entry, Error, Host, Label, Root, Sample, Sink, Str};

/// Fails the build unless the struct has the size and its fields the offsets.
macro_rules! layout {
    ($type:ty: $size:literal { $($field:ident: $offset:literal),+ $(,)? }) => {
        const _: () = {
            assert!(size_of::<$type>() == $size, concat!("the size of ", stringify!($type)));
            assert!(align_of::<$type>() <= 8);
            $(assert!(
                core::mem::offset_of!($type, $field) == $offset,
                concat!("the offset of ", stringify!($type), ".", stringify!($field)),
            );)+
        };
    };
}

layout!(Str: 16 { ptr: 0, len: 8 });
layout!(Label: 32 { key: 0, value: 16 });
layout!(Error: 256 { struct_size: 0, len: 4, message: 8 });
layout!(Sample: 56 {
    name: 0, labels: 16, label_count: 24, value: 32, unix_ns: 40, kind: 48, reserved: 52,
});
layout!(Sink: 24 { struct_size: 0, reserved: 4, ctx: 8, emit: 16 });
layout!(Host: 56 {
    abi_major: 0, abi_minor: 4, struct_size: 8, reserved: 12, ctx: 16, log: 24, cancelled: 32,
    request_collect: 40, get_extension: 48,
});
layout!(Root: 24 { struct_size: 0, reserved: 4, path: 8 });
layout!(Collector: 112 {
    struct_size: 0, interval_ms: 4, id: 8, version: 24, summary: 40, config_schema: 56, init: 72,
    collect: 80, reload: 88, destroy: 96, get_extension: 104,
});
layout!(Entry: 24 {
    abi_major: 0, abi_minor: 4, struct_size: 8, collector_count: 12, collectors: 16,
});
