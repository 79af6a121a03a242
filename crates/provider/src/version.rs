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
    /// Any version but these.
    NoneOf(Vec<i64>),
}

impl Precondition {
    /// Whether a version satisfies the list; without a header everything does.
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::None | Self::Exists => true,
            Self::OneOf(versions) => versions.contains(&version),
            Self::NoneOf(versions) => !versions.contains(&version),
        }
    }

    /// What a request that changes a resource asks by `If-Match` and by `If-None-Match` (RFC 9110 §13.2.2).
    #[must_use]
    pub fn unless(self, none: Self) -> Self {
        match (self, none) {
            (matching, Self::None) => matching,
            // Of a resource that is there, nothing is left.
            (_, Self::Exists) => Self::OneOf(Vec::new()),
            (Self::OneOf(versions), none) => {
                Self::OneOf(versions.into_iter().filter(|version| !none.allows(*version)).collect())
            }
            (_, Self::OneOf(versions)) => Self::NoneOf(versions),
            (_, Self::NoneOf(versions)) => Self::OneOf(versions),
        }
    }

    /// Whether the header names this version; without a header nothing is named.
    pub fn names(&self, version: i64) -> bool {
        *self != Self::None && self.allows(version)
    }
}

impl FromStr for Precondition {
    type Err = ScimError;

    /// Reads the value of the header. Weak and strong tags are compared alike, as RFC 7644 §3.14 has only weak ones. Empty elements of the
    /// list are passed over (RFC 9110 §5.6.1.2).
    fn from_str(text: &str) -> Result<Self, ScimError> {
        let mut versions = Vec::new();
        let is_any = each_tag(text, |opaque| versions.extend(version(opaque)))?;
        Ok(if is_any { Self::Exists } else { Self::OneOf(versions) })
    }
}

/// Calls `told` with what each tag of a precondition says between its quotation marks; true where it is `*` instead of a list.
pub(crate) fn each_tag<'a>(text: &'a str, mut told: impl FnMut(&'a str)) -> Result<bool, ScimError> {
    if text.trim() == "*" {
        return Ok(true);
    }
    let (mut tags, mut elements, mut rest) = (0, 0, text);
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        elements += 1;
        if elements > TAGS_MAX {
            return Err(ScimError::invalid_value(format!("a precondition names at most {TAGS_MAX} versions")));
        }
        if !rest.is_empty() && !rest.starts_with(',') {
            let (opaque, behind) = tag(rest).ok_or_else(malformed)?;
            told(opaque);
            tags += 1;
            rest = behind.trim_start_matches([' ', '\t']);
        }
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None if rest.is_empty() && tags > 0 => return Ok(false),
            None => return Err(malformed()),
        }
    }
}

fn malformed() -> ScimError {
    ScimError::invalid_value("a precondition is * or a list of entity tags such as W/\"1\"")
}

/// What the tag at the beginning of a text says between its quotation marks, where commas are letters like others (RFC 9110 §8.8.3),
/// and what is behind it.
fn tag(text: &str) -> Option<(&str, &str)> {
    let (opaque, behind) = text.strip_prefix("W/").unwrap_or(text).strip_prefix('"')?.split_once('"')?;
    (!opaque.bytes().any(|byte| byte.is_ascii_control())).then_some((opaque, behind))
}

/// The version in a tag; `None` for a tag of somebody else.
fn version(opaque: &str) -> Option<i64> {
    // `+1` and `01` would be taken for version 1 although they are other tags.
    opaque.parse().ok().filter(|version: &i64| version.to_string() == opaque)
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
            ("\"a,b\", \"1,2\",W/\"3\"", Some(Precondition::OneOf(vec![3]))),
            (",\"1\",, \t,\"2\" ,", Some(Precondition::OneOf(vec![1, 2]))),
            (",", None),
            (" , ,", None),
            ("\"1\" \"2\"", None),
            ("\"1\"2", None),
            ("*, \"1\"", None),
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
        assert!(format!("{}\"1\"", ",".repeat(TAGS_MAX)).parse::<Precondition>().is_err(), "empty ones count too");
    }

    #[test]
    fn what_a_precondition_allows() {
        assert!(Precondition::None.allows(1) && !Precondition::None.names(1));
        assert!(Precondition::Exists.allows(9) && Precondition::Exists.names(9));
        assert!(!Precondition::OneOf(vec![1]).allows(2));
        let read = |text: &str| if text.is_empty() { Precondition::None } else { text.parse().unwrap() };
        for (matching, none, allowed) in [
            ("", "", &[1, 2, 3][..]),
            ("", "*", &[]),
            ("", "\"2\"", &[1, 3]),
            ("*", "\"2\"", &[1, 3]),
            ("*", "*", &[]),
            ("\"1\", \"2\"", "\"2\"", &[1]),
            ("\"1\"", "*", &[]),
            ("\"1\"", "", &[1]),
        ] {
            let both = read(matching).unless(read(none));
            let found: Vec<i64> = (1..=3).filter(|version| both.allows(*version)).collect();
            assert_eq!(found, allowed, "{matching} unless {none}");
        }
        assert_eq!(entity_tag(3).parse(), Ok(Precondition::OneOf(vec![3])));
    }
}
