//! The checks of the suites that do not apply to this server, each with the place in the RFCs that says so. Everything
//! that is not named here has to pass, also what a suite leaves out by itself.

use super::report::Run;
use super::suites::Check;

/// A check that does not apply.
#[derive(Debug)]
pub struct NotApplicable {
    suite: &'static str,
    check: &'static str,
    /// What the suite says of it then: the same check may fail for another reason.
    says: &'static str,
    /// Why, in our words, with the section.
    pub why: &'static str,
}

impl NotApplicable {
    /// The check with the reason.
    pub fn sentence(&self) -> String {
        format!("{} of {}: {}", self.check, self.suite, self.why)
    }
}

/// Why a resource type of a draft need not be there.
const DRAFT: &str =
    "a resource type of an individual draft; a server has the types that its /ResourceTypes names (RFC 7643 §6)";

/// All of them.
pub const ALL: &[NotApplicable] = &[
    sanity("Agent CRUD Lifecycle", "not supported", DRAFT),
    sanity("AgenticApplication CRUD Lifecycle", "not supported", DRAFT),
    sanity("Agent Rapid Lifecycle", "not supported", DRAFT),
];

const fn sanity(check: &'static str, says: &'static str, why: &'static str) -> NotApplicable {
    NotApplicable { suite: "scim-sanity", check, says, why }
}

/// The row that names this check.
pub fn row(suite: &str, check: &Check) -> Option<&'static NotApplicable> {
    ALL.iter().find(|row| row.suite == suite && row.check == check.name && check.message.contains(row.says))
}

/// The rows that named no check of these runs that had not passed: they are to be taken out.
pub fn unused(runs: &[Run]) -> Vec<&'static str> {
    let used = |row: &&NotApplicable| {
        runs.iter().any(|run| run.suite == row.suite && run.not_applicable().any(|(check, _)| check.name == row.check))
    };
    ALL.iter().filter(|row| !used(row)).map(|row| row.check).collect()
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_reason_names_its_section() {
        for row in ALL {
            assert!(row.why.contains("(RFC 76") && row.why.contains('§'), "{}: {}", row.check, row.why);
        }
    }
}
