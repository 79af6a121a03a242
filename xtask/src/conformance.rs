//! `conformance`: runs the public SCIM suites against the program, on each database, and fails when a check fails.
//!
//! Which suites there are and how each is run is in `suites`; the program under test in
//! `product`; which checks do not apply, and why, in `not_applicable`. Here they meet.

mod databases;
mod not_applicable;
mod product;
mod report;
mod suites;

use std::process::ExitCode;

use crate::cargo;
use crate::python::Environment;
use databases::Databases;
use product::Product;
use report::Run;

/// The suites, which are Python packages.
pub const SUITES: Environment = Environment {
    name: "conformance",
    lock: include_str!("conformance/requirements.txt"),
    check: "import scim2_tester, scim_sanity",
};

/// What the user asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish {
    sqlite_only: bool,
    json: bool,
    /// The program under test, where it is not to be built.
    program: Option<std::path::PathBuf>,
}

/// Runs every suite in every mode on each database.
pub fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let wish = wish(arguments)?;
    let python = SUITES.ready()?;
    let program = match wish.program {
        Some(program) => std::path::absolute(program)?,
        None => built()?,
    };
    let databases = if wish.sqlite_only { Databases::sqlite() } else { Databases::both()? };
    let mut runs = Vec::new();
    for database in databases.all() {
        let product = Product::start(&program, database)?;
        for suite in suites::ALL {
            eprintln!("==> {}, {}, on {}", suite.name, suite.mode, database.name());
            let (checks, seconds) = suites::run(suite, &python, &product)?;
            runs.push(Run::new(suite, database.name(), checks, seconds));
        }
    }
    let stale = not_applicable::unused(&runs);
    if wish.json {
        println!("{}", report::json(&runs, &stale));
    } else {
        println!("{}", report::table(&runs, &stale));
    }
    let passed = stale.is_empty() && runs.iter().all(|run| run.failed().next().is_none());
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wish(arguments: &[String]) -> anyhow::Result<Wish> {
    let mut wish = Wish::default();
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--sqlite-only" => wish.sqlite_only = true,
            "--json" => wish.json = true,
            "--lockstep" => match arguments.next() {
                Some(program) => wish.program = Some(program.into()),
                None => anyhow::bail!("`--lockstep` needs the path of the program to test"),
            },
            unknown => anyhow::bail!(
                "`cargo xtask conformance` does not know `{unknown}`; `cargo xtask help` tells what it takes"
            ),
        }
    }
    Ok(wish)
}

/// The program as the tests build it: cargo has it ready after `cargo xtask test`. Other selections of packages have other
/// features of the dependencies, so a plain build would compile most of them again.
fn built() -> anyhow::Result<std::path::PathBuf> {
    let build = ["test", "--workspace", "--no-run", "--quiet", "--test", "program"];
    let status = cargo::status(cargo::command().args(build).stdout(std::io::stderr()))?;
    anyhow::ensure!(status.success(), "the program under test could not be built");
    Ok(std::env::current_exe()?.with_file_name("lockstep"))
}

#[cfg(test)]
mod tests {
    use super::{Wish, wish};

    #[test]
    fn wishes() {
        let of = |line: &str| wish(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(of("").unwrap(), Wish::default());
        let all = Wish { sqlite_only: true, json: true, program: Some("a/b".into()) };
        assert_eq!(of("--json --lockstep a/b --sqlite-only").unwrap(), all);
        for (line, expected) in [
            ("--lockstep", "`--lockstep` needs the path of the program to test"),
            ("--fast", "`cargo xtask conformance` does not know `--fast`; `cargo xtask help` tells what it takes"),
        ] {
            assert_eq!(of(line).unwrap_err().to_string(), expected);
        }
    }
}
