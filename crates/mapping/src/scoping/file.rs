//! The form of filters in data files, ours and Graph's.

use serde::{Deserialize, Serialize};

use super::clause::{Clause, ClauseError};
use super::operand::RegexMode;
use super::operator::FilterOperator;
use super::{FilterGroup, ScopingFilters};
use crate::net_regex::WEIGHT_MAX;
use crate::object_mapping::CLAUSES_MAX;

/// The form of a clause.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClauseFile {
    #[serde(alias = "sourceOperandName")]
    attribute: String,
    #[serde(alias = "operatorName")]
    operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "is_search")]
    regex_mode: RegexMode,
    #[serde(default, skip_serializing)]
    target_operand: Option<TargetOperand>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_search(mode: &RegexMode) -> bool {
    *mode == RegexMode::Search
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetOperand {
    #[serde(default)]
    values: Vec<String>,
}

impl TryFrom<ClauseFile> for Clause {
    type Error = ClauseError;

    fn try_from(file: ClauseFile) -> Result<Self, ClauseError> {
        let operator: FilterOperator = file.operator.parse()?;
        let mut values: Vec<String> =
            file.value.into_iter().chain(file.target_operand.into_iter().flat_map(|operand| operand.values)).collect();
        if values.len() > 1 {
            return Err(ClauseError::SeveralValues { clause: format!("{} {operator}", file.attribute) });
        }
        Self::new(file.attribute, operator, values.pop(), file.regex_mode)
    }
}

impl From<Clause> for ClauseFile {
    fn from(clause: Clause) -> Self {
        Self {
            operator: clause.operator().to_string(),
            value: clause.value().map(str::to_owned),
            regex_mode: clause.regex_mode(),
            attribute: clause.attribute().to_owned(),
            target_operand: None,
        }
    }
}

/// A filter whose clauses are not made ready yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupFile {
    name: String,
    clauses: Vec<ClauseFile>,
}

/// Why filters cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FiltersError {
    #[error("the scoping filters have {0} clauses, at most {CLAUSES_MAX} are allowed")]
    TooManyClauses(usize),
    #[error("the regular expressions of the scoping filters are too large together: shorten the one of `{0}`")]
    TooHeavy(String),
    #[error("clause {number} of the scoping filter `{filter}`: {why}")]
    Clause { filter: String, number: usize, why: ClauseError },
}

impl TryFrom<Vec<GroupFile>> for ScopingFilters {
    type Error = FiltersError;

    /// Regular expressions are compiled one after the other, until there are too many: what cannot be used takes no memory.
    fn try_from(file: Vec<GroupFile>) -> Result<Self, FiltersError> {
        let count = file.iter().map(|group| group.clauses.len()).sum();
        if count > CLAUSES_MAX {
            return Err(FiltersError::TooManyClauses(count));
        }
        let mut weight = 0;
        let mut groups = Vec::with_capacity(file.len());
        for GroupFile { name, clauses: written } in file {
            let mut clauses = Vec::with_capacity(written.len());
            for (number, clause) in (1..).zip(written) {
                let clause = Clause::try_from(clause).map_err(|why| FiltersError::Clause {
                    filter: name.clone(),
                    number,
                    why,
                })?;
                weight += clause.weight();
                if weight > WEIGHT_MAX {
                    return Err(FiltersError::TooHeavy(format!("{name} {} {}", clause.attribute(), clause.operator())));
                }
                clauses.push(clause);
            }
            groups.push(FilterGroup { name, clauses });
        }
        Ok(Self(groups))
    }
}
