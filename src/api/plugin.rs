//! Plugins as clients see them.

use schemars::JsonSchema;
use serde::Serialize;

/// What collectors can be made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Plugin {
    /// What `plugin` of a collector says.
    pub name: String,
    pub kind: PluginKind,
    /// One line for people.
    pub summary: String,
    /// Of a library, if it says one.
    pub version: Option<String>,
    /// The plugin interface that a library was built for, such as "1.0".
    pub abi: Option<String>,
    /// Path of a library.
    pub file: Option<String>,
}

/// Where the code of a plugin comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PluginKind {
    /// It is part of the daemon.
    BuiltIn,
    /// A shared object in a plugin folder.
    Library,
    /// Any program, which the configuration of its collector names.
    Program,
}

/// What lies in the plugin folders and is not used, whole or in part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefusedFile {
    /// Path of the file, or of a folder that is not looked into.
    pub file: String,
    pub reason: String,
}

/// `GET /api/v1/plugins`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Plugins {
    /// By name.
    pub plugins: Vec<Plugin>,
    pub refused: Vec<RefusedFile>,
}
