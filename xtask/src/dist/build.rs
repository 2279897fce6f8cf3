//! Builds the daemon and every plugin that is shipped with it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::program::{output, program, run};

/// What was built.
pub struct Built {
    pub daemon: PathBuf,
    pub plugins: Vec<Plugin>,
}

/// A library of the workspace, below `plugins/`.
#[derive(Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its package.
    package: String,
    /// Its folder's name, which is that of its file in the plugin folder.
    pub id: String,
    /// The file that cargo makes.
    file: String,
    /// Where that is.
    pub path: PathBuf,
}

impl Built {
    /// Builds with `profile`, in one go: so the dependencies are built once.
    pub fn new(root: &Path, profile: &str) -> anyhow::Result<Self> {
        let metadata =
            output(program("cargo", root, ["metadata", "--format-version=1", "--no-deps"]))?;
        let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
        let mut plugins = plugins(&metadata);
        let profile_flag = format!("--profile={profile}");
        let mut arguments = vec!["build", "--locked", &profile_flag, "--package=gz-monitor"];
        let packages: Vec<String> =
            plugins.iter().map(|plugin| format!("--package={}", plugin.package)).collect();
        arguments.extend(packages.iter().map(String::as_str));
        run(program("cargo", root, arguments))?;
        let target = metadata["target_directory"].as_str().context("no target_directory")?;
        let folder = if profile == "dev" { "debug" } else { profile };
        let folder = Path::new(target).join(folder);
        for plugin in &mut plugins {
            plugin.path = folder.join(&plugin.file);
        }
        Ok(Self { daemon: folder.join("gz-monitor"), plugins })
    }

    /// Every file that is run or loaded.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let plugins = self.plugins.iter().map(|plugin| plugin.path.as_path());
        std::iter::once(self.daemon.as_path()).chain(plugins)
    }
}

/// The workspace's libraries for loading; those that are examples of a package are none.
fn plugins(metadata: &Value) -> Vec<Plugin> {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let home = Path::new(root).join("plugins");
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(&home).ok());
        let Some(id) = folder.and_then(Path::to_str).filter(|id| !id.contains('/')) else {
            continue;
        };
        let is_library = |target: &&Value| {
            let kinds = target["kind"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
        };
        let targets = package["targets"].as_array().into_iter().flatten().filter(is_library);
        for target in targets {
            let name = target["name"].as_str().unwrap_or_default().replace('-', "_");
            found.push(Plugin {
                package: package["name"].as_str().unwrap_or_default().to_owned(),
                id: id.to_owned(),
                file: format!("lib{name}.so"),
                path: PathBuf::new(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_the_libraries_below_their_folder() {
        let package = |name: &str, folder: &str, kind: &str| {
            serde_json::json!({
                "name": name,
                "manifest_path": format!("/repository/{folder}/Cargo.toml"),
                "targets": [{ "name": name, "kind": [kind] }],
            })
        };
        let metadata = serde_json::json!({
            "workspace_root": "/repository",
            "packages": [
                package("gz-monitor", "", "lib"),
                package("gz-monitor-sdk", "plugins/sdk", "lib"),
                package("acts", "plugins/sdk", "example"),
                package("in-an-example", "plugins/examples/one", "cdylib"),
                package("gz-plugin-units", "plugins/systemd-units", "cdylib"),
                package("elsewhere", "tests/plugin", "cdylib"),
            ],
        });
        let plugin = Plugin {
            package: "gz-plugin-units".to_owned(),
            id: "systemd-units".to_owned(),
            file: "libgz_plugin_units.so".to_owned(),
            path: PathBuf::new(),
        };
        assert_eq!(plugins(&metadata), [plugin]);
    }
}
