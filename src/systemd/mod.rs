//! What a daemon owes its service manager.

pub mod journal;
pub mod notify;
pub mod sockets;
