//! How a command ended, and the exit code that says so to scripts.

use std::process::ExitCode;

/// Everything was done.
const EXIT_DONE: u8 = 0;
/// The command failed; one sentence on standard error says why.
const EXIT_FAILED: u8 = 1;
/// The command line or the configuration is wrong (clap uses the same code).
const EXIT_USAGE: u8 = 2;
/// The command was carried out, but some of its objects, rows or checks failed.
const EXIT_SOME_FAILED: u8 = 3;

/// How a command that was carried out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Some objects or rows failed; the report says which.
    SomeFailed,
    /// The command looked for problems and found some.
    ProblemsFound,
}

impl Outcome {
    /// [`Outcome::SomeFailed`] where the count is not 0.
    pub const fn of_failed(failed: u64) -> Self {
        if failed == 0 { Self::Done } else { Self::SomeFailed }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => EXIT_DONE,
            Outcome::SomeFailed => EXIT_SOME_FAILED,
            Outcome::ProblemsFound => EXIT_FAILED,
        })
    }
}

/// The command line or the configuration is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// An error of [`Usage`].
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage(message.into()).into()
}

/// Prints why a command failed, and gives its exit code. A reader of our output that has gone is no failure of ours.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let reader_gone = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    if reader_gone.into_iter().any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe) {
        return ExitCode::from(EXIT_DONE);
    }
    eprintln!("error: {}", sentence(error));
    ExitCode::from(if error.is::<Usage>() { EXIT_USAGE } else { EXIT_FAILED })
}

/// The error and its causes in one line; a cause that its effect already tells is not told again.
pub fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    crate::output::clean_lines(&text)
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_failure_is_one_sentence() {
        let cause = || anyhow::anyhow!("no space is left");
        for (error, expected) in [
            (cause(), "no space is left"),
            (
                Err::<(), _>(cause()).context("the key cannot be written").unwrap_err(),
                "the key cannot be written: no space is left",
            ),
            (Err::<(), _>(cause()).context("full: no space is left").unwrap_err(), "full: no space is left"),
            (anyhow::anyhow!("a \u{1b}[31mred\u{7} name"), "a [31mred name"),
        ] {
            assert_eq!(sentence(&error), expected);
        }
    }

    #[test]
    fn wrong_use_has_its_own_code() {
        assert!(usage("--user is missing").is::<Usage>());
        assert!(!anyhow::anyhow!("failed").is::<Usage>());
        assert_eq!(Outcome::of_failed(0), Outcome::Done);
        assert_eq!(Outcome::of_failed(2), Outcome::SomeFailed);
    }
}
