//! The SDK and the ABI crate as they lie in `vendor/` of a new plugin: the sources that this program
//! was built with, and manifests that stand without this repository's workspace.

use anyhow::Context as _;
use rust_embed::Embed;
use toml::{Table, Value};

use super::project::File;

#[derive(Embed)]
#[folder = "plugins/"]
#[include = "abi/src/*"]
#[include = "abi/include/*"]
#[include = "sdk/src/*"]
struct Sources;

const WORKSPACE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
const ABI: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/abi/Cargo.toml"));
const SDK: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugins/sdk/Cargo.toml"));
const LICENCES: [(&str, &str); 2] = [
    ("LICENSE-APACHE", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE-APACHE"))),
    ("LICENSE-MIT", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE-MIT"))),
];

/// The files of `vendor/`.
///
/// # Errors
/// If a manifest is not as this expects.
pub(super) fn sdk() -> anyhow::Result<Vec<File>> {
    let workspace: Table = WORKSPACE.parse()?;
    let workspace = workspace["workspace"].as_table().context("the workspace has its table")?;
    let mut files = vec![
        File::new("vendor/abi/Cargo.toml", standalone(ABI, workspace)?),
        File::new("vendor/sdk/Cargo.toml", standalone(SDK, workspace)?),
    ];
    files.extend(LICENCES.map(|(name, text)| File::new(format!("vendor/{name}"), text)));
    for path in Sources::iter() {
        let source = Sources::get(&path).with_context(|| format!("{path} is embedded"))?;
        files.push(File::new(format!("vendor/{path}"), source.data));
    }
    Ok(files)
}

/// A manifest of this workspace with what it inherits in it, and without what belongs to its tests.
fn standalone(manifest: &str, workspace: &Table) -> anyhow::Result<String> {
    let mut manifest: Table = manifest.parse()?;
    for key in ["lints", "dev-dependencies", "example"] {
        manifest.remove(key);
    }
    for section in ["package", "dependencies"] {
        let Some(Value::Table(table)) = manifest.get_mut(section) else { continue };
        for (key, value) in table.iter_mut() {
            if value.get("workspace").is_some() {
                let inherited = workspace.get(section).and_then(|section| section.get(key));
                let inherited =
                    inherited.with_context(|| format!("{section}.{key} is inherited"))?;
                *value = inherited.clone();
            }
            // "plugins/abi", seen from its sister.
            if let Some(Value::String(path)) = value.get_mut("path") {
                *path = path.replacen("plugins/", "../", 1);
            }
        }
    }
    Ok(toml::to_string(&manifest)?)
}
