//! The life of a daemon: its end, a new configuration while it runs, and trouble it must survive.

#[path = "../support/mod.rs"]
mod support;

mod manager;
mod notify;
mod reload;
mod stop;
mod trouble;

use support::{collector, until_collected, until_collector};
