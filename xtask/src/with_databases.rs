//! `test` and `bench`: run cargo with the databases that the run is to use.

use std::process::ExitCode;

use crate::cargo;
use crate::peers;
use crate::postgres::{Server, URL_VARIABLE};

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wish<'a> {
    sqlite_only: bool,
    /// Goes on to cargo or to the benchmark.
    forwarded: &'a [String],
}

/// Runs the tests of the workspace, or of what `arguments` choose, on both databases.
pub fn test(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let wish = wish(arguments);
    let mut cargo_arguments = vec!["test".to_owned()];
    if !chooses_packages(wish.forwarded) {
        cargo_arguments.push("--workspace".to_owned());
    }
    cargo_arguments.extend_from_slice(wish.forwarded);
    let code = run(&cargo_arguments, wish.sqlite_only)?;
    if wish.sqlite_only {
        eprintln!("warning: PostgreSQL was NOT tested; run `cargo xtask test` before you hand this in");
    }
    Ok(code)
}

/// Builds the benchmark, then runs it with `arguments`.
pub fn bench(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let wish = wish(arguments);
    // Built first, so that no server idles while the compiler works.
    let built = cargo::status(cargo::command().args(["build", "--release", "-p", "bench"]))?;
    if !built.success() {
        return Ok(cargo::exit_code(built));
    }
    let mut cargo_arguments = ["run", "--release", "--quiet", "-p", "bench", "--"].map(str::to_owned).to_vec();
    if wish.forwarded.iter().any(|argument| argument == peers::ARGUMENT) {
        cargo_arguments.extend(peers::installed(wish.forwarded)?);
        // The durable peer keeps its data in SQLite, so ours does.
        return run(&cargo_arguments, true);
    }
    cargo_arguments.extend_from_slice(wish.forwarded);
    run(&cargo_arguments, wish.sqlite_only)
}

fn wish(arguments: &[String]) -> Wish<'_> {
    let (sqlite_only, rest) = match arguments {
        [first, rest @ ..] if first == "--sqlite-only" => (true, rest),
        all => (false, all),
    };
    let forwarded = match rest {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    Wish { sqlite_only, forwarded }
}

/// Whether cargo's own arguments name packages. `--workspace` beside them would test all.
fn chooses_packages(forwarded: &[String]) -> bool {
    let own = forwarded.iter().take_while(|argument| *argument != "--");
    let mut own = own.map(String::as_str);
    own.any(|argument| {
        argument.starts_with("-p")
            || argument.starts_with("--package")
            || ["--workspace", "--all"].contains(&argument)
            || argument.starts_with("--manifest-path")
    })
}

fn run(cargo_arguments: &[String], sqlite_only: bool) -> anyhow::Result<ExitCode> {
    let mut command = cargo::command();
    command.args(cargo_arguments);
    let given = std::env::var_os(URL_VARIABLE);
    let mut server = None;
    if sqlite_only {
        command.env_remove(URL_VARIABLE);
        eprintln!("==> databases: SQLite alone (--sqlite-only)");
    } else if given.is_some() {
        eprintln!("==> databases: SQLite, and the PostgreSQL server that {URL_VARIABLE} names");
    } else {
        let server = server.insert(Server::start()?);
        eprintln!("==> databases: SQLite, and PostgreSQL at {}", server.url());
        command.env(URL_VARIABLE, server.url());
    }
    eprintln!("==> cargo {}", cargo_arguments.join(" "));
    let status = cargo::status(&mut command);
    drop(server);
    status.map(cargo::exit_code)
}

#[cfg(test)]
mod tests {
    use super::{chooses_packages, wish};

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn wishes() {
        for (given, sqlite_only, forwarded) in [
            ("", false, ""),
            ("--", false, ""),
            ("--sqlite-only", true, ""),
            ("-- -p lockstep-scim -- --nocapture", false, "-p lockstep-scim -- --nocapture"),
            ("--sqlite-only -- -p lockstep-scim", true, "-p lockstep-scim"),
            ("-p lockstep-scim", false, "-p lockstep-scim"),
            ("-- --sqlite-only", false, "--sqlite-only"),
        ] {
            let given_words = words(given);
            let wish = wish(&given_words);
            assert_eq!((wish.sqlite_only, wish.forwarded), (sqlite_only, words(forwarded).as_slice()), "{given}");
        }
    }

    #[test]
    fn the_whole_workspace_unless_packages_are_chosen() {
        for (given, expected) in [
            ("", false),
            ("a_leaver", false),
            ("-p lockstep-scim", true),
            ("-plockstep-scim", true),
            ("--package=lockstep-scim", true),
            ("--workspace --exclude server", true),
            ("--lib", false),
            ("-- -p", false),
        ] {
            assert_eq!(chooses_packages(&words(given)), expected, "{given}");
        }
    }
}
