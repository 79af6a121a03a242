//! What a target tells of itself: the attributes that its `/Schemas` name, as entries of an attribute list. Pure; what is told
//! is untrusted, and whatever is not understood in it is passed over.

use std::collections::{BTreeSet, HashSet};

use mapping::schema::{AttributeDefinition, AttributeType, Mutability};
use mapping::{ObjectMapping, ObjectType};
use scim::{Attribute, Kind, Returned};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::settings::JobSettings;
use crate::target_path::{TargetPath, attribute_key, resource_type};

/// Attributes that are kept of one target, for users and groups together.
pub const DISCOVERED_MAX: usize = 2000;
/// Schemas, and attributes or parts of one, that are looked at.
const LOOKED_AT_MAX: usize = DISCOVERED_MAX;
/// Canonical types of an attribute that become entries of their own.
const TYPES_MAX: usize = 20;
/// Longest name, with its URN, in bytes.
const NAME_BYTES_MAX: usize = 300;
/// Parts of an element that name it rather than tell something.
const NAMING_PARTS: [&str; 3] = ["type", "primary", "$ref"];

/// What a target told of itself, kept with the settings of its job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Discovered {
    /// `userName` is unique at the target.
    pub unique_users: bool,
    /// The `displayName` of groups is unique at the target.
    pub unique_groups: bool,
    /// The attributes of its users. Settings of earlier versions had names alone, which are discovered anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<AttributeDefinition>,
    /// The attributes of its groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<AttributeDefinition>,
}

/// What a discovery found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// All that is kept, what this discovery found included.
    pub discovered: Discovered,
    /// What was not known before.
    pub added: Vec<Added>,
    /// What of it is about attributes that mappings write already, which go on as before; each is one sentence.
    pub warnings: Vec<String>,
}

impl Discovery {
    /// What was found for a job with these mappings.
    pub(crate) fn of(discovered: Discovered, added: Vec<Added>, objects: &[ObjectMapping]) -> Self {
        let warnings = added.iter().filter_map(|added| affected(added, objects)).collect();
        Self { discovered, added, warnings }
    }
}

/// Says so where a mapping writes what the target tells is another thing than text that anybody writes.
fn affected(Added { object, attribute }: &Added, objects: &[ObjectMapping]) -> Option<String> {
    let mapping = objects.iter().find(|mapping| mapping.target_object == *object)?;
    let key = attribute_key(*object, &attribute.name);
    let is_same = |name: &str| attribute_key(*object, name) == key;
    if mapping.target_attributes.iter().any(|own| is_same(&own.name)) || is_defined(*object, &attribute.name) {
        return None;
    }
    let mapped = mapping.attributes.iter().find(|mapped| is_same(&mapped.target))?;
    let facts = match (attribute.mutability, attribute.kind) {
        (Mutability::ReadOnly, _) => "nobody but itself writes it (`ReadOnly`)".to_owned(),
        (Mutability::Immutable, _) => "it never changes once it is there (`Immutable`)".to_owned(),
        (_, AttributeType::String) => return None,
        (_, kind) => format!("it is of the type `{kind:?}`"),
    };
    let objects = object.plural();
    Some(format!(
        "a mapping of {objects} writes `{}`, of which the target tells that {facts}; the mapping goes on as before, so look at it, or name the attribute in the attribute list",
        mapped.target
    ))
}

/// Whether RFC 7643 says what this attribute is.
fn is_defined(object: ObjectType, name: &str) -> bool {
    name.parse().is_ok_and(|path| resource_type(object).resolve(&path).is_some())
}

/// An attribute that a discovery added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Added {
    /// Whose attribute it is.
    pub object: ObjectType,
    /// What the target told of it.
    pub attribute: AttributeDefinition,
}

/// Where an entry of an attribute list comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// An administrator or an import.
    Administrator,
    /// The target's `/Schemas`.
    Discovered,
    /// RFC 7643.
    Rfc,
}

impl Discovered {
    /// The attributes of one type of object.
    pub const fn of(&self, object: ObjectType) -> &Vec<AttributeDefinition> {
        match object {
            ObjectType::User => &self.users,
            ObjectType::Group => &self.groups,
        }
    }

    /// How many attributes there are.
    pub const fn count(&self) -> usize {
        self.users.len() + self.groups.len()
    }

    /// Adds what a target tells now; tells what is new. An attribute that is known stays as it is, and so does one that the
    /// target tells no more. What is unique is as it is told now: more is built on it than names.
    pub fn learn(&mut self, told: Self) -> Vec<Added> {
        (self.unique_users, self.unique_groups) = (told.unique_users, told.unique_groups);
        let mut added = Vec::new();
        let mut room = DISCOVERED_MAX.saturating_sub(self.count());
        for (object, known, told) in
            [(ObjectType::User, &mut self.users, told.users), (ObjectType::Group, &mut self.groups, told.groups)]
        {
            let mut names: HashSet<String> = known.iter().map(|known| attribute_key(object, &known.name)).collect();
            for attribute in told {
                if room > 0 && names.insert(attribute_key(object, &attribute.name)) {
                    room -= 1;
                    known.push(attribute.clone());
                    added.push(Added { object, attribute });
                }
            }
        }
        added
    }

