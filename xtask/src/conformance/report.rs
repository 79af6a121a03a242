//! What the runs came to, as a table for people and as JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::not_applicable;
use super::suites::{Check, Outcome, Suite};

/// A suite that was run on a database.
#[derive(Debug)]
pub struct Run {
    /// The name of the suite.
    pub suite: &'static str,
    mode: &'static str,
    database: &'static str,
    seconds: f64,
    checks: Vec<Check>,
}

impl Run {
    /// What came of a suite.
    pub const fn new(suite: &Suite, database: &'static str, checks: Vec<Check>, seconds: f64) -> Self {
        Self { suite: suite.name, mode: suite.mode, database, seconds, checks }
    }

    fn passed(&self) -> usize {
        self.checks.iter().filter(|check| check.outcome == Outcome::Passed).count()
    }

    /// The checks that did not pass and should have.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        let not_passed = self.checks.iter().filter(|check| check.outcome != Outcome::Passed);
        not_passed.filter(|check| not_applicable::row(self.suite, check).is_none())
    }

    /// The checks that did not pass and need not, with the reason.
    pub fn not_applicable(&self) -> impl Iterator<Item = (&Check, &'static str)> {
        let not_passed = self.checks.iter().filter(|check| check.outcome != Outcome::Passed);
        not_passed.filter_map(|check| Some((check, not_applicable::row(self.suite, check)?.why)))
    }
}

/// The table, with what failed and what does not apply below it.
pub fn table(runs: &[Run], stale: &[&str]) -> String {
    let mut text = format!(
        "{:<14} {:<16} {:<11} {:>6} {:>6} {:>6} {:>14} {:>8}\n",
        "SUITE", "MODE", "DATABASE", "CHECKS", "PASSED", "FAILED", "NOT APPLICABLE", "SECONDS"
    );
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        text.write_fmt(arguments).expect("writing to a string does not fail");
        text.push('\n');
    };
    for run in runs {
        let (failed, not_applicable) = (run.failed().count(), run.not_applicable().count());
        let Run { suite, mode, database, seconds, checks } = run;
        line(format_args!(
            "{suite:<14} {mode:<16} {database:<11} {:>6} {:>6} {failed:>6} {not_applicable:>14} {seconds:>8.1}",
            checks.len(),
            run.passed(),
        ));
    }
    for run in runs {
        for check in run.failed() {
            let what = if check.outcome == Outcome::Skipped { "was left out" } else { "failed" };
            line(format_args!(
                "\n{} ({}) on {}: {} {what}: {}",
                run.suite, run.mode, run.database, check.name, check.message
            ));
        }
    }
    for row in not_applicable::ALL {
        line(format_args!("\nnot applicable: {}", row.sentence()));
    }
    for check in stale {
        line(format_args!("\n`{check}` passes or is no longer made; take its row out of not_applicable.rs"));
    }
    text.trim_end().to_owned()
}

/// The same for programs.
pub fn json(runs: &[Run], stale: &[&str]) -> Value {
    let told = |check: &Check| json!({ "check": check.name, "message": check.message });
    let all: Vec<Value> = runs
        .iter()
        .map(|run| {
            let not_applicable = run.not_applicable();
            json!({
                "suite": run.suite,
                "mode": run.mode,
                "database": run.database,
                "seconds": run.seconds,
                "checks": run.checks.len(),
                "passed": run.passed(),
                "failed": run.failed().map(told).collect::<Vec<_>>(),
                "not_applicable": not_applicable
                    .map(|(check, why)| json!({ "check": check.name, "why": why })).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "runs": all, "stale": stale })
}

#[cfg(test)]
mod tests {
    use super::{Run, json, table};
    use crate::conformance::not_applicable;
    use crate::conformance::suites::{ALL, Check, Outcome};

    fn check(name: &str, outcome: Outcome) -> Check {
        Check { name: name.to_owned(), outcome, message: "not supported".to_owned() }
    }

    fn sanity(checks: Vec<Check>) -> Run {
        Run::new(&ALL[2], "SQLite", checks, 1.25)
    }

    #[test]
    fn what_is_left_out_fails_unless_it_does_not_apply() {
        let run = sanity(vec![
            check("POST /Users", Outcome::Passed),
            check("PATCH /Users/{id}", Outcome::Failed),
            check("GET /Users", Outcome::Skipped),
            check("Agent CRUD Lifecycle", Outcome::Skipped),
        ]);
        assert_eq!(
            run.failed().map(|check| check.name.as_str()).collect::<Vec<_>>(),
            ["PATCH /Users/{id}", "GET /Users"]
        );
        assert_eq!(run.not_applicable().count(), 1);
        let runs = [run];
        let text = table(&runs, &["gone"]);
        for part in [
            "scim-sanity    strict           SQLite           4      1      2              1      1.2",
            "scim-sanity (strict) on SQLite: PATCH /Users/{id} failed: not supported",
            "GET /Users was left out: not supported",
            "`gone` passes or is no longer made",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        let told = json(&runs, &[]);
        assert_eq!(
            (&told["runs"][0]["passed"], &told["runs"][0]["failed"][1]["check"]),
            (&1.into(), &"GET /Users".into())
        );
    }

    #[test]
    fn a_check_that_fails_for_another_reason_applies() {
        for (message, failed) in [("Agent is not supported", 0), ("Expected HTTP 200, got 500", 1)] {
            let agent = Check { message: message.to_owned(), ..check("Agent CRUD Lifecycle", Outcome::Failed) };
            assert_eq!(sanity(vec![agent]).failed().count(), failed, "{message}");
        }
    }

    #[test]
    fn a_row_for_a_check_that_passes_is_stale() {
        let rows = not_applicable::ALL.len();
        let passes = sanity(vec![check("Agent CRUD Lifecycle", Outcome::Passed)]);
        assert_eq!(not_applicable::unused(&[passes]).len(), rows);
        let skips = sanity(vec![check("Agent CRUD Lifecycle", Outcome::Skipped)]);
        assert_eq!(not_applicable::unused(&[skips]).len(), rows - 1);
    }
}
