//! The project's own commands: `cargo xtask test | check | conformance | bench | help`.
//!
//! Only the choice of the command lives here. Each command has its module; the rules that `check` applies are plain
//! functions over data (`architecture`, `dependencies`), so that their tests need no repository.

mod architecture;
mod cargo;
mod check;
mod conformance;
mod dependencies;
mod licence;
mod packages;
mod peers;
mod postgres;
mod python;
mod repository;
mod rust_text;
mod system_packages;
mod with_databases;

use std::process::ExitCode;

const HELP: &str = "\
The project's own commands

  cargo xtask test  [--sqlite-only] [--] [arguments of `cargo test`]
      Runs all tests on SQLite and on a PostgreSQL server of its own, which is gone afterwards.
      Installs PostgreSQL by apt where it is missing. A server of yours is used instead when
      LOCKSTEP_TEST_POSTGRES holds its URL.
      Example: cargo xtask test -- -p store -- a_leaver

  cargo xtask check
      Architecture rules, dependency rules, format, clippy, documentation.

  cargo xtask conformance [--sqlite-only] [--json] [--lockstep PROGRAM]
      Installs the public SCIM suites by pip, once, below the target folder, and runs them all
      against the program, on the same databases. Fails when a check fails.

  cargo xtask bench [--sqlite-only] [--] [--peers] [arguments of the benchmark]
      Builds the benchmark with optimisation and runs it, with the same databases.
      With --peers it measures public SCIM servers beside ours instead; they are installed by
      pip and npm, once, below the target folder.

  cargo xtask help
      This text.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (command, rest) = match arguments {
        [] => ("help", [].as_slice()),
        [command, rest @ ..] => (command.as_str(), rest),
    };
    match command {
        "test" => with_databases::test(rest),
        "conformance" => conformance::run(rest),
        "bench" => with_databases::bench(rest),
        "check" if rest.is_empty() => check::check(),
        "check" => anyhow::bail!("`cargo xtask check` takes no arguments; leave out `{}`", rest.join(" ")),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        unknown => anyhow::bail!("there is no command `{unknown}`; `cargo xtask help` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::{HELP, run};

    #[test]
    fn an_unknown_command_names_the_cure() {
        for (arguments, expected) in [
            (vec!["tset"], "there is no command `tset`; `cargo xtask help` lists them"),
            (vec!["check", "--fast"], "`cargo xtask check` takes no arguments; leave out `--fast`"),
        ] {
            let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
            assert_eq!(run(&arguments).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn help_names_every_command() {
        for command in ["test", "check", "conformance", "bench", "help"] {
            assert!(HELP.contains(&format!("cargo xtask {command}")), "{command}");
        }
    }
}
