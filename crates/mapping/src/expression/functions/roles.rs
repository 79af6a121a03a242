//! Functions of `appRoleAssignments`: a list whose elements are the JSON text of `{id, value, displayName}` and, where it
//! is known, `principalType` (`User` for a direct assignment, `Group` for one through a group).
//! The shapes that go on the wire in POST and PATCH are made by the provisioning engine from these texts.

use serde::{Deserialize, Serialize};

use super::super::evaluate::{Arguments, Evaluated, Interrupt};
use crate::value::Value;

/// The `type` that Entra gives every role it writes.
const ROLE_TYPE: &str = "WindowsAzureActiveDirectoryRole";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    id: Option<String>,
    value: Option<String>,
    display_name: Option<String>,
    principal_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Role<'a> {
    id: Option<&'a str>,
    value: Option<&'a str>,
    display_name: Option<&'a str>,
}

#[derive(Serialize)]
struct AssertedRole<'a> {
    primary: bool,
    r#type: &'static str,
    display: Option<&'a str>,
    value: Option<&'a str>,
}

impl Assignment {
    /// What names the role: its value, else its display name.
    fn name(&self) -> Option<&str> {
        [&self.value, &self.display_name].into_iter().flatten().map(String::as_str).find(|name| !name.is_empty())
    }

    fn is_through_group(&self) -> bool {
        self.principal_type.as_deref() == Some("Group")
    }
}

/// One role by name: a direct assignment before one through a group, then in order of the name.
pub(super) fn single(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let assignments = assignments(arguments)?;
    let named = assignments.iter().filter_map(|assignment| Some((assignment.is_through_group(), assignment.name()?)));
    Ok(named.min().map(|(_, name)| name.to_owned()).into())
}

/// Every role as the JSON text `{id, value, displayName}`.
pub(super) fn complex(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let assignments = assignments(arguments)?;
    let role = |assignment: &Assignment| {
        json_text(&Role {
            id: assignment.id.as_deref(),
            value: assignment.value.as_deref(),
            display_name: assignment.display_name.as_deref(),
        })
    };
    Ok(list(assignments.iter().map(role).collect()))
}

/// Every role as the JSON text `{primary, type, display, value}`.
pub(super) fn assertive_complex(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let assignments = assignments(arguments)?;
    let role = |assignment: &Assignment| {
        json_text(&AssertedRole {
            primary: false,
            r#type: ROLE_TYPE,
            display: assignment.display_name.as_deref(),
            value: assignment.name(),
        })
    };
    Ok(list(assignments.iter().map(role).collect()))
}

fn list(roles: Vec<String>) -> Value {
    if roles.is_empty() { Value::Null } else { Value::List(roles) }
}

fn json_text(role: &impl Serialize) -> String {
    serde_json::to_string(role).expect("a struct of texts and a boolean is always JSON")
}

fn assignments(arguments: &mut Arguments<'_, '_, '_>) -> Result<Vec<Assignment>, Interrupt> {
    let texts = match arguments.value(0)? {
        Value::Null => return Ok(Vec::new()),
        Value::Text(text) => vec![text],
        Value::List(texts) => texts,
    };
    let parsed: Result<Vec<Assignment>, _> = texts.iter().map(|text| serde_json::from_str(text)).collect();
    parsed.map_err(|_| arguments.refuse("the argument holds something that is no app role assignment"))
}
