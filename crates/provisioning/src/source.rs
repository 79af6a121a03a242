//! The source object as mappings and filters see it: Entra's attribute names over a directory object.

use directory::{Group, User};
use mapping::{Source, Value, guest_user_principal_name};
use store::applications::EntitlementRecord;

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
            "originalUserPrincipalName" => Value::Text(self.user.user_principal_name.clone()),
            "displayName" => Value::Text(self.user.display_name.clone()),
            "accountEnabled" => boolean(self.user.account_enabled),
            "IsSoftDeleted" => boolean(self.is_soft_deleted),
            "manager" => self.user.manager.map_or(Value::Null, |id| Value::Text(id.to_string())),
            "appRoleAssignments" => Value::List(self.entitlements.iter().map(role_text).collect()),
            _ => self.user.attributes.get(name).map_or(Value::Null, Value::from_json),
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
            _ => self.group.attributes.get(name).map_or(Value::Null, Value::from_json),
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