    /// What the resources of `/Schemas` and `/ResourceTypes` tell. Without the latter a schema belongs to what its URN ends
    /// with, and to users where it says nothing.
    pub fn read(schemas: &[Map<String, Value>], resource_types: &[Map<String, Value>]) -> Self {
        let mut told = Self::default();
        let (users, groups) = (schemas_of(resource_types, "Users"), schemas_of(resource_types, "Groups"));
        for schema in schemas.iter().take(LOOKED_AT_MAX) {
            let id = text(schema, "id");
            let owns = |named: &BTreeSet<String>, by_name: bool| {
                if resource_types.is_empty() { by_name } else { named.contains(&id.to_ascii_lowercase()) }
            };
            let is_groups = last_part(id).eq_ignore_ascii_case("Group");
            let is_protocol = id.starts_with("urn:ietf:params:scim:schemas:core:")
                && !["User", "Group"].iter().any(|name| last_part(id).eq_ignore_ascii_case(name));
            let attributes: Vec<Attribute> = attributes_in(schema.get("attributes"));
            told.unique_users |= id == scim::USER_URN && is_unique(schema, "userName");
            told.unique_groups |= id == scim::GROUP_URN && is_unique(schema, "displayName");
            for (object, is_its) in [
                (ObjectType::User, owns(&users, !is_groups && !is_protocol)),
                (ObjectType::Group, owns(&groups, is_groups)),
            ] {
                if is_its {
                    told.add(object, id, &attributes);
                }
            }
        }
        told
    }

    fn add(&mut self, object: ObjectType, schema: &str, attributes: &[Attribute]) {
        let is_core = schema.eq_ignore_ascii_case(&resource_type(object).schema.id);
        let prefix = if is_core { String::new() } else { format!("{schema}:") };
        let room = DISCOVERED_MAX.saturating_sub(self.count());
        let entries = entries(&prefix, attributes);
        // A name that is no path could not be written to.
        let usable = entries
            .filter(|entry| entry.name.len() <= NAME_BYTES_MAX && TargetPath::parse(&entry.name, object).is_ok());
        let usable: Vec<AttributeDefinition> = usable.take(room).collect();
        match object {
            ObjectType::User => self.users.extend(usable),
            ObjectType::Group => self.groups.extend(usable),
        }
    }
}

impl JobSettings {
    /// The attribute list of an object at the target: the administrator's entries, then what the target told, then RFC 7643;
    /// each attribute once.
    pub fn attribute_list(&self, object: ObjectType) -> Vec<(AttributeDefinition, Origin)> {
        let own = self.object(object).map(|mapping| mapping.target_attributes.as_slice()).unwrap_or_default();
        let resource = resource_type(object);
        let mut defined = vec![AttributeDefinition {
            name: "id".to_owned(),
            anchor: true,
            required: true,
            ..AttributeDefinition::default()
        }];
        defined.push(AttributeDefinition {
            name: "externalId".to_owned(),
            case_exact: true,
            ..AttributeDefinition::default()
        });
        defined.extend(entries("", &resource.schema.attributes));
        for (schema, _) in &resource.extensions {
            defined.extend(entries(&format!("{}:", schema.id), &schema.attributes));
        }
        let layers =
            [(own, Origin::Administrator), (self.discovered.of(object), Origin::Discovered), (&defined, Origin::Rfc)];
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        for (entries, origin) in layers {
            let new = entries.iter().filter(|entry| seen.insert(attribute_key(object, &entry.name)));
            list.extend(new.map(|entry| (entry.clone(), origin)));
        }
        list
    }
}

/// The schemas of the resource type with this endpoint, in small letters.
fn schemas_of(resource_types: &[Map<String, Value>], endpoint: &str) -> BTreeSet<String> {
    let is_meant = |kind: &&Map<String, Value>| {
        text(kind, "endpoint").rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(endpoint))
    };
    let mut named = BTreeSet::new();
    for kind in resource_types.iter().take(LOOKED_AT_MAX).filter(is_meant) {
        named.insert(text(kind, "schema").to_ascii_lowercase());
        let extensions = kind.get("schemaExtensions").and_then(Value::as_array).into_iter().flatten();
        named.extend(
            extensions.take(LOOKED_AT_MAX).filter_map(|one| Some(one.get("schema")?.as_str()?.to_ascii_lowercase())),
        );
    }
    named
}

fn last_part(urn: &str) -> &str {
    urn.rsplit(':').next().unwrap_or_default()
}

fn text<'m>(object: &'m Map<String, Value>, key: &str) -> &'m str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_unique(schema: &Map<String, Value>, name: &str) -> bool {
    let attributes = schema.get("attributes").and_then(Value::as_array).into_iter().flatten();
    let mut named = attributes.filter_map(Value::as_object).filter(|attribute| text(attribute, "name") == name);
    named.any(|attribute| matches!(text(attribute, "uniqueness"), "server" | "global"))
}

