//! Where a mapping writes to: a target attribute, its type, and reading and writing it in a resource's JSON.

use std::sync::LazyLock;

use mapping::ObjectType;
use scim::{AttributePath, Filter, Kind, Literal, Operator, ResourceType};
use serde_json::{Map, Value};

/// A target attribute of a mapping, parsed once for a job.
#[derive(Clone, Debug)]
pub struct TargetPath {
    text: String,
    urn: Option<String>,
    attribute: String,
    terms: Vec<(String, Value)>,
    sub_attribute: Option<String>,
    kind: Kind,
    multi_valued: bool,
    case_exact: bool,
    matched_exactly: bool,
}

/// A target attribute that cannot be written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the target attribute `{target}` is not understood: {reason}")]
pub struct BadTarget {
    target: String,
    reason: String,
}

impl TargetPath {
    /// Parses a target attribute such as `emails[type eq "work"].value`. Attributes that RFC 7643 does not define are
    /// taken as text.
    pub fn parse(text: &str, object: ObjectType) -> Result<Self, BadTarget> {
        let bad = |reason: &str| BadTarget { target: text.to_owned(), reason: reason.to_owned() };
        let path: AttributePath = text.parse().map_err(|error: scim::ScimError| bad(&error.detail))?;
        if !path.may_name_attribute() {
            return Err(bad("it names a schema and no attribute of it"));
        }
        let core = resource_type(object);
        let resolved = core.resolve(&path);
        let terms = match path.filter.as_deref() {
            None => Vec::new(),
            Some(filter) => {
                equality_terms(filter).ok_or_else(|| bad("only `eq` and `and` can stand in its brackets"))?
            }
        };
        let found = resolved.map(|resolved| resolved.sub_attribute.unwrap_or(resolved.attribute));
        let urn = path.urn.filter(|urn| !urn.eq_ignore_ascii_case(&core.schema.id));
        Ok(Self {
            text: text.to_owned(),
            urn,
            attribute: path.attribute,
            terms,
            sub_attribute: path.sub_attribute,
            kind: found.map_or(Kind::String, |attribute| attribute.kind),
            multi_valued: found.is_some_and(|attribute| attribute.multi_valued),
            // Only names that are unique without case are compared so; any other change of case is a change.
            case_exact: found.is_none_or(|attribute| attribute.name != "userName"),
            // Text is compared without case unless its definition says otherwise (RFC 7643 §2.2, `caseExact`).
            matched_exactly: found.is_some_and(|attribute| attribute.case_exact),
        })
    }

    /// The path as the mapping has it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether brackets choose one element of a multi-valued attribute.
    pub const fn is_filtered(&self) -> bool {
        !self.terms.is_empty()
    }

    /// The extension the attribute belongs to.
    pub fn extension(&self) -> Option<&str> {
        self.urn.as_deref()
    }

    /// The multi-valued attribute without brackets and sub-attribute.
    pub fn whole_attribute(&self) -> &str {
        &self.attribute
    }

    /// The JSON that a mapped value becomes at this attribute; `None` where it cannot be one of the attribute's type.
    pub fn json(&self, value: &mapping::Value) -> Option<Value> {
        match value {
            mapping::Value::Null => None,
            mapping::Value::List(values) if self.multi_valued => {
                Some(values.iter().map(|text| self.element(text)).collect())
            }
            mapping::Value::List(values) => match values.as_slice() {
                [single] => self.single(single),
                _ => None,
            },
            mapping::Value::Text(text) if self.multi_valued => Some(Value::Array(vec![self.element(text)])),
            mapping::Value::Text(text) => self.single(text),
        }
    }

