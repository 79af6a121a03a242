//! Tests of attribute mappings: their data-file form, and when a value flows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(json: serde_json::Value) -> Result<AttributeMapping, String> {
    serde_json::from_value(json).map_err(|error| error.to_string())
}

#[track_caller]
fn flow(json: serde_json::Value, operation: Operation) -> Flow {
    let source = BTreeMap::from([
        ("mail".to_owned(), Value::from("ann@contoso.com")),
        ("empty".to_owned(), Value::from("")),
        ("none".to_owned(), Value::List(Vec::new())),
        ("phones".to_owned(), Value::List(vec!["1".into(), "2".into()])),
    ]);
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    read(json).unwrap().evaluate(&source, &world, operation).unwrap()
}

#[test]
fn the_text_tells_the_kind_of_source() {
    for (text, expected) in [
        ("[mail]", MappingSource::Attribute("mail".into())),
        ("\"8\"", MappingSource::Constant("8".into())),
        ("8", MappingSource::Constant("8".into())),
        ("&HF", MappingSource::Constant("15".into())),
        ("ToLower([mail])", MappingSource::Expression("ToLower([mail])".parse().unwrap())),
    ] {
        let source: MappingSource = text.parse().unwrap();
        assert_eq!(source, expected, "{text}");
        assert_eq!(source.to_string().parse(), Ok(source), "{text}");
    }
}

