//! The source object as mappings and filters see it: Entra's attribute names over a directory object.

use directory::{Group, User};
use mapping::schema::AttributeType;
use mapping::validation::SourceAttribute;
use mapping::{AttributeMapping, ObjectType, Source, Value, guest_user_principal_name, nearest};
use store::ObjectKind;
use store::applications::EntitlementRecord;

use crate::surroundings::{MANAGER, MEMBER_OF, TRANSITIVE_MEMBER_OF};
use crate::target_path::TargetPath;

/// What mappings of users may read beside the directory's attributes.
const VIRTUAL_OF_USERS: [&str; 3] = ["IsSoftDeleted", "appRoleAssignments", ORIGINAL_NAME];
/// The same for groups.
const VIRTUAL_OF_GROUPS: [&str; 2] = ["IsSoftDeleted", "members"];

/// The name of a guest as it is in the directory.
const ORIGINAL_NAME: &str = "originalUserPrincipalName";
/// The groups that an object is in.
const AROUND: [&str; 2] = [MEMBER_OF, TRANSITIVE_MEMBER_OF];

/// The name under which the directory keeps what documents of Entra call otherwise, as Azure AD Graph did.
fn kept_as(name: &str) -> &str {
    match name {
        "dirSyncEnabled" => "onPremisesSyncEnabled",
        "immutableId" => "onPremisesImmutableId",
        _ => name,
    }
}

/// Where to look when nothing like the name is there.
const SOME_OF_USERS: &str = "users have those of Entra, and extension_APPLICATION_NAME for what else there is";
const SOME_OF_GROUPS: &str = "groups have description, mail, securityEnabled and others";

/// What is wrong with the name of a source attribute, as the end of a sentence; `None` where there is such an attribute.
/// Names are case-sensitive here and have no other aliases than those of `kept_as`, as in Entra: what is read under another one is empty.
pub fn unknown_attribute(object: ObjectType, name: &str) -> Option<String> {
    let of = object.plural();
    let (kind, others, some): (_, &'static [&'static str], _) = match object {
        ObjectType::User => (ObjectKind::User, &VIRTUAL_OF_USERS, SOME_OF_USERS),
        ObjectType::Group => (ObjectKind::Group, &VIRTUAL_OF_GROUPS, SOME_OF_GROUPS),
    };
    if let Some(of_manager) = name.strip_prefix(MANAGER).filter(|_| object == ObjectType::User) {
        // Roles and the state of the account are those of the object that is provisioned.
        let is_its_own = VIRTUAL_OF_USERS.contains(&of_manager) && of_manager != ORIGINAL_NAME;
        return match unknown_attribute(object, of_manager) {
            None if is_its_own => Some("cannot be read of a manager".to_owned()),
            None if AROUND.contains(&of_manager) || of_manager.starts_with(MANAGER) => {
                Some("goes too far: attributes of the manager can be read, not what is around the manager".to_owned())
            }
            problem => problem,
        };
    }
    if AROUND.contains(&name) {
        return None;
    }
    let name = kept_as(name);
    let kept = directory::attribute_name(kind, name);
    if others.contains(&name) || kept.as_deref() == Some(name) {
        return None;
    }
    let known = || directory::attribute_names(kind).chain(others.iter().copied());
    // An alias of the nearest name is no name here either.
    let meant = kept.or_else(|| {
        let near = nearest(name, known())?;
        directory::attribute_name(kind, near).or(Some(near.into()))
    });
    let cure = meant.map_or_else(|| some.to_owned(), |meant| format!("did you mean `{meant}`?"));
    Some(format!("is not an attribute of {of}; {cure}"))
}

/// Why an attribute mapping of a document cannot be used here, as a sentence: it reads what the directory does not have, or writes where
/// nothing can be written.
pub fn why_unusable(object: ObjectType, mapping: &AttributeMapping) -> Option<String> {
    let unknown =
        |name: &str| unknown_attribute(object, name).map(|problem| format!("it reads `{name}`, which {problem}"));
    let unread = mapping.source.attributes().into_iter().find_map(unknown);
    unread.or_else(|| TargetPath::parse(&mapping.target, object).err().map(|error| error.to_string()))
}

/// What a source attribute is; `None` where nothing is known of it.
pub(crate) fn source_attribute(object: ObjectType, name: &str) -> Option<SourceAttribute> {
    let of = |kind, multivalued| SourceAttribute { kind, multivalued, choices: Vec::new() };
    match (object, name) {
        (_, "IsSoftDeleted") => Some(of(AttributeType::Boolean, false)),
        (ObjectType::User, "originalUserPrincipalName") => Some(of(AttributeType::String, false)),
        (ObjectType::User, "appRoleAssignments")
        | (ObjectType::Group, "members")
        | (_, MEMBER_OF | TRANSITIVE_MEMBER_OF) => Some(of(AttributeType::String, true)),
        _ => {
            let kind = if object == ObjectType::User { ObjectKind::User } else { ObjectKind::Group };
            let kept = directory::attribute_named(kind, kept_as(name))?;
            let choices = kept.choices.iter().map(|choice| (*choice).to_owned()).collect();
            Some(SourceAttribute { choices, ..of(attribute_type(kept.kind), kept.multi_valued) })
        }
    }
}

const fn attribute_type(kind: directory::AttributeType) -> AttributeType {
    match kind {
        directory::AttributeType::String => AttributeType::String,
        directory::AttributeType::Boolean => AttributeType::Boolean,
        directory::AttributeType::Integer => AttributeType::Integer,
        directory::AttributeType::DateTime => AttributeType::DateTime,
        directory::AttributeType::Reference => AttributeType::Reference,
    }
}

