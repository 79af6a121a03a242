//! Tests of the document: nothing is lost, and what does not fit is told with its place.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::expression;

fn round(json: &Value) -> Value {
    serde_json::to_value(Document::from_json(json.clone()).unwrap()).unwrap()
}

#[test]
fn absent_null_and_unknown_members_stay_what_they_are() {
    for json in [
        json!({"directories": null}),
        json!({"@odata.context": "x", "id": "j", "version": null, "directories": [], "synchronizationRules": []}),
        json!({"synchronizationRules": [{"objectMappings": [{"scope": null, "new": {"deep": [1, 2.5]}, "attributeMappings": [
            {"source": null}, {"source": {}}, {"source": {"parameters": [{"key": "k", "value": null, "x": 1}]}},
            {"matchingPriority": null, "defaultValue": ""}]}]}]}),
        json!({"id": "scim", "factoryTag": "scim", "schema": {"id": "s", "directories": []}}),
        json!({"@odata.context": "x", "value": [{"id": "s", "directories": []}]}),
        json!({"@odata.nextLink": "x", "value": [{"id": "t", "schema": {"id": "s", "directories": [], "value": []}}]}),
    ] {
        assert_eq!(round(&json), json);
    }
}

#[test]
fn a_mark_at_the_begin_and_a_template_around_are_taken() {
    let text = "\u{FEFF}{\"schema\": {\"directories\": [], \"id\": \"a\"}, \"id\": \"t\"}";
    let document = Document::parse(text.as_bytes()).unwrap();
    assert_eq!(document.schema.id.text(), "a");
    assert_eq!(
        document.to_text(),
        "{\n  \"schema\": {\n    \"directories\": [],\n    \"id\": \"a\"\n  },\n  \"id\": \"t\"\n}\n"
    );
}

#[test]
fn what_is_no_schema_is_told() {
    for (bytes, expected) in [
        (&b"\xFF\xFE{\0"[..], "the document is in UTF-16, not in UTF-8; save it as UTF-8"),
        (b"{\0\"\0", "the document is in UTF-16, not in UTF-8; save it as UTF-8"),
        (b"\0{\0\"", "the document is in UTF-16, not in UTF-8; save it as UTF-8"),
        (b"{\"id\": \"\xE4\"}", "the document is not in UTF-8; save it as UTF-8"),
        (
            b"{\"a\": }",
            "the document is no JSON: a value is expected here: a text in quotation marks, a number, true, false, null, `[` or `{`, in line 1, column 7",
        ),
        (b"[]", "the document is no synchronization schema: it is a list, an object is expected"),
        (
            b"{\"value\": []}",
            "the document is no synchronization schema: it is a list, and its `value` is empty: there is no schema in it",
        ),
        (
            b"{\"value\": [{\"id\": 1}]}",
            "the document is no synchronization schema: it is a list, and the element of its `value` is no schema",
        ),
        (
            b"{\"value\": [{\"directories\": []}, {\"directories\": []}]}",
            "the document is no synchronization schema: it is a list of 2; take one element of its `value`",
        ),
        (
            b"{\"SynchronizationRules\": []}",
            "the document is no synchronization schema: it has neither `synchronizationRules` nor `directories`; `SynchronizationRules` is probably meant to be `synchronizationRules`",
        ),
    ] {
        assert_eq!(Document::parse(bytes).unwrap_err().to_string(), expected);
    }
    let deep = format!("{{\"directories\": {}", "[".repeat(DEPTH_MAX));
    assert_eq!(Document::parse(deep.as_bytes()), Err(DocumentError::TooDeep));
    let large = vec![b' '; DOCUMENT_BYTES_MAX + 1];
    assert_eq!(Document::parse(&large), Err(DocumentError::TooLarge(DOCUMENT_BYTES_MAX + 1)));
}

/// Half of what a thread has where nobody says anything else.
const STACK_BYTES: usize = 1024 * 1024;

