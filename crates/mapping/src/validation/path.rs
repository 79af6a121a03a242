//! The name of a target attribute, taken apart so that spellings of one attribute are equal. What stands in brackets is compared as text:
//! whether it can be written to is the provisioning engine's to say.

use crate::with_colon_behind_version;

/// A target attribute.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TargetName {
    /// The URN of its schema in small letters; empty for the core schema.
    pub(super) schema: String,
    /// In small letters.
    pub(super) attribute: String,
    /// What its brackets say, in order.
    pub(super) terms: Vec<String>,
    /// In small letters.
    pub(super) part: Option<String>,
}

impl TargetName {
    /// Reads a name such as `emails[type eq "work"].value`; attributes of `core_schema` are also named without it.
    pub(super) fn read(text: &str, core_schema: &str) -> Self {
        let text = with_colon_behind_version(text.trim());
        let text = text.as_ref();
        let (head, brackets, tail) = match (text.find('['), text.rfind(']')) {
            (Some(open), Some(close)) if open < close => {
                (&text[..open], Some(&text[open + 1..close]), &text[close + 1..])
            }
            _ => (text, None, ""),
        };
        let is_urn = head.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("urn:"));
        let (schema, name) = if is_urn { head.rsplit_once(':').unwrap_or(("", head)) } else { ("", head) };
        let (attribute, dotted) =
            name.split_once('.').map_or((name, None), |(attribute, part)| (attribute, Some(part)));
        let (schema, attribute, dotted) = match dotted {
            // A URN of attributes ends with the name of a type: `urn:…:User.department`.
            Some(part) if is_urn && ["User", "Group"].iter().any(|kind| attribute.eq_ignore_ascii_case(kind)) => {
                (format!("{schema}:{attribute}"), part, None)
            }
            dotted => (schema.to_owned(), attribute, dotted),
        };
        let schema = if schema.eq_ignore_ascii_case(core_schema) { String::new() } else { schema.to_ascii_lowercase() };
        let written = tail.strip_prefix('.').or(dotted).map(str::to_ascii_lowercase);
        Self {
            schema,
            attribute: attribute.to_ascii_lowercase(),
            terms: brackets.map(terms).unwrap_or_default(),
            // Brackets alone choose an element, whose value is written.
            part: written.or_else(|| brackets.map(|_| "value".to_owned())),
        }
    }

    /// The same of the extension that it belongs to, if it was written without a URN: `department`.
    pub(super) fn in_extension(self, text: &str, extension: &dyn Fn(&str) -> Option<&'static str>) -> Self {
        if text.trim().get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("urn:")) {
            return self;
        }
        let schema = extension(&self.attribute).map(str::to_ascii_lowercase);
        Self { schema: schema.unwrap_or_default(), ..self }
    }

    /// The attribute with all that it holds.
    pub(super) fn is_whole(&self) -> bool {
        self.terms.is_empty() && self.part.is_none()
    }

    /// Whether both are the same attribute, or parts of it.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.schema == other.schema && self.attribute == other.attribute
    }

    /// The same without brackets.
    pub(super) fn without_terms(&self) -> Self {
        Self { terms: Vec::new(), ..self.clone() }
    }
}

/// `type eq "work" and primary eq true`, each term in one spelling.
fn terms(brackets: &str) -> Vec<String> {
    let mut found: Vec<String> = split_at_and(brackets).into_iter().map(term).collect();
    found.sort();
    found
}

/// The parts between the words `and` outside of quotes.
fn split_at_and(text: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut is_quoted) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        if letter == '"' {
            is_quoted = !is_quoted;
        }
        let ahead = text.get(at..at + 5);
        if !is_quoted && ahead.is_some_and(|ahead| ahead.eq_ignore_ascii_case(" and ")) {
            parts.push(&text[begin..at]);
            begin = at + 5;
        }
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

fn term(text: &str) -> String {
    let mut words = text.split_whitespace();
    let (name, operator) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let value = words.collect::<Vec<_>>().join(" ");
    let bare = value.trim_matches('"');
    let is_flag = bare.eq_ignore_ascii_case("true") || bare.eq_ignore_ascii_case("false");
    let value = if is_flag { bare.to_ascii_lowercase() } else { value };
    format!("{} {} {value}", name.to_ascii_lowercase(), operator.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

    #[test]
    fn spellings_of_one_attribute_are_equal() {
        for (one, other, expected) in [
            ("title", "Title", true),
            ("title", "urn:ietf:params:scim:schemas:core:2.0:User:title", true),
            ("title", "urn:ietf:params:scim:schemas:core:2.0:User.title", true),
            ("name.givenName", "urn:ietf:params:scim:schemas:core:2.0:user:NAME.givenname", true),
            ("urn:example:2.0:User:x", "URN:Example:2.0:user:X", true),
            ("urn:example:2.0:User:x", "x", false),
            (r#"emails[type eq "work"]"#, r#"emails[ TYPE  eq "work" ].value"#, true),
            (r#"emails[type eq "work"].value"#, r#"emails[type eq "home"].value"#, false),
            (r#"roles[primary eq "True"].value"#, "roles[primary eq true].value", true),
            (r#"a[type eq "x" and primary eq true].b"#, r#"a[primary eq true AND type eq "x"].b"#, true),
            (r#"a[type eq "x and y"].b"#, r#"a[type eq "x"].b"#, false),
            ("emails", "emails.value", false),
            (
                "urn:scim:schemas:extension:enterprise:1.0.manager",
                "urn:scim:schemas:extension:Enterprise:1.0:manager",
                true,
            ),
        ] {
            assert_eq!(TargetName::read(one, CORE) == TargetName::read(other, CORE), expected, "{one} {other}");
        }
    }

    #[test]
    fn whatever_is_written_is_read() {
        for text in ["", "[", "]", "][", "urn:", "a[b", "a[].", "é[é eq \"é\"].é", "a.b.c", " and "] {
            TargetName::read(text, CORE);
        }
    }
}
