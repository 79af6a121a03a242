//! Resource types as data (RFC 7643 §6): one entry of `resourceTypes`, read and checked by itself.

use serde_json::{Map, Value, json};

use super::{find, shown};

/// Longest name and endpoint of a resource type, in bytes.
pub const TYPE_NAME_BYTES_MAX: usize = 64;

/// Names that discovery has given away (RFC 7643 §5 to §7).
const RESERVED_NAMES: [&str; 3] = ["Schema", "ResourceType", "ServiceProviderConfig"];
/// Addresses that the protocol has given away (RFC 7644 §3.2, §3.11, §4).
const RESERVED_ENDPOINTS: [&str; 8] =
    ["Users", "Groups", "Schemas", "ResourceTypes", "ServiceProviderConfig", "Bulk", "Me", ".search"];

/// One resource type as it was defined, or what is added to users or groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TypeDefinition {
    pub(super) name: String,
    /// Without slashes.
    pub(super) endpoint: Option<String>,
    pub(super) description: String,
    /// The URN of its schema.
    pub(super) schema: Option<String>,
    /// The URNs of its extensions, with whether a resource must have them.
    pub(super) extensions: Vec<(String, bool)>,
}

impl TypeDefinition {
    pub(super) fn read(given: &Value) -> Result<Self, String> {
        let Value::Object(given) = given else {
            return Err("a resource type must be a JSON object with name, endpoint and schema".to_owned());
        };
        let Some(name) = text(given, "", "name")? else {
            return Err("a resource type has no 'name'; give it one, such as Device".to_owned());
        };
        check_name(&name)?;
        let endpoint = text(given, &name, "endpoint")?.map(|endpoint| read_endpoint(&name, &endpoint)).transpose()?;
        let schema = text(given, &name, "schema")?;
        let description = text(given, &name, "description")?.unwrap_or_default();
        let mut extensions: Vec<(String, bool)> = Vec::new();
        let listed = match find(given, "schemaExtensions") {
            None => &[],
            Some(Value::Array(listed)) => listed.as_slice(),
            Some(_) => return Err(format!("resource type '{name}': schemaExtensions must be a list of objects")),
        };
        for one in listed {
            let (urn, required) = extension(&name, one)?;
            if extensions.iter().any(|(known, _)| known.eq_ignore_ascii_case(&urn)) {
                return Err(format!("resource type '{name}' names the extension {} twice; leave one out", shown(&urn)));
            }
            extensions.push((urn, required));
        }
        Ok(Self { name, endpoint, description, schema, extensions })
    }

    pub(super) fn to_json(&self) -> Value {
        let extensions =
            self.extensions.iter().map(|(schema, required)| json!({ "schema": schema, "required": required }));
        let mut value = json!({ "name": self.name, "schemaExtensions": extensions.collect::<Vec<_>>() });
        let facts = [
            ("endpoint", self.endpoint.as_ref().map(|endpoint| format!("/{endpoint}"))),
            ("description", Some(self.description.clone()).filter(|text| !text.is_empty())),
            ("schema", self.schema.clone()),
        ];
        if let Value::Object(object) = &mut value {
            object.extend(facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), fact?.into()))));
        }
        value
    }
}

fn text(given: &Map<String, Value>, of: &str, name: &str) -> Result<Option<String>, String> {
    match find(given, name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= scim::limits::DESCRIPTION_BYTES_MAX => Ok(Some(text.clone())),
        Some(_) => Err(format!("resource type '{of}': {name} must be a short text")),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_name = name.len() <= TYPE_NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !is_name {
        return Err(format!(
            "{} is no name of a resource type: it has 1 to {TYPE_NAME_BYTES_MAX} letters, digits, - and _, and begins with a letter",
            shown(name)
        ));
    }
    if is_reserved_name(name) {
        return Err(format!("the resource type '{name}' has a name that discovery uses itself; choose another"));
    }
    Ok(())
}

fn read_endpoint(name: &str, given: &str) -> Result<String, String> {
    let endpoint = given.strip_prefix('/').unwrap_or(given);
    let is_segment = !endpoint.is_empty()
        && endpoint.len() <= TYPE_NAME_BYTES_MAX
        && endpoint.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
        && endpoint.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !is_segment {
        return Err(format!(
            "resource type '{name}': the endpoint {} must be one part of an address, such as /Devices",
            shown(given)
        ));
    }
    let is_built_in = is_built_in(name);
    let taken = RESERVED_ENDPOINTS.iter().find(|reserved| reserved.eq_ignore_ascii_case(endpoint));
    let starts_hidden = endpoint.starts_with('.');
    // The suffix of RFC 7644 §3.8 is taken off before anybody looks for an endpoint.
    let has_suffix = endpoint.to_ascii_lowercase().ends_with(".scim");
    if !is_built_in && (taken.is_some() || starts_hidden || has_suffix) {
        return Err(format!(
            "resource type '{name}': the endpoint /{endpoint} is the protocol's own, in any case; choose another"
        ));
    }
    Ok(endpoint.to_owned())
}

/// Whether the name is that of what discovery itself answers.
pub(super) fn is_reserved_name(name: &str) -> bool {
    RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Whether the name is that of a resource type which is there already.
pub(super) fn is_built_in(name: &str) -> bool {
    ["User", "Group"].iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn extension(name: &str, given: &Value) -> Result<(String, bool), String> {
    let refused = || {
        format!(
            "resource type '{name}': an entry of schemaExtensions must be {{\"schema\": URN, \"required\": BOOLEAN}}"
        )
    };
    let given = given.as_object().ok_or_else(refused)?;
    let urn = find(given, "schema").and_then(Value::as_str).ok_or_else(refused)?;
    let required = match find(given, "required") {
        None => false,
        Some(required) => required.as_bool().ok_or_else(refused)?,
    };
    Ok((urn.to_owned(), required))
}