/// A user with what an application's mappings may ask of it.
pub struct UserSource<'a> {
    /// The user.
    pub user: &'a User,
    /// The roles the user has in the application.
    pub entitlements: &'a [EntitlementRecord],
    /// The virtual attribute `IsSoftDeleted`: whether the account is to be switched off.
    pub is_soft_deleted: bool,
}

impl Source for UserSource<'_> {
    fn attribute(&self, name: &str) -> Value {
        match name {
            "objectId" => Value::Text(self.user.id.to_string()),
            "userPrincipalName" => Value::Text(guest_user_principal_name(&self.user.user_principal_name)),
            ORIGINAL_NAME => Value::Text(self.user.user_principal_name.clone()),
            "displayName" => Value::Text(self.user.display_name.clone()),
            "accountEnabled" => boolean(self.user.account_enabled),
            "IsSoftDeleted" => boolean(self.is_soft_deleted),
            "manager" => self.user.manager.map_or(Value::Null, |id| Value::Text(id.to_string())),
            "createdDateTime" => Value::Text(self.user.created.to_string()),
            "appRoleAssignments" => Value::List(self.entitlements.iter().map(role_text).collect()),
            _ => self.user.attributes.get(kept_as(name)).map_or(Value::Null, Value::from_json),
        }
    }
}

/// A group with what an application's mappings may ask of it.
pub struct GroupSource<'a> {
    /// The group.
    pub group: &'a Group,
    /// The virtual attribute `IsSoftDeleted`: whether it is to be switched off.
    pub is_soft_deleted: bool,
}

impl Source for GroupSource<'_> {
    fn attribute(&self, name: &str) -> Value {
        match name {
            "objectId" => Value::Text(self.group.id.to_string()),
            "displayName" => Value::Text(self.group.display_name.clone()),
            "securityEnabled" => boolean(self.group.security_enabled),
            "IsSoftDeleted" => boolean(self.is_soft_deleted),
            "createdDateTime" => Value::Text(self.group.created.to_string()),
            _ => self.group.attributes.get(kept_as(name)).map_or(Value::Null, Value::from_json),
        }
    }
}

fn boolean(value: bool) -> Value {
    Value::Text(if value { "True" } else { "False" }.to_owned())
}

fn role_text(entitlement: &EntitlementRecord) -> String {
    let principal = if entitlement.direct { "User" } else { "Group" };
    serde_json::json!({
        "id": entitlement.role.id.to_string(),
        "value": entitlement.role.value,
        "displayName": entitlement.role.display_name,
        "principalType": principal,
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_directory_and_the_virtual_ones() {
        for (object, name, expected) in [
            (ObjectType::User, "jobTitle", None),
            (ObjectType::User, "objectId", None),
            (ObjectType::User, "manager", None),
            (ObjectType::User, "IsSoftDeleted", None),
            (ObjectType::User, "appRoleAssignments", None),
            (ObjectType::User, "originalUserPrincipalName", None),
            (ObjectType::User, "extensionAttribute15", None),
            (ObjectType::User, "extension_9d98asd_costCenter", None),
            (ObjectType::Group, "members", None),
            (ObjectType::User, "dirSyncEnabled", None),
            (ObjectType::User, "manager.immutableId", None),
            (ObjectType::Group, "dirSyncEnabled", None),
            (ObjectType::Group, "immutableId", Some("is not an attribute of groups")),
            (ObjectType::User, "manager.department", None),
            (ObjectType::User, "manager.objectId", None),
            (ObjectType::User, "manager.manager", None),
            (ObjectType::User, "memberOf", None),
            (ObjectType::Group, "transitiveMemberOf", None),
            (ObjectType::User, "manager.departmnt", Some("is not an attribute of users; did you mean `department`?")),
            (ObjectType::User, "manager.manager.department", Some("goes too far: attributes of the manager")),
            (ObjectType::User, "manager.memberOf", Some("goes too far: attributes of the manager")),
            (ObjectType::User, "manager.appRoleAssignments", Some("cannot be read of a manager")),
            (ObjectType::Group, "manager.department", Some("is not an attribute of groups")),
            (ObjectType::Group, "description", None),
            (ObjectType::User, "jobTitel", Some("is not an attribute of users; did you mean `jobTitle`?")),
            (ObjectType::User, "jobtitle", Some("is not an attribute of users; did you mean `jobTitle`?")),
            (ObjectType::User, "firstName", Some("is not an attribute of users; did you mean `givenName`?")),
            (ObjectType::User, "frstName", Some("is not an attribute of users; did you mean `givenName`?")),
            (ObjectType::User, "isSoftDeleted", Some("is not an attribute of users; did you mean `IsSoftDeleted`?")),
            (ObjectType::User, "nosuch", Some("is not an attribute of users; users have those of Entra")),
            (ObjectType::User, "members", Some("is not an attribute of users; ")),
            (ObjectType::Group, "department", Some("is not an attribute of groups; groups have description")),
            (ObjectType::Group, "member", Some("is not an attribute of groups; did you mean `members`?")),
        ] {
            let problem = unknown_attribute(object, name);
            let begins = |expected: &str| problem.as_ref().is_some_and(|problem| problem.starts_with(expected));
            assert!(expected.map_or(problem.is_none(), begins), "{name}: {problem:?}");
        }
    }
}
