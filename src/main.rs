//! The `gz-monitor` program.

fn main() {}
