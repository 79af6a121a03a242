//! Why an object is in scope or out of it: every clause of every filter with what it saw. For people who try filters out; cycles ask for
//! the verdict alone.

use jiff::Timestamp;

use super::clause::{Asking, Clause};
use super::{FilterGroup, ScopingFilters, Undecided};
use crate::value::{Source, Value};

/// What filters make of one object, clause by clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'f> {
    /// Whether the object passes, as [`ScopingFilters::evaluate`] decides: without filters it does.
    pub in_scope: Result<bool, Undecided>,
    /// Every filter, in their order; the object passes when any holds.
    pub groups: Vec<ExplainedGroup<'f>>,
}

/// One filter, with all its clauses, also those behind the one that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedGroup<'f> {
    /// Its title.
    pub name: &'f str,
    /// Whether all clauses held.
    pub holds: bool,
    /// Its clauses, in their order.
    pub clauses: Vec<ExplainedClause<'f>>,
}

/// One clause, and what it found at the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedClause<'f> {
    /// The clause; `Display` is `{attribute} {operator} {value}`.
    pub clause: &'f Clause,
    /// The value that the object has there.
    pub seen: Value,
    /// Whether it held.
    pub held: Held,
}

/// What came of a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It holds.
    Yes,
    /// It does not hold.
    No,
    /// Its regular expression takes too many steps on this value.
    Undecided,
}

impl ScopingFilters {
    /// Decides about one source object at a moment, and tells of each clause whether it held, and on which value.
    pub fn explain(&self, source: &dyn Source, now: Timestamp) -> Explanation<'_> {
        let mut asking = Asking::at(now);
        let groups = self.0.iter().map(|group| explained(group, source, &mut asking)).collect();
        Explanation { in_scope: self.evaluate(source, now).map(|verdict| verdict.in_scope), groups }
    }
}

fn explained<'f>(group: &'f FilterGroup, source: &dyn Source, asking: &mut Asking) -> ExplainedGroup<'f> {
    let clauses: Vec<_> = group
        .clauses
        .iter()
        .map(|clause| {
            let seen = source.attribute(clause.reads());
            let held = match clause.holds_for(&seen, asking) {
                Ok(true) => Held::Yes,
                Ok(false) => Held::No,
                Err(_) => Held::Undecided,
            };
            ExplainedClause { clause, seen, held }
        })
        .collect();
    ExplainedGroup { name: &group.name, holds: clauses.iter().all(|one| one.held == Held::Yes), clauses }
}
