//! Schemas as data (RFC 7643 §7, §8.7) and the names of the protocol's messages. What a resource type makes of them is in
//! `resource_type`.

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::echo;
use crate::limits::SCHEMA_ATTRIBUTES_MAX;
use crate::{ScimError, path};

/// The core User schema (RFC 7643 §4.1).
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The core Group schema (RFC 7643 §4.2).
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// The enterprise extension of User (RFC 7643 §4.3).
pub const ENTERPRISE_USER_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The schema of schemas (RFC 7643 §7).
pub const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
/// The schema of resource types (RFC 7643 §6).
pub const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
/// The schema of the service provider's configuration (RFC 7643 §5).
pub const SERVICE_PROVIDER_CONFIG_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
/// The answer to a query (RFC 7644 §3.4.2).
pub const LIST_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// A query by POST (RFC 7644 §3.4.3).
pub const SEARCH_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// The body of a PATCH (RFC 7644 §3.5.2).
pub const PATCH_OP_URN: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Many operations in one request (RFC 7644 §3.7).
pub const BULK_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The answer to a bulk request (RFC 7644 §3.7).
pub const BULK_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// The body of an error (RFC 7644 §3.12).
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An attribute's data type (RFC 7643 §2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Unicode text.
    #[default]
    String,
    /// `true` or `false`.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// An xsd:dateTime.
    DateTime,
    /// A URI, or the address of another resource.
    Reference,
    /// Base64 (RFC 4648 §4 or §5).
    Binary,
    /// An object of sub-attributes.
    Complex,
}

/// Who may change an attribute, and when (RFC 7643 §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Only the service provider sets it.
    ReadOnly,
    /// May change at any time.
    #[default]
    ReadWrite,
    /// Set once, never changed.
    Immutable,
    /// May be set, is never shown.
    WriteOnly,
}

/// When an attribute is part of an answer (RFC 7643 §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every answer.
    Always,
    /// In none.
    Never,
    /// Unless the request says otherwise.
    #[default]
    Default,
    /// Only when asked for.
    Request,
}

/// Among what an attribute's value is unique (RFC 7643 §7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Not unique.
    #[default]
    None,
    /// Within the service provider (here: a tenant).
    Server,
    /// In the world.
    Global,
}

macro_rules! words {
    ($kind:ident: $($variant:ident => $word:literal),* $(,)?) => {
        impl $kind {
            /// The word in a schema.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(Kind: String => "string", Boolean => "boolean", Decimal => "decimal", Integer => "integer", DateTime => "dateTime",
    Reference => "reference", Binary => "binary", Complex => "complex");
words!(Mutability: ReadOnly => "readOnly", ReadWrite => "readWrite", Immutable => "immutable", WriteOnly => "writeOnly");
words!(Returned: Always => "always", Never => "never", Default => "default", Request => "request");
words!(Uniqueness: None => "none", Server => "server", Global => "global");

/// One attribute definition (RFC 7643 §7). Left out of JSON: what has no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    /// The name, in the spelling that answers use.
    pub name: String,
    /// The data type; `type` in JSON.
    #[serde(rename = "type", default)]
    pub kind: Kind,
    /// Whether the value is a list.
    #[serde(default)]
    pub multi_valued: bool,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Whether a resource without it is refused.
    #[serde(default)]
    pub required: bool,
    /// Suggested values; others are accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub canonical_values: Vec<String>,
    /// Whether case counts when values are compared.
    #[serde(default)]
    pub case_exact: bool,
    /// Who may change it.
    #[serde(default)]
    pub mutability: Mutability,
    /// When it is answered.
    #[serde(default)]
    pub returned: Returned,
    /// Among what it is unique.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// What a reference may point to: resource type names, `external` or `uri`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute; never complex themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_attributes: Vec<Attribute>,
}

impl Attribute {
    /// An optional, single-valued, writable attribute of the given type; change its fields for anything else.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, case_exact: matches!(kind, Kind::Reference | Kind::Binary), ..Self::default() }
    }

    /// The sub-attribute of this name, in any case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.sub_attributes, name)
    }

    /// What a comparison with the attribute itself compares: its `value` if it is complex (RFC 7643 §2.4), otherwise itself.
    pub fn compared(&self) -> Option<&Attribute> {
        if self.kind == Kind::Complex { self.sub_attribute("value") } else { Some(self) }
    }
}

