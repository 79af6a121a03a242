//! A job as the file says it. The same job is written the same way, byte by byte.

use mapping::ObjectMapping;
use serde_json::{Value, json};

use super::text::{line, ordered, rows};
use super::{AssignmentRow, JobConfiguration, PlainSettings};
use crate::gallery::Template;

/// Begins every file; whoever writes one over another looks whether that begins so.
pub(super) const HEAD: &str = "\
# A provisioning job of Lockstep, to be kept under version control. No secret token is in it.
#   lockstep config diff FILE    shows what the file would change
#   lockstep config apply FILE   shows it, asks, and changes it
# A setting that is left out has its default. What stands under roles, mappings and assignments is all there is to be;
# each of these that is left out stays as it is.
";

impl JobConfiguration {
    /// What every file begins with.
    pub const HEAD: &'static str = HEAD;

    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let mut out = String::from(HEAD);
        out.push('\n');
        self.write_settings(&mut out);
        if let Some(objects) = &self.objects {
            out.push_str(&mappings_text(objects));
        }
        self.write_assignments(&mut out);
        out
    }

    fn write_settings(&self, out: &mut String) {
        line(out, "name", &json!(self.name));
        line(out, "template", &json!(self.template));
        if let Some(url) = &self.tenant_url {
            line(out, "tenantUrl", &json!(url));
        }
        if let Some(on) = self.on {
            line(out, "status", &json!(if on { "on" } else { "off" }));
        }
        let defaults = Template::by_name(&self.template).map(PlainSettings::default_of);
        let default_members = defaults.map(PlainSettings::members).unwrap_or_default();
        for (name, value) in self.settings.members() {
            if !default_members.contains(&(name, value.clone())) {
                line(out, name, &value);
            }
        }
        if let Some(roles) = &self.roles {
            line(out, "roles", &json!(roles));
        }
    }

    fn write_assignments(&self, out: &mut String) {
        if self.users.is_none() && self.groups.is_none() {
            return;
        }
        out.push_str("\n[assignments]\n");
        for (name, list) in [("users", &self.users), ("groups", &self.groups)] {
            if let Some(list) = list {
                let list: Vec<Value> = list.iter().map(assignment).collect();
                rows(out, name, list.iter());
            }
        }
    }
}

fn assignment(row: &AssignmentRow) -> Value {
    json!({ "name": row.name, "id": row.id, "role": row.role })
}

/// Mappings as they stand in the file.
pub fn mappings_text(objects: &[ObjectMapping]) -> String {
    let mut out = String::new();
    if objects.is_empty() {
        out.push_str("mappings = []\n");
    }
    for object in objects {
        // A mapping that serde_json could not write could not have been read or stored either.
        let value = serde_json::to_value(object).unwrap_or_default();
        write_object(&mut out, &value);
    }
    out
}

fn write_object(out: &mut String, object: &Value) {
    out.push_str("\n[[mappings]]\n");
    let (mut lists, mut groups) = (Vec::new(), Vec::new());
    for (name, value) in ordered(object).filter(|(name, value)| !is_default(name, value)) {
        match value.as_array() {
            Some(list) if list.iter().any(holds_rows) => groups.push((name, list)),
            Some(list) if list.iter().any(Value::is_object) || name == "attributes" => lists.push((name, list)),
            _ => line(out, name, value),
        }
    }
    for (name, list) in lists {
        rows(out, name, list.iter());
    }
    for (name, list) in groups {
        for group in list {
            out.extend(["\n[[mappings.", name, "]]\n"]);
            for (name, value) in ordered(group) {
                match value.as_array() {
                    Some(list) => rows(out, name, list.iter()),
                    None => line(out, name, value),
                }
            }
        }
    }
}

/// Whether this is a table with lists of its own, as a filter is.
fn holds_rows(value: &Value) -> bool {
    value.as_object().is_some_and(|members| members.values().any(Value::is_array) && members.contains_key("clauses"))
}

/// What an object mapping has unless it is told.
fn is_default(name: &str, value: &Value) -> bool {
    match name {
        "enabled" => *value == json!(true),
        "flowTypes" => *value == json!(["Add", "Update", "Delete"]),
        "scoping" => *value == json!([]),
        _ => false,
    }
}
