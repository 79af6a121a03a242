//! What one attribute of a target is: an entry of the attribute list.

use serde::{Deserialize, Serialize};

/// The type of an attribute (Graph `attributeType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Integer,
    /// Another object.
    Reference,
    /// Bytes in base64.
    Binary,
    /// True or false.
    Boolean,
    /// An instant.
    DateTime,
}

/// Who may write an attribute (Graph `mutability`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mutability {
    /// Read and written.
    #[default]
    ReadWrite,
    /// The target writes it.
    ReadOnly,
    /// Written when the object is created, never changed.
    Immutable,
    /// Written, never told.
    WriteOnly,
}

/// What a reference attribute points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReferencedObject {
    /// The name of the object definition, such as `User`.
    pub referenced_object_name: String,
    /// The attribute that is pointed at; the primary key where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referenced_property: Option<String>,
}

/// One attribute of the target, as an administrator's attribute list has it (Graph `attributeDefinition`). Where a list has no entry, the
/// definition of RFC 7643 counts, and what that does not define is text.
///
/// In data files keys are in camel case and what is left out has its default; unknown keys are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact, and Graph's definition has them so")]
pub struct AttributeDefinition {
    /// The name: a SCIM path, as in the mappings of it. Unique within its list.
    pub name: String,
    /// Its type.
    #[serde(default, rename = "type", skip_serializing_if = "is_default")]
    pub kind: AttributeType,
    /// Whether it holds several values.
    #[serde(default, skip_serializing_if = "is_default")]
    pub multivalued: bool,
    /// Whether a difference of case alone is a change that is written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub case_exact: bool,
    /// Objects cannot be created without it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// Who may write it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mutability: Mutability,
    /// The primary key: one per object, never a target of a mapping.
    #[serde(default, skip_serializing_if = "is_default")]
    pub anchor: bool,
    /// What a required attribute gets at creation when its mapping yields nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_value: Option<String>,
    /// What a reference points at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub referenced_objects: Vec<ReferencedObject>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
