//! What keeps collectors from data: facts about this process and its collectors, and what follows from
//! them. [`Facts::find`] looks, [`judge`] only thinks.

mod cause;
mod drop_in;
mod facts;
mod findings;
mod mounts;
mod path;
mod probe;
mod process_status;
mod reach;
#[cfg(test)]
mod tests;

pub use drop_in::DropIn;
pub use facts::{
    Facts, Folder, Ill, Listener, Process, Psi, Reach, Setup, StateDirectory, Surroundings,
};
pub use findings::{Finding, Severity, judge};
