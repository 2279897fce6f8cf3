//! What it costs to send one message to many clients: real connections from one process to another,
//! beside a plain poem server with a broadcast channel, in turns. `cargo xtask bench fanout`.
//!
//! The program starts itself as server and as client. A server publishes when it is told to, a client
//! process counts what arrives, and what the server spends meanwhile is read from /proc.

#[path = "../support/certificate.rs"]
mod certificate;
mod child;
mod client;
mod comparison;
mod descriptors;
mod histogram;
mod message;
mod options;
mod ours;
mod reference;
mod report;
mod scenario;
mod server;
mod side;
mod vitals;

use clap::Parser as _;

use options::{Options, Role};

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    match options.role {
        Some(Role::Server { kind, tls }) => server::run(kind, tls),
        Some(Role::Client(ref options)) => client::run(options),
        None => comparison::run(&options),
    }
}
