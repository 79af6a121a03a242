//! How the values of an attribute compare, by its definition (RFC 7643 §2.2, §2.3): the one rule of filters, orders, and what is the same.

use crate::schema::{Attribute, Kind};
use crate::{ResourceType, fold, fold_username};

/// What decides when two values of an attribute are the same, and which comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Text, letter by letter.
    Exact,
    /// Text without case; see [`fold`].
    Folded,
    /// A login name without case; see [`fold_username`].
    UserName,
    /// `false`, then `true`.
    Boolean,
    /// By what the number is.
    Number,
    /// By the moment, whatever its offset.
    Instant,
}

impl Attribute {
    /// How values of the attribute compare wherever it is defined.
    pub(crate) fn comparison(&self) -> Comparison {
        match self.kind {
            Kind::Boolean => Comparison::Boolean,
            Kind::Decimal | Kind::Integer => Comparison::Number,
            Kind::DateTime => Comparison::Instant,
            Kind::String | Kind::Reference | Kind::Binary | Kind::Complex if self.case_exact => Comparison::Exact,
            Kind::String | Kind::Reference | Kind::Binary | Kind::Complex => Comparison::Folded,
        }
    }
}

impl ResourceType {
    /// How values of one of this resource type's attributes compare. The login name of a user compares by a profile of its own (RFC 8265
    /// §3.3) unless its definition says that case counts; what other schemas call `userName` is text like any other.
    pub(crate) fn comparison(&self, attribute: &Attribute) -> Comparison {
        match attribute.comparison() {
            Comparison::Folded if attribute.kind == Kind::String && self.is_user_name(attribute) => {
                Comparison::UserName
            }
            other => other,
        }
    }
}

/// The key of a login name. Part of a name (`co`, `sw`, `ew`) need not be a name by itself, so what the profile refuses is folded like
/// other text.
pub(crate) fn user_name_key(text: &str) -> String {
    fold_username(text).unwrap_or_else(|_| fold(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Filter, GROUP_URN, Schema, Sort, SortKey, USER_URN};

    fn thing(urn: &str, case_exact: bool) -> ResourceType {
        let schema = json!({ "id": urn, "attributes": [{ "name": "userName", "caseExact": case_exact },
            { "name": "name", "type": "complex", "subAttributes": [{ "name": "userName", "caseExact": case_exact }] }] });
        ResourceType::new("Thing", "/Things", "", Schema::read(&schema).unwrap())
    }

    /// RFC 7643 §8.7.1 lets no case count in a user's `userName`; any other definition of that name counts as it is.
    #[test]
    fn a_user_name_compares_as_its_definition_says() {
        let extension = Schema::read(&json!({ "id": "urn:x:y", "attributes": [{ "name": "login" }] })).unwrap();
        for (resource_type, path, same, full_width) in [
            (ResourceType::user(), "userName", true, true),
            (ResourceType::user().with_extension(extension, false), "userName", true, true),
            (ResourceType::user().restrict(["userName"]).unwrap(), "userName", true, true),
            (thing(USER_URN, false), "userName", true, true),
            (thing(USER_URN, true), "userName", false, false),
            (thing("urn:x:y", false), "userName", true, false),
            (thing("urn:x:y", true), "userName", false, false),
            (thing(GROUP_URN, true), "userName", false, false),
            (thing("urn:x:y", false), "name.userName", true, false),
            (thing("urn:x:y", true), "name.userName", false, false),
        ] {
            let (holder, part) = path.split_once('.').map_or((path, None), |(holder, part)| (holder, Some(part)));
            let held = |text: &str| match part {
                Some(part) => json!({ holder: { part: text } }).as_object().unwrap().clone(),
                None => json!({ holder: text }).as_object().unwrap().clone(),
            };
            let found = |name: &str| {
                let filter: Filter = format!("{path} eq \"{name}\"").parse().unwrap();
                filter.matches(&resource_type, &held("Ada"))
            };
            let told = format!("{path} of {}", resource_type.schema.id);
            assert_eq!((found("ADA"), found("Ａda"), found("Ada")), (same, full_width, true), "{told}");
            let sort = Sort::read(path, &resource_type).unwrap();
            let expected = if same { "ada" } else { "Ada" };
            assert_eq!(sort.key(&held("Ada")), SortKey::Text(expected.to_owned()), "{told}");
        }
    }
}
