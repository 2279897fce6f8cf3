//! The configuration: files, environment and flags, merged, checked and compared.

mod root;

pub use root::Config;
