//! A tenant's definition as a whole: checked against its profile, and made a profile of its own.

use std::collections::HashSet;

use scim::{Attribute, ENTERPRISE_USER_URN, GROUP_URN, Kind, Mutability, ResourceType, Schema, USER_URN};
use store::resources::{CustomKind, ResourceKind};

use super::resource_types::{TypeDefinition, is_built_in};
use super::{ATTRIBUTES_MAX, CustomSchemas, Kinds, shown};
use crate::profile::Profile;

/// What the names of the protocol's own schemas and messages begin with.
const PROTOCOL: [&str; 2] = ["urn:ietf:params:scim:api:messages:", "urn:ietf:params:scim:schemas:core:2.0:"];

impl CustomSchemas {
    /// Leaves out what is built in, where it is a list from another server; finds the resource types of extensions that nobody names.
    pub(super) fn settled(mut self, base: &Profile) -> Self {
        if self.is_listing {
            self.schemas.retain(|schema| !is_taken(base, &schema.id));
            for definition in self.types.iter_mut().filter(|definition| is_built_in(&definition.name)) {
                let known = |urn: &str| self.schemas.iter().any(|schema| schema.id.eq_ignore_ascii_case(urn));
                definition.extensions.retain(|(urn, _)| known(urn));
            }
            self.types.retain(|definition| !is_built_in(&definition.name) || !definition.extensions.is_empty());
        }
        if self.types.is_empty() {
            self.types = inferred(&self.schemas);
        }
        self.is_listing = false;
        self
    }

    /// Makes the profile of a tenant that has this definition. New resource types take the next numbers of `kinds`.
    ///
    /// # Errors
    /// One sentence with the schema, the attribute and the cure.
    pub(crate) fn compile(&self, base: &Profile, kinds: &mut Kinds) -> Result<Profile, String> {
        self.check_schemas(base)?;
        self.check_types()?;
        let (mut user, mut group) = (base.whole(ResourceKind::User), base.whole(ResourceKind::Group));
        let mut custom = Vec::new();
        for definition in &self.types {
            if definition.name.eq_ignore_ascii_case("User") {
                user = user.map(|user| self.extend(base, user, definition)).transpose()?;
            } else if definition.name.eq_ignore_ascii_case("Group") {
                let known = group.ok_or_else(|| {
                    format!("the profile {} has no groups; leave the resource type Group out", base.name)
                })?;
                group = Some(self.extend(base, known, definition)?);
            } else {
                custom.push((number(kinds, &definition.name)?, self.custom_type(base, definition)?));
            }
        }
        self.check_attached(base)?;
        base.with_types(user, group, custom).map_err(|error| error.detail)
    }

    fn check_schemas(&self, base: &Profile) -> Result<(), String> {
        let mut urns = HashSet::new();
        let mut count = 0;
        for schema in &self.schemas {
            let id = &schema.id;
            if is_taken(base, id) {
                return Err(format!("the schema {} is built in; define an extension with a URN of its own", shown(id)));
            }
            if !urns.insert(id.to_ascii_lowercase()) {
                return Err(format!("the schema {} is defined twice; leave one out", shown(id)));
            }
            count += schema.attributes.iter().map(|attribute| 1 + attribute.sub_attributes.len()).sum::<usize>();
            schema.attributes.iter().try_for_each(|attribute| check_settable(schema, attribute))?;
        }
        if count > ATTRIBUTES_MAX {
            return Err(format!("the schemas have {count} attributes, more than {ATTRIBUTES_MAX}; leave some out"));
        }
        Ok(())
    }

    fn check_types(&self) -> Result<(), String> {
        let (mut names, mut endpoints) = (HashSet::new(), HashSet::new());
        for definition in &self.types {
            let name = &definition.name;
            if !names.insert(name.to_ascii_lowercase()) {
                return Err(format!("the resource type '{name}' is defined twice; leave one out"));
            }
            let Some(endpoint) = &definition.endpoint else { continue };
            if !endpoints.insert(endpoint.to_ascii_lowercase()) {
                return Err(format!(
                    "resource type '{name}': another one has the endpoint /{endpoint}; choose another"
                ));
            }
        }
        Ok(())
    }

    /// Every schema serves a purpose: one that no resource has would be announced, and never used.
    fn check_attached(&self, base: &Profile) -> Result<(), String> {
        let is_used = |schema: &Schema| {
            let named = self.types.iter().flat_map(|definition| {
                definition.schema.iter().chain(definition.extensions.iter().map(|(urn, _)| urn))
            });
            named.into_iter().any(|urn| urn.eq_ignore_ascii_case(&schema.id))
        };
        match self.schemas.iter().find(|schema| !is_used(schema)) {
            None => Ok(()),
            Some(schema) => Err(format!(
                "no resource type has the schema {}; name it in resourceTypes, as the extension of User for example ({})",
                shown(&schema.id),
                base.name
            )),
        }
    }

    fn extend(&self, base: &Profile, known: ResourceType, definition: &TypeDefinition) -> Result<ResourceType, String> {
        let name = &known.name;
        let is_schema = definition.schema.as_ref().is_none_or(|urn| urn.eq_ignore_ascii_case(&known.schema.id));
        let is_endpoint =
            definition.endpoint.as_ref().is_none_or(|endpoint| *endpoint == known.endpoint.trim_matches('/'));
        if !is_schema || !is_endpoint {
            return Err(format!(
                "resource type '{name}': its schema and endpoint are built in; leave them out, or define a type of another name"
            ));
        }
        self.with_extensions(base, known, definition)
    }