    fn single(&self, text: &str) -> Option<Value> {
        match self.kind {
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                _ => None,
            },
            Kind::Integer => text.parse::<i64>().ok().map(Value::from),
            Kind::Decimal => text.parse::<f64>().ok().map(Value::from),
            Kind::Complex | Kind::String | Kind::DateTime | Kind::Reference | Kind::Binary => Some(text.into()),
        }
    }

    /// An element of a multi-valued attribute: the JSON object a role function makes, or a value of its own.
    fn element(&self, text: &str) -> Value {
        match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Value::Object(object),
            _ if self.kind == Kind::Complex => Value::Object(Map::from_iter([("value".to_owned(), text.into())])),
            _ => text.into(),
        }
    }

    /// The value at this attribute in a resource.
    pub fn read<'r>(&self, resource: &'r Map<String, Value>) -> Option<&'r Value> {
        let holder = match &self.urn {
            Some(urn) => find(resource, urn)?.as_object()?,
            None => resource,
        };
        let mut value = find(holder, &self.attribute)?;
        if !self.terms.is_empty() {
            value = value.as_array()?.iter().find(|element| self.is_chosen(element))?;
        }
        match &self.sub_attribute {
            Some(sub) => find(value.as_object()?, sub),
            None => Some(value),
        }
        .filter(|value| !is_unassigned(value))
    }

    /// Whether there are brackets, and a resource has no element that they choose.
    pub fn needs_element(&self, resource: &Map<String, Value>) -> bool {
        let holder = match &self.urn {
            Some(urn) => find(resource, urn).and_then(Value::as_object),
            None => Some(resource),
        };
        let elements = holder.and_then(|holder| find(holder, &self.attribute)).and_then(Value::as_array);
        self.is_filtered() && !elements.is_some_and(|elements| elements.iter().any(|element| self.is_chosen(element)))
    }

    fn is_chosen(&self, element: &Value) -> bool {
        let Some(element) = element.as_object() else { return false };
        self.terms.iter().all(|(name, wanted)| find(element, name).is_some_and(|given| loosely_equal(given, wanted)))
    }

    /// Writes a value into a resource, making what it needs on the way.
    pub fn write(&self, resource: &mut Map<String, Value>, value: Value) {
        let holder = match &self.urn {
            Some(urn) => object_at(resource, urn),
            None => resource,
        };
        if self.terms.is_empty() {
            match &self.sub_attribute {
                Some(sub) => drop(object_at(holder, &self.attribute).insert(sub.clone(), value)),
                None => drop(holder.insert(self.attribute.clone(), value)),
            }
            return;
        }
        let list = holder.entry(self.attribute.clone()).or_insert_with(|| Value::Array(Vec::new()));
        let Value::Array(elements) = list else { return };
        let position = elements.iter().position(|element| self.is_chosen(element)).unwrap_or_else(|| {
            elements.push(Value::Object(self.new_element()));
            elements.len() - 1
        });
        if let Some(Value::Object(element)) = elements.get_mut(position) {
            element.insert(self.sub_attribute.clone().unwrap_or_else(|| "value".to_owned()), value);
        }
    }

    /// Whether another path leads into the same element.
    pub fn chooses_the_same(&self, other: &Self) -> bool {
        self.is_filtered()
            && self.terms == other.terms
            && self.attribute.eq_ignore_ascii_case(&other.attribute)
            && self.urn.as_deref().map(str::to_ascii_lowercase) == other.urn.as_deref().map(str::to_ascii_lowercase)
    }

    /// The element that the brackets describe, as far as they describe it.
    pub fn new_element(&self) -> Map<String, Value> {
        self.terms.iter().cloned().collect()
    }

    /// The name of the sub-attribute that is written.
    pub fn sub_attribute(&self) -> Option<&str> {
        self.sub_attribute.as_deref()
    }

    /// Whether a filter `eq` with this value finds what is held (RFC 7644 §3.4.2.2): by that, case is no difference where the
    /// attribute does not say so, even where a change of case is to be written.
    pub fn matches(&self, held: &Value, wanted: &Value) -> bool {
        match (held, wanted) {
            (Value::String(held), Value::String(wanted)) if !self.matched_exactly => {
                scim::fold(held) == scim::fold(wanted)
            }
            _ => self.same(held, wanted),
        }
    }

    /// Whether a target holds what is wanted: booleans as text count, names without case where they are unique so.
    pub fn same(&self, held: &Value, wanted: &Value) -> bool {
        match (held, wanted) {
            (Value::String(held), Value::String(wanted)) if !self.case_exact => scim::fold(held) == scim::fold(wanted),
            (Value::Array(held), Value::Array(wanted)) => {
                held.len() == wanted.len() && wanted.iter().all(|wanted| has_element(held, wanted))
            }
            // A manager is given by id and held as an object.
            (Value::Object(object), Value::String(_)) => find(object, "value").is_some_and(|value| value == wanted),
            _ => loosely_equal(held, wanted),
        }
    }
}

static USER: LazyLock<ResourceType> = LazyLock::new(ResourceType::user);
static GROUP: LazyLock<ResourceType> = LazyLock::new(ResourceType::group);

/// The SCIM definition of what is provisioned.
fn resource_type(object: ObjectType) -> &'static ResourceType {
    match object {
        ObjectType::User => &USER,
        ObjectType::Group => &GROUP,
    }
}

