//! What a clause compares with, made ready once for all objects.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::moment::{Moment, Position};
use crate::expression::{date_time, file_time};
use crate::net_regex::{Effort, Exhausted, NetRegex};

/// What an operator compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperandKind {
    None,
    Text,
    Number,
    Pattern,
    Moment,
    Group,
}

impl OperandKind {
    /// What the value of a clause is, for people; none where a clause has no value.
    pub(super) const fn word(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Text => Some("text"),
            Self::Number => Some("whole number"),
            Self::Pattern => Some("pattern"),
            Self::Moment => Some("date"),
            Self::Group => Some("group"),
        }
    }
}

/// Where a regular expression has to be found. Which it is in Entra is not documented: published filters read as if the whole value was
/// meant, and .NET looks anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegexMode {
    /// Anywhere in the value.
    #[default]
    Search,
    /// The whole value.
    Full,
}

/// What the values of objects are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    None,
    Text(String),
    Number {
        text: String,
        value: i128,
    },
    Pattern {
        pattern: NetRegex,
        mode: RegexMode,
    },
    Moment {
        text: String,
        moment: Moment,
    },
    /// The object id of a group.
    Group(String),
}

impl Operand {
    /// The text as it was written.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::None => "",
            Self::Text(text) | Self::Number { text, .. } | Self::Moment { text, .. } | Self::Group(text) => text,
            Self::Pattern { pattern, .. } => pattern.text(),
        }
    }

    /// Whether the pattern finds something in a value.
    pub(super) fn finds(&self, value: &str, effort: &mut Effort) -> Result<bool, Exhausted> {
        match self {
            Self::Pattern { pattern, .. } => pattern.is_match(value, effort),
            Self::None | Self::Text(_) | Self::Number { .. } | Self::Moment { .. } | Self::Group(_) => Ok(false),
        }
    }

    /// How a value compares with this number; `None` where either is no whole number.
    pub(super) fn order_of(&self, value: &str) -> Option<Ordering> {
        let Self::Number { value: operand, .. } = self else { return None };
        whole_number(value).map(|value| value.cmp(operand))
    }

    /// Whether a value is a date that lies so to the operand.
    pub(super) fn has(&self, position: Position, value: &str, now: Timestamp) -> bool {
        let Self::Moment { moment, .. } = self else { return false };
        date_of(value).is_some_and(|date| moment.has(position, date, now))
    }

    /// When a date may next lie otherwise to the operand than now; `None` where it never will, and for a value that is no date.
    pub(super) fn next_change(&self, value: &str, now: Timestamp) -> Option<Timestamp> {
        let Self::Moment { moment, .. } = self else { return None };
        moment.next_change(date_of(value)?, now)
    }

    /// Microsoft's page says that the value "exists in" the operand; flags of directories are compared by their bits.
    pub(super) fn shares_a_bit_with(&self, value: &str) -> bool {
        match (whole_number(value), whole_number(self.text())) {
            (Some(value), Some(operand)) => value & operand != 0,
            _ => self.text().contains(value),
        }
    }
}

/// A whole number in decimal digits, with or without a minus.
pub(super) fn whole_number(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// Digits of a FILETIME, in which Active Directory keeps dates such as `accountExpires`.
const FILE_TIME_DIGITS: std::ops::RangeInclusive<usize> = 17..=19;

/// The date of a value in UTC, as the date functions of expressions read it.
fn date_of(value: &str) -> Option<DateTime> {
    let is_number = !value.is_empty() && value.bytes().all(|digit| digit.is_ascii_digit());
    match is_number {
        true if FILE_TIME_DIGITS.contains(&value.len()) => value.parse().ok().and_then(file_time),
        true => None,
        false => date_time(value),
    }
}

/// Whether a text is an object id: 32 hexadecimal digits in the groups of a UUID.
pub(super) fn is_object_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').take(6).collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|digit| digit.is_ascii_hexdigit()))
}