/// The attributes of a schema, or the parts of one; parts of parts are passed over.
fn attributes_in(list: Option<&Value>) -> Vec<Attribute> {
    let objects = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let with_parts = |object: &Map<String, Value>| {
        let parts = object.get("subAttributes").and_then(Value::as_array).into_iter().flatten();
        let parts = parts.filter_map(Value::as_object).take(LOOKED_AT_MAX).map(attribute).collect();
        Attribute { sub_attributes: parts, ..attribute(object) }
    };
    objects.take(LOOKED_AT_MAX).map(with_parts).collect()
}

/// One attribute; what has another JSON type than it should have counts as not told.
fn attribute(object: &Map<String, Value>) -> Attribute {
    let flag = |key: &str| object.get(key) == Some(&Value::Bool(true));
    let kinds =
        [Kind::Boolean, Kind::Decimal, Kind::Integer, Kind::DateTime, Kind::Reference, Kind::Binary, Kind::Complex];
    let kind = kinds.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text(object, "type")));
    let mutabilities = [scim::Mutability::ReadOnly, scim::Mutability::Immutable, scim::Mutability::WriteOnly];
    let mutability = mutabilities.into_iter().find(|one| one.as_str().eq_ignore_ascii_case(text(object, "mutability")));
    let canonical = object.get("canonicalValues").and_then(Value::as_array).into_iter().flatten();
    Attribute {
        multi_valued: flag("multiValued"),
        required: flag("required"),
        case_exact: flag("caseExact"),
        mutability: mutability.unwrap_or_default(),
        returned: if text(object, "returned").eq_ignore_ascii_case("never") {
            Returned::Never
        } else {
            Returned::Default
        },
        canonical_values: canonical.filter_map(Value::as_str).take(TYPES_MAX).map(str::to_owned).collect(),
        ..Attribute::new(text(object, "name"), kind.unwrap_or(Kind::String))
    }
}

/// The entries of attributes: each by itself, an object by its parts, and a list of objects by itself, by the parts of its
/// elements, and by those of each type that it suggests.
fn entries<'a>(prefix: &'a str, attributes: &'a [Attribute]) -> impl Iterator<Item = AttributeDefinition> + 'a {
    attributes.iter().flat_map(move |attribute| {
        let name = format!("{prefix}{}", attribute.name);
        if attribute.kind != Kind::Complex || attribute.sub_attributes.is_empty() {
            return vec![entry(name, attribute, attribute)];
        }
        // A reference is written whole: its parts are the target's.
        let is_reference = !attribute.multi_valued && attribute.sub_attributes.iter().any(|part| part.name == "$ref");
        let mut entries = Vec::new();
        if attribute.multi_valued || is_reference {
            entries.push(entry(name.clone(), attribute, attribute));
        }
        let suggested =
            attribute.sub_attribute("type").map(|part| part.canonical_values.as_slice()).unwrap_or_default();
        for part in &attribute.sub_attributes {
            if attribute.multi_valued {
                let is_telling = !NAMING_PARTS.contains(&part.name.as_str());
                let typed = suggested.iter().filter(|_| is_telling).map(|kind| {
                    entry(format!("{name}[type eq {}].{}", Value::from(kind.as_str()), part.name), attribute, part)
                });
                entries.extend(typed);
            }
            entries.push(entry(format!("{name}.{}", part.name), attribute, part));
        }
        entries
    })
}

/// The entry of an attribute, or of a part of it.
fn entry(name: String, whole: &Attribute, part: &Attribute) -> AttributeDefinition {
    let is_whole = std::ptr::eq(whole, part);
    let kind = match part.kind {
        Kind::Integer => AttributeType::Integer,
        Kind::Boolean => AttributeType::Boolean,
        Kind::DateTime => AttributeType::DateTime,
        Kind::Binary => AttributeType::Binary,
        Kind::Reference => AttributeType::Reference,
        // Graph has no type for fractions, and none for objects.
        Kind::String | Kind::Decimal | Kind::Complex => AttributeType::String,
    };
    let mutability = |attribute: &Attribute| match (attribute.mutability, attribute.returned) {
        (scim::Mutability::ReadOnly, _) => Mutability::ReadOnly,
        (scim::Mutability::WriteOnly, _) | (_, Returned::Never) => Mutability::WriteOnly,
        (scim::Mutability::Immutable, _) => Mutability::Immutable,
        (scim::Mutability::ReadWrite, _) => Mutability::ReadWrite,
    };
    AttributeDefinition {
        name,
        kind,
        multivalued: part.multi_valued,
        case_exact: part.case_exact,
        // A part that is required is so only where there is the whole.
        required: part.required && (is_whole || (whole.required && !whole.multi_valued)),
        mutability: if mutability(whole) == Mutability::ReadWrite { mutability(part) } else { mutability(whole) },
        ..AttributeDefinition::default()
    }
}

#[cfg(test)]
mod tests;
