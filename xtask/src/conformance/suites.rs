//! The suites, with the modes they are run in, and how what they print is read.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use super::product::Product;

/// How long one run of a suite may take; each takes seconds.
const SUITE_MAX: Duration = Duration::from_mins(3);

/// How often the end of a suite is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Our own few lines around the interface of scim2-tester, which its command line tells less of.
const TESTER: &str = include_str!("run_tester.py");

/// A suite in one of its modes.
#[derive(Debug)]
pub struct Suite {
    /// Its name, as its package manager knows it.
    pub name: &'static str,
    /// The mode, in a few words.
    pub mode: &'static str,
    tenant: &'static str,
    /// More arguments of `tenant add`.
    settings: &'static [&'static str],
    /// Schemas and resource types of the tenant's own.
    schema: Option<&'static str>,
    program: Program,
}

#[derive(Debug)]
enum Program {
    Tester,
    /// With these arguments.
    Sanity(&'static [&'static str]),
}

/// Every run that there is.
pub const ALL: &[Suite] = &[
    Suite {
        name: "scim2-tester",
        mode: "generic tenant",
        tenant: "tester",
        settings: &["--profile", "generic"],
        schema: None,
        program: Program::Tester,
    },
    Suite {
        name: "scim2-tester",
        mode: "custom types",
        tenant: "custom",
        settings: &["--profile", "generic"],
        schema: Some(include_str!("custom_types.json")),
        program: Program::Tester,
    },
    Suite {
        name: "scim-sanity",
        mode: "strict",
        tenant: "strict",
        settings: &["--profile", "generic"],
        schema: None,
        program: Program::Sanity(&[]),
    },
    Suite {
        name: "scim-sanity",
        mode: "compat",
        tenant: "compat",
        settings: &["--profile", "generic"],
        schema: None,
        program: Program::Sanity(&["--compat"]),
    },
    Suite {
        name: "scim-sanity",
        mode: "Entra profile",
        tenant: "entra",
        settings: &["--profile", "generic", "--unique-group-names", "true"],
        schema: None,
        program: Program::Sanity(&["--profile", "entra"]),
    },
];

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the suite wants it.
    Passed,
    /// Not so.
    Failed,
    /// The suite left it out.
    Skipped,
}

/// One check of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name in the suite.
    pub name: String,
    /// What came of it.
    pub outcome: Outcome,
    /// What the suite says of it.
    pub message: String,
}

/// Runs a suite against a tenant of its own; gives its checks and the seconds it took.
pub fn run(suite: &Suite, python: &Path, product: &Product) -> anyhow::Result<(Vec<Check>, f64)> {
    let schema = product.folder().join("schema.json");
    let mut settings = suite.settings.to_vec();
    if let Some(text) = suite.schema {
        std::fs::write(&schema, text)?;
        settings.extend(["--schema", schema.to_str().context("the temporary folder's name is not text")?]);
    }
    let endpoint = product.tenant(suite.tenant, &settings)?;
    let mut command = match suite.program {
        Program::Tester => {
            let mut command = Command::new(python.join("python"));
            command.args(["-c", TESTER]).env("SCIM_URL", &endpoint.url).env("SCIM_TOKEN", &endpoint.token);
            command
        }
        Program::Sanity(arguments) => {
            let mut command = Command::new(python.join("scim-sanity"));
            // The token is one of a server that lives for this run; the suite takes it in no other way.
            command.args(["probe", &endpoint.url, "--token", &endpoint.token]);
            command.args(["--i-accept-side-effects", "--json-output"]).args(arguments);
            command
        }
    };
    let begun = Instant::now();
    let text = output_of(&mut command, &product.folder().join(suite.tenant), SUITE_MAX)
        .with_context(|| format!("{} ({})", suite.name, suite.mode))?;
    let checks = read(&text).with_context(|| format!("{} ({}) printed: {text}", suite.name, suite.mode))?;
    Ok((checks, begun.elapsed().as_secs_f64()))
}

/// What a program prints. That it ends with an error is no matter: so do suites of which a check fails.
fn output_of(command: &mut Command, file: &Path, within: Duration) -> anyhow::Result<String> {
    let errors = file.with_extension("err");
    command.stdin(Stdio::null()).stdout(std::fs::File::create(file)?).stderr(std::fs::File::create(&errors)?);
    let mut child = command.spawn().context("cannot be run")?;
    let begun = Instant::now();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > within {
            child.kill()?;
            child.wait()?;
            anyhow::bail!("took longer than {} s", within.as_secs());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let text = std::fs::read_to_string(file)?;
    anyhow::ensure!(!text.is_empty(), "printed nothing; its errors: {}", std::fs::read_to_string(errors)?.trim());
    Ok(text)
}

/// Reads `{"results": [{"name", "status", "message"}]}`, which both suites come to.
fn read(text: &str) -> anyhow::Result<Vec<Check>> {
    let answer: Value = serde_json::from_str(text)?;
    let results = answer["results"].as_array().context("no `results`")?;
    anyhow::ensure!(!results.is_empty(), "no check was made");
    results.iter().map(check).collect()
}

fn check(result: &Value) -> anyhow::Result<Check> {
    let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
    let outcome = match result["status"].as_str().context("a result without a status")? {
        "success" | "compliant" | "pass" => Outcome::Passed,
        "skipped" | "skip" => Outcome::Skipped,
        // Warnings and deviations as well: what is not as the suite wants it is to be known.
        _ => Outcome::Failed,
    };
    Ok(Check { name: text("name"), outcome, message: text("message") })
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{ALL, Outcome, SUITE_MAX, output_of, read};

    #[test]
    fn a_suite_has_minutes_and_a_tenant_of_its_own() {
        assert_eq!(SUITE_MAX, Duration::from_mins(3));
        for (at, suite) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.tenant != suite.tenant), "{}", suite.tenant);
        }
    }

    #[test]
    fn outcomes() {
        for (status, expected) in [
            ("success", Outcome::Passed),
            ("compliant", Outcome::Passed),
            ("pass", Outcome::Passed),
            ("skip", Outcome::Skipped),
            ("skipped", Outcome::Skipped),
            ("fail", Outcome::Failed),
            ("warn", Outcome::Failed),
            ("error", Outcome::Failed),
            ("deviation", Outcome::Failed),
            ("acceptable", Outcome::Failed),
        ] {
            let text = format!(r#"{{"results": [{{"name": "n", "status": "{status}", "message": null}}]}}"#);
            let checks = read(&text).unwrap();
            assert_eq!((checks[0].outcome, checks[0].name.as_str()), (expected, "n"), "{status}");
        }
    }

    #[test]
    fn what_is_no_result_is_no_success() {
        for text in ["", "{}", r#"{"results": []}"#, r#"{"results": [{"name": "n"}]}"#] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_suite_has_an_end() {
        let file = std::env::temp_dir().join(format!("lockstep-suite-{}", std::process::id()));
        let slow = output_of(Command::new("sleep").arg("60"), &file, Duration::ZERO).unwrap_err();
        let silent = output_of(&mut Command::new("true"), &file, Duration::from_mins(1)).unwrap_err();
        let failing = output_of(Command::new("sh").args(["-c", "echo {}; exit 1"]), &file, Duration::from_mins(1));
        for file in [file.with_extension("err"), file] {
            std::fs::remove_file(file).unwrap();
        }
        assert_eq!(slow.to_string(), "took longer than 0 s");
        assert!(silent.to_string().starts_with("printed nothing"), "{silent}");
        assert_eq!(failing.unwrap(), "{}\n");
    }
}
