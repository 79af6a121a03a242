//! The suites that are Python packages, in a virtual environment below the target folder. It is made once for each state of
//! the lock `requirements.txt`, by the ordinary package manager, and used again by later runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::{cargo, system_packages};

/// Exact versions of all that is installed.
const LOCK: &str = include_str!("requirements.txt");

/// The oldest Python that the suites support.
const VERSION_CHECK: &str = "import sys; sys.exit(sys.version_info < (3, 11))";

/// What makes a virtual environment with pip in it; Debian has both in a package of their own.
const PARTS_CHECK: &str = "import ensurepip, venv";

/// The packages of Debian and Ubuntu that bring both.
const PACKAGES: [&str; 2] = ["python3", "python3-venv"];

/// What a finished environment holds: the lock it was made from.
const INSTALLED: &str = "installed.txt";

/// The folder of the programs of an environment that holds the suites.
pub fn with_suites() -> anyhow::Result<PathBuf> {
    let target = std::env::current_exe()?.ancestors().nth(2).context("this program is in no target folder")?.to_owned();
    let environment = target.join("conformance");
    let programs = environment.join("bin");
    if is_current(&environment) && succeeds(&programs.join("python"), &["-c", "import scim2_tester, scim_sanity"]) {
        return Ok(programs);
    }
    if !succeeds(Path::new("python3"), &["-c", PARTS_CHECK]) {
        system_packages::install(&PACKAGES, "put a Python with `venv` into PATH as `python3`")?;
    }
    let new_enough = succeeds(Path::new("python3"), &["-c", VERSION_CHECK]);
    anyhow::ensure!(new_enough, "the suites need Python 3.11 or newer; put one into PATH as `python3`");
    eprintln!("==> installing the suites by pip into {}", environment.display());
    let lock = target.join("conformance-requirements.txt");
    std::fs::write(&lock, LOCK)?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
        .arg(&lock);
    run(&mut pip)?;
    run(Command::new(programs.join("python")).args(["-m", "pip", "--disable-pip-version-check", "check"]))?;
    // Written last: an environment that was interrupted is made anew.
    std::fs::write(environment.join(INSTALLED), LOCK)?;
    Ok(programs)
}

fn is_current(environment: &Path) -> bool {
    std::fs::read_to_string(environment.join(INSTALLED)).is_ok_and(|installed| installed == LOCK)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    // Standard output belongs to the table.
    let status = cargo::status(command.stdin(Stdio::null()).stdout(std::io::stderr()))?;
    anyhow::ensure!(status.success(), "`{command:?}` failed; see above");
    Ok(())
}

fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::{INSTALLED, LOCK, is_current};

    #[test]
    fn every_version_of_the_lock_is_exact() {
        for line in LOCK.lines().filter(|line| !line.starts_with('#')) {
            let (name, version) = line.split_once("==").unwrap();
            assert!(!name.is_empty() && version.split('.').all(|part| part.parse::<u32>().is_ok()), "{line}");
        }
    }

    #[test]
    fn an_environment_of_another_lock_is_not_used() {
        let folder = std::env::temp_dir().join(format!("lockstep-environment-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let states = ["", "scim-sanity==0.1.0\n", LOCK].map(|text| {
            std::fs::write(folder.join(INSTALLED), text).unwrap();
            is_current(&folder)
        });
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(states, [false, false, true]);
        assert!(!is_current(&folder));
    }
}
