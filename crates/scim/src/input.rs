//! The body of a POST or PUT to canonical attributes (RFC 7644 §3.3, §3.5.1). What a single value may be is in `value`.

use serde_json::{Map, Value};

use crate::error::echo;
use crate::resource_type::{Resolved, Target};
use crate::schema::{Attribute, Kind, Mutability};
use crate::twice::{self, Null};
use crate::{AttributePath, Attributes, ResourceType, ScimError, patch, value};

impl ResourceType {
    /// Reads the representation that a client sent.
    ///
    /// Names match in any case and are stored in the schema's spelling. Null, `""`, empty lists, unknown attributes and readOnly
    /// attributes are dropped. Accepted by their form: `"True"`/`"False"` for a boolean, one element without its list, text for an
    /// object that has a `value`, a list of one for a single-valued object, and keys that are paths (`name.givenName`,
    /// `urn:…:User:department`, or the bare `department` of an extension).
    /// An extension's attributes count whether or not `schemas` lists its URN; a URN listed without attributes means nothing.
    ///
    /// # Errors
    /// `invalidSyntax` when the body is no object, does not list the core schema or names an attribute twice; `invalidValue` for a value that does not fit its
    /// attribute, and for a required attribute that is missing or blank; `tooMany` for more values than the limit.
    pub fn read(&self, body: Value) -> Result<Attributes, ScimError> {
        let Value::Object(body) = body else { return Err(ScimError::invalid_syntax("the body is not a JSON object")) };
        check_schemas(&body, &self.schema.id)?;
        twice::check(self, &body, Null::Absent)?;
        let mut attributes = Attributes::new();
        let mut by_path = Vec::new();
        for (name, value) in body {
            if let Some(attribute) = self.core_attribute(&name) {
                self.store(&mut attributes, None, attribute, (name, value))?;
            } else if let Some(extension) = self.extension(&name) {
                let held = self.read_extension(&extension.attributes, value, &extension.id)?;
                if !held.is_empty() {
                    attributes.insert(extension.id.clone(), Value::Object(held));
                }
            } else if let Some(path) = AttributePath::of_key(&name)
                && !value.is_null()
                && self.is_settable(&path)
            {
                by_path.push((path, value));
            }
        }
        // Filters may choose the same element: whatever case the keys are in, the result is one.
        if by_path.len() > 1 {
            by_path.sort_by_cached_key(|(path, _): &(AttributePath, Value)| path.to_string().to_lowercase());
        }
        patch::add_at_paths(self, &mut attributes, by_path)?;
        self.check_required(&attributes, |_| true)?;
        Ok(attributes)
    }

    fn store(
        &self,
        level: &mut Attributes,
        extension: Option<&str>,
        attribute: &Attribute,
        (name, value): (String, Value),
    ) -> Result<(), ScimError> {
        if attribute.mutability == Mutability::ReadOnly {
            return Ok(());
        }
        let read = value::read(self, attribute, value).map_err(|error| error.of_attribute(extension, attribute))?;
        if let Some(value) = read {
            let key = if name == attribute.name { name } else { attribute.name.clone() };
            level.insert(key, value);
        }
        Ok(())
    }

    fn read_extension(&self, known: &[Attribute], value: Value, urn: &str) -> Result<Map<String, Value>, ScimError> {
        let given = match value {
            Value::Object(given) => given,
            nothing if patch::is_clearing(&nothing) => return Ok(Map::new()),
            _ => return Err(ScimError::invalid_value(format!("'{}' must be an object", echo(urn)))),
        };
        let mut held = Map::new();
        for (name, value) in given {
            if let Some(attribute) = crate::schema::find(known, &name) {
                self.store(&mut held, Some(urn), attribute, (name, value))?;
            }
        }
        Ok(held)
    }

    /// A key that is a path is set like a PATCH sets it, unless it names nothing or what a client cannot set.
    fn is_settable(&self, path: &AttributePath) -> bool {
        match self.target(path) {
            Some(Target::Attribute(Resolved { attribute, sub_attribute, .. })) => [Some(attribute), sub_attribute]
                .into_iter()
                .flatten()
                .all(|found| found.mutability != Mutability::ReadOnly),
            Some(Target::Extension(_) | Target::Core) => true,
            None => false,
        }
    }

    /// Checks the required attributes of the levels and attributes that `concerns` names (by top-level key).
    pub(crate) fn check_required(
        &self,
        attributes: &Attributes,
        concerns: impl Fn(&str) -> bool,
    ) -> Result<(), ScimError> {
        for attribute in self.schema.attributes.iter().chain(&self.shared).filter(|attribute| concerns(&attribute.name))
        {
            check_one(attributes, attribute)?;
        }
        for (schema, required) in self.extensions.iter().filter(|(schema, _)| concerns(&schema.id)) {
            match attributes.get(&schema.id).and_then(Value::as_object) {
                Some(held) => schema.attributes.iter().try_for_each(|attribute| {
                    check_one(held, attribute).map_err(|error| error.of_attribute(Some(&schema.id), attribute))
                })?,
                None if *required => return Err(missing(&schema.id)),
                // An optional extension with required attributes is complete when it is absent as a whole (RFC 7643 §6).
                None => {}
            }
        }
        Ok(())
    }
}

/// RFC 7643 §3: a body says which schemas it follows. URNs that are not known here are not looked at.
fn check_schemas(body: &Map<String, Value>, core: &str) -> Result<(), ScimError> {
    let of_version_1 = [crate::USER_URN, crate::GROUP_URN].contains(&core)
        && OLDER_CORES.iter().any(|older| lists_schema(body, older));
    if lists_schema(body, core) || of_version_1 {
        Ok(())
    } else {
        Err(ScimError::invalid_syntax(format!("'schemas' does not list {core}")))
    }
}

/// What SCIM 1.1 and drafts of SCIM 2.0 call the core schema of users and of groups, and clients still do.
const OLDER_CORES: [&str; 2] = ["urn:scim:schemas:core:1.0", "urn:scim:schemas:core:2.0"];

/// Whether the body's `schemas` (in any case) lists the URN (in any case).
pub(crate) fn lists_schema(body: &Map<String, Value>, urn: &str) -> bool {
    let schemas = body.iter().find(|(name, _)| name.eq_ignore_ascii_case("schemas")).map(|(_, value)| value);
    let is_urn = |value: &Value| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(urn));
    schemas.and_then(Value::as_array).is_some_and(|urns| urns.iter().any(is_urn))
}

fn missing(name: &str) -> ScimError {
    ScimError::invalid_value(format!("'{}' is required", echo(name)))
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn check_one(level: &Map<String, Value>, attribute: &Attribute) -> Result<(), ScimError> {
    let value = level.get(&attribute.name).filter(|value| !is_blank(value));
    // What only the service provider sets is nothing that a client can leave out.
    if attribute.required && attribute.mutability != Mutability::ReadOnly && value.is_none() {
        return Err(missing(&attribute.name));
    }
    let Some(value) = value.filter(|_| attribute.kind == Kind::Complex) else { return Ok(()) };
    let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for sub in attribute.sub_attributes.iter().filter(|sub| sub.required && sub.mutability != Mutability::ReadOnly) {
        if elements.iter().any(|element| element.get(&sub.name).is_none_or(is_blank)) {
            return Err(missing(&format!("{}.{}", attribute.name, sub.name)));
        }
    }
    Ok(())
}
