//! What a daemon owes its service manager.

pub mod journal;