    fn custom_type(&self, base: &Profile, definition: &TypeDefinition) -> Result<ResourceType, String> {
        let name = &definition.name;
        let endpoint = definition.endpoint.as_ref();
        let endpoint =
            endpoint.ok_or_else(|| format!("resource type '{name}' has no endpoint; give it one, such as /{name}s"))?;
        let urn = definition.schema.as_ref();
        let urn = urn.ok_or_else(|| format!("resource type '{name}' has no schema; name the URN of one"))?;
        let schema = self.schemas.iter().find(|schema| schema.id.eq_ignore_ascii_case(urn));
        let schema = schema.ok_or_else(|| unknown(name, urn))?.clone();
        let made = ResourceType::new(name.as_str(), format!("/{endpoint}"), definition.description.as_str(), schema);
        self.with_extensions(base, made, definition)
    }

    fn with_extensions(
        &self,
        base: &Profile,
        mut made: ResourceType,
        definition: &TypeDefinition,
    ) -> Result<ResourceType, String> {
        for (urn, required) in &definition.extensions {
            if urn.eq_ignore_ascii_case(&made.schema.id) {
                return Err(format!(
                    "resource type '{}': its schema cannot be its extension too; leave one out",
                    made.name
                ));
            }
            if let Some(known) = made.extensions.iter_mut().find(|(schema, _)| schema.id.eq_ignore_ascii_case(urn)) {
                known.1 |= *required;
                continue;
            }
            let built_in = || base.resource_types().flat_map(|known| known.extensions.iter().map(|(schema, _)| schema));
            let found = self.schemas.iter().chain(built_in()).find(|schema| schema.id.eq_ignore_ascii_case(urn));
            let found = found.ok_or_else(|| unknown(&made.name, urn))?;
            if *required && found.attributes.iter().all(|attribute| attribute.mutability == Mutability::ReadOnly) {
                return Err(format!(
                    "resource type '{}': the extension {} is required, and has no attribute that a client may set; make it optional",
                    made.name,
                    shown(urn)
                ));
            }
            made = made.with_extension(found.clone(), *required);
        }
        Ok(made)
    }
}

fn unknown(name: &str, urn: &str) -> String {
    format!("resource type '{name}': no schema is called {}; define it in schemas, or correct the URN", shown(urn))
}

/// A required attribute whose parts nobody may set could never be there.
fn check_settable(schema: &Schema, attribute: &Attribute) -> Result<(), String> {
    let is_complex = attribute.kind == Kind::Complex;
    let is_unsettable = is_complex && attribute.sub_attributes.iter().all(|sub| sub.mutability == Mutability::ReadOnly);
    if attribute.required && attribute.mutability != Mutability::ReadOnly && is_unsettable {
        return Err(format!(
            "schema {}, attribute '{}': it is required, and all of its sub-attributes are readOnly; make one writable",
            shown(&schema.id),
            attribute.name
        ));
    }
    Ok(())
}

/// Whether a URN means something already.
fn is_taken(base: &Profile, urn: &str) -> bool {
    is_built_in_urn(urn)
        || base.resource_types().flat_map(ResourceType::schemas).any(|known| known.id.eq_ignore_ascii_case(urn))
}

/// Whether a URN means something wherever SCIM is spoken.
pub(super) fn is_built_in_urn(urn: &str) -> bool {
    let begins = |start: &&str| urn.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    [USER_URN, GROUP_URN, ENTERPRISE_USER_URN].iter().any(|known| known.eq_ignore_ascii_case(urn))
        || PROTOCOL.iter().any(begins)
}

/// Where nobody says whose extensions schemas are, their URNs may: they end in `:User` or `:Group`.
fn inferred(schemas: &[Schema]) -> Vec<TypeDefinition> {
    let of = |name: &str| {
        let is_meant =
            |schema: &&Schema| schema.id.rsplit(':').next().is_some_and(|last| last.eq_ignore_ascii_case(name));
        let extensions: Vec<(String, bool)> =
            schemas.iter().filter(is_meant).map(|schema| (schema.id.clone(), false)).collect();
        let (name, description) = (name.to_owned(), String::new());
        (!extensions.is_empty()).then_some(TypeDefinition {
            name,
            endpoint: None,
            description,
            schema: None,
            extensions,
        })
    };
    ["User", "Group"].into_iter().filter_map(of).collect()
}

/// The number of a resource type: the one it has, or the next.
fn number(kinds: &mut Kinds, name: &str) -> Result<CustomKind, String> {
    let key = name.to_ascii_lowercase();
    if let Some(known) = kinds.get(&key) {
        return Ok(*known);
    }
    let next = kinds.values().map(|kind| u32::from(kind.number()) + 1).max().unwrap_or(0);
    let next = u16::try_from(next)
        .map_err(|_| "the tenant has defined too many resource types in its time; use a new tenant".to_owned())?;
    kinds.insert(key, CustomKind::new(next));
    Ok(CustomKind::new(next))
}
