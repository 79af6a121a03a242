//! Attribute paths: what PATCH operations, filters and projections name (RFC 7644 §3.5.2, §3.10). What a path leads to is decided
//! by [`crate::ResourceType::resolve`].

use std::fmt;
use std::str::FromStr;

use crate::filter::{Filter, Parser};
use crate::limits::FILTER_BYTES_MAX;
use crate::{ScimError, limits};

/// A path as written: `userName`, `name.familyName`, `emails[type eq "work"].value`, `urn:…:User:manager.value`.
///
/// Where a URN ends and the attribute begins cannot be told from the text alone, so the last colon splits; a URN that names a whole
/// schema is split the same way, also where it does not end like an attribute (`urn:…:Device:2.0`), and resolving puts it together again.
///
/// ```
/// use scim::{AttributePath, ResourceType};
///
/// let path: AttributePath = r#"EMAILS[type eq "work"].value"#.parse()?;
/// assert_eq!((path.attribute.as_str(), path.sub_attribute.as_deref()), ("EMAILS", Some("value")));
///
/// let users = ResourceType::user();
/// let found = users.resolve(&path).expect("users have emails");
/// assert_eq!(found.to_string(), "emails.value");
/// assert!(users.resolve(&"nothing".parse()?).is_none());
/// # Ok::<(), scim::ScimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath {
    /// What comes before the last colon, if the path starts with `urn:`.
    pub urn: Option<String>,
    /// The attribute; of a URN alone its last part, whatever that looks like.
    pub attribute: String,
    /// The filter in brackets.
    pub filter: Option<Box<Filter>>,
    /// The sub-attribute after the dot.
    pub sub_attribute: Option<String>,
}

impl FromStr for AttributePath {
    type Err = ScimError;

    /// # Errors
    /// `invalidPath` when the text does not follow the grammar or exceeds a limit of filters.
    fn from_str(text: &str) -> Result<Self, ScimError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(ScimError::invalid_path(format!("a path has at most {} bytes", limits::FILTER_BYTES_MAX)));
        }
        Parser::new(text).whole_path().map_err(|problem| ScimError::invalid_path(problem.to_string()))
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = &self.urn {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.attribute)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        self.sub_attribute.as_ref().map_or(Ok(()), |sub| write!(f, ".{sub}"))
    }
}

impl AttributePath {
    /// Reads the key of an object, where that is a path. White space is part of a key and of no path: `"userName "` is another name than
    /// `"userName"` for whoever else reads the object (RFC 8259 §8.3), and means nothing here.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        (key.trim() == key).then(|| key.parse().ok()).flatten()
    }

    /// Whether it may name an attribute. What does not is nothing but the URN of a schema, as far as it leads anywhere.
    pub fn may_name_attribute(&self) -> bool {
        is_attribute_name(&self.attribute)
    }

    /// Splits a name without brackets. `None` when it does not follow the grammar.
    pub(crate) fn split(name: &str) -> Option<Self> {
        Self::split_at_attribute(name).or_else(|| {
            let (urn, last) = name.rsplit_once(':').filter(|_| is_urn(name))?;
            Some(Self { urn: Some(urn.to_owned()), attribute: last.to_owned(), filter: None, sub_attribute: None })
        })
    }

    fn split_at_attribute(name: &str) -> Option<Self> {
        let (urn, rest) = if has_urn_prefix(name) {
            let (urn, rest) = name.rsplit_once(':')?;
            (Some(urn), rest)
        } else {
            (None, name)
        };
        if !urn.is_none_or(is_urn_prefix) {
            return None;
        }
        let mut parts = rest.split('.');
        let (first, second, third) = (parts.next()?, parts.next(), parts.next());
        if parts.next().is_some() || ![Some(first), second, third].into_iter().flatten().all(is_attribute_name) {
            return None;
        }
        // The old dot form with a sub-attribute: urn:…:User.manager.value. What is the end of a URN has no `$`.
        let (urn, attribute, sub) = match (urn, second, third) {
            (Some(_), _, Some(_)) if first.contains('$') => return None,
            (Some(urn), Some(attribute), Some(sub)) => (Some(format!("{urn}:{first}")), attribute, Some(sub)),
            (None, _, Some(_)) => return None,
            (urn, sub, _) => (urn.map(str::to_owned), first, sub),
        };
        Some(Self { urn, attribute: attribute.to_owned(), filter: None, sub_attribute: sub.map(str::to_owned) })
    }
}

