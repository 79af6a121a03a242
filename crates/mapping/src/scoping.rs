//! Scoping filters: which objects a job provisions by the values of their attributes. Assignments, the other half of the
//! scope, are the provisioning engine's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::nearest::nearest;
use crate::value::{Source, Value};

/// The filters of one object mapping: an object is in scope when it passes any group, or when there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
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

/// One condition on one source attribute.
///
/// In data files `{"attribute":"department","operator":"EQUALS","value":"Sales"}`; Graph's
/// `{"sourceOperandName","operatorName","targetOperand":{"values":[…]}}` is read too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClauseFile", into = "ClauseFile")]
pub struct Clause {
    /// The source attribute, case-sensitive.
    pub attribute: String,
    /// How it is compared.
    pub operator: FilterOperator,
    /// With what; `None` exactly for the operators that compare with nothing.
    pub value: Option<String>,
}

/// The operators of a clause. `Display` and `FromStr` use Entra's exact spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterOperator {
    /// `EQUALS`: the same text, case-sensitive.
    Equals,
    /// `NOT EQUALS`: another text. False for an empty attribute.
    NotEquals,
    /// `IS NULL`: absent or empty.
    IsNull,
    /// `IS NOT NULL`: neither absent nor empty.
    IsNotNull,
    /// `IS TRUE`: the boolean true.
    IsTrue,
    /// `IS FALSE`: the boolean false. An absent attribute is not false.
    IsFalse,
}

/// One operator of the table: a new one is a variant and an entry.
struct OperatorEntry {
    operator: FilterOperator,
    name: &'static str,
    takes_value: bool,
    holds: fn(value: &str, operand: &str) -> bool,
}

/// `holds` is asked for values that are not empty only; `IS NULL` therefore never holds there.
static OPERATORS: &[OperatorEntry] = &[
    OperatorEntry {
        operator: FilterOperator::Equals,
        name: "EQUALS",
        takes_value: true,
        holds: |value, operand| value == operand,
    },
    OperatorEntry {
        operator: FilterOperator::NotEquals,
        name: "NOT EQUALS",
        takes_value: true,
        holds: |value, operand| value != operand,
    },
    OperatorEntry { operator: FilterOperator::IsNull, name: "IS NULL", takes_value: false, holds: |_, _| false },
    OperatorEntry { operator: FilterOperator::IsNotNull, name: "IS NOT NULL", takes_value: false, holds: |_, _| true },
    OperatorEntry {
        operator: FilterOperator::IsTrue,
        name: "IS TRUE",
        takes_value: false,
        holds: |value, _| value.eq_ignore_ascii_case("true"),
    },
    OperatorEntry {
        operator: FilterOperator::IsFalse,
        name: "IS FALSE",
        takes_value: false,
        holds: |value, _| value.eq_ignore_ascii_case("false"),
    },
];

/// What Entra's portal has also called `IS NOT NULL`.
const PRESENT: &str = "Present";

/// Operators that Entra has and this version does not evaluate.
static NOT_YET: &[&str] =
    &["REGEX MATCH", "NOT REGEX MATCH", "Greater_Than", "Greater_Than_OR_EQUALS", "Includes", "ENDS_WITH", "&", "!&"];

impl FilterOperator {
    /// Every operator, in the order in which a list shows them.
    pub fn all() -> impl Iterator<Item = Self> {
        OPERATORS.iter().map(|entry| entry.operator)
    }

    /// True when a clause with this operator has a value to compare with.
    pub fn takes_value(self) -> bool {
        self.entry().takes_value
    }

    fn entry(self) -> &'static OperatorEntry {
        OPERATORS.iter().find(|entry| entry.operator == self).expect("a test shows that every operator has an entry")
    }
}

impl fmt::Display for FilterOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().name)
    }
}

/// A text that names no operator of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// Entra knows it, this version does not evaluate it.
    #[error("`{0}` is an Entra operator that this version does not evaluate yet")]
    NotYet(String),
    /// Nobody knows it.
    #[error("there is no operator `{written}`{}", .suggestion.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Unknown {
        /// What was written.
        written: String,
        /// The operator that was probably meant.
        suggestion: Option<&'static str>,
    },
}

impl FromStr for FilterOperator {
    type Err = OperatorError;

