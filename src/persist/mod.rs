//! Events, tasks and alerts on disk, before they are published; and samples, a little later.
//!
//! [`open`] reads what is there and says where the number line goes on; [`Ready::start`] takes the
//! pipeline's steps from then on. `publish` decides what happens when; it hands groups of changes to
//! the one thread that writes (`disk`, `database`) and never waits for it longer than is allowed.
//! Readers have connections of their own (`archive`, `keeper::shelf`).

mod alert_rows;
mod archive;
mod audit_book;
mod audit_rows;
mod backlog;
mod config;
mod database;
mod disk;
mod folder;
mod keeper;
mod ledger;
mod notify_rows;
mod proof;
mod publish;
mod readers;
mod rows;
mod schema;
mod side;
mod start;
mod vitals;

pub use config::{Config, History, Sync};
pub use folder::Folder;
pub use keeper::{Figures, Gap, Kept, Tier, Tiers};
pub use start::{Error, Ready, Storage, open};
pub use vitals::Vitals;
