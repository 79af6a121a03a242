//! Runs cargo from inside a program that cargo runs.

use std::ffi::OsStr;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Context as _;

/// A cargo command in the root of the repository, with the environment a shell would give it.
///
/// `cargo run` describes this very package to us in variables. Passed on, they change what build scripts see, and the
/// cryptography crates would be built again at each change between a plain `cargo test` and `cargo xtask test`.
pub fn command() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if describes_this_package(&name) {
            command.env_remove(name);
        }
    }
    command.current_dir(crate::repository::root());
    command
}

fn describes_this_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_MANIFEST_")
        || ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name.as_ref())
}

/// Runs `command` to its end, with its output going to ours.
pub fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command.status().with_context(|| {
        let program = command.get_program().to_string_lossy().into_owned();
        format!("cannot run `{program}`; install it or put its folder into PATH")
    })
}

/// The exit code of this program that says the same as the one of a program it ran.
pub fn exit_code(status: ExitStatus) -> ExitCode {
    // A program ended by a signal has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::describes_this_package;

    #[test]
    fn only_what_describes_this_package_is_withheld() {
        for (name, expected) in [
            ("CARGO_PKG_NAME", true),
            ("CARGO_MANIFEST_DIR", true),
            ("OUT_DIR", true),
            ("CARGO_TARGET_DIR", false),
            ("CARGO_HOME", false),
            ("PATH", false),
        ] {
            assert_eq!(describes_this_package(name.as_ref()), expected, "{name}");
        }
    }
}