    fn from_str(text: &str) -> Result<Self, OperatorError> {
        if text == PRESENT {
            return Ok(Self::IsNotNull);
        }
        if let Some(entry) = OPERATORS.iter().find(|entry| entry.name == text) {
            return Ok(entry.operator);
        }
        if NOT_YET.contains(&text) {
            return Err(OperatorError::NotYet(text.to_owned()));
        }
        let suggestion = nearest(text, OPERATORS.iter().map(|entry| entry.name));
        Err(OperatorError::Unknown { written: text.to_owned(), suggestion })
    }
}

/// Whether an object is in scope, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// True when the object passes.
    pub in_scope: bool,
    /// When out of scope: every clause that does not hold, as `{title} {attribute} {operator} {value}`.
    pub failed: Vec<String>,
}

impl ScopingFilters {
    /// Decides about one source object. A clause on an empty attribute never holds, except `IS NULL`.
    pub fn evaluate(&self, source: &dyn Source) -> Verdict {
        if self.0.is_empty() || self.0.iter().any(|group| group.clauses.iter().all(|clause| clause.holds(source))) {
            return Verdict { in_scope: true, failed: Vec::new() };
        }
        let clauses = self.0.iter().flat_map(|group| group.clauses.iter().map(move |clause| (group, clause)));
        let failed = clauses.filter(|(_, clause)| !clause.holds(source));
        Verdict { in_scope: false, failed: failed.map(|(group, clause)| format!("{} {clause}", group.name)).collect() }
    }
}

impl Clause {
    /// A clause whose operator and value fit together.
    pub fn new(
        attribute: impl Into<String>,
        operator: FilterOperator,
        value: Option<String>,
    ) -> Result<Self, ClauseError> {
        let clause = Self { attribute: attribute.into(), operator, value };
        clause.check().map(|()| clause)
    }

    /// Every value of a multi-valued attribute must satisfy the operator.
    fn holds(&self, source: &dyn Source) -> bool {
        let value = source.attribute(&self.attribute);
        if value.is_empty() {
            return self.operator == FilterOperator::IsNull;
        }
        let entry = self.operator.entry();
        let operand = match (&self.value, entry.takes_value) {
            (Some(operand), true) => operand,
            (None, true) => return false,
            (_, false) => "",
        };
        match &value {
            Value::Null => false,
            Value::Text(text) => (entry.holds)(text, operand),
            Value::List(values) => values.iter().all(|text| (entry.holds)(text, operand)),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ClauseError> {
        let (attribute, operator) = (self.attribute.clone(), self.operator);
        if attribute.is_empty() {
            return Err(ClauseError::NoAttribute);
        }
        match (operator.takes_value(), &self.value) {
            (true, None) => Err(ClauseError::ValueMissing { attribute, operator }),
            (false, Some(_)) => Err(ClauseError::ValueNotTaken { attribute, operator }),
            (true, Some(_)) | (false, None) => Ok(()),
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.attribute, self.operator)?;
        self.value.iter().try_for_each(|value| write!(f, " {value}"))
    }
}

/// Why a clause makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClauseError {
    /// Without an attribute.
    #[error("a clause needs a source attribute")]
    NoAttribute,
    /// The operator needs a value.
    #[error("`{attribute} {operator}` needs a value")]
    ValueMissing {
        /// The attribute of the clause.
        attribute: String,
        /// Its operator.
        operator: FilterOperator,
    },
    /// The operator takes no value.
    #[error("`{attribute} {operator}` takes no value")]
    ValueNotTaken {
        /// The attribute of the clause.
        attribute: String,
        /// Its operator.
        operator: FilterOperator,
    },
    /// Graph's form with several values.
    #[error("`{attribute} {operator}` has several values, one is allowed")]
    SeveralValues {
        /// The attribute of the clause.
        attribute: String,
        /// Its operator.
        operator: FilterOperator,
    },
    /// The operator is none.
    #[error(transparent)]
    Operator(#[from] OperatorError),
}

/// The form of a clause in data files, ours and Graph's.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClauseFile {
    #[serde(alias = "sourceOperandName")]
    attribute: String,
    #[serde(alias = "operatorName")]
    operator: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing)]
    target_operand: Option<TargetOperand>,
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
            return Err(ClauseError::SeveralValues { attribute: file.attribute, operator });
        }
        Self::new(file.attribute, operator, values.pop())
    }
}

impl From<Clause> for ClauseFile {
    fn from(clause: Clause) -> Self {
        Self {
            attribute: clause.attribute,
            operator: clause.operator.to_string(),
            value: clause.value,
            target_operand: None,
        }
    }
}

#[cfg(test)]
mod tests;
