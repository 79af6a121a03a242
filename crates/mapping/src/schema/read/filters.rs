//! Filters of a document. One clause that cannot be decided here would change who is in scope, so the filters are read whole or not at
//! all.

use serde_json::{Value, json};

use super::super::document::{ClauseEntry, GroupEntry};
use super::super::finding::Finding;
use crate::scoping::{Clause, ClauseError, FilterOperator, RegexMode, ScopingFilters};

/// Graph's former word for `IS NOT NULL`.
const PRESENT: &str = "Present";

/// Reads the groups; `None` where a clause cannot be read, which is told and blocks.
pub(in crate::schema) fn read(
    groups: &[GroupEntry],
    place: &str,
    what: &str,
    findings: &mut Vec<Finding>,
) -> Option<ScopingFilters> {
    // In the form of data files, whose limits hold for all clauses together: a clause that is made ready takes memory.
    let mut read = Vec::with_capacity(groups.len());
    let mut is_whole = true;
    for group in groups {
        let title = group.name.text();
        let mut clauses = Vec::new();
        for entry in group.clauses.items() {
            let place = format!("{place}, {what} `{title}`, clause {}", shown(entry));
            match clause(entry, &place, findings) {
                Ok(clause) => clauses.push(json!(clause)),
                Err(error) => {
                    is_whole = false;
                    let reason = format!(
                        "{error}; without this clause others would be in scope, so the object mapping is not imported: change or remove the clause"
                    );
                    findings.push(Finding::not_supported(place, reason).blocking());
                }
            }
        }
        read.push(json!({"name": title, "clauses": clauses}));
    }
    if !is_whole {
        return None;
    }
    let refused = |error: serde_json::Error| {
        let reason = format!("{error}; the object mapping is not imported");
        findings.push(Finding::not_supported(format!("{place}, {what}s"), reason).blocking());
    };
    serde_json::from_value(Value::Array(read)).map_err(refused).ok()
}

fn shown(entry: &ClauseEntry) -> String {
    let values: Vec<&str> = values(entry).iter().map(String::as_str).collect();
    let words = [entry.source_operand_name.text(), entry.operator_name.text(), &values.join(", ")].join(" ");
    format!("`{}`", words.trim().chars().take(200).collect::<String>())
}

fn values(entry: &ClauseEntry) -> &[String] {
    entry.target_operand.given().map_or(&[], |operand| operand.values.items())
}

pub(in crate::schema) fn clause(
    entry: &ClauseEntry,
    place: &str,
    findings: &mut Vec<Finding>,
) -> Result<Clause, ClauseError> {
    let attribute = entry.source_operand_name.text();
    let operator: FilterOperator = entry.operator_name.text().parse()?;
    if entry.operator_name.text() == PRESENT {
        findings.push(Finding::note(place, format!("`{PRESENT}` means `{operator}`")));
    }
    let mut values = values(entry);
    if !operator.takes_value() {
        if values.iter().any(|value| !value.is_empty()) {
            findings
                .push(Finding::note(place, format!("`{operator}` compares with nothing, so the value does nothing")));
        }
        values = &[];
    }
    if values.len() > 1 {
        return Err(ClauseError::SeveralValues { clause: format!("{attribute} {operator}") });
    }
    Clause::new(attribute, operator, values.first().cloned(), RegexMode::Search)
}
