//! What bytes are owed to whom: one log of encoded messages, and a cursor per client.

mod config;

pub use config::Config;
