//! Programs that are Python packages, in virtual environments below the target folder. Each is made once for each state of
//! its lock, by the ordinary package manager, and used again by later runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::{cargo, system_packages};

/// The oldest Python that the packages support.
const VERSION_CHECK: &str = "import sys; sys.exit(sys.version_info < (3, 11))";

/// What makes a virtual environment with pip in it; Debian has both in a package of their own.
const PARTS_CHECK: &str = "import ensurepip, venv";

/// The packages of Debian and Ubuntu that bring both.
const PACKAGES: [&str; 2] = ["python3", "python3-venv"];

/// What a finished environment holds: the lock it was made from.
const INSTALLED: &str = "installed.txt";

/// What an environment is to hold.
#[derive(Clone, Copy, Debug)]
pub struct Environment {
    /// The name of its folder below the target folder.
    pub name: &'static str,
    /// Exact versions of all that is installed, as pip reads them.
    pub lock: &'static str,
    /// A line of Python that fails where the environment is broken.
    pub check: &'static str,
}

/// The target folder that this program is in: what is fetched once is kept there, and goes with `cargo clean`.
pub fn target_folder() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).context("this program is in no target folder")?.to_owned())
}

impl Environment {
    /// The folder of its programs; they are installed where they are not there yet.
    pub fn ready(self) -> anyhow::Result<PathBuf> {
        let folder = target_folder()?.join(self.name);
        let programs = folder.join("bin");
        if self.is_current(&folder) && succeeds(&programs.join("python"), &["-c", self.check]) {
            return Ok(programs);
        }
        if !succeeds(Path::new("python3"), &["-c", PARTS_CHECK]) {
            system_packages::install(&PACKAGES, "put a Python with `venv` into PATH as `python3`")?;
        }
        let new_enough = succeeds(Path::new("python3"), &["-c", VERSION_CHECK]);
        anyhow::ensure!(new_enough, "Python 3.11 or newer is needed; put one into PATH as `python3`");
        eprintln!("==> installing by pip into {}", folder.display());
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let lock = folder.join("requirements.txt");
        std::fs::write(&lock, self.lock)?;
        let pip = |arguments: &[&str]| {
            let mut command = Command::new(programs.join("python"));
            command.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(arguments);
            command
        };
        run(pip(&["install", "--no-deps", "--requirement"]).arg(&lock))?;
        // Nothing that a package needs may be missing from the lock.
        run(&mut pip(&["check"]))?;
        // Written last: an environment that was interrupted is made anew.
        std::fs::write(folder.join(INSTALLED), self.lock)?;
        Ok(programs)
    }

    fn is_current(self, folder: &Path) -> bool {
        std::fs::read_to_string(folder.join(INSTALLED)).is_ok_and(|installed| installed == self.lock)
    }
}

/// Runs a command that has to succeed; what it prints goes to standard error, as standard output belongs to the table.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = cargo::status(command.stdin(Stdio::null()).stdout(std::io::stderr()))?;
    anyhow::ensure!(status.success(), "`{command:?}` failed; see above");
    Ok(())
}

/// Whether a program is there and ends well.
pub fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::{Environment, INSTALLED};

    #[test]
    fn every_version_of_a_lock_is_exact() {
        for environment in [crate::conformance::SUITES, crate::peers::PYTHON] {
            for line in environment.lock.lines().filter(|line| !line.starts_with('#')) {
                let (name, version) = line.split_once("==").unwrap();
                assert!(!name.is_empty() && version.split('.').all(|part| part.parse::<u32>().is_ok()), "{line}");
            }
        }
    }

    #[test]
    fn an_environment_of_another_lock_is_not_used() {
        let folder = std::env::temp_dir().join(format!("lockstep-environment-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let environment = Environment { name: "example", lock: "a==2\n", check: "" };
        let states = ["", "a==1\n", environment.lock].map(|text| {
            std::fs::write(folder.join(INSTALLED), text).unwrap();
            environment.is_current(&folder)
        });
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(states, [false, false, true]);
        assert!(!environment.is_current(&folder));
    }
}
