//! The functions as Microsoft Graph lists them, and where the arguments of a call stand by the names of their parameters.

use serde::Serialize;

use super::ast::Node;
use super::evaluate::decimal_text;
use super::functions::{self, FUNCTIONS, Function, Rest};

/// A function (Graph `attributeMappingFunctionSchema`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionDefinition {
    /// Its name, case-sensitive.
    pub name: &'static str,
    /// What it takes, in order.
    pub parameters: Vec<ParameterDefinition>,
    /// Entra does not have it.
    #[serde(skip)]
    pub is_extension: bool,
}

/// A parameter of a function (Graph `attributeMappingParameterSchema`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterDefinition {
    /// Its name: the key of the argument in the tree of an expression.
    pub name: &'static str,
    /// Whether a call without it is refused.
    pub required: bool,
    /// Whether it may be given several times.
    pub allow_multiple_occurrences: bool,
    /// What it takes: text, always.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// Every function, in alphabetical order.
pub fn functions() -> impl Iterator<Item = FunctionDefinition> {
    FUNCTIONS.iter().map(|function| {
        let named = function.parameters.iter().map(|parameter| {
            let name = graph_name(function.name, parameter.name);
            ParameterDefinition {
                name,
                required: parameter.required,
                allow_multiple_occurrences: false,
                kind: "String",
            }
        });
        let rest = repeated(function.rest).map(|name| ParameterDefinition {
            name,
            required: true,
            allow_multiple_occurrences: true,
            kind: "String",
        });
        let parameters = named.chain(rest).collect();
        FunctionDefinition { name: function.name, parameters, is_extension: function.is_extension }
    })
}

/// The parameters of `Replace` have names in the portal and others in Graph.
const REPLACE: [(&str, &str); 6] = [
    ("oldValue", "Find"),
    ("regexPattern", "RegularExpression"),
    ("regexGroupName", "RegularExpressionGroupName"),
    ("replacementValue", "Replacement"),
    ("replacementAttributeName", "ReplacementPropertyName"),
    ("template", "Template"),
];

fn graph_name(function: &str, parameter: &'static str) -> &'static str {
    let known = REPLACE.iter().find(|(portal, _)| function == "Replace" && *portal == parameter);
    known.map_or(parameter, |(_, graph)| graph)
}

/// The name of the parameter that is repeated at the end.
fn repeated(rest: Rest) -> Option<&'static str> {
    match rest {
        Rest::None => None,
        Rest::Sources => Some("source"),
        Rest::Pairs => Some("switchValue"),
        Rest::Rules => Some("uniqueValueRule"),
        Rest::Conditions => Some("condition"),
    }
}

fn key(function: &Function, index: usize) -> &'static str {
    let named = function.parameters.get(index).map(|parameter| graph_name(function.name, parameter.name));
    named.or_else(|| repeated(function.rest)).unwrap_or_default()
}

/// Where the arguments of a call stand, from 0, by the keys of the tree in its order. `None` for a function that nobody knows.
///
/// # Errors
/// A key that is none of the function's, or comes too often.
pub(crate) fn positions(name: &str, keys: &[&str]) -> Option<Result<Vec<usize>, String>> {
    let function = functions::find(name)?;
    let named = function.parameters;
    let (mut taken, mut repeats) = (vec![false; named.len()], 0);
    let place = |key: &&str| {
        let is_free = |index: usize, taken: &[bool]| {
            let portal = named[index].name;
            let is_meant = |name: &str| name.eq_ignore_ascii_case(key);
            !taken[index] && (is_meant(portal) || is_meant(graph_name(function.name, portal)))
        };
        if let Some(index) = (0..named.len()).find(|index| is_free(*index, &taken)) {
            taken[index] = true;
            return Ok(index);
        }
        if function.rest == Rest::None {
            return Err(format!("`{key}` is no parameter of `{function}`, or is there twice"));
        }
        repeats += 1;
        Ok(named.len() + repeats - 1)
    };
    Some(keys.iter().map(place).collect())
}

/// Whether two names mean the same function.
pub(crate) fn is_same_function(one: &str, other: &str) -> bool {
    let name = |name| functions::find(name).map(|function| function.name);
    one == other || (name(one).is_some() && name(one) == name(other))
}

/// What a part of an expression is in Graph's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Attribute,
    Constant,
    Function,
    /// A bare word or a comparison, for which Graph's documentation has no form.
    Other,
}

/// A part of an expression: the tree that Graph shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) kind: PartKind,
    /// The attribute, the constant or the function.
    pub(crate) name: String,
    /// The part as text.
    pub(crate) expression: String,
    /// What is given, by parameter.
    pub(crate) arguments: Vec<(&'static str, Part)>,
}

/// How deep the tree goes. What lies deeper has its text and no tree of its own: each level is three of JSON, of which readers take 127.
const TREE_DEPTH_MAX: usize = 36;

