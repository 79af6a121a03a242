//! The public SCIM servers that the benchmark measures beside ours: installed once, by their ordinary package managers, below
//! the target folder. How they are started and what is asked of them is the business of `crates/bench`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::python::{Environment, run, succeeds, target_folder};
use crate::{repository, system_packages};

/// The argument of the benchmark that asks for them.
pub const ARGUMENT: &str = "--peers";

/// Those that are Python packages.
pub const PYTHON: Environment = Environment {
    name: "peers-python",
    lock: include_str!("../../crates/bench/peers/requirements.txt"),
    check: "import scim2_server, django_scim, gunicorn",
};

/// The packages of Debian and Ubuntu that run the one written in JavaScript.
const PACKAGES: [&str; 2] = ["nodejs", "npm"];

/// The files of our own around that one.
const FILES: [&str; 3] = ["package.json", "package-lock.json", "server.mjs"];

/// Installs what is missing; gives the arguments with the folders in the place of `--peers`.
pub fn installed(arguments: &[String]) -> anyhow::Result<Vec<String>> {
    let python = PYTHON.ready()?;
    let node = node()?;
    let mut all: Vec<String> = arguments.iter().filter(|argument| *argument != ARGUMENT).cloned().collect();
    for (name, folder) in [("--peers-python", python), ("--peers-node", node)] {
        all.extend([name.to_owned(), folder.display().to_string()]);
    }
    Ok(all)
}

fn node() -> anyhow::Result<PathBuf> {
    let folder = target_folder()?.join("peers-node");
    let own = repository::root().join("crates/bench/peers/scimmy");
    if is_current(&folder, &own) {
        return Ok(folder);
    }
    if !succeeds(Path::new("npm"), &["--version"]) {
        system_packages::install(&PACKAGES, "put Node.js with npm into PATH")?;
    }
    eprintln!("==> installing by npm into {}", folder.display());
    std::fs::create_dir_all(&folder)?;
    for file in FILES {
        std::fs::copy(own.join(file), folder.join(file))?;
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    run(&mut npm)?;
    Ok(folder)
}

/// Whether the folder holds these very files and the packages: npm writes its own list of them last.
fn is_current(folder: &Path, own: &Path) -> bool {
    let same = |file: &str| match (std::fs::read(folder.join(file)), std::fs::read(own.join(file))) {
        (Ok(there), Ok(here)) => there == here,
        _ => false,
    };
    FILES.iter().all(|file| same(file)) && folder.join("node_modules/.package-lock.json").is_file()
}

#[cfg(test)]
mod tests {
    use super::{FILES, is_current};
    use crate::repository;

    #[test]
    fn a_folder_without_the_packages_is_not_used() {
        let own = repository::root().join("crates/bench/peers/scimmy");
        assert!(FILES.iter().all(|file| own.join(file).is_file()));
        assert!(!is_current(&own, &own));
    }
}
