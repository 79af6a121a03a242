//! What the attributes of a directory are where nobody says anything else: RFC 7643 §4 and §8.7.1 for a SCIM target, and Entra's own
//! directory for the source. An attribute list needs no entry that says just this.

use super::definition::{AttributeDefinition, AttributeType, Mutability, ReferencedObject};
use crate::object_mapping::ObjectType;

/// The source attributes that are the primary key of Entra's objects.
pub(super) const SOURCE_ANCHOR: &str = "objectId";
/// The primary key of a SCIM resource.
pub(super) const TARGET_ANCHOR: &str = "id";

const CORE: [&str; 2] = ["urn:ietf:params:scim:schemas:core:2.0:User:", "urn:ietf:params:scim:schemas:core:2.0:Group:"];
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:";

/// Single-valued attributes of users that are text and whose case does not count.
const USER_TEXTS: [&str; 11] = [
    "userName",
    "name.formatted",
    "name.familyName",
    "name.givenName",
    "name.middleName",
    "name.honorificPrefix",
    "name.honorificSuffix",
    "displayName",
    "nickName",
    "title",
    "userType",
];
const USER_LOCALES: [&str; 3] = ["preferredLanguage", "locale", "timezone"];
const ENTERPRISE_TEXTS: [&str; 5] = ["employeeNumber", "costCenter", "organization", "division", "department"];
/// Multi-valued attributes of users: one element is addressed by a filter, `emails[type eq "work"].value`.
const ELEMENTS: [&str; 6] = ["emails", "phoneNumbers", "ims", "roles", "entitlements", "addresses"];
const ELEMENT_PARTS: [&str; 3] = ["value", "display", "type"];
const ADDRESS_PARTS: [&str; 7] = ["formatted", "streetAddress", "locality", "region", "postalCode", "country", "type"];

/// Whether RFC 7643 defines the target attribute of that path as text or as a reference: it is this without an entry in an attribute list.
pub fn is_standard(object: ObjectType, path: &str) -> bool {
    of_target(object, path).is_some()
}

/// The definition of a target attribute by RFC 7643; `None` where that does not define the path.
pub(super) fn of_target(object: ObjectType, path: &str) -> Option<AttributeDefinition> {
    let text = |case_exact| AttributeDefinition { name: path.to_owned(), case_exact, ..AttributeDefinition::default() };
    let is = |known: &[&str], name: &str| known.iter().any(|one| one.eq_ignore_ascii_case(name));
    if is(&[TARGET_ANCHOR], path) {
        let mutability = Mutability::ReadOnly;
        return Some(AttributeDefinition { anchor: true, required: true, mutability, ..text(true) });
    }
    if is(&["externalId"], path) {
        return Some(text(true));
    }
    if let Some(name) = without_prefix(path, ENTERPRISE).filter(|_| object == ObjectType::User) {
        return match () {
            () if is(&ENTERPRISE_TEXTS, name) => Some(text(false)),
            () if is(&["manager"], name) => Some(reference(path, &["User"])),
            () => None,
        };
    }
    let path = CORE.iter().find_map(|urn| without_prefix(path, urn)).unwrap_or(path);
    match object {
        ObjectType::Group if is(&["displayName"], path) => Some(text(false)),
        ObjectType::Group if is(&["members"], path) => {
            Some(AttributeDefinition { multivalued: true, ..reference(path, &["User", "Group"]) })
        }
        ObjectType::Group => None,
        ObjectType::User if is(&["active"], path) => {
            Some(AttributeDefinition { kind: AttributeType::Boolean, ..text(false) })
        }
        ObjectType::User => {
            let is_text = is(&USER_TEXTS, path) || is(&USER_LOCALES, path) || is_element(path);
            is_text.then(|| text(false))
        }
    }
}

/// The definition of a target attribute: RFC 7643's, and for what that does not define what counts where nobody says anything: text of which
/// another case is another value.
pub(super) fn or_text(object: ObjectType, path: &str) -> AttributeDefinition {
    let text = || AttributeDefinition { name: path.to_owned(), case_exact: true, ..AttributeDefinition::default() };
    AttributeDefinition { name: path.to_owned(), ..of_target(object, path).unwrap_or_else(text) }
}

/// The definition of a source attribute in Entra's directory, as far as mappings need it.
pub(super) fn of_source(name: &str) -> AttributeDefinition {
    let text = AttributeDefinition { name: name.to_owned(), ..AttributeDefinition::default() };
    match name {
        SOURCE_ANCHOR => AttributeDefinition { anchor: true, required: true, ..text },
        "accountEnabled" => AttributeDefinition { kind: AttributeType::Boolean, ..text },
        "manager" => reference(name, &["User"]),
        "members" => AttributeDefinition { multivalued: true, ..reference(name, &["User", "Group"]) },
        "appRoleAssignments" | "otherMails" | "proxyAddresses" => AttributeDefinition { multivalued: true, ..text },
        _ => text,
    }
}

fn reference(name: &str, objects: &[&str]) -> AttributeDefinition {
    let referenced =
        |name: &&str| ReferencedObject { referenced_object_name: (*name).to_owned(), referenced_property: None };
    AttributeDefinition {
        name: name.to_owned(),
        kind: AttributeType::Reference,
        referenced_objects: objects.iter().map(referenced).collect(),
        ..AttributeDefinition::default()
    }
}

/// `emails[type eq "work"].value` and the like: one element by a filter, and a part of it.
fn is_element(path: &str) -> bool {
    let Some((name, rest)) = path.split_once('[') else { return false };
    let Some((_, part)) = rest.split_once("].") else { return false };
    let is = |known: &[&str], name: &str| known.iter().any(|one| one.eq_ignore_ascii_case(name));
    let parts = if name.eq_ignore_ascii_case("addresses") { &ADDRESS_PARTS[..] } else { &ELEMENT_PARTS[..] };
    is(&ELEMENTS, name) && is(parts, part)
}

fn without_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let start = path.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &path[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rfc_defines() {
        let told = |object, path| {
            of_target(object, path).map(|definition| (definition.kind, definition.multivalued, definition.case_exact))
        };
        let text = Some((AttributeType::String, false, false));
        for (path, expected) in [
            ("userName", text),
            ("urn:ietf:params:scim:schemas:core:2.0:User:title", text),
            ("emails[type eq \"work\"].value", text),
            ("addresses[type eq \"work\"].postalCode", text),
            ("addresses[type eq \"work\"].value", None),
            ("active", Some((AttributeType::Boolean, false, false))),
            ("externalId", Some((AttributeType::String, false, true))),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", text),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
                Some((AttributeType::Reference, false, false)),
            ),
            ("urn:ietf:params:scim:schemas:extension:acme:2.0:User:department", None),
            ("members", None),
            ("ü[", None),
        ] {
            assert_eq!(told(ObjectType::User, path), expected, "{path}");
        }
        assert_eq!(told(ObjectType::Group, "members"), Some((AttributeType::Reference, true, false)));
        assert_eq!(told(ObjectType::Group, "userName"), None);
    }
}
