//! Where in the data of an operation a text can name a resource, and so can be a `bulkId:` (RFC 7644 §3.7.2). Elsewhere it is a text like
//! others: a name may begin with those letters.

use serde_json::{Map, Value};

use super::BulkMethod;
use crate::resource_type::{Resolved, Target};
use crate::schema::{Attribute, Kind};
use crate::{AttributePath, ENTERPRISE_USER_URN, GROUP_URN, ResourceType, Schema, USER_URN};

/// Attributes of RFC 7643 whose `value` is an id, also where a profile leaves `$ref` out, each with its schema: what others call so is text.
const NAMING_RESOURCES: [(&str, &str); 3] =
    [(GROUP_URN, "members"), (ENTERPRISE_USER_URN, "manager"), (USER_URN, "groups")];

/// A place in the data.
#[derive(Clone, Copy)]
pub(super) enum Place<'t> {
    /// In a resource of unknown type, where anything may be a reference.
    Anywhere,
    /// Where nothing is.
    Nowhere,
    /// The body of a PATCH.
    Patch(&'t ResourceType),
    /// Its operations.
    Operations(&'t ResourceType),
    /// In one of them, whose value belongs there.
    Operation(At<'t>),
    /// The path of one.
    Path,
    /// In the resource.
    In(At<'t>),
}

/// A place in a resource.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Top(&'t ResourceType),
    /// The attributes of one schema.
    Level(&'t Schema),
    /// One of them, with the URN of its schema.
    Attribute(&'t str, &'t Attribute),
    /// A part of a complex one.
    Part(&'t str, &'t Attribute, &'t Attribute),
    /// What nobody knows.
    Unknown,
}

impl<'t> Place<'t> {
    /// The whole data of an operation.
    pub(super) fn of(method: BulkMethod, resource_type: Option<&'t ResourceType>) -> Self {
        match (method, resource_type) {
            (_, None) => Self::Anywhere,
            (BulkMethod::Patch, Some(resource_type)) => Self::Patch(resource_type),
            (BulkMethod::Post | BulkMethod::Put | BulkMethod::Delete, Some(resource_type)) => {
                Self::In(At::Top(resource_type))
            }
        }
    }

    /// The same seen from within an object that stands there.
    pub(super) fn inside(self, object: &Map<String, Value>) -> Self {
        let Self::Operations(resource_type) = self else { return self };
        let path = object.iter().find(|(name, _)| name.eq_ignore_ascii_case("path"));
        Self::Operation(match path.map(|(_, path)| path) {
            None | Some(Value::Null) => At::Top(resource_type),
            Some(path) => {
                let path = path.as_str().and_then(|path| path.parse().ok());
                path.map_or(At::Unknown, |path| At::led_to(resource_type, &path))
            }
        })
    }

    /// Where a member of an object is.
    pub(super) fn at(self, name: &str) -> Self {
        match self {
            Self::Anywhere => self,
            Self::Patch(resource_type) if name.eq_ignore_ascii_case("Operations") => Self::Operations(resource_type),
            Self::Operation(_) if name.eq_ignore_ascii_case("path") => Self::Path,
            Self::Operation(at) if name.eq_ignore_ascii_case("value") => Self::In(at),
            Self::In(at) => Self::In(at.member(name)),
            Self::Nowhere | Self::Patch(_) | Self::Operations(_) | Self::Operation(_) | Self::Path => Self::Nowhere,
        }
    }

    /// Whether a text there can name a resource.
    pub(super) fn takes_reference(self) -> bool {
        match self {
            Self::Anywhere | Self::Path => true,
            Self::In(At::Attribute(schema, attribute)) => is_reference(attribute) || names_resource(schema, attribute),
            Self::In(At::Part(schema, whole, part)) => {
                is_reference(part) || part.name == "value" && names_resource(schema, whole)
            }
            Self::In(At::Top(_) | At::Level(_) | At::Unknown)
            | Self::Nowhere
            | Self::Patch(_)
            | Self::Operations(_)
            | Self::Operation(_) => false,
        }
    }
}

impl<'t> At<'t> {
    fn led_to(resource_type: &'t ResourceType, path: &AttributePath) -> Self {
        match resource_type.target(path) {
            Some(Target::Attribute(Resolved { extension, attribute, sub_attribute })) => {
                let schema = extension.unwrap_or(&resource_type.schema.id);
                sub_attribute.map_or(Self::Attribute(schema, attribute), |part| Self::Part(schema, attribute, part))
            }
            Some(Target::Extension(schema)) => Self::Level(schema),
            Some(Target::Core) => Self::Top(resource_type),
            None => Self::Unknown,
        }
    }

    fn member(self, name: &str) -> Self {
        match self {
            Self::Top(resource_type) => {
                if let Some(attribute) = resource_type.core_attribute(name) {
                    Self::Attribute(&resource_type.schema.id, attribute)
                } else if let Some(schema) = resource_type.extension(name) {
                    Self::Level(schema)
                } else {
                    AttributePath::of_key(name).map_or(Self::Unknown, |path| Self::led_to(resource_type, &path))
                }
            }
            Self::Level(schema) => {
                schema.attribute(name).map_or(Self::Unknown, |attribute| Self::Attribute(&schema.id, attribute))
            }
            Self::Attribute(schema, whole) => match whole.sub_attribute(name) {
                Some(part) => Self::Part(schema, whole, part),
                // A list below the name of its path, as PATCH takes it.
                None if whole.multi_valued && name.eq_ignore_ascii_case(&whole.name) => self,
                None => Self::Unknown,
            },
            Self::Part(..) | Self::Unknown => Self::Unknown,
        }
    }
}

/// Whether the attribute refers to resources, and not only to what is elsewhere (RFC 7643 §2.3.7).
fn is_reference(attribute: &Attribute) -> bool {
    let is_outside = |kind: &String| kind == "external" || kind == "uri";
    attribute.kind == Kind::Reference
        && (attribute.reference_types.is_empty() || !attribute.reference_types.iter().all(is_outside))
}

/// Whether the attribute's `value` is the id of a resource: its address stands beside it (RFC 7643 §2.4).
fn names_resource(schema: &str, attribute: &Attribute) -> bool {
    let has_address = || attribute.sub_attributes.iter().any(|part| part.name == "$ref" && is_reference(part));
    attribute.kind == Kind::Complex && (NAMING_RESOURCES.contains(&(schema, attribute.name.as_str())) || has_address())
}
