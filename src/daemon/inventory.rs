//! The plugins that there are, as people and programs are told of them.

use super::Plugins;
use crate::api::{self, Plugin, PluginKind, RefusedFile};

impl Plugins {
    /// All plugins, and what the plugin folders hold that is none, as of the last look at them.
    /// Waits while somebody looks.
    pub fn inventory(&self) -> api::Plugins {
        let host = self.host();
        let mut plugins = Vec::new();
        for (name, plugin) in host.all() {
            let kind = match plugin.revision() {
                0 if plugin.is_stock() => PluginKind::BuiltIn,
                0 => PluginKind::Program,
                // Told below, with its file.
                _ => continue,
            };
            let summary = plugin.summary().to_owned();
            plugins.push(Plugin { name, kind, summary, version: None, abi: None, file: None });
        }
        for (file, described) in host.libraries() {
            plugins.extend(described.into_iter().map(|one| Plugin {
                name: one.id,
                kind: PluginKind::Library,
                summary: one.summary,
                version: Some(one.version).filter(|version| !version.is_empty()),
                abi: Some(format!("{}.{}", one.abi.0, one.abi.1)),
                file: Some(file.display().to_string()),
            }));
        }
        plugins.sort_by(|a, b| a.name.cmp(&b.name));
        let refused = host.refused().into_iter();
        let refused = refused
            .map(|(file, reason)| RefusedFile { file: file.display().to_string(), reason })
            .collect();
        api::Plugins { plugins, refused }
    }
}
