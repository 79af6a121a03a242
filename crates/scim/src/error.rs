//! The errors of the protocol (RFC 7644 §3.12). Which HTTP status they become is the server's table.

use std::fmt;

use crate::limits::ECHO_CHARS_MAX;

/// The `scimType` keywords of RFC 7644 §3.12, table 9, and of RFC 9865 §2.1, table 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter is malformed, or compares in a way the attribute does not allow.
    InvalidFilter,
    /// More results or operations than the service provider handles.
    TooMany,
    /// A value is already in use.
    Uniqueness,
    /// The attribute's mutability forbids the change.
    Mutability,
    /// The body is malformed or does not follow the request's schema.
    InvalidSyntax,
    /// The path of a PATCH operation is malformed or names nothing known.
    InvalidPath,
    /// The path names no value that could be changed.
    NoTarget,
    /// A required value is missing, or a value does not fit the attribute.
    InvalidValue,
    /// The protocol version is not supported.
    InvalidVers,
    /// The request would put sensitive data into the address.
    Sensitive,
    /// The cursor is not one that this query was given (RFC 9865 §2.1).
    InvalidCursor,
    /// The cursor was given too long ago (RFC 9865 §2.1).
    ExpiredCursor,
    /// The number of results asked for with a cursor is no number (RFC 9865 §2.1).
    InvalidCount,
}

impl ScimType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

impl fmt::Display for ScimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal that the client is told about. The detail repeats at most 64 characters of what the client sent, escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scim_type}: {detail}")]
pub struct ScimError {
    /// The keyword.
    pub scim_type: ScimType,
    /// One sentence for people.
    pub detail: String,
}

macro_rules! constructors {
    ($($name:ident => $variant:ident),* $(,)?) => { $(
        #[doc = concat!("A refusal of type [`ScimType::", stringify!($variant), "`].")]
        pub fn $name(detail: impl Into<String>) -> Self {
            Self { scim_type: ScimType::$variant, detail: detail.into() }
        }
    )* };
}

impl ScimError {
    constructors! {
        invalid_filter => InvalidFilter,
        too_many => TooMany,
        uniqueness => Uniqueness,
        mutability => Mutability,
        invalid_syntax => InvalidSyntax,
        invalid_path => InvalidPath,
        no_target => NoTarget,
        invalid_value => InvalidValue,
        invalid_vers => InvalidVers,
        sensitive => Sensitive,
        invalid_cursor => InvalidCursor,
        expired_cursor => ExpiredCursor,
        invalid_count => InvalidCount,
    }
}

/// What a client sent, fit to be shown in an error: shortened, control and non-ASCII characters and markup escaped.
pub(crate) fn echo(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(ECHO_CHARS_MAX)
        .flat_map(|c| if matches!(c, '<' | '>' | '&') { '?'.escape_default() } else { c.escape_default() })
        .collect();
    if text.chars().nth(ECHO_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_short_and_escaped() {
        for (text, expected) in [("userNmae", "userNmae"), ("a\nb", "a\\nb"), ("<b>", "?b?"), ("\u{202e}", "\\u{202e}")]
        {
            assert_eq!(echo(text), expected);
        }
        assert_eq!(echo(&"x".repeat(100)), format!("{}…", "x".repeat(ECHO_CHARS_MAX)));
    }

    #[test]
    fn errors_carry_the_word_of_the_wire() {
        assert_eq!(ScimError::no_target("nothing matches").to_string(), "noTarget: nothing matches");
    }
}
