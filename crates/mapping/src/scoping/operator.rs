//! The operators of clauses: a table with what each compares with and when it holds.

use std::fmt;
use std::str::FromStr;

use super::clause::Asking;
use super::operand::{Operand, OperandKind};
use crate::nearest::nearest;
use crate::net_regex::Exhausted;

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
    /// `REGEX MATCH`: a .NET regular expression finds something in the value, case-sensitive.
    RegexMatch,
    /// `NOT REGEX MATCH`: it finds nothing. False for an empty attribute.
    NotRegexMatch,
    /// `Greater_Than`: both are whole numbers, and the value is the greater one.
    GreaterThan,
    /// `Greater_Than_OR_EQUALS`: both are whole numbers, and the value is not the smaller one.
    GreaterThanOrEquals,
    /// `Includes`: the value contains the text, case-sensitive.
    Includes,
    /// `ENDS_WITH`: the value ends with the text, case-sensitive.
    EndsWith,
    /// `&`: of two whole numbers, a bit is set in both; of other texts, the value stands inside the operand.
    BitAnd,
    /// `!&`: what `&` is not. False for an empty attribute.
    NotBitAnd,
}

/// One operator of the table: a new one is a variant and an entry.
struct OperatorEntry {
    operator: FilterOperator,
    name: &'static str,
    operand: OperandKind,
    holds: Holds,
}

/// Is asked for values that are not empty only; `IS NULL` therefore never holds there.
type Holds = fn(&str, &Operand, &mut Asking) -> Result<bool, Exhausted>;

const fn entry(operator: FilterOperator, name: &'static str, operand: OperandKind, holds: Holds) -> OperatorEntry {
    OperatorEntry { operator, name, operand, holds }
}

static OPERATORS: &[OperatorEntry] = &[
    entry(FilterOperator::Equals, "EQUALS", OperandKind::Text, |value, operand, _| Ok(operand.text() == value)),
    entry(FilterOperator::NotEquals, "NOT EQUALS", OperandKind::Text, |value, operand, _| Ok(operand.text() != value)),
    entry(FilterOperator::IsNull, "IS NULL", OperandKind::None, |_, _, _| Ok(false)),
    entry(FilterOperator::IsNotNull, "IS NOT NULL", OperandKind::None, |_, _, _| Ok(true)),
    entry(FilterOperator::IsTrue, "IS TRUE", OperandKind::None, |value, _, _| Ok(value.eq_ignore_ascii_case("true"))),
    entry(
        FilterOperator::IsFalse,
        "IS FALSE",
        OperandKind::None,
        |value, _, _| Ok(value.eq_ignore_ascii_case("false")),
    ),
    entry(FilterOperator::RegexMatch, "REGEX MATCH", OperandKind::Pattern, |value, operand, asking| {
        operand.finds(value, &mut asking.effort)
    }),
    entry(FilterOperator::NotRegexMatch, "NOT REGEX MATCH", OperandKind::Pattern, |value, operand, asking| {
        operand.finds(value, &mut asking.effort).map(|found| !found)
    }),
    entry(FilterOperator::GreaterThan, "Greater_Than", OperandKind::Number, |value, operand, _| {
        Ok(operand.order_of(value).is_some_and(std::cmp::Ordering::is_gt))
    }),
    entry(FilterOperator::GreaterThanOrEquals, "Greater_Than_OR_EQUALS", OperandKind::Number, |value, operand, _| {
        Ok(operand.order_of(value).is_some_and(std::cmp::Ordering::is_ge))
    }),
    entry(FilterOperator::Includes, "Includes", OperandKind::Text, |value, operand, _| {
        Ok(value.contains(operand.text()))
    }),
    entry(FilterOperator::EndsWith, "ENDS_WITH", OperandKind::Text, |value, operand, _| {
        Ok(value.ends_with(operand.text()))
    }),
    entry(FilterOperator::BitAnd, "&", OperandKind::Text, |value, operand, _| Ok(operand.shares_a_bit_with(value))),
    entry(
        FilterOperator::NotBitAnd,
        "!&",
        OperandKind::Text,
        |value, operand, _| Ok(!operand.shares_a_bit_with(value)),
    ),
];

/// What Entra's portal has also called `IS NOT NULL`.
const PRESENT: &str = "Present";
/// Operators that the portal has shown, with what to do in their place.
static ELSEWHERE: &[(&str, &str)] = &[
    ("IsMemberOf", "assign the group to the application and let the scope be those who are assigned"),
    ("Valid Cert Match", "Microsoft does not tell what it does"),
];

impl FilterOperator {
    /// Every operator, in the order in which a list shows them.
    pub fn all() -> impl Iterator<Item = Self> {
        OPERATORS.iter().map(|entry| entry.operator)
    }

    /// True when a clause with this operator has a value to compare with.
    pub fn takes_value(self) -> bool {
        self.operand() != OperandKind::None
    }

    pub(super) fn operand(self) -> OperandKind {
        self.entry().operand
    }

    /// Whether it holds for a value that is not empty.
    pub(super) fn holds(self, value: &str, operand: &Operand, asking: &mut Asking) -> Result<bool, Exhausted> {
        (self.entry().holds)(value, operand, asking)
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

/// A text that names no operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// The portal has shown it, and it cannot be evaluated.
    #[error("the operator `{written}` is not supported: {cure}")]
    NotSupported {
        /// What was written.
        written: String,
        /// What to do in its place.
        cure: &'static str,
    },
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
        let written = text.to_owned();
        if let Some((_, cure)) = ELSEWHERE.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            return Err(OperatorError::NotSupported { written, cure });
        }
        let suggestion = nearest(text, OPERATORS.iter().map(|entry| entry.name));
        Err(OperatorError::Unknown { written, suggestion })
    }
}
