//! Installs packages of Debian and Ubuntu where they are missing. On other systems it says what to install by hand.

use std::process::{Command, Stdio};

use anyhow::Context as _;

/// How this user may run apt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Root,
    Sudo,
    None,
}

/// Installs `packages` by apt, without a question. `instead` says what else a person may do.
pub fn install(packages: &[&str], instead: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        succeeds("apt-get", &["--version"]),
        "{}",
        refusal("this system has no apt-get", packages, instead)
    );
    let right = right();
    anyhow::ensure!(
        right != Right::None,
        "{}",
        refusal("apt-get needs root or sudo without a password", packages, instead)
    );
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    eprintln!("==> installing {} by apt-get", packages.join(", "));
    for arguments in [["update"].as_slice(), &arguments] {
        let mut command = apt_get(right);
        // Its progress goes to our standard error: standard output belongs to the tests.
        command.args(arguments).stdin(Stdio::null()).stdout(std::io::stderr());
        let status = command.status().context("cannot run apt-get")?;
        anyhow::ensure!(
            status.success(),
            "{}",
            refusal(&format!("`apt-get {}` failed", arguments.join(" ")), packages, instead)
        );
    }
    Ok(())
}

fn refusal(reason: &str, packages: &[&str], instead: &str) -> String {
    format!("{reason}; install {} by hand, or {instead}", packages.join(", "))
}

fn right() -> Right {
    if is_root() {
        Right::Root
    } else if succeeds("sudo", &["-n", "true"]) {
        Right::Sudo
    } else {
        Right::None
    }
}

/// Whether this program runs as root.
pub fn is_root() -> bool {
    user_number("-u", None) == Some(0)
}

/// A number of `id`: `-u` for the user's, `-g` for its group's; of this user where no name is given.
pub fn user_number(kind: &str, name: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(kind).args(name).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn apt_get(right: Right) -> Command {
    let mut command = match right {
        Right::Root | Right::None => Command::new("env"),
        Right::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "env"]);
            sudo
        }
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::{Right, apt_get, refusal, succeeds, user_number};

    #[test]
    fn a_refusal_names_the_cure() {
        assert_eq!(
            refusal("this system has no apt-get", &["postgresql"], "leave it out"),
            "this system has no apt-get; install postgresql by hand, or leave it out"
        );
    }

    #[test]
    fn no_question_is_ever_asked() {
        for (right, expected) in [(Right::Root, "env"), (Right::Sudo, "sudo")] {
            let command = apt_get(right);
            assert_eq!(command.get_program(), expected);
            assert!(command.get_args().any(|argument| argument == "DEBIAN_FRONTEND=noninteractive"));
        }
    }

    #[test]
    fn users_have_numbers() {
        assert_eq!(user_number("-u", Some("root")), Some(0));
        assert_eq!(user_number("-u", Some("no such user")), None);
    }

    #[test]
    fn a_missing_program_does_not_succeed() {
        assert!(!succeeds("no-such-program", &[]));
    }
}
