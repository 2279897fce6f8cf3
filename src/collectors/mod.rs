//! The built-in collectors, one file each, written against the SDK like any plugin.
