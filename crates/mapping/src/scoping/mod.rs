//! Scoping filters: which objects a job provisions by the values of their attributes. Assignments, the other half of the
//! scope, are the provisioning engine's.

mod clause;
mod explain;
mod file;
mod moment;
mod operand;
mod operator;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use clause::Asking;
pub(crate) use clause::MANAGER_PREFIX;
pub use clause::{Clause, ClauseError};
pub use explain::{ExplainedClause, ExplainedGroup, Explanation, Held};
pub use operand::RegexMode;
pub use operator::{Comparison, FilterOperator, OperatorError, Quantifier};

use crate::value::Source;

/// The filters of one object mapping: an object is in scope when it passes any group, or when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<file::GroupFile>")]
pub struct ScopingFilters(pub Vec<FilterGroup>);

/// One named filter: an object passes when all clauses hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterGroup {
    /// The filter's title, shown in logs.
    pub name: String,
    /// All of these must hold.
    pub clauses: Vec<Clause>,
}

/// Whether an object is in scope, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// True when the object passes.
    pub in_scope: bool,
    /// When out of scope: every clause that does not hold, as `{title} {attribute} {operator} {value}`.
    pub failed: Vec<String>,
}

/// A clause that cannot be decided for an object: neither in scope nor out of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scoping filter `{clause}` cannot be decided: its regular expression takes too many steps on this value")]
pub struct Undecided {
    /// The clause, as `{title} {attribute} {operator} {value}`.
    pub clause: String,
}

impl ScopingFilters {
    /// Whether there is no filter: everyone passes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Decides about one source object at a moment. A clause on an empty attribute never holds, except those that say so.
    pub fn evaluate(&self, source: &dyn Source, now: Timestamp) -> Result<Verdict, Undecided> {
        let (mut failed, mut asking) = (Vec::new(), Asking::at(now));
        for group in &self.0 {
            let before = failed.len();
            for clause in &group.clauses {
                let told = || format!("{} {clause}", group.name);
                if !clause.holds(source, &mut asking).map_err(|_| Undecided { clause: told() })? {
                    failed.push(told());
                }
            }
            if failed.len() == before {
                return Ok(Verdict { in_scope: true, failed: Vec::new() });
            }
        }
        Ok(Verdict { in_scope: self.0.is_empty(), failed })
    }

    /// When time alone may next change the verdict about an object that is as it is: the second in which a date that a clause compares
    /// with the clock is passed. `None` where it never does.
    pub fn reconsider_at(&self, source: &dyn Source, now: Timestamp) -> Option<Timestamp> {
        self.clauses().filter_map(|clause| clause.next_change(source, now)).min()
    }

    /// The clauses of all filters.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        self.0.iter().flat_map(|group| &group.clauses)
    }
}

#[cfg(test)]
mod tests;
