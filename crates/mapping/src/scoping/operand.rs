//! What a clause compares with, made ready once for all objects.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::net_regex::{Effort, Exhausted, NetRegex};

/// What an operator compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperandKind {
    None,
    Text,
    Number,
    Pattern,
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
    Number { text: String, value: i128 },
    Pattern { pattern: NetRegex, mode: RegexMode },
}

impl Operand {
    /// The text as it was written.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::None => "",
            Self::Text(text) | Self::Number { text, .. } => text,
            Self::Pattern { pattern, .. } => pattern.text(),
        }
    }

    /// Whether the pattern finds something in a value.
    pub(super) fn finds(&self, value: &str, effort: &mut Effort) -> Result<bool, Exhausted> {
        match self {
            Self::Pattern { pattern, .. } => pattern.is_match(value, effort),
            Self::None | Self::Text(_) | Self::Number { .. } => Ok(false),
        }
    }

    /// How a value compares with this number; `None` where either is no whole number.
    pub(super) fn order_of(&self, value: &str) -> Option<Ordering> {
        let Self::Number { value: operand, .. } = self else { return None };
        whole_number(value).map(|value| value.cmp(operand))
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
