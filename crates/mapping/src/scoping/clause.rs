//! One condition of a scoping filter, and its form in data files.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::operand::{Operand, OperandKind, RegexMode, whole_number};
use super::operator::{FilterOperator, OperatorError};
use crate::net_regex::{Effort, Exhausted, NetRegex};
use crate::value::{Source, Value};

/// What goes along while the clauses of one object are asked.
pub(super) struct Asking {
    /// When they are asked.
    pub(super) now: Timestamp,
    /// What the regular expressions may still cost, all together.
    pub(super) effort: Effort,
}

impl Asking {
    pub(super) fn at(now: Timestamp) -> Self {
        Self { now, effort: Effort::default() }
    }
}

/// One condition on one source attribute.
///
/// In data files `{"attribute":"department","operator":"EQUALS","value":"Sales"}`; Graph's
/// `{"sourceOperandName","operatorName","targetOperand":{"values":[…]}}` is read too. `"regexMode":"full"` asks of a regular expression that
/// it matches the whole value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClauseFile", into = "ClauseFile")]
pub struct Clause {
    attribute: String,
    operator: FilterOperator,
    operand: Operand,
}

impl Clause {
    /// A clause whose operator and value fit together.
    pub fn new(
        attribute: impl Into<String>,
        operator: FilterOperator,
        value: Option<String>,
        mode: RegexMode,
    ) -> Result<Self, ClauseError> {
        let attribute = attribute.into();
        if attribute.trim().is_empty() {
            return Err(ClauseError::NoAttribute);
        }
        let place = || format!("{attribute} {operator}");
        if mode == RegexMode::Full && operator.operand() != OperandKind::Pattern {
            return Err(ClauseError::NoRegex { clause: place() });
        }
        let operand = match (operator.operand(), value) {
            (OperandKind::None, None) => Operand::None,
            (OperandKind::None, Some(_)) => return Err(ClauseError::ValueNotTaken { clause: place() }),
            (_, None) => return Err(ClauseError::ValueMissing { clause: place() }),
            (OperandKind::Text, Some(text)) => Operand::Text(text),
            (OperandKind::Number, Some(text)) => match whole_number(&text) {
                Some(value) => Operand::Number { text, value },
                None => return Err(ClauseError::NoNumber { clause: place() }),
            },
            (OperandKind::Pattern, Some(text)) => {
                let compile = if mode == RegexMode::Full { NetRegex::of_whole } else { NetRegex::new };
                match compile(&text) {
                    Ok(pattern) => Operand::Pattern { pattern, mode },
                    Err(why) => return Err(ClauseError::BadRegex { clause: place(), why }),
                }
            }
        };
        Ok(Self { attribute, operator, operand })
    }

    /// The source attribute, case-sensitive.
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// How it is compared.
    pub fn operator(&self) -> FilterOperator {
        self.operator
    }

    /// With what; `None` exactly for the operators that compare with nothing.
    pub fn value(&self) -> Option<&str> {
        self.operator.takes_value().then(|| self.operand.text())
    }

    /// Where a regular expression has to be found.
    pub fn regex_mode(&self) -> RegexMode {
        if let Operand::Pattern { mode, .. } = self.operand { mode } else { RegexMode::default() }
    }

    /// A regular expression that is looked for anywhere, and that nothing holds at the ends of the value: `([1-9][0-9])` finds 110 too.
    pub fn is_unanchored(&self) -> bool {
        match &self.operand {
            Operand::Pattern { pattern, mode: RegexMode::Search } => {
                let text = pattern.text();
                let is_held =
                    |begins: &[&str], is_one: fn(&str, &str) -> bool| begins.iter().any(|one| is_one(text, one));
                !is_held(&["^", "\\A"], |text, begin| text.starts_with(begin))
                    || !is_held(&["$", "\\z", "\\Z"], |text, end| text.ends_with(end))
            }
            _ => false,
        }
    }

    /// The source attribute that is read, case-sensitive.
    pub fn reads(&self) -> &str {
        &self.attribute
    }

    /// Whether it holds for an object.
    pub(super) fn holds(&self, source: &dyn Source, asking: &mut Asking) -> Result<bool, Exhausted> {
        self.holds_for(&source.attribute(self.reads()), asking)
    }

    /// Every value of a multi-valued attribute must satisfy the operator.
    pub(super) fn holds_for(&self, value: &Value, asking: &mut Asking) -> Result<bool, Exhausted> {
        if value.is_empty() {
            return Ok(self.operator == FilterOperator::IsNull);
        }
        match value {
            Value::Null => Ok(false),
            Value::Text(text) => self.operator.holds(text, &self.operand, asking),
            Value::List(values) => {
                for text in values {
                    if !self.operator.holds(text, &self.operand, asking)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.attribute, self.operator)?;
        self.value().into_iter().try_for_each(|value| write!(f, " {value}"))
    }
}

/// Why a clause makes no sense. `clause` is its attribute and operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClauseError {
    /// Without an attribute.
    #[error("a clause needs a source attribute")]
    NoAttribute,
    /// The operator needs a value.
    #[error("`{clause}` needs a value")]
    ValueMissing {
        /// Which.
        clause: String,
    },
    /// The operator takes no value.
    #[error("`{clause}` takes no value")]
    ValueNotTaken {
        /// Which.
        clause: String,
    },
    /// Graph's form with several values.
    #[error("`{clause}` has several values, one is allowed")]
    SeveralValues {
        /// Which.
        clause: String,
    },
    /// The operator compares numbers.
    #[error("`{clause}` needs a whole number, such as 1000")]
    NoNumber {
        /// Which.
        clause: String,
    },
    /// The value is no regular expression.
    #[error("the regular expression of `{clause}` {why}")]
    BadRegex {
        /// Which.
        clause: String,
        /// What is wrong.
        why: String,
    },
    /// A mode for what is no regular expression.
    #[error("`{clause}` compares with no regular expression, so it takes no `regexMode`")]
    NoRegex {
        /// Which.
        clause: String,
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
            operator: clause.operator.to_string(),
            value: clause.value().map(str::to_owned),
            regex_mode: clause.regex_mode(),
            attribute: clause.attribute,
            target_operand: None,
        }
    }
}
