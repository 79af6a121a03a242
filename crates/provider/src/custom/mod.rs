//! What a tenant defines itself: schemas, extensions of users and groups, resource types (RFC 7643 §6, §7), as one document.
//!
//! Reading the document is here and in `resource_types`, checking it as a whole against the tenant's profile in `compile`, keeping and
//! changing it in `change`, over the network in `by_token` and `tag`, what changing means for resources that are there in `fit`, and the compiled ones that are at hand in `compiled`.

mod by_token;
mod change;
mod compile;
mod compiled;
mod fit;
mod resource_types;
mod tag;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use scim::Schema;
use serde_json::{Map, Value, json};
use store::StoreError;
use store::resources::CustomKind;

pub use by_token::{Definer, RESOURCES_CHECKED_BY_TOKEN_MAX, define, definition};
pub use change::{SchemaChange, clear_schemas, schemas, set_schemas};
pub(crate) use compiled::profile_of;
pub use fit::RESOURCES_CHECKED_MAX;
use resource_types::{TypeDefinition, is_reserved_name};
pub use tag::{DefinitionTag, TagCondition};

/// Longest document, in bytes: what a tenant defines is kept compiled in memory.
pub const SCHEMA_BYTES_MAX: usize = 512 << 10;
/// Most schemas of a document.
pub const SCHEMAS_MAX: usize = 50;
/// Most resource types of a document.
pub const RESOURCE_TYPES_MAX: usize = 50;
/// Most attributes, with their sub-attributes, of a document.
pub const ATTRIBUTES_MAX: usize = 2000;

/// A definition is not taken, or not now.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It is wrong in itself, or does not go with the tenant's profile.
    #[error("{0}")]
    Wrong(String),
    /// Resources that are there are in the way.
    #[error("{0}")]
    InTheWay(String),
    /// What is defined is not what the client knew.
    #[error("the definition was changed meanwhile; get it again, and change that")]
    Changed,
    /// The store failed; for the log, never for the client.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a tenant defines, read and not yet checked against its profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomSchemas {
    schemas: Vec<Schema>,
    types: Vec<TypeDefinition>,
    /// Whether it is a list from another server, in which what is built in here is left out.
    is_listing: bool,
}

/// The numbers of resource types by their names, also of those that are gone: a number is never used again.
pub(crate) type Kinds = BTreeMap<String, CustomKind>;

impl CustomSchemas {
    /// Reads a document: `{"schemas": […], "resourceTypes": […]}`, or schemas and resource types as another server lists them (one, a
    /// list, or a ListResponse).
    ///
    /// # Errors
    /// One sentence with the schema, the attribute and the cure.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > SCHEMA_BYTES_MAX {
            return Err(format!(
                "the document has {} bytes, more than {SCHEMA_BYTES_MAX}; leave something out",
                text.len()
            ));
        }
        let value = scim::parse_json(text.as_bytes())
            .map_err(|error| format!("the document is not JSON that can be used: {}; correct it", error.detail))?;
        Self::of(&value)
    }

    /// Takes a document that is JSON already.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn of(value: &Value) -> Result<Self, String> {
        let listed = match value {
            Value::Array(listed) => listed.as_slice(),
            Value::Object(object) => match find(object, "Resources") {
                Some(Value::Array(listed)) => listed.as_slice(),
                _ if object.contains_key("attributes") || object.contains_key("endpoint") => {
                    std::slice::from_ref(value)
                }
                _ => return Self::of_document(object),
            },
            _ => return Err("the document must be a JSON object with schemas and resourceTypes".to_owned()),
        };
        let mut read = Self { is_listing: true, ..Self::default() };
        for one in listed {
            let is_type = one.as_object().is_some_and(|object| find(object, "endpoint").is_some());
            if is_protocols_own(one, is_type) {
                continue;
            }
            if is_type { read.add_type(one)? } else { read.add_schema(one)? }
        }
        Ok(read)
    }

    fn of_document(object: &Map<String, Value>) -> Result<Self, String> {
        let mut read = Self::default();
        for (name, value) in object {
            let Value::Array(listed) = value else {
                return Err(format!("{} must be a list; put its value in brackets", shown(name)));
            };
            if name.eq_ignore_ascii_case("schemas") {
                listed.iter().try_for_each(|one| read.add_schema(one))?;
            } else if name.eq_ignore_ascii_case("resourceTypes") {
                listed.iter().try_for_each(|one| read.add_type(one))?;
            } else {
                return Err(format!("{} is neither schemas nor resourceTypes; leave it out", shown(name)));
            }
        }
        Ok(read)
    }

    fn add_schema(&mut self, given: &Value) -> Result<(), String> {
        if self.schemas.len() >= SCHEMAS_MAX {
            return Err(format!("the document has more than {SCHEMAS_MAX} schemas; leave some out"));
        }
        self.schemas.push(Schema::read(given).map_err(|error| error.detail)?);
        Ok(())
    }

    fn add_type(&mut self, given: &Value) -> Result<(), String> {
        if self.types.len() >= RESOURCE_TYPES_MAX {
            return Err(format!("the document has more than {RESOURCE_TYPES_MAX} resource types; leave some out"));
        }
        self.types.push(TypeDefinition::read(given)?);
        Ok(())
    }

    /// Whether nothing is defined.
    pub fn is_empty(&self) -> bool {
        self.schemas.is_empty() && self.types.is_empty()
    }

    /// What setting this is called in the audit log.
    pub fn activity(&self) -> &'static str {
        if self.is_empty() { "Clear tenant schemas" } else { "Set tenant schemas" }
    }

    /// The document as [`Self::read`] takes it.
    pub fn to_json(&self) -> Value {
        json!({ "schemas": self.schemas, "resourceTypes": self.types.iter().map(TypeDefinition::to_json).collect::<Vec<_>>() })
    }

    /// The stored form: the document with the numbers of its resource types.
    fn stored(&self, kinds: &Kinds) -> String {
        json!({ "kinds": kinds, "definition": self.to_json() }).to_string()
    }

    /// Reads the stored form.
    fn from_stored(text: &str) -> Result<(Self, Kinds), String> {
        let mut value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let kinds = serde_json::from_value(value["kinds"].take()).map_err(|error| error.to_string())?;
        Ok((Self::of(&value["definition"])?, kinds))
    }
}

/// Whether what another server lists describes what every server has. It is left out unread: the schema of schemas is of a form that no
/// other may have (RFC 7643 §7), and some servers list the resource types of discovery too.
fn is_protocols_own(given: &Value, is_type: bool) -> bool {
    let text = |name: &str| given.as_object().and_then(|object| find(object, name)?.as_str());
    let is_meant = |name: &str| text(name).is_some_and(compile::is_built_in_urn);
    if is_type { text("name").is_some_and(is_reserved_name) && is_meant("schema") } else { is_meant("id") }
}

fn find<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let value = object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
    value.filter(|value| !value.is_null())
}

/// What somebody wrote, short and without anything that steers a terminal.
fn shown(text: &str) -> String {
    let shown: String = text.chars().take(scim::limits::ECHO_CHARS_MAX).flat_map(char::escape_default).collect();
    format!("'{shown}'")
}
