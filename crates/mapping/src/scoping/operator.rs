//! The operators of clauses: a table with what each compares with and when it holds.

use std::fmt;
use std::str::FromStr;

use super::clause::Asking;
use super::moment::Position;
use super::operand::{Operand, OperandKind};
use crate::nearest::nearest;
use crate::net_regex::Exhausted;

/// The operators of a clause. `Display` and `FromStr` use the exact spelling: Entra's for those of Entra, and ours for the others.
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
    /// Ours. `IS BEFORE`: a date before the one of the operand.
    IsBefore,
    /// Ours. `IS ON OR BEFORE`: a date before that of the operand, or the same; of a day, any time of it.
    IsOnOrBefore,
    /// Ours. `IS AFTER`: a date after the one of the operand.
    IsAfter,
    /// Ours. `IS ON OR AFTER`: a date after that of the operand, or the same; of a day, any time of it.
    IsOnOrAfter,
    /// Ours. `HAS VALUE`: `IS NOT NULL` for every kind of attribute.
    HasValue,
    /// Ours. `HAS NO VALUE`: `IS NULL` for every kind of attribute.
    HasNoValue,
    /// Ours. `IS MEMBER OF`: a direct member of the group with this object id.
    IsMemberOf,
    /// Ours. `IS NOT MEMBER OF`: what `IS MEMBER OF` is not, also for who is in no group.
    IsNotMemberOf,
    /// Ours. `IS NESTED MEMBER OF`: a member of the group, directly or through other groups.
    IsNestedMemberOf,
    /// Ours. `IS NOT NESTED MEMBER OF`: what `IS NESTED MEMBER OF` is not, also for who is in no group.
    IsNotNestedMemberOf,
    /// Ours. `ANY EQUALS` and the like: an operator that is asked of the values of a multi-valued attribute.
    Quantified(Quantifier, Comparison),
}

/// How many values of a multi-valued attribute have to satisfy an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `ANY`: one of them, or more.
    Any,
    /// `NONE`: not one, and there are some.
    None,
    /// `ALL`: each of them, and there are some.
    All,
}

/// An operator that a quantifier can stand before: one that compares a value with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison(usize);

/// One operator of the table: a new one is a variant and an entry.
struct OperatorEntry {
    operator: FilterOperator,
    name: &'static str,
    operand: OperandKind,
    holds: Holds,
    is_extension: bool,
    /// Of how many values of a multi-valued attribute it has to hold.
    of: Quantifier,
    /// Whether it holds for an empty attribute.
    on_empty: bool,
}

/// Is asked of each value of an attribute that is not empty.
type Holds = fn(&str, &Operand, &mut Asking) -> Result<bool, Exhausted>;

/// An operator of Entra.
const fn entra(operator: FilterOperator, name: &'static str, operand: OperandKind, holds: Holds) -> OperatorEntry {
    OperatorEntry { operator, name, operand, holds, is_extension: false, of: Quantifier::All, on_empty: false }
}

impl OperatorEntry {
    const fn ours(self) -> Self {
        Self { is_extension: true, ..self }
    }

    const fn holds_on_empty(self) -> Self {
        Self { on_empty: true, ..self }
    }

    const fn of(self, of: Quantifier) -> Self {
        Self { of, ..self }
    }

    fn is_quantifiable(&self) -> bool {
        !matches!(self.operand, OperandKind::None | OperandKind::Group)
    }
}

/// An operator of ours on dates.
const fn date(operator: FilterOperator, name: &'static str, holds: Holds) -> OperatorEntry {
    entra(operator, name, OperandKind::Moment, holds).ours()
}

/// An operator of ours on memberships: holds when any is the operand's group, or none.
const fn membership(operator: FilterOperator, name: &'static str, of: Quantifier) -> OperatorEntry {
    let entry =
        entra(operator, name, OperandKind::Group, |value, operand, _| Ok(operand.text().eq_ignore_ascii_case(value)));
    let entry = entry.ours().of(of);
    if matches!(of, Quantifier::None) { entry.holds_on_empty() } else { entry }
}

