//! Schemas as others write them (RFC 7643 §7, also as `/Schemas` of another server answers them), read with errors that name the schema,
//! the attribute and the cure. What the built-in schemas hold is in `schema`.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ScimError;
use crate::error::echo;
use crate::limits::{CANONICAL_VALUES_MAX, DESCRIPTION_BYTES_MAX};
use crate::schema::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness};

/// What every resource has (RFC 7643 §3.1). Some servers list it in each schema (RFC errata 8417), which changes nothing.
const COMMON: [(&str, Kind); 4] =
    [("schemas", Kind::Reference), ("id", Kind::String), ("externalId", Kind::String), ("meta", Kind::Complex)];

/// Sub-attributes that mean the same wherever they are (RFC 7643 §2.4).
const KNOWN_PARTS: [&str; 5] = ["type", "primary", "display", "value", "$ref"];

impl Schema {
    /// Reads a schema that was given as data, and checks it as a whole. Names of characteristics and their words are known in any case,
    /// what is left out is as RFC 7643 §2.2 says, and keys that mean nothing are ignored. The sub-attributes of RFC 7643 §2.4 (`primary`,
    /// `value`, …) have its spelling, in whatever case they are given. A writeOnly attribute is never returned,
    /// whatever its `returned` says. Common attributes that mean what RFC 7643 §3.1 says are left out.
    ///
    /// # Errors
    /// `invalidValue` with the schema, the attribute and the cure.
    pub fn read(given: &Value) -> Result<Self, ScimError> {
        let Value::Object(given) = given else {
            return Err(wrong("a schema must be a JSON object with id and attributes"));
        };
        let id = match find(given, "id") {
            Some(Value::String(id)) => id.clone(),
            _ => return Err(wrong("a schema has no 'id'; give it a URN such as urn:example:schemas:1.0:Device")),
        };
        let reader = Reader { schema: &id };
        let Some(Value::Array(listed)) = find(given, "attributes") else {
            return Err(reader.refuse(None, "has no list 'attributes'; list at least one"));
        };
        let mut attributes = Vec::with_capacity(listed.len());
        for given in listed {
            attributes.extend(reader.attribute(given, None)?);
        }
        let text = |name: &str| reader.text(given, None, name);
        let (name, description) = (text("name")?, text("description")?);
        if attributes.is_empty() {
            return Err(reader.refuse(None, "defines no attribute; define at least one"));
        }
        let schema = Self { id: id.clone(), name, description, attributes };
        schema.check()?;
        Ok(schema)
    }
}

fn wrong(detail: impl Into<String>) -> ScimError {
    ScimError::invalid_value(detail)
}

fn find<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let value = object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value));
    value.filter(|value| !value.is_null())
}

/// How an attribute's name is spelled from here on: case does not count in names (RFC 7643 §2.1), and rules look for those of the RFC.
fn spelling<'n>(name: &'n str, parent: Option<&str>) -> &'n str {
    let known = KNOWN_PARTS.into_iter().find(|known| parent.is_some() && known.eq_ignore_ascii_case(name));
    known.unwrap_or(name)
}

struct Reader<'a> {
    schema: &'a str,
}

