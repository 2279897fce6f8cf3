//! The command line: of the whole, and of the processes that it starts.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Fan-out to many WebSocket clients, measured beside a plain poem server.
#[derive(Parser)]
pub struct Options {
    #[command(subcommand)]
    pub role: Option<Role>,
    /// Numbers of clients to measure with.
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 10_000])]
    pub clients: Vec<usize>,
    /// How often each side has its turn.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Comparisons to make; all of them if none is named.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<Topic>,
    /// Only find out whether it runs: a few clients, and next to no messages.
    #[arg(long)]
    pub test: bool,
    /// What `cargo bench` adds to every command line.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topic {
    /// Every client gets every message.
    All,
    /// Ten clients get a message, the others do not.
    Few,
    /// Compressed messages beside plain ones.
    Deflate,
    /// Messages over TLS beside plain ones.
    Tls,
}

#[derive(Subcommand)]
pub enum Role {
    /// Serve, and publish what standard input says.
    #[command(hide = true)]
    Server {
        kind: Kind,
        /// Show a certificate made for the purpose.
        #[arg(long)]
        tls: bool,
    },
    /// Connect, and count what arrives.
    #[command(hide = true)]
    Client(ClientOptions),
}

/// A server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Ours,
    Reference,
}

/// What the process of the clients is told.
#[derive(Args)]
pub struct ClientOptions {
    pub address: SocketAddr,
    /// Texts that a client gets before it counts as ready.
    #[arg(long, default_value_t = 0)]
    pub greetings: u32,
    /// Subscribe each client to one of so many tasks; 0 for no subscription.
    #[arg(long, default_value_t = 0)]
    pub tasks: usize,
    /// Ask for compression.
    #[arg(long)]
    pub deflate: bool,
    /// Speak TLS to who shows the certificate of this file.
    #[arg(long)]
    pub tls: Option<PathBuf>,
}
