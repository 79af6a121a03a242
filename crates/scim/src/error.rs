//! The errors of the protocol, with the status that goes with each (RFC 7644 §3.12).

use std::fmt;
use std::str::FromStr;

use crate::limits::ECHO_CHARS_MAX;
use crate::schema::Attribute;

/// The `scimType` keywords of RFC 7644 §3.12, table 9, and of RFC 9865 §2.1, table 3.
///
/// ```
/// use scim::ScimType;
///
/// assert_eq!(ScimType::Uniqueness.as_str(), "uniqueness");
/// assert_eq!(ScimType::Uniqueness.status(), 409);
/// assert_eq!("noTarget".parse(), Ok(ScimType::NoTarget));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// All keywords.
    pub const ALL: [Self; 13] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
    ];

    /// The HTTP status that goes with it: 409 for what is in use, 403 for what an address must not hold (RFC 7644 §7.5.2), else 400.
    pub const fn status(self) -> u16 {
        match self {
            Self::Uniqueness => 409,
            Self::Sensitive => 403,
            Self::InvalidFilter
            | Self::TooMany
            | Self::Mutability
            | Self::InvalidSyntax
            | Self::InvalidPath
            | Self::NoTarget
            | Self::InvalidValue
            | Self::InvalidVers
            | Self::InvalidCursor
            | Self::ExpiredCursor
            | Self::InvalidCount => 400,
        }
    }

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
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

impl FromStr for ScimType {
    type Err = ScimError;

    /// The word as the RFCs write it, in any case.
    ///
    /// # Errors
    /// `invalidValue` for any other word.
    fn from_str(word: &str) -> Result<Self, ScimError> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| ScimError::invalid_value(format!("'{}' is no scimType", echo(word))))
    }
}

/// A refusal that the client is told about. The detail repeats at most 64 characters of what the client sent, escaped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scim_type}: {detail}")]
#[non_exhaustive]
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

impl ScimError {
    /// The same, with the attribute that it is about named whole: its part behind its own name, and the URN of the extension that it is of
    /// in front. A detail that names something else first stays as it is.
    pub(crate) fn of_attribute(mut self, extension: Option<&str>, attribute: &Attribute) -> Self {
        let Some((before, quoted)) = self.detail.split_once('\'') else { return self };
        let name = quoted.split(['\'', '.']).next().unwrap_or_default();
        let is_part = || attribute.sub_attributes.iter().any(|sub| echo(&sub.name) == name);
        let outer = match (name == echo(&attribute.name), extension) {
            (true, None) => return self,
            (true, Some(urn)) => format!("{urn}:"),
            (false, _) if !is_part() => return self,
            (false, None) => format!("{}.", echo(&attribute.name)),
            (false, Some(urn)) => format!("{urn}:{}.", echo(&attribute.name)),
        };
        self.detail.insert_str(before.len() + 1, &outer);
        self
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
    use crate::Kind;

    #[test]
    fn an_echo_is_short_and_escaped() {
        for (text, expected) in [("userNmae", "userNmae"), ("a\nb", "a\\nb"), ("<b>", "?b?"), ("\u{202e}", "\\u{202e}")]
        {
            assert_eq!(echo(text), expected);
        }
        assert_eq!(echo(&"x".repeat(100)), format!("{}…", "x".repeat(ECHO_CHARS_MAX)));
    }

    #[test]
    fn the_attribute_that_an_error_is_about_is_named_whole() {
        let part = Attribute::new("value", Kind::String);
        let manager = Attribute { sub_attributes: vec![part], ..Attribute::new("manager", Kind::Complex) };
        for (detail, extension, expected) in [
            ("'manager' must be an object", None, "'manager' must be an object"),
            ("'manager' must be an object", Some("urn:x:y"), "'urn:x:y:manager' must be an object"),
            ("'value' must be a string", None, "'manager.value' must be a string"),
            ("'value' must be a string", Some("urn:x:y"), "'urn:x:y:manager.value' must be a string"),
            ("'manager.value' is required", Some("urn:x:y"), "'urn:x:y:manager.value' is required"),
            ("no value of 'manager' is 'value'", Some("urn:x:y"), "no value of 'urn:x:y:manager' is 'value'"),
            ("'managers' is no 'manager'", Some("urn:x:y"), "'managers' is no 'manager'"),
            ("it's too long", Some("urn:x:y"), "it's too long"),
            ("too many values", Some("urn:x:y"), "too many values"),
        ] {
            let told = ScimError::invalid_value(detail).of_attribute(extension, &manager);
            assert_eq!(told.detail, expected);
            assert_eq!(told.clone().of_attribute(extension, &manager).detail, expected, "and once only");
        }
    }

    #[test]
    fn every_keyword_is_read_back() {
        for keyword in ScimType::ALL {
            assert_eq!(keyword.as_str().to_uppercase().parse(), Ok(keyword));
            assert!(matches!(keyword.status(), 400 | 403 | 409), "{keyword}");
        }
        assert!("other".parse::<ScimType>().is_err());
    }

    #[test]
    fn errors_carry_the_word_of_the_wire() {
        assert_eq!(ScimError::no_target("nothing matches").to_string(), "noTarget: nothing matches");
    }
}
