//! The life of a daemon: its end, a new configuration while it runs, and trouble it must survive.

#[path = "../support/mod.rs"]
mod support;

mod log;
mod notify;
mod reload;
mod socket;
mod sockets;
mod stop;
mod systemd;
mod trouble;
mod watchdog;

use support::{collector, until_collected, until_collector};
