//! The chores of the repository: `cargo xtask test` is what CI runs.
fn main() {}