#[test]
fn data_files_are_read_and_written_the_same_way() {
    for json in [
        json!({"target": "userName", "source": "[userPrincipalName]", "matchingPriority": 1}),
        json!({"target": "active", "source": r#"Switch([IsSoftDeleted], , "False", "True", "True", "False")"#, "required": true}),
        json!({"target": "locale", "defaultValue": "en_US"}),
        json!({"target": "title", "source": "\"a \\\"b\\\"\"", "flowType": "ObjectAddOnly", "flowBehavior": "FlowAlways"}),
        json!({"target": "emails", "source": "[proxyAddresses]", "flowType": "MultiValueAddOnly"}),
    ] {
        let mapping = read(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&mapping).unwrap(), json);
    }
}

#[test]
fn refusals_name_the_place() {
    for (json, expected) in [
        (json!({"target": "a", "sauce": "[a]"}), "unknown field `sauce`"),
        (json!({"source": "[a]"}), "missing field `target`"),
        (
            json!({"target": "title", "source": "Lower([a])"}),
            "source of `title`: there is no function `Lower`, at character 1; did you mean `ToLower`?",
        ),
        (json!({"target": "a", "flowType": "Sometimes"}), "unknown variant `Sometimes`"),
        (json!({"target": "a", "matchingPriority": -1}), "invalid value: integer `-1`"),
    ] {
        let error = read(json.clone()).unwrap_err();
        assert!(error.contains(expected), "{json} gives {error}");
    }
}

/// Null and empty never flow, whatever they are wrapped in.
#[test]
fn empty_elements_do_not_flow() {
    let source = BTreeMap::from([
        ("blank".to_owned(), Value::List(vec![String::new(), String::new()])),
        ("gaps".to_owned(), Value::List(vec![String::new(), "a".into(), String::new(), "b".into()])),
        ("one".to_owned(), Value::List(vec![String::new(), "a".into()])),
    ]);
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    let list = |texts: &[&str]| Flow::Value(Value::List(texts.iter().map(|text| (*text).to_owned()).collect()));
    for (json, create, update) in [
        (json!({"target": "t", "source": "[blank]"}), Flow::Nothing, Flow::Nothing),
        (json!({"target": "t", "source": "[blank]", "flowNullValues": true}), Flow::Nothing, Flow::Clear),
        (json!({"target": "t", "source": "[blank]", "defaultValue": "d"}), Flow::Value("d".into()), Flow::Nothing),
        (json!({"target": "t", "source": "[gaps]"}), list(&["a", "b"]), list(&["a", "b"])),
        (json!({"target": "t", "source": "Split(\",a,\", \",\")"}), list(&["a"]), list(&["a"])),
        (json!({"target": "t", "source": "Split([absent], \",\")"}), Flow::Nothing, Flow::Nothing),
    ] {
        let mapping = read(json.clone()).unwrap();
        assert_eq!(mapping.evaluate(&source, &world, Operation::Create), Ok(create), "{json}");
        assert_eq!(mapping.evaluate(&source, &world, Operation::Update), Ok(update), "{json}");
    }
    assert_eq!(
        read(json!({"target": " userName "})).unwrap().target,
        "userName",
        "no name begins or ends with a blank"
    );
    for (attribute, expected) in [("blank", None), ("gaps", None), ("one", Some("a"))] {
        let mapping = AttributeMapping::new("t", MappingSource::Attribute(attribute.into()));
        assert_eq!(mapping.match_value(&source, &world).unwrap().as_deref(), expected, "{attribute}");
    }
}

#[test]
fn what_flows_on_create_and_update() {
    let value = |text: &str| Flow::Value(Value::from(text));
    for (json, create, update) in [
        (json!({"target": "t", "source": "[mail]"}), value("ann@contoso.com"), value("ann@contoso.com")),
        (json!({"target": "t", "source": "\"x\""}), value("x"), value("x")),
        (json!({"target": "t", "source": "[absent]"}), Flow::Nothing, Flow::Nothing),
        (json!({"target": "t", "source": "[empty]"}), Flow::Nothing, Flow::Nothing),
        (json!({"target": "t", "source": "[none]"}), Flow::Nothing, Flow::Nothing),
        (json!({"target": "t", "source": "[empty]", "defaultValue": "d"}), value("d"), Flow::Nothing),
        (json!({"target": "t", "source": "ToLower([absent])", "defaultValue": "d"}), value("d"), Flow::Nothing),
        (json!({"target": "t", "source": "[absent]", "defaultValue": ""}), Flow::Nothing, Flow::Nothing),
        (json!({"target": "t", "defaultValue": "d"}), value("d"), Flow::Nothing),
        (json!({"target": "t"}), Flow::Nothing, Flow::Nothing),
        (
            json!({"target": "t", "source": "[mail]", "flowType": "ObjectAddOnly"}),
            value("ann@contoso.com"),
            Flow::Nothing,
        ),
        (
            json!({"target": "t", "source": "IgnoreFlowIfNullOrEmpty([absent])", "defaultValue": "d"}),
            Flow::Nothing,
            Flow::Nothing,
        ),
        (json!({"target": "objectFilter", "source": "IgnoreObjectFlow"}), Flow::DropObject, Flow::DropObject),
        (
            json!({"target": "t", "source": "[phones]"}),
            Flow::Value(Value::List(vec!["1".into(), "2".into()])),
            Flow::Value(Value::List(vec!["1".into(), "2".into()])),
        ),
    ] {
        assert_eq!(flow(json.clone(), Operation::Create), create, "create {json}");
        assert_eq!(flow(json.clone(), Operation::Update), update, "update {json}");
    }
}

#[test]
fn a_failure_at_creation_only_does_not_fail_updates() {
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    let mapping = read(json!({"target": "t", "source": "DefaultDomain()", "flowType": "ObjectAddOnly"})).unwrap();
    let empty = BTreeMap::new();
    assert_eq!(mapping.evaluate(&empty, &world, Operation::Create), Err(EvaluationError::NoDefaultDomain));
    assert_eq!(mapping.evaluate(&empty, &world, Operation::Update), Ok(Flow::Nothing));
}

#[test]
fn matching_takes_one_text_of_the_object_itself() {
    let source = BTreeMap::from([
        ("mail".to_owned(), Value::from("ann@contoso.com")),
        ("empty".to_owned(), Value::from("")),
        ("one".to_owned(), Value::List(vec!["a".into()])),
        ("two".to_owned(), Value::List(vec!["a".into(), "b".into()])),
    ]);
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    for (text, expected) in [
        ("[mail]", Some("ann@contoso.com")),
        ("ToUpper([mail])", Some("ANN@CONTOSO.COM")),
        ("[absent]", None),
        ("[empty]", None),
        ("[one]", Some("a")),
        ("[two]", None),
        ("IgnoreObjectFlow", None),
    ] {
        let mapping =
            read(json!({"target": "t", "source": text, "defaultValue": "d", "flowType": "ObjectAddOnly"})).unwrap();
        assert_eq!(mapping.match_value(&source, &world).unwrap().as_deref(), expected, "{text}");
    }
}

#[test]
fn only_a_mapping_without_source_fills() {
    assert_eq!(read(json!({"target": "locale", "defaultValue": "en_US"})).unwrap().fill(), Some("en_US"));
    assert_eq!(read(json!({"target": "locale", "source": "[x]", "defaultValue": "en_US"})).unwrap().fill(), None);
}

#[test]
fn redaction_is_known_without_a_value() {
    for (text, expected) in
        [("Redact([a])", true), ("Join(\"\", Redact(\"a\"), [b])", true), ("[Redact]", false), ("\"Redact\"", false)]
    {
        assert_eq!(text.parse::<MappingSource>().unwrap().is_redacted(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn constants_survive_the_data_file(text in any::<String>()) {
        let mapping = AttributeMapping::new("t", MappingSource::Constant(text));
        prop_assume!(mapping.source.to_string().chars().count() <= crate::expression::EXPRESSION_CHARS_MAX);
        let json = serde_json::to_string(&mapping).unwrap();
        prop_assert_eq!(serde_json::from_str::<AttributeMapping>(&json).unwrap(), mapping);
    }

    #[test]
    fn empty_values_never_flow(name in "mail|empty|none|phones|absent", create in any::<bool>()) {
        let operation = if create { Operation::Create } else { Operation::Update };
        if let Flow::Value(value) = flow(json!({"target": "t", "source": format!("[{name}]")}), operation) {
            prop_assert!(!value.is_empty());
        }
    }
}
