//! What a plugin may hand over at the most, as the header states it.

/// Descriptors in one plugin.
pub const COLLECTORS_MAX: u32 = 64;
/// Bytes of a collector's id.
pub const ID_MAX: usize = 64;
/// Bytes of a collector's version.
pub const VERSION_MAX: usize = 64;
/// Bytes of a collector's summary.
pub const SUMMARY_MAX: usize = 512;
/// Bytes of a configuration's JSON Schema.
pub const SCHEMA_MAX: usize = 65_536;
/// Bytes that any struct may say it has, and the stride of samples.
pub const STRUCT_SIZE_MAX: usize = 4096;
/// Bytes of a configuration as JSON.
pub const CONFIG_MAX: usize = 1_048_576;
/// Samples in one call of `emit`.
pub const EMIT_COUNT_MAX: usize = 1_048_576;
/// Labels of one sample.
pub const LABELS_MAX: usize = 64;
/// Bytes of a sample's name, of a label's key, of a label's value.
pub const SAMPLE_TEXT_MAX: usize = 4096;
/// Bytes of a log line; a longer one is cut.
pub const LOG_TEXT_MAX: usize = 4096;
/// Bytes of an error's text.
pub const ERROR_TEXT_MAX: usize = 248;
