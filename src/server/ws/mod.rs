//! The WebSocket protocol (RFC 6455) and what is said in it.
//!
//! All but `upgrade` and `shard` are values: no socket, no clock, no task.
//! [`handshake`] judges an upgrade request, [`Decoder`] turns a client's bytes into [`Event`]s, and
//! [`frame`] makes finished frames for the way back. Who owns the sockets decides when each happens.

mod close;
mod decoder;
mod extension;
pub mod frame;
pub mod handshake;
mod header;
mod inbound;
mod inflate;
mod list;
mod mask;
mod message;
mod rate;
mod reply;
pub(super) mod shard;
pub(super) mod upgrade;
mod utf8;

pub use close::CloseCode;
pub use decoder::{Decoder, Event, Violation};
pub use inbound::Inbound;
pub use shard::{Histogram, Laggards, Vitals};

#[cfg(test)]
mod tests;
