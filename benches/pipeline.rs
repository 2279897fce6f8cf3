//! The cost of the way from samples to messages.

fn main() {}
