//! Tests of sources: expression and tree stand for each other.

use serde_json::{Value, json};

use super::*;
use crate::schema::document::Document;

/// Reads a source as it stands in a document.
fn entry(json: &Value) -> SourceEntry {
    let document = json!({"synchronizationRules": [{"objectMappings": [{"attributeMappings": [{"source": json}]}]}]});
    let mut schema = Document::from_json(document).unwrap().schema;
    let rule = &mut schema.synchronization_rules.or_default()[0];
    let mapping = &mut rule.object_mappings.or_default()[0];
    mapping.attribute_mappings.or_default()[0].source.or_default().clone()
}

/// The tree without any expression in it.
fn bare(mut entry: SourceEntry) -> SourceEntry {
    entry.expression = Member::Absent;
    for parameter in entry.parameters.given_mut().into_iter().flatten() {
        parameter.value = parameter.value.given().cloned().map_or(Member::Null, |value| Member::Given(bare(value)));
    }
    entry
}

const EXPRESSIONS: [&str; 14] = [
    "[mail]",
    "\"a \\\"b\\\" \\\\c\"",
    "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
    "Switch([a], \"x\", \"\", \"y\")",
    "Replace([preferredLanguage], \"-\", , , \"_\")",
    "Replace([a], , \"(?<n>.)\", \"n\", , [b])",
    "Join(\" \", [givenName], ToUpper([surname], \"tr-TR\"))",
    "Coalesce([mail], [otherMails], \"\")",
    "IIF([a] = \"1\", \"x\", Append([b], \"y\"))",
    "SelectUniqueValue([a], Append([a], \"1\"))",
    "Trim(StripSpaces([emails[type eq \"work\"].value]))",
    "Guid()",
    "IIF([a] = \"1\", \"x\", IgnoreAttributeFlow)",
    "IgnoreObjectFlow",
];

#[test]
fn a_source_is_read_from_its_expression_and_from_its_tree_alone() {
    for text in EXPRESSIONS {
        let source = MappingSource::parse_with(text, Language::EXTENDED).unwrap();
        let written = write(&source).given().cloned().unwrap();
        assert_eq!(read(&written), Ok((source.clone(), Vec::new())), "{text}");
        assert_eq!(read(&bare(written)), Ok((source, Vec::new())), "the tree of {text}");
    }
}

#[test]
fn trees_are_as_deep_as_expressions() {
    let deep = expression::DEPTH_MAX;
    let text = format!("{}[a]{}", "Not(".repeat(deep), ")".repeat(deep));
    let source = MappingSource::parse_with(&text, Language::ENTRA).unwrap();
    let written = write(&source).given().cloned().unwrap();
    assert_eq!(read(&written), Ok((source.clone(), Vec::new())));
    assert_eq!(read(&bare(written)), Ok((source, Vec::new())));
}

#[test]
fn the_tree_is_as_graph_writes_it() {
    let source = MappingSource::parse_with("Replace(Mid([a], 1, 8), \"-\", , , \"_\")", Language::ENTRA).unwrap();
    let attribute = json!({"type": "Attribute", "expression": "[a]", "name": "a", "parameters": []});
    let constant =
        |text: &str| json!({"type": "Constant", "expression": format!("\"{text}\""), "name": text, "parameters": []});
    assert_eq!(
        serde_json::to_value(write(&source).given()).unwrap(),
        json!({"type": "Function", "name": "Replace", "expression": "Replace(Mid([a], 1, 8), \"-\", , , \"_\")",
        "parameters": [
            {"key": "source", "value": {"type": "Function", "name": "Mid", "expression": "Mid([a], 1, 8)", "parameters": [
                {"key": "source", "value": attribute}, {"key": "start", "value": constant("1")},
                {"key": "length", "value": constant("8")}]}},
            {"key": "Find", "value": constant("-")},
            {"key": "Replacement", "value": constant("_")},
        ]})
    );
    assert_eq!(write(&MappingSource::None), Member::Null);
}

