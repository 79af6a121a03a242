//! Mappings as an administrator is writing them: an expression that cannot be parsed is kept with its error, so that it does not hide the
//! others.

use std::collections::BTreeMap;

use mapping::{Language, MappingSource, ObjectMapping, ObjectType, ParseError, ScopingFilters};
use serde_json::Value;

/// The mapping of one object type, not checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The mapping, without the sources that cannot be parsed.
    pub mapping: ObjectMapping,
    /// Those, by the places of their attribute mappings.
    pub unparsed: BTreeMap<usize, Unparsed>,
}

/// A source that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unparsed {
    /// As it is written.
    pub text: String,
    /// What is wrong with it.
    pub error: ParseError,
}

/// A document that holds no mappings, or no filters.
#[derive(Debug, thiserror::Error)]
pub enum BadDraft {
    /// It is neither a list of mappings nor an object with one under `mappings`.
    #[error("holds no list of mappings, as lockstep app show --json prints it under `mappings`")]
    NoMappings,
    /// It is neither a list of filters nor a document with one.
    #[error(
        r#"holds no list of filters such as [{{"name": "Sales", "clauses": [{{"attribute": "department", "operator": "EQUALS", "value": "Sales"}}]}}]"#
    )]
    NoFilters,
    /// There is no mapping of that object type in it.
    #[error("has no mapping of {0}")]
    NoSuchObject(&'static str),
    /// A part of it is wrong.
    #[error("{place}: {error}")]
    Wrong {
        /// Which part.
        place: String,
        /// What is wrong.
        error: serde_json::Error,
    },
}

impl From<ObjectMapping> for Draft {
    fn from(mapping: ObjectMapping) -> Self {
        Self { mapping, unparsed: BTreeMap::new() }
    }
}

impl Draft {
    /// Reads the list of mappings, or the whole document that holds it under `mappings`, and gives the one of an object type.
    pub fn read(document: Value, object: ObjectType) -> Result<Self, BadDraft> {
        let Value::Array(objects) = inner(document, "mappings") else { return Err(BadDraft::NoMappings) };
        for (index, object_mapping) in objects.into_iter().enumerate() {
            let draft = Self::of(object_mapping, index)?;
            if draft.mapping.source_object == object {
                return Ok(draft);
            }
        }
        Err(BadDraft::NoSuchObject(plural(object)))
    }

    fn of(mut mapping: Value, index: usize) -> Result<Self, BadDraft> {
        let mut unparsed = BTreeMap::new();
        let language = Language { extensions: mapping.get("extensions") == Some(&Value::Bool(true)) };
        let attributes = mapping.get_mut("attributes").and_then(Value::as_array_mut);
        for (place, attribute) in attributes.into_iter().flatten().enumerate() {
            let Some(text) = attribute.get("source").and_then(Value::as_str).map(str::to_owned) else { continue };
            if let Err(error) = MappingSource::parse_with(&text, language) {
                unparsed.insert(place, Unparsed { text, error });
                attribute.as_object_mut().map(|attribute| attribute.remove("source"));
            }
        }
        let wrong = |error| BadDraft::Wrong { place: format!("mapping {}", index + 1), error };
        Ok(Self { mapping: serde_json::from_value(mapping).map_err(wrong)?, unparsed })
    }
}

/// Reads a list of filters; or takes the scoping filters of an object type out of a list of mappings, or of a document that holds one under
/// `mappings`, or `scoping`.
pub fn filters_of(document: Value, object: ObjectType) -> Result<ScopingFilters, BadDraft> {
    let document = inner(inner(document, "mappings"), "scoping");
    let Value::Array(items) = &document else { return Err(BadDraft::NoFilters) };
    if items.iter().any(|item| item.get("attributes").is_some()) {
        return Ok(Draft::read(document, object)?.mapping.scoping);
    }
    let wrong = |error| BadDraft::Wrong { place: "the filters".to_owned(), error };
    serde_json::from_value(document).map_err(wrong)
}

fn inner(mut document: Value, key: &str) -> Value {
    document.get_mut(key).map(Value::take).unwrap_or(document)
}

const fn plural(object: ObjectType) -> &'static str {
    match object {
        ObjectType::User => "users",
        ObjectType::Group => "groups",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn users(attributes: &Value) -> Value {
        json!([{ "sourceObject": "User", "targetObject": "User", "attributes": attributes,
            "scoping": [{ "name": "Sales", "clauses": [{ "attribute": "department", "operator": "EQUALS", "value": "Sales" }] }] }])
    }

    #[test]
    fn a_broken_expression_hides_no_other() {
        let document = users(&json!([
            { "target": "userName", "source": "[userPrincipalName", "matchingPriority": 1 },
            { "target": "title", "source": "[jobTitle]" },
            { "target": "displayName", "source": "Apend([givenName], \"x\")" },
        ]));
        for document in [document.clone(), json!({ "name": "CRM", "mappings": document })] {
            let draft = Draft::read(document, ObjectType::User).unwrap();
            assert_eq!(draft.unparsed.keys().collect::<Vec<_>>(), [&0, &2]);
            assert_eq!(draft.unparsed[&2].text, "Apend([givenName], \"x\")");
            assert_eq!(draft.unparsed[&2].error.suggestion.as_deref(), Some("Append"));
            let sources: Vec<String> = draft.mapping.attributes.iter().map(|one| one.source.to_string()).collect();
            assert_eq!(sources, ["", "[jobTitle]", ""]);
        }
    }

    #[test]
    fn what_is_no_draft_is_told() {
        for (document, words) in [
            (json!({}), "holds no list of mappings"),
            (json!("x"), "holds no list of mappings"),
            (json!([]), "has no mapping of groups"),
            (users(&json!([])), "has no mapping of groups"),
            (users(&json!([{ "source": "[mail]" }])), "mapping 1: missing field `target`"),
            (users(&json!([{ "target": "x", "sourc": "[mail]" }])), "mapping 1: unknown field `sourc`"),
        ] {
            let told = Draft::read(document.clone(), ObjectType::Group).unwrap_err().to_string();
            assert!(told.starts_with(words), "{document}: {told}");
        }
    }

    #[test]
    fn filters_stand_alone_or_in_a_mapping() {
        let of_mapping = users(&json!([]));
        let alone = of_mapping[0]["scoping"].clone();
        let expected: ScopingFilters = serde_json::from_value(alone.clone()).unwrap();
        for document in
            [alone.clone(), json!({ "scoping": alone }), of_mapping.clone(), json!({ "mappings": of_mapping })]
        {
            assert_eq!(filters_of(document, ObjectType::User).unwrap(), expected);
        }
        assert!(filters_of(json!([]), ObjectType::User).unwrap().is_empty());
        for (document, words) in [
            (json!({}), "holds no list of filters such as [{\"name\": \"Sales\""),
            (
                json!([{ "name": "F", "clauses": [{ "attribute": "a", "operator": "EQUAL", "value": "x" }] }]),
                "did you mean `EQUALS`?",
            ),
        ] {
            let told = filters_of(document, ObjectType::User).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
    }
}
