//! How the roles that the functions of `appRoleAssignments` give are written.

use mapping::{AttributeMapping, Value as Mapped};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::target_path::TargetPath;

/// The source attribute of roles.
pub const APP_ROLE_ASSIGNMENTS: &str = "appRoleAssignments";
/// The `type` that Entra gives every role it writes.
pub const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// The function that made roles of a value, and what is written by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roles {
    /// `SingleAppRoleAssignment`: one role.
    Single,
    /// `AppRoleAssignmentsComplex`: roles that are added and never taken away. Each with the element that it becomes, and the
    /// text by which Entra's own dialect adds it.
    Complex(Vec<(Value, String)>),
    /// `AssertiveAppRoleAssignmentsComplex`: all roles there are to be.
    Assertive,
}

/// What `AppRoleAssignmentsComplex` tells of a role.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    value: Option<String>,
    display_name: Option<String>,
}

impl Roles {
    /// Whether a mapping takes away every role that the source does not have.
    pub fn asserts(attribute: &AttributeMapping) -> bool {
        attribute.source.uses_function("AssertiveAppRoleAssignmentsComplex")
    }

    pub(super) fn of(attribute: &AttributeMapping, path: &TargetPath, value: &Mapped) -> Option<Self> {
        let is_roles = path.extension().is_none() && path.whole_attribute() == "roles";
        if is_roles
            && path.sub_attribute() == Some("value")
            && attribute.source.uses_function("SingleAppRoleAssignment")
        {
            return Some(Self::Single);
        }
        if !path.is_list_of_objects() {
            return None;
        }
        if Self::asserts(attribute) {
            return Some(Self::Assertive);
        }
        let texts = match value {
            Mapped::List(texts) => texts.as_slice(),
            Mapped::Text(text) => std::slice::from_ref(text),
            Mapped::Null => return None,
        };
        let uses = attribute.source.uses_function("AppRoleAssignmentsComplex");
        let mut roles: Vec<(Value, String)> = Vec::new();
        for text in texts.iter().filter(|_| uses) {
            let (element, text) = element(text)?;
            if !roles.iter().any(|(other, _)| *other == element) {
                roles.push((element, text));
            }
        }
        (!roles.is_empty()).then_some(Self::Complex(roles))
    }

    /// What is written in place of the mapped texts, where that is something else.
    pub(super) fn elements(&self) -> Option<Value> {
        match self {
            Self::Complex(roles) => Some(roles.iter().map(|(element, _)| element.clone()).collect()),
            Self::Single | Self::Assertive => None,
        }
    }

    /// How Entra's own dialect adds an element to an account: as text that holds JSON.
    pub fn as_text(&self, element: &Value) -> Option<Value> {
        let Self::Complex(roles) = self else { return None };
        roles.iter().find(|(other, _)| other == element).map(|(_, text)| json!({ "value": text }))
    }
}

/// The element that a role becomes at creation, and its text.
fn element(text: &str) -> Option<(Value, String)> {
    let told: Told = serde_json::from_str(text).ok()?;
    let named = |name: Option<String>| name.filter(|name| !name.is_empty());
    let display = named(told.display_name);
    let value = named(told.value).or_else(|| display.clone())?;
    let mut element = json!({ "primary": false, "type": ROLE_TYPE, "value": value });
    if let Some(display) = display {
        element["display"] = display.into();
    }
    Some((element, text.to_owned()))
}
