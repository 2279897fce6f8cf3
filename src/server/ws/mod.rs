//! The WebSocket protocol (RFC 6455), server side, as values: no socket, no clock, no task.
//!
//! [`handshake`] judges an upgrade request, [`Decoder`] turns a client's bytes into [`Event`]s, and
//! [`frame`] makes finished frames for the way back. Who owns the sockets decides when each happens.

mod close;
mod decoder;
pub mod frame;
pub mod handshake;
mod header;
mod mask;
mod message;
mod utf8;

pub use close::CloseCode;
pub use decoder::{Decoder, Event, Violation};

#[cfg(test)]
mod tests;