static OPERATORS: &[OperatorEntry] = &[
    entra(FilterOperator::Equals, "EQUALS", OperandKind::Text, |value, operand, _| Ok(operand.text() == value)),
    entra(FilterOperator::NotEquals, "NOT EQUALS", OperandKind::Text, |value, operand, _| Ok(operand.text() != value)),
    entra(FilterOperator::IsNull, "IS NULL", OperandKind::None, |_, _, _| Ok(false)).holds_on_empty(),
    entra(FilterOperator::IsNotNull, "IS NOT NULL", OperandKind::None, |_, _, _| Ok(true)),
    entra(FilterOperator::IsTrue, "IS TRUE", OperandKind::None, |value, _, _| Ok(value.eq_ignore_ascii_case("true"))),
    entra(
        FilterOperator::IsFalse,
        "IS FALSE",
        OperandKind::None,
        |value, _, _| Ok(value.eq_ignore_ascii_case("false")),
    ),
    entra(FilterOperator::RegexMatch, "REGEX MATCH", OperandKind::Pattern, |value, operand, asking| {
        operand.finds(value, &mut asking.effort)
    }),
    entra(FilterOperator::NotRegexMatch, "NOT REGEX MATCH", OperandKind::Pattern, |value, operand, asking| {
        operand.finds(value, &mut asking.effort).map(|found| !found)
    }),
    entra(FilterOperator::GreaterThan, "Greater_Than", OperandKind::Number, |value, operand, _| {
        Ok(operand.order_of(value).is_some_and(std::cmp::Ordering::is_gt))
    }),
    entra(FilterOperator::GreaterThanOrEquals, "Greater_Than_OR_EQUALS", OperandKind::Number, |value, operand, _| {
        Ok(operand.order_of(value).is_some_and(std::cmp::Ordering::is_ge))
    }),
    entra(FilterOperator::Includes, "Includes", OperandKind::Text, |value, operand, _| {
        Ok(value.contains(operand.text()))
    }),
    entra(FilterOperator::EndsWith, "ENDS_WITH", OperandKind::Text, |value, operand, _| {
        Ok(value.ends_with(operand.text()))
    }),
    entra(FilterOperator::BitAnd, "&", OperandKind::Text, |value, operand, _| Ok(operand.shares_a_bit_with(value))),
    entra(
        FilterOperator::NotBitAnd,
        "!&",
        OperandKind::Text,
        |value, operand, _| Ok(!operand.shares_a_bit_with(value)),
    ),
    date(FilterOperator::IsBefore, "IS BEFORE", |value, operand, asking| {
        Ok(operand.has(Position::Before, value, asking.now))
    }),
    date(FilterOperator::IsOnOrBefore, "IS ON OR BEFORE", |value, operand, asking| {
        Ok(operand.has(Position::OnOrBefore, value, asking.now))
    }),
    date(FilterOperator::IsAfter, "IS AFTER", |value, operand, asking| {
        Ok(operand.has(Position::After, value, asking.now))
    }),
    date(FilterOperator::IsOnOrAfter, "IS ON OR AFTER", |value, operand, asking| {
        Ok(operand.has(Position::OnOrAfter, value, asking.now))
    }),
    entra(FilterOperator::HasValue, "HAS VALUE", OperandKind::None, |_, _, _| Ok(true)).ours(),
    entra(FilterOperator::HasNoValue, "HAS NO VALUE", OperandKind::None, |_, _, _| Ok(false)).ours().holds_on_empty(),
    membership(FilterOperator::IsMemberOf, "IS MEMBER OF", Quantifier::Any),
    membership(FilterOperator::IsNotMemberOf, "IS NOT MEMBER OF", Quantifier::None),
    membership(FilterOperator::IsNestedMemberOf, "IS NESTED MEMBER OF", Quantifier::Any),
    membership(FilterOperator::IsNotNestedMemberOf, "IS NOT NESTED MEMBER OF", Quantifier::None),
];