fn equality_terms(filter: &Filter) -> Option<Vec<(String, Value)>> {
    match filter {
        Filter::Compare { path, operator: Operator::Eq, value } => {
            let value = match value {
                Literal::String(text) if path.attribute.eq_ignore_ascii_case("primary") => {
                    Value::Bool(text.eq_ignore_ascii_case("true"))
                }
                Literal::String(text) => text.as_str().into(),
                Literal::Boolean(value) => (*value).into(),
                Literal::Number { value, .. } => Value::Number(value.clone()),
                Literal::Null => return None,
            };
            Some(vec![(path.attribute.clone(), value)])
        }
        Filter::And(parts) => {
            let lists: Option<Vec<_>> = parts.iter().map(equality_terms).collect();
            Some(lists?.into_iter().flatten().collect())
        }
        Filter::Compare { .. } | Filter::Or(_) | Filter::Not(_) | Filter::Present(_) | Filter::ValuePath { .. } => None,
    }
}

/// Attribute names are compared without case (RFC 7643 §2.1).
fn find<'m>(object: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    object.get(name).or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn object_at<'m>(object: &'m mut Map<String, Value>, name: &str) -> &'m mut Map<String, Value> {
    let slot = object.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut().expect("it was just made an object")
}

fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Equal, where a boolean may be written as text.
fn loosely_equal(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::String(text), Value::Bool(value)) | (Value::Bool(value), Value::String(text)) => {
            text.eq_ignore_ascii_case(if *value { "true" } else { "false" })
        }
        (Value::String(held), Value::String(wanted)) => held == wanted,
        _ => held == wanted,
    }
}

/// Whether a wanted element is among those held of a multi-valued attribute.
pub fn has_element(held: &[Value], wanted: &Value) -> bool {
    held.iter().any(|held| contains(held, wanted))
}

/// Whether an element holds everything that another one has.
fn contains(held: &Value, wanted: &Value) -> bool {
    match (held, wanted) {
        (Value::Object(held), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| find(held, name).is_some_and(|held| loosely_equal(held, wanted)))
        }
        _ => loosely_equal(held, wanted),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> TargetPath {
        TargetPath::parse(text, ObjectType::User).unwrap()
    }

    #[test]
    fn written_values_are_read_again() {
        let cases = [
            ("userName", json!({"userName": "x"})),
            ("name.givenName", json!({"name": {"givenName": "x"}})),
            ("emails[type eq \"work\"].value", json!({"emails": [{"type": "work", "value": "x"}]})),
            ("roles[primary eq \"True\"].value", json!({"roles": [{"primary": true, "value": "x"}]})),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                json!({"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "x"}}),
            ),
            ("urn:ietf:params:scim:schemas:core:2.0:User:title", json!({"title": "x"})),
            ("urn:example:2.0:User:own", json!({"urn:example:2.0:User": {"own": "x"}})),
        ];
        for (text, expected) in cases {
            let mut resource = Map::new();
            path(text).write(&mut resource, "x".into());
            assert_eq!(Value::Object(resource.clone()), expected, "{text}");
            assert_eq!(path(text).read(&resource), Some(&Value::from("x")), "{text}");
        }
    }

    #[test]
    fn values_take_the_type_of_the_attribute() {
        assert_eq!(path("active").json(&mapping::Value::Text("False".into())), Some(json!(false)));
        assert_eq!(path("active").json(&mapping::Value::Text("maybe".into())), None);
        assert_eq!(path("title").json(&mapping::Value::List(vec!["a".into(), "b".into()])), None);
        assert_eq!(path("emails").json(&mapping::Value::List(vec!["a".into()])), Some(json!([{"value": "a"}])));
    }

    #[test]
    fn only_a_unique_name_is_compared_without_case() {
        assert!(path("userName").same(&json!("ADA@x"), &json!("ada@x")));
        assert!(!path("displayName").same(&json!("ADA"), &json!("Ada")));
        assert!(path("active").same(&json!("True"), &json!(true)));
        assert!(
            path("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager")
                .same(&json!({"value": "u1"}), &json!("u1"))
        );
    }

    #[test]
    fn a_filter_finds_whatever_the_case_unless_the_attribute_says_otherwise() {
        let cases = [
            ("displayName", true),
            ("emails[type eq \"work\"].value", true),
            ("urn:example:2.0:User:own", true),
            ("externalId", false),
        ];
        for (text, expected) in cases {
            assert_eq!(path(text).matches(&json!("ADA"), &json!("Ada")), expected, "{text}");
            assert!(path(text).matches(&json!("Ada"), &json!("Ada")), "{text}");
            assert!(!path(text).matches(&json!("Ada"), &json!("Eve")), "{text}");
        }
    }

    #[test]
    fn targets_that_cannot_be_written_are_refused() {
        for text in ["emails[type ne \"work\"].value", "emails[", "", "urn:example:1.0"] {
            assert!(TargetPath::parse(text, ObjectType::User).is_err(), "{text}");
        }
    }
}