fn has_urn_prefix(text: &str) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
}

fn is_urn_prefix(text: &str) -> bool {
    let part =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+%@/=".contains(&b));
    has_urn_prefix(text) && text.split(':').all(part)
}

/// Whether the text is a URN that can name a schema (RFC 8141: a namespace and something in it).
pub(crate) fn is_urn(text: &str) -> bool {
    is_urn_prefix(text) && text.split(':').count() >= 3
}

/// ATTRNAME of RFC 7643 §2.1, and `$ref`, which the RFC uses against its own rule.
pub(crate) fn is_attribute_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_$".contains(&b))
        || name.eq_ignore_ascii_case("$ref")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resource_type::Target;
    use crate::{Attribute, Kind, ResourceType, Schema, ScimType};

    #[test]
    fn paths_are_split() {
        for (text, urn, attribute, sub) in [
            ("userName", None, "userName", None),
            ("name.familyName", None, "name", Some("familyName")),
            ("members.$ref", None, "members", Some("$ref")),
            ("members.$REF", None, "members", Some("$REF")),
            ("a$b-c_9.d$", None, "a$b-c_9", Some("d$")),
            ("urn:a:b:2.0:User:manager", Some("urn:a:b:2.0:User"), "manager", None),
            ("urn:a:b:2.0:User:manager.value", Some("urn:a:b:2.0:User"), "manager", Some("value")),
            ("urn:a:b:2.0:User.manager", Some("urn:a:b:2.0"), "User", Some("manager")),
            ("urn:a:b:2.0:User.manager.value", Some("urn:a:b:2.0:User"), "manager", Some("value")),
            ("URN:a:b:User", Some("URN:a:b"), "User", None),
            (r#"emails[type eq "work"].value"#, None, "emails", Some("value")),
            ("urn:a:b:2.0", Some("urn:a:b"), "2.0", None),
            ("urn:a:b:2.0:x.y", Some("urn:a:b:2.0"), "x", Some("y")),
            ("urn:a:2Foo", Some("urn:a"), "2Foo", None),
            ("urn:a:b:1.2.3.4", Some("urn:a:b"), "1.2.3.4", None),
        ] {
            let path: AttributePath = text.parse().unwrap();
            assert_eq!(
                (path.urn.as_deref(), path.attribute.as_str(), path.sub_attribute.as_deref()),
                (urn, attribute, sub),
                "{text}"
            );
        }
    }

    #[test]
    fn a_key_with_white_space_around_it_is_no_path() {
        for key in ["name.givenName", r#"emails[type eq "work"].value"#, "urn:a:b:2.0:User:manager"] {
            assert_eq!(AttributePath::of_key(key), Some(key.parse().unwrap()));
            for blank in [" ", "\t", "\n", "\r", "  ", "\u{a0}"] {
                assert_eq!(AttributePath::of_key(&format!("{key}{blank}")), None, "{key}{blank:?}");
                assert_eq!(AttributePath::of_key(&format!("{blank}{key}")), None, "{blank:?}{key}");
            }
        }
    }

    #[test]
    fn malformed_paths_are_refused() {
        let long = "a".repeat(FILTER_BYTES_MAX + 1);
        let (dots, parens, nots) = (".".repeat(10_000), "(".repeat(10_000), "not (".repeat(1600));
        let bracketed = [format!("emails[{}", &parens[..8000]), format!("emails[{nots}")];
        for text in [
            "emails[",
            "name..x",
            "urn:",
            "",
            "a b",
            "a.b.c",
            "emails[emails[type eq 1]]",
            "emails[type eq 1]x",
            "emails[]",
            "1a",
            "a:b",
            "é",
            "a.",
            "urn::a:b",
            "urn:a:$b.c.d",
            "urn:a:b$.c.d",
            "urn:a:2.0[b eq 1]",
            "urn:1.0",
            "urn:a:b c:2.0",
            "$name",
            "$",
            "a.$b",
            "-a",
            "_a",
            "emails[type eq 1].",
            "emails[name.x eq 1]",
            &long,
            &dots,
            &parens,
            &nots,
            &bracketed[0],
            &bracketed[1],
        ] {
            let refused = text.parse::<AttributePath>().unwrap_err();
            assert_eq!(refused.scim_type, ScimType::InvalidPath, "{}", &text.chars().take(40).collect::<String>());
        }
    }

    /// Users with an extension of this URN, and things whose core schema it is.
    fn with_schema(urn: &str) -> [ResourceType; 2] {
        let whole = Attribute {
            sub_attributes: vec![Attribute::new("part", Kind::String)],
            ..Attribute::new("whole", Kind::Complex)
        };
        let schema = Schema::new(urn, "", vec![whole]);
        schema.check().unwrap();
        [ResourceType::user().with_extension(schema.clone(), false), ResourceType::new("Thing", "/Things", "", schema)]
    }

    #[track_caller]
    fn assert_reads_urn(urn: &str) {
        for (resource_type, is_extension) in with_schema(urn).iter().zip([true, false]) {
            let lead = |text: &str| resource_type.target(&text.parse().unwrap()).map(|target| format!("{target:?}"));
            let schema = resource_type.schemas().last().unwrap();
            let whole = if is_extension { Target::Extension(schema) } else { Target::Core };
            for urn in [urn.to_owned(), format!("uRn{}", urn[3..].to_ascii_uppercase())] {
                assert_eq!(lead(&urn), Some(format!("{whole:?}")), "{urn}");
                for (rest, expected) in
                    [(":WHOLE", "whole"), (":whole.part", "whole.part"), (":whole[part pr].part", "whole.part")]
                {
                    let text = format!("{urn}{rest}");
                    let found =
                        resource_type.resolve(&text.parse().unwrap()).expect("it names an attribute").to_string();
                    let prefix = if is_extension { format!("{}:", schema.id) } else { String::new() };
                    assert_eq!(found, format!("{prefix}{expected}"), "{text}");
                }
                for nothing in [":nothing", ":whole.nothing", ":whole.part.part", "x", ":whole:part"] {
                    assert_eq!(lead(&format!("{urn}{nothing}")), None, "{urn}{nothing}");
                }
            }
        }
    }

    /// The last part of a schema's URN may be a version, or hold dots, as an attribute's name may not (RFC 8141 §2).
    #[test]
    fn a_urn_is_a_path_whatever_it_ends_in() {
        for urn in [
            "urn:example:extension:live-p7b:2.0",
            "urn:example:1.0",
            "urn:example:e:2Foo",
            "urn:example:e:1.0:User:2.0",
            "urn:example:e:Foo.Bar",
            "urn:example:e:Foo.Bar.Baz",
            "urn:example:e:a.b.c.d",
            "urn:example:e:.",
            "urn:ietf:params:scim:schemas:core:2.0:User.x",
        ] {
            assert_reads_urn(urn);
        }
    }

    proptest! {
        #[test]
        fn any_urn_that_a_schema_may_have_is_read_as_such(urn in "urn:[a-z]{1,3}(:[a-zA-Z0-9._~+%@/=-]{1,5}){1,3}") {
            assert_reads_urn(&urn);
        }

        #[test]
        fn print_then_parse_is_identity(path in crate::filter::arbitrary::paths()) {
            prop_assert_eq!(path.to_string().parse::<AttributePath>().unwrap(), path);
        }

        #[test]
        fn what_is_read_is_printed_as_it_was_meant(
            text in r"((urn:)?[ab$.:]{1,12}|urn:a(:a)?:[a$]{1,3}(\.[a$]{1,2}){1,2})"
        ) {
            if let Ok(path) = text.parse::<AttributePath>() {
                prop_assert_eq!(path.to_string().parse::<AttributePath>(), Ok(path));
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = text.parse::<AttributePath>();
        }
    }
}