/// What Entra's portal has also called `IS NOT NULL`.
const PRESENT: &str = "Present";
/// Operators that the portal has shown, with what to do in their place.
static ELSEWHERE: &[(&str, &str)] = &[
    (
        "IsMemberOf",
        "use `IS MEMBER OF` with the object id of the group, or assign the group to the application and let the scope be those who are assigned",
    ),
    ("Valid Cert Match", "Microsoft does not tell what it does"),
];
/// What other languages call an operator.
static OTHER_WORDS: &[(&str, &str)] = &[
    ("=", "EQUALS"),
    ("==", "EQUALS"),
    ("eq", "EQUALS"),
    ("IS", "EQUALS"),
    ("!=", "NOT EQUALS"),
    ("<>", "NOT EQUALS"),
    ("ne", "NOT EQUALS"),
    ("IS NOT", "NOT EQUALS"),
    ("DOES NOT EQUAL", "NOT EQUALS"),
    (">", "Greater_Than"),
    ("gt", "Greater_Than"),
    (">=", "Greater_Than_OR_EQUALS"),
    ("ge", "Greater_Than_OR_EQUALS"),
    ("co", "Includes"),
    ("CONTAINS", "Includes"),
    ("ew", "ENDS_WITH"),
    ("sw", "REGEX MATCH"),
    ("STARTS WITH", "REGEX MATCH"),
    ("BEGINS WITH", "REGEX MATCH"),
    ("IN", "REGEX MATCH"),
    ("LIKE", "REGEX MATCH"),
    ("MATCHES", "REGEX MATCH"),
    ("REGEX", "REGEX MATCH"),
    ("NOT CONTAINS", "NOT REGEX MATCH"),
    ("DOES NOT CONTAIN", "NOT REGEX MATCH"),
    ("NOT REGEX", "NOT REGEX MATCH"),
    ("pr", "IS NOT NULL"),
    ("EXISTS", "IS NOT NULL"),
    ("IS NOT EMPTY", "IS NOT NULL"),
    ("IS EMPTY", "IS NULL"),
    ("BEFORE", "IS BEFORE"),
    ("AFTER", "IS AFTER"),
    ("MEMBER OF", "IS MEMBER OF"),
];

impl Quantifier {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Any, Self::None, Self::All];

    /// The word before the operator.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::None => "NONE",
            Self::All => "ALL",
        }
    }
}

impl FilterOperator {
    /// Every operator without a quantifier, in the order in which a list shows them: Entra's first.
    pub fn all() -> impl Iterator<Item = Self> {
        OPERATORS.iter().map(|entry| entry.operator)
    }

    /// True when a clause with this operator has a value to compare with.
    pub fn takes_value(self) -> bool {
        self.operand() != OperandKind::None
    }

    /// What a clause with this operator compares with: `text`, `pattern`, `whole number`, `date` or `group`; `None` where it has no value.
    pub fn value_kind(self) -> Option<&'static str> {
        self.operand().word()
    }

    /// True for an operator of ours, which Entra does not know.
    pub fn is_extension(self) -> bool {
        matches!(self, Self::Quantified(..)) || self.entry().is_extension
    }

    /// The same asked of so many values of a multi-valued attribute; `None` for what compares with nothing, and for memberships.
    pub fn quantified(self, quantifier: Quantifier) -> Option<Self> {
        let index = OPERATORS.iter().position(|entry| entry.operator == self && entry.is_quantifiable())?;
        Some(Self::Quantified(quantifier, Comparison(index)))
    }

    /// True when it asks for memberships in groups.
    pub(super) fn asks_memberships(self) -> bool {
        self.operand() == OperandKind::Group
    }

    /// True when memberships through other groups count.
    pub(super) const fn is_nested(self) -> bool {
        matches!(self, Self::IsNestedMemberOf | Self::IsNotNestedMemberOf)
    }

    pub(super) fn operand(self) -> OperandKind {
        self.entry().operand
    }

    /// Whether it holds for an attribute without a value.
    pub(super) fn holds_on_empty(self) -> bool {
        !matches!(self, Self::Quantified(..)) && self.entry().on_empty
    }

    /// Whether it holds for the values of an attribute, of which there are some.
    pub(super) fn holds(self, values: &[String], operand: &Operand, asking: &mut Asking) -> Result<bool, Exhausted> {
        let entry = self.entry();
        let of = if let Self::Quantified(quantifier, _) = self { quantifier } else { entry.of };
        for value in values {
            match ((entry.holds)(value, operand, asking)?, of) {
                (true, Quantifier::Any) => return Ok(true),
                (true, Quantifier::None) | (false, Quantifier::All) => return Ok(false),
                (true, Quantifier::All) | (false, Quantifier::Any | Quantifier::None) => {}
            }
        }
        Ok(of != Quantifier::Any)
    }

    fn entry(self) -> &'static OperatorEntry {
        let index = if let Self::Quantified(_, Comparison(index)) = self { Some(index) } else { None };
        let index = index.or_else(|| OPERATORS.iter().position(|entry| entry.operator == self));
        index.and_then(|index| OPERATORS.get(index)).expect("a test shows that every operator has an entry")
    }
}

