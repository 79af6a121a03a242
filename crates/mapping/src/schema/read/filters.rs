//! Filters of a document. One clause that cannot be decided here would change who is in scope, so the filters are read whole or not at
//! all.

use super::super::document::{ClauseEntry, GroupEntry};
use super::super::finding::Finding;
use crate::net_regex::WEIGHT_MAX;
use crate::object_mapping::FilterKind;
use crate::scoping::{Clause, ClauseError, FilterGroup, FilterOperator, RegexMode, ScopingFilters};
use crate::validation::Unread;

/// Graph's former word for `IS NOT NULL`.
const PRESENT: &str = "Present";

/// Reads the groups, of which there are not too many. What of a clause cannot be read is told and blocks, and the clause is left out.
pub(in crate::schema) fn read(
    groups: &[GroupEntry],
    place: &str,
    kind: FilterKind,
    findings: &mut Vec<Finding>,
    unread: &mut Unread,
) -> ScopingFilters {
    let mut read = Vec::with_capacity(groups.len());
    let mut weight = 0;
    for group in groups {
        let title = group.name.text();
        let mut clauses = Vec::new();
        for entry in group.clauses.items() {
            let place = format!("{place}, {kind} `{title}`, clause {}", shown(entry));
            match clause(entry, &place, findings) {
                Ok(clause) if weight + clause.weight() > WEIGHT_MAX => {
                    let reason = "the regular expressions of the filters are too large together: shorten this one";
                    findings.push(Finding::not_supported(place, reason).blocking());
                    unread.more_filters.insert(kind);
                    return ScopingFilters(read);
                }
                Ok(clause) => {
                    weight += clause.weight();
                    clauses.push(clause);
                }
                Err(error) => {
                    unread.add_filter(kind, title);
                    let reason = format!(
                        "{error}; without this clause others would be in scope, so the object mapping is not imported: change or remove the clause"
                    );
                    findings.push(Finding::not_supported(place, reason).blocking());
                }
            }
        }
        read.push(FilterGroup { name: title.to_owned(), clauses });
    }
    ScopingFilters(read)
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
