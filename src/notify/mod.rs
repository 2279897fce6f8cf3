//! Tells people of alerts: which ones go where, when, in what form; and brings them there.
//!
//! [`start`] runs one task. It reads alerts from the event log, as any client does, and remembers
//! how far; `plan` (with `route` and `group`) says what is to be told when, `outbox` holds it until
//! it is delivered, and both are written together with the place in the log (`keeping`). `view` and
//! `body` give a notification its form, `deliver` brings it to its receiver. All but `run`, `follow`,
//! `keeping`, `handle` and `deliver` only think.

mod backoff;
mod body;
mod channel;
mod config;
mod deliver;
mod entry;
mod follow;
mod group;
mod handle;
mod keeping;
mod ledger;
mod notice;
mod outbox;
mod payload;
mod plan;
mod route;
mod route_config;
mod run;
mod secret;
mod template;
#[cfg(test)]
mod tests;
mod validate;
mod view;
mod vitals;

pub use channel::Channel;
pub use config::Config;
pub use entry::{Entry, Loss, State};
pub use handle::{Handle, Standing, Trial, Untried};
pub use ledger::{Change, Kept, Ledger, Written};
pub use notice::{Labels, Notice};
pub use payload::{Kind, Payload};
pub use route_config::RouteConfig;
pub use run::{Look, Means, start};
pub use secret::Secret;
pub use validate::{Mistake, mistakes};
pub use vitals::{Tally, Vitals};
