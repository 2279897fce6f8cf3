//! The configuration: files, environment and flags, merged, checked and compared.
//!
//! [`load`] goes this way: `sources` reads the files, `parse` (`rule_file`, of rules as Prometheus has
//! them) makes a `tree` of each that knows its lines, later trees are laid over earlier ones, `check` holds the result against the `schema`,
//! `decode` makes the structs of it, and `validate` looks for what no type can say. Each step takes
//! out what it refuses and goes on, so that all that is wrong is told at once.

mod check;
mod decode;
mod diff;
mod keys;
mod load;
mod origin;
mod overrides;
mod parse;
mod problem;
mod reference;
mod root;
mod rule_file;
mod schema;
mod show;
mod sources;
mod tree;
mod validate;
mod validate_alerts;
mod validate_collectors;
mod validate_notify;

pub use diff::{Change, Changes, diff};
pub use keys::{Key, Section, sections};
pub use load::{
    Checks, Loaded, PluginCheck, load, load_bytes, load_rule_bytes, load_without_plugins,
};
pub use origin::Origin;
pub use overrides::PREFIX;
pub use problem::{MAX_PROBLEMS, Problem, Problems};
pub use reference::reference;
pub use root::Config;
pub use schema::schema;
pub use show::show;
pub use sources::{DEFAULT_FILE, MAX_FILE_SIZE, MAX_FILES, Override, Sources};
pub use tree::{Node, Value};
