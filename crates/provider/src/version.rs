//! Versions of resources as entity tags (RFC 7644 §3.14): what `meta.version` shows and what a precondition asks for.

use std::fmt;
use std::str::FromStr;

use scim::ScimError;
use sha2::{Digest as _, Sha256};

/// Most entity tags in one precondition.
pub const TAGS_MAX: usize = 64;

/// The entity tag of an answer: the version of the resource and, where the answer shows what is joined to it, which changes without that
/// version, a digest of what it shows. `W/"7"` or `W/"7-0123456789abcdef"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag {
    version: i64,
    joined: Option<u64>,
}

impl EntityTag {
    /// The tag of a resource that nothing is joined to.
    pub const fn of(version: i64) -> Self {
        Self { version, joined: None }
    }

    /// The version of the resource.
    pub const fn version(self) -> i64 {
        self.version
    }

    /// Reads a tag as this provider writes it; `None` for one of somebody else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        known_tag(text.strip_prefix("W/\"")?.strip_suffix('"')?)
    }

    pub(crate) const fn with(version: i64, joined: Option<u64>) -> Self {
        Self { version, joined }
    }

    /// What is between the quotation marks.
    pub(crate) const fn opaque(self) -> OpaqueTag {
        OpaqueTag(self)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.opaque())
    }
}

pub(crate) struct OpaqueTag(EntityTag);

impl fmt::Display for OpaqueTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EntityTag { version, joined } = self.0;
        match joined {
            None => write!(f, "{version}"),
            Some(joined) => write!(f, "{version}-{joined:016x}"),
        }
    }
}

/// What stands in a tag for a text that is shown.
pub(crate) fn digest(shown: &str) -> u64 {
    let digest = Sha256::digest(shown);
    digest.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// What a client asks of the version of a resource: an `If-Match` or `If-None-Match` header (RFC 9110 §13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// No header.
    #[default]
    None,
    /// `*`: any version.
    Exists,
    /// One of these. A tag that this provider never made is in no list.
    OneOf(Vec<EntityTag>),
    /// Any but these.
    NoneOf(Vec<EntityTag>),
}

impl Precondition {
    /// That the resource is at this version.
    pub(crate) fn at(version: i64) -> Self {
        Self::OneOf(vec![EntityTag::of(version)])
    }

    /// Whether a version satisfies the list, whatever else an answer showed with it; without a header everything does.
    pub fn allows(&self, version: i64) -> bool {
        match self {
            Self::None | Self::Exists => true,
            Self::OneOf(tags) => tags.iter().any(|tag| tag.version == version),
            Self::NoneOf(tags) => !tags.iter().any(|tag| tag.version == version),
        }
    }

    /// What a request that changes a resource asks by `If-Match` and by `If-None-Match` (RFC 9110 §13.2.2).
    #[must_use]
    pub fn unless(self, none: Self) -> Self {
        match (self, none) {
            (matching, Self::None) => matching,
            // Of a resource that is there, nothing is left.
            (_, Self::Exists) => Self::OneOf(Vec::new()),
            (Self::OneOf(tags), none) => {
                Self::OneOf(tags.into_iter().filter(|tag| !none.allows(tag.version)).collect())
            }
            (_, Self::OneOf(tags)) => Self::NoneOf(tags),
            (_, Self::NoneOf(tags)) => Self::OneOf(tags),
        }
    }

    /// Whether the header names this version; without a header nothing is named.
    pub fn names(&self, version: i64) -> bool {
        *self != Self::None && self.allows(version)
    }

    /// Whether the header names an answer with this tag.
    pub(crate) fn names_answer(&self, tag: EntityTag) -> bool {
        match self {
            Self::None => false,
            Self::Exists => true,
            Self::OneOf(tags) => tags.contains(&tag),
            Self::NoneOf(tags) => !tags.contains(&tag),
        }
    }
}

impl FromStr for Precondition {
    type Err = ScimError;

