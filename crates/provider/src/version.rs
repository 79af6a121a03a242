//! Versions of resources as entity tags (RFC 7644 §3.14): what `meta.version` shows and what a precondition asks for.

use std::str::FromStr;

use scim::ScimError;

/// Most entity tags in one precondition.
pub const TAGS_MAX: usize = 64;

/// What a client asks of the version of a resource: an `If-Match` or `If-None-Match` header (RFC 9110 §13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// No header.
    #[default]
    None,
    /// `*`: any version.
    Exists,
    /// One of these versions. A tag that this provider never made is in no list.
    OneOf(Vec<i64>),
}

impl Precondition {
    /// Whether a version satisfies the list; without a header everything does.
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::None | Self::Exists => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }

    /// Whether the header names this version; without a header nothing is named.
    pub fn names(&self, version: i64) -> bool {
        *self != Self::None && self.allows(version)
    }
}

impl FromStr for Precondition {
    type Err = ScimError;

    /// Reads the value of the header. Weak and strong tags are compared alike, as RFC 7644 §3.14 has only weak ones.
    fn from_str(text: &str) -> Result<Self, ScimError> {
        if text.trim() == "*" {
            return Ok(Self::Exists);
        }
        let tags: Vec<&str> = text.split(',').take(TAGS_MAX + 1).collect();
        if tags.len() > TAGS_MAX {
            return Err(ScimError::invalid_value(format!("a precondition names at most {TAGS_MAX} versions")));
        }
        let known = tags.into_iter().map(version).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::OneOf(known.into_iter().flatten().collect()))
    }
}

/// The version in one tag; `None` for a well-formed tag of somebody else.
fn version(tag: &str) -> Result<Option<i64>, ScimError> {
    let malformed = || ScimError::invalid_value("a precondition is * or a list of entity tags such as W/\"1\"");
    let tag = tag.trim();
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    let opaque = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(malformed)?;
    if opaque.bytes().any(|b| b == b'"' || b.is_ascii_control()) {
        return Err(malformed());
    }
    // `+1` and `01` would be taken for version 1 although they are other tags.
    Ok(opaque.parse().ok().filter(|version: &i64| version.to_string() == opaque))
}

/// The entity tag of a version.
pub(crate) fn entity_tag(version: i64) -> String {
    format!("W/\"{version}\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_header_panics_and_every_version_is_read_back(text in "\\PC*", version in any::<i64>()) {
            drop(text.parse::<Precondition>());
            prop_assert_eq!(entity_tag(version).parse(), Ok(Precondition::OneOf(vec![version])));
        }
    }

    #[test]
    fn preconditions_in_every_form() {
        for (text, expected) in [
            ("*", Some(Precondition::Exists)),
            ("W/\"1\"", Some(Precondition::OneOf(vec![1]))),
            ("\"7\"", Some(Precondition::OneOf(vec![7]))),
            (" W/\"1\" , \"2\"", Some(Precondition::OneOf(vec![1, 2]))),
            ("W/\"abc\"", Some(Precondition::OneOf(vec![]))),
            ("\"+1\", \"01\"", Some(Precondition::OneOf(vec![]))),
            ("1", None),
            ("", None),
            ("W/1", None),
            ("W/\"1", None),
            ("\"1\"\"2\"", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
        assert!(vec!["\"1\""; TAGS_MAX].join(",").parse::<Precondition>().is_ok());
        assert!(vec!["\"1\""; TAGS_MAX + 1].join(",").parse::<Precondition>().is_err());
    }

    #[test]
    fn what_a_precondition_allows() {
        assert!(Precondition::None.allows(1) && !Precondition::None.names(1));
        assert!(Precondition::Exists.allows(9) && Precondition::Exists.names(9));
        assert!(!Precondition::OneOf(vec![1]).allows(2));
        assert_eq!(entity_tag(3).parse(), Ok(Precondition::OneOf(vec![3])));
    }
}
