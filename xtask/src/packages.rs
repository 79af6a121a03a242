//! The packages of the workspace and of its lock file, as `cargo metadata` tells them.
//! What is allowed of them is decided in `architecture` and in `dependencies`.

use anyhow::Context as _;
use serde_json::Value;

/// One package and what its manifest says.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// The name in its manifest.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// The SPDX expression of its licence, if it has one.
    pub licence: Option<String>,
    /// The registry or repository it comes from; none for a folder of the workspace.
    pub source: Option<String>,
    /// The names of the packages its manifest asks for, of all kinds (normal, dev, build).
    pub uses: Vec<String>,
}

/// The packages of the workspace alone. Needs no network.
pub fn of_workspace() -> anyhow::Result<Vec<Package>> {
    from_cargo(&["metadata", "--format-version=1", "--no-deps", "--offline"])
}

/// Every package of the lock file, for all platforms. Fetches what is not on this machine yet.
pub fn of_lock_file() -> anyhow::Result<Vec<Package>> {
    from_cargo(&["metadata", "--format-version=1", "--locked"])
}

fn from_cargo(arguments: &[&str]) -> anyhow::Result<Vec<Package>> {
    let output = crate::cargo::command().args(arguments).output().context("cannot run cargo")?;
    anyhow::ensure!(
        output.status.success(),
        "`cargo {}` failed; where the lock file is behind, run `cargo check` and commit it: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    packages.iter().map(parse).collect()
}

fn parse(package: &Value) -> anyhow::Result<Package> {
    let text = |key: &str| package[key].as_str().map(str::to_owned);
    let uses = package["dependencies"].as_array().into_iter().flatten();
    Ok(Package {
        name: text("name").context("a package of cargo metadata has no name")?,
        version: text("version").context("a package of cargo metadata has no version")?,
        licence: text("license"),
        source: text("source"),
        uses: uses.filter_map(|used| used["name"].as_str().map(str::to_owned)).collect(),
    })
}

#[cfg(test)]
impl Package {
    /// A package of the workspace, for the tests of the rules.
    pub fn of_ours(name: &str, uses: &[&str]) -> Self {
        let uses = uses.iter().map(|&name| name.to_owned()).collect();
        Self { name: name.to_owned(), version: "0.1.0".to_owned(), licence: Some("MIT".to_owned()), source: None, uses }
    }
}

#[cfg(test)]
mod tests {
    use super::{of_workspace, parse};

    #[test]
    fn the_workspace_names_this_package_and_what_it_uses() {
        let packages = of_workspace().unwrap();
        let xtask = packages.iter().find(|package| package.name == "xtask").unwrap();
        assert_eq!(xtask.uses, ["anyhow", "serde_json"]);
        assert_eq!(xtask.source, None);
    }

    #[test]
    fn a_package_without_a_name_is_refused() {
        assert!(parse(&serde_json::json!({ "version": "1.0.0" })).is_err());
    }
}