#[test]
fn the_expression_counts_where_the_tree_says_something_else() {
    for (json, source, is_odd) in [
        (json!({"type": "Attribute", "name": "mail", "expression": "[mail]", "parameters": []}), "[mail]", false),
        (json!({"type": "Attribute", "name": "upn", "expression": "[mail]"}), "[mail]", true),
        (json!({"type": "Constant", "name": "mail", "expression": "[mail]"}), "[mail]", true),
        (json!({"expression": "[mail]"}), "[mail]", false),
        (json!({"type": "Constant", "name": "8", "expression": "8"}), "\"8\"", false),
        (
            json!({"type": "Function", "name": "Not", "expression": "Not([a])", "parameters": [{"key": "source",
                "value": {"type": "Attribute", "name": "b"}}]}),
            "Not([a])",
            true,
        ),
        (json!({"type": "Function", "name": "Not", "expression": "Not([a])", "parameters": []}), "Not([a])", false),
        (
            json!({"type": "Function", "name": "AppRoleAssignments", "parameters": [{"key": "appRoleAssignments",
                "value": {"type": "Attribute", "name": "appRoleAssignments"}}]}),
            "AppRoleAssignmentsComplex([appRoleAssignments])",
            false,
        ),
        (json!({"name": "mail"}), "[mail]", false),
        (
            json!({"name": "ToLower", "parameters": [{"key": "source", "value": {"name": "mail"}}]}),
            "ToLower([mail])",
            false,
        ),
        (json!({}), "", true),
    ] {
        let (read, odd) = read(&entry(&json)).unwrap();
        assert_eq!((read.to_string().as_str(), !odd.is_empty()), (source, is_odd), "{json}");
    }
}