impl Part {
    pub(super) fn of(node: &Node) -> Self {
        Self::within(node, TREE_DEPTH_MAX)
    }

    /// With parts up to `depth` levels below.
    fn within(node: &Node, depth: usize) -> Self {
        let leaf = |kind, name: String| Self { kind, name, expression: node.to_string(), arguments: Vec::new() };
        match node {
            Node::Attribute(name) => leaf(PartKind::Attribute, name.clone()),
            Node::Text(text) => leaf(PartKind::Constant, text.clone()),
            Node::Pattern(pattern) => leaf(PartKind::Constant, pattern.text().to_owned()),
            // Entra makes texts of bare numbers when it saves.
            Node::Number(number) => {
                let text = decimal_text(number);
                Self { expression: super::quoted(&text), ..leaf(PartKind::Constant, text) }
            }
            Node::Word(word) => leaf(PartKind::Other, word.name().to_owned()),
            Node::Comparison { left, operator, right } => Self {
                arguments: [("left", left), ("right", right)]
                    .into_iter()
                    .filter(|_| depth > 0)
                    .map(|(side, node)| (side, Self::within(node, depth - 1)))
                    .collect(),
                ..leaf(PartKind::Other, operator.symbol().to_owned())
            },
            Node::Call { function, arguments, .. } => {
                let shown = if depth > 0 { arguments.as_slice() } else { &[] };
                let given = shown.iter().enumerate().filter_map(|(index, argument)| {
                    argument.as_ref().map(|argument| (key(function, index), Self::within(argument, depth - 1)))
                });
                Self { arguments: given.collect(), ..leaf(PartKind::Function, function.name.to_owned()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ObjectMapping;
    use crate::schema::{Document, Names, SOURCE_DIRECTORY, TARGET_DIRECTORY, read, write};

    #[test]
    fn arguments_stand_where_their_names_say() {
        for (function, keys, expected) in [
            ("Replace", vec!["source", "Find", "Replacement"], Some(Ok(vec![0, 1, 4]))),
            ("Replace", vec!["Template", "oldValue", "SOURCE"], Some(Ok(vec![6, 1, 0]))),
            ("Switch", vec!["source", "switchValue", "switchValue"], Some(Ok(vec![0, 2, 3]))),
            ("Switch", vec!["source", "defaultValue", "key1", "value1"], Some(Ok(vec![0, 1, 2, 3]))),
            ("Join", vec!["separator", "source", "source"], Some(Ok(vec![0, 1, 2]))),
            ("Coalesce", vec!["source1", "source2", "defaultValue"], Some(Ok(vec![0, 1, 2]))),
            ("AppRoleAssignments", vec!["appRoleAssignments"], Some(Ok(vec![0]))),
            ("Nothing", vec!["source"], None),
        ] {
            assert_eq!(positions(function, &keys), expected, "{function} {keys:?}");
        }
        let unknown = positions("ToLower", &["source", "colour"]).unwrap().unwrap_err();
        assert_eq!(unknown, "`colour` is no parameter of `ToLower(source, culture?)`, or is there twice");
        assert!(positions("ToLower", &["source", "source"]).unwrap().is_err());
    }

    /// What is exported has to be read again, however deep an expression goes.
    #[test]
    fn a_document_with_a_deep_expression_is_read_again() {
        let text = format!("{}[a]{}", "IIF(".repeat(100), "=\"1\",\"x\",\"y\")".repeat(100));
        let attribute = json!({"target": "title", "source": text});
        let object = json!({"sourceObject": "User", "targetObject": "User", "attributes": [attribute]});
        let object: ObjectMapping = serde_json::from_value(object).unwrap();
        let names = Names {
            schema_id: "job".into(),
            rule_id: "rule".into(),
            source_directory_id: "source".into(),
            target_directory_id: "target".into(),
            source_directory: SOURCE_DIRECTORY.into(),
            target_directory: TARGET_DIRECTORY.into(),
        };
        let document = write(None, std::slice::from_ref(&object), &names).document;
        let again = Document::parse(document.to_text().as_bytes()).unwrap();
        assert_eq!(read(&again).objects[0].attributes, object.attributes);
    }

    #[test]
    fn the_catalogue_is_as_graph_lists_functions() {
        let all: Vec<FunctionDefinition> = functions().collect();
        let json = |name| serde_json::to_value(all.iter().find(|function| function.name == name)).unwrap();
        assert_eq!(
            json("Switch")["parameters"],
            serde_json::json!([
                {"name": "source", "required": true, "allowMultipleOccurrences": false, "type": "String"},
                {"name": "defaultValue", "required": false, "allowMultipleOccurrences": false, "type": "String"},
                {"name": "switchValue", "required": true, "allowMultipleOccurrences": true, "type": "String"},
            ])
        );
        assert_eq!(json("Replace")["parameters"][1]["name"], "Find");
        assert!(all.iter().any(|function| function.is_extension) && all.iter().any(|function| !function.is_extension));
    }
}
