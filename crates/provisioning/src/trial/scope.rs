//! Who is in scope and who is out, counted by reason and by clause.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mapping::{Held, ScopingFilters, Source, Value};
use serde::Serialize;

use crate::scope::{OutOfScope, Scope};

/// How many objects are in scope and out of it, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeTally {
    /// Objects that were looked at.
    pub looked_at: u64,
    /// In scope.
    pub in_scope: u64,
    /// Out of scope, by reason. `undecided` are those on whom a regular expression takes too long: they fail.
    pub out: BTreeMap<&'static str, u64>,
    /// The filters.
    pub filters: Vec<FilterTally>,
}

/// One filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterTally {
    /// Its title.
    pub name: String,
    /// Its clauses.
    pub clauses: Vec<ClauseTally>,
}

/// One clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClauseTally {
    /// As `{attribute} {operator} {value}`.
    pub clause: String,
    /// Objects which the filters keep out, and for which it does not hold.
    pub excludes: u64,
    /// Those of them for which all other clauses of its filter hold: without it they would be in scope.
    pub alone: u64,
}

/// One filter, tried on one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterTrial {
    /// Its title.
    pub name: String,
    /// Whether all its clauses hold.
    pub holds: bool,
    /// Its clauses.
    pub clauses: Vec<ClauseTrial>,
}

/// One clause, tried on one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClauseTrial {
    /// As `{attribute} {operator} {value}`.
    pub clause: String,
    /// Whether it holds; null where its regular expression takes too long on the value.
    pub holds: Option<bool>,
    /// What the object has there.
    pub seen: Value,
}

impl ScopeTally {
    /// Nobody looked at yet.
    pub fn of(filters: &ScopingFilters) -> Self {
        let clause = |clause: &mapping::Clause| ClauseTally { clause: clause.to_string(), excludes: 0, alone: 0 };
        let group = |group: &mapping::FilterGroup| FilterTally {
            name: group.name.clone(),
            clauses: group.clauses.iter().map(clause).collect(),
        };
        Self { filters: filters.0.iter().map(group).collect(), ..Self::default() }
    }

    /// Counts one object; `None` is one that cannot be decided.
    pub fn count(&mut self, scope: Option<&Scope>, filters: &ScopingFilters, source: &dyn Source, now: Timestamp) {
        self.looked_at += 1;
        match scope {
            Some(Scope::In) => self.in_scope += 1,
            None => *self.out.entry("undecided").or_default() += 1,
            Some(Scope::Out(reason)) => {
                *self.out.entry(word(reason)).or_default() += 1;
                if matches!(reason, OutOfScope::Filtered(_)) {
                    self.count_clauses(&explained(filters, source, now));
                }
            }
        }
    }

    fn count_clauses(&mut self, tried: &[FilterTrial]) {
        for (tally, filter) in self.filters.iter_mut().zip(tried) {
            let failed = filter.clauses.iter().filter(|clause| clause.holds != Some(true)).count();
            for (tally, _) in
                tally.clauses.iter_mut().zip(&filter.clauses).filter(|(_, clause)| clause.holds != Some(true))
            {
                tally.excludes += 1;
                tally.alone += u64::from(failed == 1);
            }
        }
    }
}

/// The reason in one word, as JSON has it.
const fn word(reason: &OutOfScope) -> &'static str {
    match reason {
        OutOfScope::PassedOver(_) => "passedOver",
        OutOfScope::AnotherCategory(_) => "anotherCategory",
        OutOfScope::NotAssigned => "notAssigned",
        OutOfScope::DefaultAccessOnly => "defaultAccessOnly",
        OutOfScope::Filtered(_) => "filtered",
        OutOfScope::Disabled => "disabled",
        OutOfScope::SoftDeleted => "softDeleted",
        OutOfScope::HardDeleted => "hardDeleted",
    }
}

/// Every clause with what it found at an object.
pub fn explained(filters: &ScopingFilters, source: &dyn Source, now: Timestamp) -> Vec<FilterTrial> {
    let explanation = filters.explain(source, now);
    let clause = |one: mapping::ExplainedClause<'_>| ClauseTrial {
        clause: one.clause.to_string(),
        holds: match one.held {
            Held::Yes => Some(true),
            Held::No => Some(false),
            Held::Undecided => None,
        },
        seen: one.seen,
    };
    let groups = explanation.groups.into_iter().map(|group| FilterTrial {
        name: group.name.to_owned(),
        holds: group.holds,
        clauses: group.clauses.into_iter().map(clause).collect(),
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn filters() -> ScopingFilters {
        serde_json::from_value(json!([
            { "name": "Sales", "clauses": [
                { "attribute": "department", "operator": "EQUALS", "value": "Sales" },
                { "attribute": "city", "operator": "IS NOT NULL" },
            ] },
            { "name": "Leads", "clauses": [{ "attribute": "jobTitle", "operator": "EQUALS", "value": "Lead" }] },
        ]))
        .unwrap()
    }

    #[test]
    fn objects_are_counted_by_reason_and_by_clause() {
        let (filters, now) = (filters(), Timestamp::UNIX_EPOCH);
        let mut tally = ScopeTally::of(&filters);
        for (person, scope) in [
            (json!({ "department": "Sales", "city": "Rome" }), Some(Scope::In)),
            (json!({ "department": "Sales" }), Some(Scope::Out(OutOfScope::Filtered(Vec::new())))),
            (json!({ "department": "HR" }), Some(Scope::Out(OutOfScope::Filtered(Vec::new())))),
            (json!({}), Some(Scope::Out(OutOfScope::NotAssigned))),
            (json!({}), Some(Scope::Out(OutOfScope::Disabled))),
            (json!({}), None),
        ] {
            let person: Map<_, _> = serde_json::from_value(person).unwrap();
            tally.count(scope.as_ref(), &filters, &person, now);
        }
        let out = [("disabled", 1), ("filtered", 2), ("notAssigned", 1), ("undecided", 1)];
        assert_eq!((tally.looked_at, tally.in_scope, &tally.out), (6, 1, &out.into()));
        let counts: Vec<_> =
            tally.filters.iter().flat_map(|filter| &filter.clauses).map(|one| (one.excludes, one.alone)).collect();
        assert_eq!(counts, [(1, 0), (2, 1), (2, 2)], "department, city, jobTitle");
    }

    #[test]
    fn an_object_is_explained_by_every_clause() {
        let person: Map<_, _> = serde_json::from_value(json!({ "department": "Sales", "jobTitle": ["Lead"] })).unwrap();
        let tried = explained(&filters(), &person, Timestamp::UNIX_EPOCH);
        let shown = serde_json::to_value(&tried).unwrap();
        assert_eq!(
            shown,
            json!([
                { "name": "Sales", "holds": false, "clauses": [
                    { "clause": "department EQUALS Sales", "holds": true, "seen": "Sales" },
                    { "clause": "city IS NOT NULL", "holds": false, "seen": null },
                ] },
                { "name": "Leads", "holds": true, "clauses": [
                    { "clause": "jobTitle EQUALS Lead", "holds": true, "seen": ["Lead"] },
                ] },
            ])
        );
    }
}