#[test]
fn sources_that_cannot_be_used_say_why() {
    for (json, expected) in [
        (
            json!({"expression": "ToLowr([mail])"}),
            "the expression `ToLowr([mail])` cannot be read: there is no function `ToLowr`, at character 1; did you mean `ToLower`?",
        ),
        (
            json!({"type": "Function", "name": "Nope", "parameters": []}),
            "the expression `Nope()` cannot be read: there is no function `Nope`, at character 1",
        ),
        (json!({"type": "Workflow", "expression": "[mail]"}), "the source is of the type `Workflow`"),
        (json!({"parameters": []}), "the source has neither an `expression` nor a `name`"),
        (
            json!({"type": "Function", "name": "Not", "parameters": [{"key": "x", "value": {"type": "Constant"}}]}),
            "`x` is no parameter of `Not(source)`",
        ),
    ] {
        let error = read(&entry(&json)).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// A call whose arguments are the attributes `a`, `b`, … under these keys.
fn call(name: &str, keys: &[&str]) -> Value {
    let attribute = |index: u8| json!({"type": "Attribute", "name": char::from(b'a' + index).to_string()});
    let parameters: Vec<Value> =
        (0..).zip(keys).map(|(index, key)| json!({"key": key, "value": attribute(index)})).collect();
    json!({"type": "Function", "name": name, "parameters": parameters})
}

#[test]
fn keys_are_those_that_graph_lists() {
    for (text, expected) in [
        ("SingleAppRoleAssignment([a])", "source"),
        ("AppRoleAssignmentsComplex([a])", "source"),
        ("AssertiveAppRoleAssignmentsComplex([a])", "source"),
        ("IsNothing([a])", "source"),
        ("FormatDateTime([a], \"yyyy\", \"MM\")", "source inputFormat outputFormat"),
        ("FormatDateTime([a], , \"yyyy\", \"MM\")", "source inputFormat outputFormat"),
        ("FormatDateTime([a], \"None\", \"yyyy\", \"MM\")", "source dateTimeStyles inputFormat outputFormat"),
        ("Switch([a], \"d\", \"k\", \"v\")", "source defaultValue switchValue switchValue"),
        ("Join(\"-\", [a], [b])", "separator source source"),
        ("Replace([a], \"b\", , , \"c\")", "source Find Replacement"),
        ("Replace([a], , \"b\", , \"c\")", "source RegularExpression Replacement"),
        ("Replace([a], \".\", \"\", \"\", \"\", \"\", \"\")", "source Find Replacement"),
        ("Prepend(\"x\", [a])", "prefix source"),
        ("Split([a], \",\")", "source delimiter"),
    ] {
        let written = write(&MappingSource::parse_with(text, Language::ENTRA).unwrap()).given().cloned().unwrap();
        let keys: Vec<&str> = written.parameters.items().iter().map(|parameter| parameter.key.text()).collect();
        assert_eq!(keys.join(" "), expected, "{text}");
        assert_eq!(read(&written).unwrap().1, Vec::<String>::new(), "{text}");
    }
}

#[test]
fn keys_of_the_portal_and_of_graph_are_taken() {
    for (name, keys, expected) in [
        ("SingleAppRoleAssignment", &["source"][..], "SingleAppRoleAssignment([a])"),
        ("SingleAppRoleAssignment", &["appRoleAssignments"], "SingleAppRoleAssignment([a])"),
        ("IsNothing", &["source"], "IsNothing([a])"),
        ("IsNothing", &["expression"], "IsNothing([a])"),
        ("Replace", &["Replacement", "source", "Find"], "Replace([b], [c], , , [a])"),
    ] {
        let json = call(name, keys);
        assert_eq!(read(&entry(&json)).map(|(source, odd)| (source.to_string(), odd)), Ok((expected.into(), vec![])));
        let mut with_expression = json;
        with_expression["expression"] = expected.into();
        assert_eq!(read(&entry(&with_expression)).unwrap().1, Vec::<String>::new(), "{name} {keys:?}");
    }
}

#[test]
fn arguments_stand_where_the_numbers_in_their_keys_say() {
    for (name, keys, expected) in [
        (
            "Switch",
            &["source", "defaultValue", "key1", "key2", "value1", "value2"][..],
            "Switch([a], [b], [c], [e], [d], [f])",
        ),
        ("Join", &["separator", "source2", "source1"], "Join([a], [c], [b])"),
        ("Coalesce", &["source1", "source2", "source10", "source3"], "Coalesce([a], [b], [d], [c])"),
    ] {
        let json = call(name, keys);
        assert_eq!(read(&entry(&json)).map(|(source, odd)| (source.to_string(), odd)), Ok((expected.into(), vec![])));
        let mut with_expression = json;
        with_expression["expression"] = expected.into();
        assert_eq!(read(&entry(&with_expression)).unwrap().1, Vec::<String>::new(), "{name} {keys:?}");
    }
    for (name, keys, expected) in [
        ("Switch", &["source", "key1", "value2"][..], "`key1` of `Switch` has no `value1` beside it"),
        ("Coalesce", &["source1", "source"], "the keys `source1` and `source` of `Coalesce` do not say which"),
    ] {
        let error = read(&entry(&call(name, keys))).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_word_in_an_expression_stays_a_text_where_it_is_quoted() {
    let constant = json!({"type": "Constant", "name": "IgnoreAttributeFlow"});
    assert_eq!(read(&entry(&constant)).unwrap().0.to_string(), "IgnoreAttributeFlow");
    let mut quoted = constant;
    quoted["expression"] = "\"IgnoreAttributeFlow\"".into();
    assert_eq!(read(&entry(&quoted)).unwrap().0, MappingSource::Constant("IgnoreAttributeFlow".to_owned()));
}

#[test]
fn a_tree_alone_is_read_by_all_names_of_its_parameters() {
    for (name, keys, expected) in [
        ("Left", &["length", "source"][..], "Left([b], [a])"),
        ("Right", &["numChars", "source"], "Right([b], [a])"),
        ("ToUpper", &["culture", "source"], "ToUpper([b], [a])"),
    ] {
        let read = read(&entry(&call(name, keys))).map(|(source, odd)| (source.to_string(), odd));
        assert_eq!(read, Ok((expected.to_owned(), Vec::new())));
    }
}

#[test]
fn a_constant_without_quotes_is_the_text_that_its_type_says() {
    let constant = |text: &str| json!({"type": "Constant", "name": text, "expression": text, "parameters": []});
    for text in ["US", "Contoso Ltd", "de-DE"] {
        let odd = format!("`{text}` has no quotes; its `type` says that it is a constant, so it is read as the text");
        let source = MappingSource::Constant(text.to_owned());
        assert_eq!(read(&entry(&constant(text))), Ok((source, vec![odd.clone()])));
        let inside =
            json!({"type": "Function", "name": "ToLower", "parameters": [{"key": "source", "value": constant(text)}]});
        let (source, told) = read(&entry(&inside)).unwrap();
        assert_eq!((source.to_string(), told), (format!("ToLower(\"{text}\")"), vec![odd]));
    }
    let error = read(&entry(&json!({"type": "Constant", "expression": "US"}))).unwrap_err();
    assert!(error.ends_with("did you mean `\"US\"`?"), "{error}");
    let error = read(&entry(&json!({"type": "Attribute", "expression": "US"}))).unwrap_err();
    assert!(error.ends_with("did you mean `[US]`?"), "{error}");
}

#[test]
fn unknown_keys_of_functions_that_graph_does_not_list_leave_the_arguments_in_order() {
    let (source, odd) = read(&entry(&call("ToUpper", &["text", "culture"]))).unwrap();
    assert_eq!(source.to_string(), "ToUpper([a], [b])");
    assert_eq!(
        odd,
        [
            "`text` is no parameter of `ToUpper(source, culture?)`; arguments whose keys are unknown take the places that are left, in their order"
        ]
    );
    let mut same = call("ToUpper", &["text", "culture"]);
    for (expression, is_odd) in [("ToUpper([a], [b])", false), ("ToUpper([b], [a])", true), ("ToUpper([a])", true)] {
        same["expression"] = expression.into();
        assert_eq!(!read(&entry(&same)).unwrap().1.is_empty(), is_odd, "{expression}");
    }
    assert!(read(&entry(&call("ToUpper", &["text", "TEXT"]))).is_err(), "which of the two comes first is not said");
}