/// The definition of this name, in any case (RFC 7643 §2.1).
pub(crate) fn find<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A schema (RFC 7643 §7), made with [`Schema::new`] or read with [`Schema::read`]. `schemas` and `meta` of its representation are added by who answers.
///
/// `Deserialize` is for what this crate has written: it takes words as they stand and checks nothing. What people or other servers wrote is for
/// [`Schema::read`].
///
/// ```
/// use scim::{ResourceType, Returned, Schema};
/// use serde_json::json;
///
/// let badge = Schema::read(&json!({
///     "id": "urn:example:schemas:extension:1.0:Badge",
///     "attributes": [
///         { "name": "number", "type": "integer", "required": true },
///         { "name": "pin", "type": "String", "mutability": "writeOnly" },
///     ],
/// }))?;
/// assert_eq!(badge.attribute("PIN").map(|pin| pin.returned), Some(Returned::Never));
///
/// let users = ResourceType::user().with_extension(badge, false);
/// let refused = users.read(json!({
///     "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:example:schemas:extension:1.0:Badge"],
///     "userName": "ada@contoso.example",
///     "urn:example:schemas:extension:1.0:Badge": { "number": "seven" },
/// }));
/// let told = "'urn:example:schemas:extension:1.0:Badge:number' must be a whole number";
/// assert_eq!(refused.unwrap_err().detail, told);
/// # Ok::<(), scim::ScimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schema {
    /// Its URN.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// A schema of these attributes; [`Schema::check`] tells whether it is sound.
    pub fn new(id: impl Into<String>, name: impl Into<String>, attributes: Vec<Attribute>) -> Self {
        Self { id: id.into(), name: name.into(), description: String::new(), attributes }
    }

    /// The attribute of this name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }

    /// Checks a schema that was given as data, as a whole.
    ///
    /// # Errors
    /// `invalidValue` when the id is not a URN, a name breaks the grammar of RFC 7643 §2.1 or occurs twice, sub-attributes and types
    /// contradict each other, or there are too many attributes.
    pub fn check(&self) -> Result<(), ScimError> {
        if !path::is_urn(&self.id) {
            let detail = format!(
                "schema '{}': the id is not a URN; name it as in urn:example:schemas:1.0:Device",
                echo(&self.id)
            );
            return Err(ScimError::invalid_value(detail));
        }
        let count: usize = self.attributes.iter().map(|a| 1 + a.sub_attributes.len()).sum();
        if count > SCHEMA_ATTRIBUTES_MAX {
            let detail = format!(
                "schema '{}' has {count} attributes, more than {SCHEMA_ATTRIBUTES_MAX}; leave some out",
                echo(&self.id)
            );
            return Err(ScimError::invalid_value(detail));
        }
        check_attributes(&self.id, &self.attributes, false)
    }
}

/// Checks one level; `nested` is true for sub-attributes, below which there is nothing.
fn check_attributes(schema: &str, attributes: &[Attribute], nested: bool) -> Result<(), ScimError> {
    let mut names = HashSet::new();
    for attribute in attributes {
        let name = echo(&attribute.name);
        let refuse =
            |why: &str| Err(ScimError::invalid_value(format!("schema '{}', attribute '{name}': {why}", echo(schema))));
        if !path::is_attribute_name(&attribute.name) {
            return refuse(
                "the name must begin with a letter and go on with letters, digits, $, - and _ (RFC 7643 §2.1); rename it",
            );
        }
        if !names.insert(attribute.name.to_ascii_lowercase()) {
            return refuse("is defined twice, names being compared without case; leave one out");
        }
        if nested && (attribute.kind == Kind::Complex || !attribute.sub_attributes.is_empty()) {
            return refuse("a sub-attribute cannot be complex (RFC 7643 §2.3.8); make it an attribute of its own");
        }
        if (attribute.kind == Kind::Complex) == attribute.sub_attributes.is_empty() {
            return refuse("has sub-attributes exactly when its type is complex; change the type, or the list");
        }
        if !nested {
            check_attributes(schema, &attribute.sub_attributes, true)?;
        }
    }
    Ok(())
}

fn built_in(json: &str) -> Schema {
    serde_json::from_str(json).expect("the built-in schemas are read by a test")
}

/// The core User schema, whole.
pub fn core_user() -> Schema {
    built_in(include_str!("../schemas/user.json"))
}

/// The core Group schema; `displayName` is required (RFC errata 5368).
pub fn core_group() -> Schema {
    built_in(include_str!("../schemas/group.json"))
}

/// The enterprise extension of User.
pub fn enterprise_user() -> Schema {
    built_in(include_str!("../schemas/enterprise_user.json"))
}

/// The schemas of what a service provider tells of itself (RFC 7643 §5 to §7): its configuration, with the pagination of RFC 9865 §4, its
/// resource types, its schemas. The last one has a complex attribute within a sub-attribute, which only this schema may
/// have (§7), so [`Schema::check`] refuses it.
pub fn service_provider_schemas() -> [Schema; 3] {
    [
        include_str!("../schemas/service_provider_config.json"),
        include_str!("../schemas/resource_type.json"),
        include_str!("../schemas/schema.json"),
    ]
    .map(built_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_json() {
        for word in ["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"] {
            assert_eq!(serde_json::from_value::<Kind>(word.into()).unwrap().to_string(), word);
        }
        for word in ["readOnly", "readWrite", "immutable", "writeOnly"] {
            assert_eq!(serde_json::from_value::<Mutability>(word.into()).unwrap().to_string(), word);
        }
        for returned in [Returned::Always, Returned::Never, Returned::Default, Returned::Request] {
            assert_eq!(serde_json::to_value(returned).unwrap(), returned.to_string());
        }
        for uniqueness in [Uniqueness::None, Uniqueness::Server, Uniqueness::Global] {
            assert_eq!(serde_json::to_value(uniqueness).unwrap(), uniqueness.to_string());
        }
    }
}
