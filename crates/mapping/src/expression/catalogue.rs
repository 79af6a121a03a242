//! The functions as Microsoft Graph lists them, and expressions as the trees that Graph shows.

mod graph;
mod keys;

use serde::Serialize;

use self::graph::listed;
pub(crate) use self::keys::positions;
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
    /// Whether a call needs it.
    pub required: bool,
    /// Whether it may be given several times.
    pub allow_multiple_occurrences: bool,
    /// What it takes: `String`, `Integer` or `Boolean`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// Every function, in alphabetical order. What Graph lists is as there.
pub fn functions() -> impl Iterator<Item = FunctionDefinition> {
    FUNCTIONS.iter().map(|function| {
        let named = function.parameters.iter().map(|parameter| (parameter.name, parameter.required));
        let rest = repeated(function.rest).map(|name| (name, true));
        let parameter = |(index, (name, required)): (usize, (&'static str, bool))| {
            let listed = listed(function.name).and_then(|listed| listed.get(index));
            ParameterDefinition {
                name: listed.map_or(name, |listed| listed.name),
                required: listed.map_or(required, |listed| listed.required),
                allow_multiple_occurrences: index == function.parameters.len(),
                kind: listed.map_or("String", |listed| listed.kind),
            }
        };
        let parameters = named.chain(rest).enumerate().map(parameter).collect();
        FunctionDefinition { name: function.name, parameters, is_extension: function.is_extension }
    })
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

/// Graph's key of an argument of a call that has `count` of them.
fn key(function: &Function, index: usize, count: usize) -> &'static str {
    let named = function.parameters;
    // Three arguments of it are those without the styles.
    let has_no_styles = function.name == "FormatDateTime" && count == 3 && index > 0;
    let place = (index + usize::from(has_no_styles)).min(named.len());
    let listed = listed(function.name).and_then(|listed| listed.get(place)).map(|listed| listed.name);
    let here = || named.get(place).map(|parameter| parameter.name);
    listed.or_else(here).or_else(|| repeated(function.rest)).unwrap_or_default()
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

/// How deep the tree goes. What lies deeper has its text and no tree of its own: each level is three of JSON, and documents are read
/// 600 deep. Calls alone stay below it; comparisons count as well.
const TREE_DEPTH_MAX: usize = 190;

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
                    let key = key(function, index, arguments.len());
                    argument.as_ref().map(|argument| (key, Self::within(argument, depth - 1)))
                });
                Self { arguments: given.collect(), ..leaf(PartKind::Function, function.name.to_owned()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_as_graph_lists_functions() {
        let all: Vec<FunctionDefinition> = functions().collect();
        for (function, parameters) in [
            ("Switch", "source! defaultValue switchValue*"),
            ("Join", "separator! source!*"),
            ("Split", "source! delimiter"),
            ("Mid", "source! start!Integer length!Integer"),
            ("Not", "source!Boolean"),
            ("IsNothing", "source!Boolean"),
            ("SingleAppRoleAssignment", "source!"),
            ("AppRoleAssignmentsComplex", "source!"),
            ("FormatDateTime", "source! dateTimeStyles inputFormat! outputFormat!"),
            (
                "Replace",
                "source! Find RegularExpression RegularExpressionGroupName Replacement ReplacementPropertyName Template",
            ),
            ("DefaultDomain", ""),
            ("ToLower", "source! culture"),
        ] {
            let function = all.iter().find(|one| one.name == function).unwrap();
            let told = function.parameters.iter().map(|one| {
                let required = if one.required { "!" } else { "" };
                let kind = if one.kind == "String" { "" } else { one.kind };
                format!("{}{required}{kind}{}", one.name, if one.allow_multiple_occurrences { "*" } else { "" })
            });
            assert_eq!(told.collect::<Vec<_>>().join(" "), parameters, "{}", function.name);
        }
        assert_eq!(
            serde_json::to_value(&all.iter().find(|one| one.name == "Not").unwrap().parameters).unwrap(),
            serde_json::json!([
                {"name": "source", "required": true, "allowMultipleOccurrences": false, "type": "Boolean"},
            ])
        );
        assert!(all.iter().any(|function| function.is_extension) && all.iter().any(|function| !function.is_extension));
    }
}
