//! From a [`Collector`] to the symbol that a host looks for.

pub use gz_monitor_abi as abi;

use crate::Collector;
use crate::instance;

/// What a host is to know of a collector before it runs: the fields of
/// [`export_plugin!`](crate::export_plugin).
#[derive(Debug, Clone, Copy)]
pub struct Listing {
    /// `[a-z][a-z0-9_-]*`, what the configuration calls it.
    pub id: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// The plugin's own version; by default that of its package.
    pub version: &'static str,
    /// The interval that suits it: `"15s"`, `"250ms"`, `"1h30m"`. Empty: the host's default.
    pub interval: &'static str,
    /// JSON Schema of its configuration. Empty: none.
    pub config_schema: &'static str,
}

impl Listing {
    /// The defaults: all is empty but the version.
    pub const fn of_version(version: &'static str) -> Self {
        Self { id: "", summary: "", version, interval: "", config_schema: "" }
    }
}

/// The descriptor of a collector, made while the plugin is compiled; what a host would refuse fails
/// the build.
pub const fn describe<C: Collector>(listing: Listing) -> abi::Collector {
    let Listing { id, summary, version, interval, config_schema } = listing;
    assert!(abi::check_id(id), "id: a small letter, then small letters, digits, `-` or `_`");
    assert!(!summary.is_empty(), "summary: one line that says what is measured");
    assert!(summary.len() <= abi::SUMMARY_MAX, "summary: too long");
    assert!(version.len() <= abi::VERSION_MAX, "version: too long");
    assert!(config_schema.len() <= abi::SCHEMA_MAX, "config_schema: too long");
    abi::Collector {
        struct_size: size_of::<abi::Collector>() as u32,
        interval_ms: interval_ms(interval.as_bytes()),
        id: abi::Str::new(id),
        version: abi::Str::new(version),
        summary: abi::Str::new(summary),
        config_schema: abi::Str::new(config_schema),
        init: Some(instance::init::<C>),
        collect: Some(instance::collect::<C>),
        reload: Some(instance::reload::<C>),
        destroy: Some(instance::destroy::<C>),
        get_extension: None,
    }
}

/// Milliseconds of numbers with units, from `h` to `ms`; 0 of nothing.
const fn interval_ms(text: &[u8]) -> u32 {
    let (mut total, mut at) = (0u64, 0);
    while at < text.len() {
        let (mut number, first) = (0u64, at);
        while at < text.len() && text[at].is_ascii_digit() {
            number = number * 10 + (text[at] - b'0') as u64;
            at += 1;
            assert!(at - first < 10, "interval: too long");
        }
        assert!(at > first && at < text.len(), "interval: numbers with units, as in \"1h30m\"");
        let before_s = at + 1 < text.len() && text[at + 1] == b's';
        let (unit, length) = match text[at] {
            b'm' if before_s => (1, 2),
            b's' => (1000, 1),
            b'm' => (60 * 1000, 1),
            b'h' => (60 * 60 * 1000, 1),
            _ => panic!("interval: the units are h, m, s and ms"),
        };
        total += number * unit;
        at += length;
        assert!(total <= u32::MAX as u64, "interval: too long");
    }
    total as u32
}

/// Makes a library a plugin: defines the symbol `gz_plugin`, which leads to the collectors that are
/// listed. Each has an `id` and a `summary`; `version` (by default the package's), `interval` and
/// `config_schema` are there if wanted. See [`export::Listing`](crate::export::Listing).
///
/// For the root of a `cdylib`, once. Two libraries that both use it cannot be linked into one program,
/// because a program has each symbol once; a crate that is to be linked into others leaves this to
/// the plugin that is made of it.
///
/// A plugin is built with `panic = "unwind"`, which is the default: with `"abort"` no panic can be
/// caught.
///
/// ```
/// # use gz_monitor_sdk::{Collector, Host, Result, Sink};
/// # macro_rules! collector { ($name:ident) => {
/// # struct $name;
/// # impl Collector for $name {
/// #     type Config = serde::de::IgnoredAny;
/// #     fn init(_: Self::Config, _: Host) -> Result<Self> { Ok($name) }
/// #     fn collect(&mut self, _: &mut Sink<'_>) -> Result { Ok(()) }
/// # }
/// # } }
/// # collector!(Fans);
/// # collector!(Volts);
/// gz_monitor_sdk::export_plugin! {
///     Fans { id: "fans", summary: "Speed of every fan.", interval: "30s" },
///     Volts { id: "volts", summary: "Voltages of the board.", version: "2.1" },
/// }
/// ```
///
/// What a host would refuse does not compile:
///
/// ```compile_fail
/// # use gz_monitor_sdk::{Collector, Host, Result, Sink};
/// # struct Fans;
/// # impl Collector for Fans {
/// #     type Config = serde::de::IgnoredAny;
/// #     fn init(_: Self::Config, _: Host) -> Result<Self> { Ok(Fans) }
/// #     fn collect(&mut self, _: &mut Sink<'_>) -> Result { Ok(()) }
/// # }
/// gz_monitor_sdk::export_plugin! { Fans { id: "Fans!", summary: "Speed of every fan." } }
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($($collector:ty { $($field:ident: $value:expr),+ $(,)? }),+ $(,)?) => {
        const _: () = {
            static COLLECTORS: &[&$crate::export::abi::Collector] = &[$({
                static COLLECTOR: $crate::export::abi::Collector =
                    $crate::export::describe::<$collector>($crate::export::Listing {
                        $($field: $value,)+
                        ..$crate::export::Listing::of_version(env!("CARGO_PKG_VERSION"))
                    });
                &COLLECTOR
            }),+];

            #[unsafe(no_mangle)]
            #[allow(non_upper_case_globals, reason = "the plugin interface names it")]
            pub static gz_plugin: $crate::export::abi::Entry =
                $crate::export::abi::Entry::new(COLLECTORS);
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals() {
        let check = |text: &str, expected| assert_eq!(interval_ms(text.as_bytes()), expected);
        check("", 0);
        check("250ms", 250);
        check("15s", 15_000);
        check("2m", 120_000);
        check("1h30m", 5_400_000);
        check("1m1ms", 60_001);
        check("1193h", 4_294_800_000);
    }

    #[test]
    fn intervals_that_are_none() {
        for text in ["15", "s", "1d", "1 s", "1m5", "-1s", "9999999999ms", "1200h"] {
            let parsed = std::panic::catch_unwind(|| interval_ms(text.as_bytes()));
            assert!(parsed.is_err(), "{text}");
        }
    }
}
