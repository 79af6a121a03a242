//! Which attributes the operations of a PATCH name, so that an answer can show what is shown on request only (RFC 7643 §7).

use serde_json::Value;

use super::{Op, Operation, PatchOp, list};
use crate::resource_type::{Target, unknown_path};
use crate::{AttributePath, ResourceType, ScimError};

impl PatchOp {
    /// What [`Self::apply`] refuses of the paths whatever the resource is, for a server that has none to apply it to.
    ///
    /// # Errors
    /// `noTarget` for a remove without path, `invalidPath` for a path that leads nowhere, `invalidFilter` for what its brackets compare.
    pub fn check_paths(&self, resource_type: &ResourceType) -> Result<(), ScimError> {
        self.operations.iter().try_for_each(|operation| check_path(operation, resource_type))
    }

    /// The attributes that the operations name, without filters and sub-attributes; names that lead nowhere are left out.
    pub fn named(&self, resource_type: &ResourceType) -> Vec<AttributePath> {
        let mut named = Vec::new();
        for operation in &self.operations {
            match &operation.path {
                Some(path) => add(resource_type, path, operation.value.as_ref(), &mut named),
                None => add_keys(resource_type, None, operation.value.as_ref(), &mut named),
            }
        }
        named
    }
}

fn check_path(operation: &Operation, resource_type: &ResourceType) -> Result<(), ScimError> {
    let Some(path) = &operation.path else {
        return if operation.op == Op::Remove { Err(super::edit::no_path()) } else { Ok(()) };
    };
    match (resource_type.target(path), &path.filter) {
        (Some(Target::Attribute(found)), Some(filter)) => list::matcher(found.attribute, filter).map(drop),
        (Some(Target::Attribute(_) | Target::Extension(_)), None) => Ok(()),
        (Some(Target::Core), None) if operation.op != Op::Remove => Ok(()),
        (Some(Target::Extension(_) | Target::Core) | None, _) => Err(unknown_path(&path.to_string())),
    }
}

fn add(resource_type: &ResourceType, path: &AttributePath, value: Option<&Value>, named: &mut Vec<AttributePath>) {
    match resource_type.target(path) {
        Some(Target::Attribute(found)) => named.push(plain(found.extension, &found.attribute.name)),
        Some(Target::Extension(schema)) => add_keys(resource_type, Some(&schema.id), value, named),
        Some(Target::Core) => add_keys(resource_type, None, value, named),
        None => {}
    }
}

/// Adds what the keys of a value name: attributes of an extension, or at the top anything that a path can name.
fn add_keys(
    resource_type: &ResourceType,
    extension: Option<&str>,
    value: Option<&Value>,
    named: &mut Vec<AttributePath>,
) {
    for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
        if let Some(attribute) = resource_type.level(extension, name) {
            named.push(plain(extension, &attribute.name));
        } else if extension.is_none()
            && let Some(path) = AttributePath::of_key(name)
            && resource_type.target(&path) != Some(Target::Core)
        {
            add(resource_type, &path, Some(value), named);
        }
    }
}

fn plain(extension: Option<&str>, attribute: &str) -> AttributePath {
    AttributePath {
        urn: extension.map(str::to_owned),
        attribute: attribute.to_owned(),
        filter: None,
        sub_attribute: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{ENTERPRISE_USER_URN, PATCH_OP_URN};

    #[test]
    fn everything_that_operations_name() {
        let operations = json!([
            { "op": "add", "path": "EMAILS[type eq \"work\"].value", "value": "a" },
            { "op": "replace", "value": { "title": "t", "name.givenName": "g", ENTERPRISE_USER_URN: { "department": "d" }, "nothing": 1 } },
            { "op": "remove", "path": format!("{ENTERPRISE_USER_URN}:manager") },
        ]);
        let patch = PatchOp::read(json!({ "schemas": [PATCH_OP_URN], "Operations": operations })).unwrap();
        let named: Vec<String> = patch.named(&ResourceType::user()).iter().map(ToString::to_string).collect();
        let (department, manager) =
            (format!("{ENTERPRISE_USER_URN}:department"), format!("{ENTERPRISE_USER_URN}:manager"));
        for name in ["emails", "title", "name", department.as_str(), manager.as_str()] {
            assert!(named.contains(&name.to_owned()), "{name} of {named:?}");
        }
        assert_eq!(named.len(), 5);
    }
}
