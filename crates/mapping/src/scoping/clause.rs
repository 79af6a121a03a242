//! One condition of a scoping filter. Its form in data files is in `file`.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::file::ClauseFile;
use super::moment::Moment;
use super::operand::{Operand, OperandKind, RegexMode, is_object_id, whole_number};
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

/// Characters of the value of a clause.
pub(super) const VALUE_CHARS_MAX: usize = 10_000;
/// What stands before the name of an attribute of the manager.
pub(crate) const MANAGER_PREFIX: &str = "manager.";
/// The attribute of clauses that ask for memberships.
const MEMBER_OF: &str = "memberOf";
/// Where a source object tells the ids of the groups that it is in through others, too.
const TRANSITIVE_MEMBER_OF: &str = "transitiveMemberOf";

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
        if operator.asks_memberships() && attribute != MEMBER_OF {
            return Err(ClauseError::NotMemberOf { clause: place() });
        }
        if mode == RegexMode::Full && operator.operand() != OperandKind::Pattern {
            return Err(ClauseError::NoRegex { clause: place() });
        }
        let operand = match (operator.operand(), value) {
            (OperandKind::None, None) => Operand::None,
            (OperandKind::None, Some(_)) => return Err(ClauseError::ValueNotTaken { clause: place() }),
            (_, None) => return Err(ClauseError::ValueMissing { clause: place() }),
            (_, Some(text)) if text.chars().nth(VALUE_CHARS_MAX).is_some() => {
                return Err(ClauseError::ValueTooLong { clause: place() });
            }
            (kind, Some(text)) => operand(kind, text, mode, place)?,
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

    /// The source attribute that is read: the clause's own, but for memberships through other groups, which are read from
    /// `transitiveMemberOf`.
    pub fn reads(&self) -> &str {
        if self.operator.is_nested() { TRANSITIVE_MEMBER_OF } else { &self.attribute }
    }

    /// The object id of the group whose members are asked for, where the clause does that.
    pub fn group(&self) -> Option<&str> {
        if let Operand::Group(id) = &self.operand { Some(id) } else { None }
    }

    /// True when Entra has no such clause: an operator of ours, or an attribute of the manager.
    pub fn is_extension(&self) -> bool {
        self.operator.is_extension() || self.attribute.starts_with(MANAGER_PREFIX)
    }

    /// Whether time alone can change it: a date is compared with now or today.
    pub fn depends_on_time(&self) -> bool {
        matches!(&self.operand, Operand::Moment { moment: Moment::Now(_) | Moment::Today(_), .. })
    }

    /// What its regular expression weighs; 0 without.
    pub(crate) fn weight(&self) -> usize {
        if let Operand::Pattern { pattern, .. } = &self.operand { pattern.weight() } else { 0 }
    }

    /// When time alone may next change whether the clause holds for an object; `None` where it never does.
    pub(super) fn next_change(&self, source: &dyn Source, now: Timestamp) -> Option<Timestamp> {
        if !self.depends_on_time() {
            return None;
        }
        match source.attribute(self.reads()) {
            Value::Null => None,
            Value::Text(text) => self.operand.next_change(&text, now),
            Value::List(values) => values.iter().filter_map(|value| self.operand.next_change(value, now)).min(),
        }
    }

    /// Whether it holds for an object.
    pub(super) fn holds(&self, source: &dyn Source, asking: &mut Asking) -> Result<bool, Exhausted> {
        self.holds_for(&source.attribute(self.reads()), asking)
    }

    /// Every value of a multi-valued attribute must satisfy an operator of Entra.
    pub(super) fn holds_for(&self, value: &Value, asking: &mut Asking) -> Result<bool, Exhausted> {
        let values = match value {
            _ if value.is_empty() => return Ok(self.operator.holds_on_empty()),
            Value::Null => &[][..],
            Value::Text(text) => std::slice::from_ref(text),
            Value::List(values) => values,
        };
        self.operator.holds(values, &self.operand, asking)
    }
}

/// Makes an operand ready, or says what is wrong with it.
fn operand(
    kind: OperandKind,
    text: String,
    mode: RegexMode,
    place: impl Fn() -> String,
) -> Result<Operand, ClauseError> {
    match kind {
        OperandKind::None | OperandKind::Text => Ok(Operand::Text(text)),
        OperandKind::Number => match whole_number(&text) {
            Some(value) => Ok(Operand::Number { text, value }),
            None => Err(ClauseError::NoNumber { clause: place() }),
        },
        OperandKind::Pattern => {
            let compile = if mode == RegexMode::Full { NetRegex::of_whole } else { NetRegex::new };
            match compile(&text) {
                Ok(pattern) => Ok(Operand::Pattern { pattern, mode }),
                Err(why) => Err(ClauseError::BadRegex { clause: place(), why }),
            }
        }
        OperandKind::Moment => match Moment::parse(&text) {
            Ok(moment) => Ok(Operand::Moment { text, moment }),
            Err(why) => Err(ClauseError::NoMoment { clause: place(), why }),
        },
        OperandKind::Group if is_object_id(&text) => Ok(Operand::Group(text)),
        OperandKind::Group => Err(ClauseError::NoGroup { clause: place() }),
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
    /// The value is longer than any attribute.
    #[error("the value of `{clause}` is longer than {VALUE_CHARS_MAX} characters")]
    ValueTooLong {
        /// Which.
        clause: String,
    },
    /// Memberships are asked of another attribute.
    #[error("`{clause}` asks for memberships, so its attribute must be `memberOf`")]
    NotMemberOf {
        /// Which.
        clause: String,
    },
    /// The operator takes a group.
    #[error(
        "`{clause}` needs the object id of a group, such as 3f2504e0-4f89-41d3-9a0c-0305e82c3301: names of groups are not unique and change"
    )]
    NoGroup {
        /// Which.
        clause: String,
    },
    /// The operator compares dates.
    #[error("`{clause}` {why}")]
    NoMoment {
        /// Which.
        clause: String,
        /// What is wrong.
        why: String,
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