/// A document with a source whose tree is so many calls deep, and as an unknown member lists that fill the rest of the depth.
fn deep_document(calls: usize) -> String {
    let open =
        "{\"type\": \"Function\", \"name\": \"Not\", \"parameters\": [{\"key\": \"source\", \"value\": ".repeat(calls);
    let source = format!("{open}{{\"type\": \"Attribute\", \"name\": \"a\"}}{}", "}]}".repeat(calls));
    let lists = format!("{}{}", "[".repeat(DEPTH_MAX - 1), "]".repeat(DEPTH_MAX - 1));
    format!(
        "{{\"synchronizationRules\": [{{\"objectMappings\": [{{\"sourceObjectName\": \"User\", \"targetObjectName\": \"User\", \
         \"attributeMappings\": [{{\"targetAttributeName\": \"title\", \"source\": {source}}}]}}]}}], \"new [\\\"[\": {lists}}}"
    )
}

#[test]
fn deep_documents_are_read_and_written_on_half_a_stack() {
    let work = || {
        let read = |calls: usize| {
            let document = Document::parse(deep_document(calls).as_bytes())?;
            let again = document.clone();
            assert_eq!(Document::parse(document.to_text().as_bytes()).as_ref(), Ok(&again));
            Ok(crate::schema::read(&document).objects[0].attributes.len())
        };
        // Eight levels around the source, and three for each call.
        let most = 197;
        assert_eq!(read(expression::DEPTH_MAX), Ok(1), "all that an expression may have");
        // One mapping that cannot be read does not keep the others of the document from being read.
        assert_eq!(read(expression::DEPTH_MAX + 1), Ok(0));
        assert_eq!(read(most), Ok(0));
        assert_eq!(read(most + 1), Err(DocumentError::TooDeep));
    };
    std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
}

#[test]
fn every_misfit_is_told_with_its_place() {
    let json = json!({"directories": {}, "synchronizationRules": [
        {"priority": "1", "objectMappings": [{"enabled": "true", "attributeMappings": [
            {"matchingPriority": 1.5}, {"source": "[mail]"}, null]}]}]});
    let error = Document::from_json(json).unwrap_err().to_string();
    let rules = "synchronizationRules[0]";
    assert_eq!(
        error.lines().skip(1).collect::<Vec<_>>(),
        [
            "directories: expected a list, found an object".to_owned(),
            format!("{rules}.priority: expected a whole number, without quotes, found text"),
            format!("{rules}.objectMappings[0].enabled: expected true or false, without quotes, found text"),
            format!(
                "{rules}.objectMappings[0].attributeMappings[0].matchingPriority: expected a whole number, without quotes, found 1.5"
            ),
            format!("{rules}.objectMappings[0].attributeMappings[1].source: expected an object (a source), found text"),
            format!(
                "{rules}.objectMappings[0].attributeMappings[2]: expected an object (an attribute mapping), found null"
            ),
        ]
    );
}

#[test]
fn lists_and_texts_have_limits() {
    for (json, expected) in [
        (json!({"directories": vec![json!({}); 51]}), "directories: expected at most 50 elements, found 51"),
        (json!({"directories": [], "id": "x".repeat(70_000)}), "id: expected text of at most 65536 bytes"),
    ] {
        let error = Document::from_json(json).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn names_in_another_case_are_told() {
    let json = json!({"directories": [], "SynchronizationRules": [], "@odata.id": "", "notKnown": 1});
    let document = Document::from_json(json).unwrap();
    let written: Vec<_> = document.misspellings().iter().map(|one| (one.written.as_str(), one.meant)).collect();
    assert_eq!(written, [("SynchronizationRules", "synchronizationRules")]);
}

/// JSON with names of the schema in places where they may or may not belong.
fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "directories",
        "synchronizationRules",
        "objectMappings",
        "attributeMappings",
        "source",
        "parameters",
        "scope",
        "groups",
        "clauses",
        "name",
        "type",
        "metadata",
        "other",
    ]);
    leaf.prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_read_is_written_as_equal_json(json in json_values()) {
        if let Ok(document) = Document::from_json(json.clone()) {
            let text = document.to_text();
            prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json);
            prop_assert_eq!(Document::parse(text.as_bytes()).unwrap(), document);
        }
    }

    #[test]
    fn in_the_order_of_any_text_it_is_equal_json(before in json_values(), json in json_values()) {
        let text = order::in_order_of(&before.to_string(), &json.to_string());
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json);
        prop_assert_eq!(order::in_order_of(&text, &text), text);
    }
}
