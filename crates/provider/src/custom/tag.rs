//! Entity tags of definitions (RFC 9110 §8.8.3), and what a client asks of them.

use std::fmt;
use std::fmt::Write as _;

use scim::ScimError;
use store::schemas::Digest;

use crate::version::each_tag;

/// What the tag of nothing says.
const NOTHING: &str = "none";

/// The entity tag of what a tenant defines: another document has another one, and the same one again the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionTag(String);

impl DefinitionTag {
    /// That of the document of a digest; of none where nothing is defined.
    pub(super) fn of(digest: Option<&Digest>) -> Self {
        let Some(digest) = digest else { return Self(NOTHING.to_owned()) };
        let mut text = String::with_capacity(2 * digest.len());
        for byte in digest {
            write!(text, "{byte:02x}").expect("a text takes what is written to it");
        }
        Self(text)
    }
}

/// With quotation marks, as in a header.
impl fmt::Display for DefinitionTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// What a client asks of the tag: `If-Match` and `If-None-Match` (RFC 9110 §13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagCondition {
    matching: Option<Tags>,
    none: Option<Tags>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    OneOf(Vec<String>),
}

impl Tags {
    /// Reads the value of a header. Weak and strong tags are compared alike: what stands between makes one of the other.
    fn read(text: &str) -> Result<Self, ScimError> {
        let mut tags = Vec::new();
        let is_any = each_tag(text, |opaque| tags.push(opaque.to_owned()))?;
        Ok(if is_any { Self::Any } else { Self::OneOf(tags) })
    }

    fn hold(&self, tag: &DefinitionTag) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(tags) => tags.contains(&tag.0),
        }
    }
}

impl TagCondition {
    /// Reads the values of both headers, as far as they are there.
    ///
    /// # Errors
    /// One that is no list of entity tags, or a longer one than `TAGS_MAX`.
    pub fn read(matching: Option<&str>, none: Option<&str>) -> Result<Self, ScimError> {
        Ok(Self { matching: matching.map(Tags::read).transpose()?, none: none.map(Tags::read).transpose()? })
    }

    /// Whether what has that tag may be changed.
    pub fn allows(&self, tag: &DefinitionTag) -> bool {
        self.is_met(tag) && !self.is_known(tag)
    }

    /// Whether what has that tag is what the client means, and may be sent it.
    pub fn is_met(&self, tag: &DefinitionTag) -> bool {
        self.matching.as_ref().is_none_or(|tags| tags.hold(tag))
    }

    /// Whether the client has what has that tag, and need not be sent it.
    pub fn is_known(&self, tag: &DefinitionTag) -> bool {
        self.none.as_ref().is_some_and(|tags| tags.hold(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_condition_allows() {
        let (one, other, nothing) =
            (DefinitionTag::of(Some(&[1; 32])), DefinitionTag::of(Some(&[0xab; 32])), DefinitionTag::of(None));
        assert_eq!((one.to_string(), nothing.to_string()), (format!("\"{}\"", "01".repeat(32)), "\"none\"".to_owned()));
        let (own, weak) = (one.to_string(), format!("\"x\", W/{one}"));
        for (matching, none, allowed) in [
            (None, None, [true, true, true]),
            (Some("*"), None, [true, true, true]),
            (Some(own.as_str()), None, [true, false, false]),
            (Some(weak.as_str()), None, [true, false, false]),
            (Some("\"none\""), None, [false, false, true]),
            (Some("\"1\""), None, [false, false, false]),
            (None, Some("*"), [false, false, false]),
            (None, Some(own.as_str()), [false, true, true]),
            (Some("*"), Some(own.as_str()), [false, true, true]),
        ] {
            let condition = TagCondition::read(matching, none).unwrap();
            let found = [&one, &other, &nothing].map(|tag| condition.allows(tag));
            assert_eq!(found, allowed, "{matching:?} {none:?}");
        }
        assert!(TagCondition::read(Some("none"), None).is_err());
    }
}