impl fmt::Display for FilterOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Quantified(quantifier, _) = self {
            write!(f, "{} ", quantifier.name())?;
        }
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
    #[error("there is no operator `{written}`; {}", .suggestion.as_ref().map_or_else(every_name, |name| format!("did you mean `{name}`?")))]
    Unknown {
        /// What was written.
        written: String,
        /// The operator that was probably meant.
        suggestion: Option<String>,
    },
    /// A quantifier before what cannot have one.
    #[error(
        "`{quantifier}` cannot stand before `{operator}`: it is for operators that compare each value with something, such as `{quantifier} EQUALS`"
    )]
    NotQuantifiable {
        /// The word.
        quantifier: &'static str,
        /// What stands behind it.
        operator: &'static str,
    },
}

impl FromStr for FilterOperator {
    type Err = OperatorError;

    fn from_str(text: &str) -> Result<Self, OperatorError> {
        if text == PRESENT {
            return Ok(Self::IsNotNull);
        }
        let quantifier = Quantifier::ALL.into_iter().find_map(|quantifier| {
            let rest = text.strip_prefix(quantifier.name())?.strip_prefix(' ')?;
            Some((quantifier, rest))
        });
        let name = quantifier.map_or(text, |(_, rest)| rest);
        let Some(entry) = OPERATORS.iter().find(|entry| entry.name == name) else {
            return Err(unknown(text, quantifier, name));
        };
        let Some((quantifier, _)) = quantifier else { return Ok(entry.operator) };
        let refusal = OperatorError::NotQuantifiable { quantifier: quantifier.name(), operator: entry.name };
        entry.operator.quantified(quantifier).ok_or(refusal)
    }
}

fn unknown(text: &str, quantifier: Option<(Quantifier, &str)>, name: &str) -> OperatorError {
    let written = text.to_owned();
    if let Some((_, cure)) = ELSEWHERE.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return OperatorError::NotSupported { written, cure };
    }
    let may_be_meant = |entry: &&OperatorEntry| quantifier.is_none() || entry.is_quantifiable();
    let names = || OPERATORS.iter().filter(may_be_meant).map(|entry| entry.name);
    let spaced = |name: &str| name.replace('_', " ");
    let elsewhere = OTHER_WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(&spaced(name)));
    let spellings: Vec<String> = names().map(spaced).collect();
    let near = elsewhere
        .map(|(_, operator)| *operator)
        .filter(|operator| names().any(|name| name == *operator))
        .or_else(|| {
            let near = nearest(&spaced(name), spellings.iter().map(String::as_str))?;
            names().find(|name| spaced(name) == near)
        });
    let suggestion = near.map(|near| match quantifier {
        Some((quantifier, _)) => format!("{} {near}", quantifier.name()),
        None => near.to_owned(),
    });
    OperatorError::Unknown { written, suggestion }
}

/// All of them, for whoever meant none that is like another.
fn every_name() -> String {
    let names: Vec<&str> = OPERATORS.iter().map(|entry| entry.name).collect();
    format!("there are {}", names.join(", "))
}