    /// Reads the value of the header. Weak and strong tags are compared alike, as RFC 7644 §3.14 has only weak ones. Empty elements of the
    /// list are passed over (RFC 9110 §5.6.1.2).
    fn from_str(text: &str) -> Result<Self, ScimError> {
        let mut known = Vec::new();
        let is_any = each_tag(text, |opaque| known.extend(known_tag(opaque)))?;
        Ok(if is_any { Self::Exists } else { Self::OneOf(known) })
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

/// What a tag says; `None` for a tag of somebody else.
fn known_tag(opaque: &str) -> Option<EntityTag> {
    let (version, joined) = match opaque.split_once('-') {
        Some((version, joined)) if !version.is_empty() => (version, Some(u64::from_str_radix(joined, 16).ok()?)),
        _ => (opaque, None),
    };
    let tag = EntityTag { version: version.parse().ok()?, joined };
    // `+1` and `01` would be taken for version 1 although they are other tags.
    (tag.opaque().to_string() == opaque).then_some(tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_header_panics_and_every_tag_is_read_back(
            text in "\\PC*", version in 1..i64::MAX, joined in any::<Option<u64>>(),
        ) {
            drop(text.parse::<Precondition>());
            let tag = EntityTag::with(version, joined);
            prop_assert_eq!(tag.to_string().parse(), Ok(Precondition::OneOf(vec![tag])));
        }
    }

    fn one_of(versions: &[i64]) -> Precondition {
        Precondition::OneOf(versions.iter().map(|version| EntityTag::of(*version)).collect())
    }

    #[test]
    fn preconditions_in_every_form() {
        let joined = |version, joined| Precondition::OneOf(vec![EntityTag::with(version, Some(joined))]);
        for (text, expected) in [
            ("*", Some(Precondition::Exists)),
            ("W/\"1\"", Some(one_of(&[1]))),
            ("\"7\"", Some(one_of(&[7]))),
            (" W/\"1\" , \"2\"", Some(one_of(&[1, 2]))),
            ("W/\"abc\"", Some(one_of(&[]))),
            ("\"a,b\", \"1,2\",W/\"3\"", Some(one_of(&[3]))),
            (",\"1\",, \t,\"2\" ,", Some(one_of(&[1, 2]))),
            (",", None),
            (" , ,", None),
            ("\"1\" \"2\"", None),
            ("\"1\"2", None),
            ("*, \"1\"", None),
            ("\"+1\", \"01\"", Some(one_of(&[]))),
            ("W/\"7-00000000000000ff\"", Some(joined(7, 255))),
            ("\"7-ffffffffffffffff\"", Some(joined(7, u64::MAX))),
            ("\"7-ff\", \"7-\", \"7-00000000000000FF\", \"-1-0000000000000000\", \"-\"", Some(one_of(&[]))),
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
        assert!(!one_of(&[1]).allows(2));
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
    }

    /// A change is based on a version, whatever the answer that told it showed; an answer is known by all that it shows.
    #[test]
    fn what_is_joined_counts_for_answers_and_not_for_changes() {
        let tags = [EntityTag::of(7), EntityTag::with(7, Some(1)), EntityTag::with(7, Some(2)), EntityTag::of(8)];
        for (number, tag) in tags.iter().enumerate() {
            let known: Precondition = tag.to_string().parse().unwrap();
            assert_eq!((known.allows(7), known.names(8)), (number < 3, number == 3), "{tag}");
            let answers = tags.map(|answer| known.names_answer(answer));
            assert_eq!(answers, tags.map(|answer| answer == *tag), "{tag}");
            let unless = Precondition::None.unless(known);
            assert_eq!((unless.allows(7), unless.names_answer(*tag)), (number == 3, false), "{tag}");
        }
        assert!(Precondition::Exists.names_answer(tags[1]) && !Precondition::None.names_answer(tags[1]));
        assert_ne!(digest("[]"), digest("[1]"));
    }
}
