//! What it costs to be asked who one is: requests of REST with and without a token and over TLS, in
//! turns; and what others notice of one address that floods the daemon. `cargo bench --bench access`;
//! the daemon is a process of its own, the clients are threads of this one, and all share the machine.

#[path = "../support/certificate.rs"]
mod certificate;
mod client;
mod daemon;
mod flood;
mod throughput;

use std::io::{self, Write as _};

fn main() -> anyhow::Result<()> {
    // `cargo bench -- --test` only wants to know that it runs.
    let is_test = std::env::args().any(|argument| argument == "--test");
    say(&throughput::measure(is_test)?)?;
    say(&flood::measure(is_test)?)
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    Ok(output.flush()?)
}