impl Reader<'_> {
    fn refuse(&self, attribute: Option<&str>, why: &str) -> ScimError {
        let schema = echo(self.schema);
        wrong(match attribute {
            Some(name) => format!("schema '{schema}', attribute '{}': {why}", echo(name)),
            None => format!("schema '{schema}' {why}"),
        })
    }

    /// Reads one definition; `None` for a common attribute. `parent` is the attribute it is a part of.
    fn attribute(&self, given: &Value, parent: Option<&str>) -> Result<Option<Attribute>, ScimError> {
        let within = |name: &str| parent.map_or_else(|| name.to_owned(), |parent| format!("{parent}.{name}"));
        let Value::Object(given) = given else {
            return Err(self.refuse(parent, "an attribute must be a JSON object with a name; see RFC 7643 §7"));
        };
        let Some(Value::String(name)) = find(given, "name") else {
            return Err(self.refuse(parent, "an attribute has no 'name'; give it one"));
        };
        let shown = within(name);
        let kind: Kind = self.word(given, &shown, "type")?.unwrap_or_default();
        let multi_valued = self.flag(given, &shown, "multiValued")?.unwrap_or(false);
        if parent.is_none() && self.is_common(name, kind, multi_valued)? {
            return Ok(None);
        }
        let mutability: Mutability = self.word(given, &shown, "mutability")?.unwrap_or_default();
        let returned: Returned = self.word(given, &shown, "returned")?.unwrap_or_default();
        let uniqueness: Uniqueness = self.word(given, &shown, "uniqueness")?.unwrap_or_default();
        let mut attribute = Attribute {
            multi_valued,
            description: self.text(given, Some(&shown), "description")?,
            required: self.flag(given, &shown, "required")?.unwrap_or(false),
            canonical_values: self.words(given, &shown, "canonicalValues")?,
            mutability,
            returned: if mutability == Mutability::WriteOnly { Returned::Never } else { returned },
            uniqueness,
            reference_types: self.words(given, &shown, "referenceTypes")?,
            ..Attribute::new(spelling(name, parent), kind)
        };
        if let Some(case_exact) = self.flag(given, &shown, "caseExact")? {
            attribute.case_exact = case_exact;
        }
        attribute.sub_attributes = self.parts(given, &attribute, parent)?;
        Ok(Some(attribute))
    }

    fn parts(
        &self,
        given: &Map<String, Value>,
        of: &Attribute,
        parent: Option<&str>,
    ) -> Result<Vec<Attribute>, ScimError> {
        let listed = match find(given, "subAttributes") {
            None => &[],
            Some(Value::Array(listed)) => listed.as_slice(),
            Some(_) => return Err(self.refuse(Some(&of.name), "'subAttributes' must be a list")),
        };
        let nested = format!("{}.{}", parent.unwrap_or_default(), of.name);
        match (parent, of.kind, listed.is_empty()) {
            (Some(_), Kind::Complex, _) => Err(self.refuse(
                Some(nested.trim_start_matches('.')),
                "a sub-attribute cannot be complex (RFC 7643 §2.3.8); make it an attribute of its own",
            )),
            (_, Kind::Complex, true) => {
                Err(self.refuse(Some(&of.name), "a complex attribute needs 'subAttributes'; list at least one"))
            }
            (_, Kind::Complex, false) => {
                let parts = listed.iter().map(|part| self.attribute(part, Some(&of.name)));
                parts.filter_map(Result::transpose).collect()
            }
            (_, _, true) => Ok(Vec::new()),
            (_, _, false) => Err(self.refuse(
                Some(nested.trim_start_matches('.')),
                "only a complex attribute has 'subAttributes'; make its type complex, or leave them out",
            )),
        }
    }

    /// Whether it is an attribute that every resource has, and means that.
    fn is_common(&self, name: &str, kind: Kind, multi_valued: bool) -> Result<bool, ScimError> {
        let Some((common, meant)) = COMMON.iter().find(|(common, _)| common.eq_ignore_ascii_case(name)) else {
            return Ok(false);
        };
        // Some write the URNs of `schemas` as strings.
        let is_meant = kind == *meant || *common == "schemas" && kind == Kind::String;
        if is_meant && multi_valued == (*common == "schemas") {
            return Ok(true);
        }
        Err(self.refuse(
            Some(name),
            "is an attribute of every resource (RFC 7643 §3.1) and cannot be defined anew; leave it out",
        ))
    }

    fn text(&self, given: &Map<String, Value>, attribute: Option<&str>, name: &str) -> Result<String, ScimError> {
        match find(given, name) {
            None => Ok(String::new()),
            Some(Value::String(text)) if text.len() <= DESCRIPTION_BYTES_MAX => Ok(text.clone()),
            Some(_) => {
                Err(self.refuse(attribute, &format!("'{name}' must be text of at most {DESCRIPTION_BYTES_MAX} bytes")))
            }
        }
    }

    fn flag(&self, given: &Map<String, Value>, attribute: &str, name: &str) -> Result<Option<bool>, ScimError> {
        match find(given, name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.refuse(Some(attribute), &format!("'{name}' must be true or false"))),
        }
    }

    /// A characteristic that is one of a few words, in any case.
    fn word<T: DeserializeOwned>(
        &self,
        given: &Map<String, Value>,
        attribute: &str,
        name: &str,
    ) -> Result<Option<T>, ScimError> {
        let Some(value) = find(given, name) else { return Ok(None) };
        let words: &[&str] = match name {
            "type" => &["string", "boolean", "decimal", "integer", "dateTime", "reference", "binary", "complex"],
            "mutability" => &["readOnly", "readWrite", "immutable", "writeOnly"],
            "returned" => &["always", "never", "default", "request"],
            _ => &["none", "server", "global"],
        };
        let known = value.as_str().and_then(|text| words.iter().find(|word| word.eq_ignore_ascii_case(text)));
        let read = known.and_then(|word| serde_json::from_value(Value::from(*word)).ok());
        read.map(Some)
            .ok_or_else(|| self.refuse(Some(attribute), &format!("'{name}' must be one of {}", words.join(", "))))
    }

    fn words(&self, given: &Map<String, Value>, attribute: &str, name: &str) -> Result<Vec<String>, ScimError> {
        let refused = || {
            self.refuse(Some(attribute), &format!("'{name}' must be a list of at most {CANONICAL_VALUES_MAX} texts"))
        };
        let listed = match find(given, name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(listed)) if listed.len() <= CANONICAL_VALUES_MAX => listed,
            Some(_) => return Err(refused()),
        };
        // Some servers list suggested numbers as numbers.
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        listed.iter().map(|value| text(value).ok_or_else(refused)).collect()
    }
}
