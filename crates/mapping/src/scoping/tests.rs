//! Tests of scoping filters: the published examples, the rule of null, and the forms in data files.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn filters(json: serde_json::Value) -> ScopingFilters {
    serde_json::from_value(json).unwrap()
}

/// One filter of one clause.
fn only(attribute: &str, operator: &str, value: Option<&str>) -> ScopingFilters {
    filters(json!([{"name": "F1", "clauses": [{"attribute": attribute, "operator": operator, "value": value}]}]))
}

fn person(attributes: &[(&str, &str)]) -> BTreeMap<String, Value> {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
}

#[test]
fn every_operator_has_an_entry_and_is_read_back() {
    for operator in [
        FilterOperator::Equals,
        FilterOperator::NotEquals,
        FilterOperator::IsNull,
        FilterOperator::IsNotNull,
        FilterOperator::IsTrue,
        FilterOperator::IsFalse,
    ] {
        assert_eq!(operator.to_string().parse(), Ok(operator));
        assert!(FilterOperator::all().any(|listed| listed == operator));
    }
    assert_eq!(FilterOperator::all().count(), 6);
    assert_eq!("Present".parse(), Ok(FilterOperator::IsNotNull));
}

#[test]
fn other_operators_are_refused_with_a_reason() {
    for (text, expected) in [
        ("REGEX MATCH", "`REGEX MATCH` is an Entra operator that this version does not evaluate yet"),
        ("!&", "`!&` is an Entra operator that this version does not evaluate yet"),
        ("equals", "there is no operator `equals`; did you mean `EQUALS`?"),
        ("IS NUL", "there is no operator `IS NUL`; did you mean `IS NULL`?"),
        ("Valid Cert Match", "there is no operator `Valid Cert Match`"),
        ("", "there is no operator ``"),
    ] {
        assert_eq!(text.parse::<FilterOperator>().unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn each_operator_on_each_kind_of_value() {
    let attributes = person(&[("dept", "Sales"), ("empty", ""), ("yes", "True"), ("no", "false")]);
    for (attribute, operator, value, expected) in [
        ("dept", "EQUALS", Some("Sales"), true),
        ("dept", "EQUALS", Some("sales"), false),
        ("dept", "NOT EQUALS", Some("sales"), true),
        ("dept", "NOT EQUALS", Some("Sales"), false),
        ("dept", "IS NULL", None, false),
        ("dept", "IS NOT NULL", None, true),
        ("dept", "IS TRUE", None, false),
        ("dept", "IS FALSE", None, false),
        ("yes", "IS TRUE", None, true),
        ("yes", "IS FALSE", None, false),
        ("no", "IS TRUE", None, false),
        ("no", "IS FALSE", None, true),
        ("Dept", "IS NULL", None, true),
    ] {
        let got = only(attribute, operator, value).evaluate(&attributes).in_scope;
        assert_eq!(got, expected, "{attribute} {operator} {value:?}");
    }
    for attribute in ["empty", "absent"] {
        for operator in FilterOperator::all() {
            let value = operator.takes_value().then_some("");
            let got = only(attribute, &operator.to_string(), value).evaluate(&attributes).in_scope;
            assert_eq!(got, operator == FilterOperator::IsNull, "{attribute} {operator}");
        }
    }
}

#[test]
fn all_values_of_a_list_must_hold() {
    let source = BTreeMap::from([
        ("x".to_owned(), Value::List(vec!["a".into(), "b".into()])),
        ("none".to_owned(), Value::List(vec![])),
    ]);
    for (attribute, operator, value, expected) in [
        ("x", "EQUALS", Some("a"), false),
        ("x", "NOT EQUALS", Some("a"), false),
        ("x", "NOT EQUALS", Some("c"), true),
        ("x", "IS NOT NULL", None, true),
        ("none", "IS NULL", None, true),
        ("none", "NOT EQUALS", Some("a"), false),
    ] {
        assert_eq!(
            only(attribute, operator, value).evaluate(&source).in_scope,
            expected,
            "{attribute} {operator} {value:?}"
        );
    }
}

#[test]
fn clauses_are_joined_by_and_filters_by_or() {
    let and = filters(json!([{"name": "New York engineers", "clauses": [
        {"attribute": "state", "operator": "EQUALS", "value": "New York"},
        {"attribute": "department", "operator": "EQUALS", "value": "Engineering"},
        {"attribute": "jobTitle", "operator": "IS NOT NULL"},
    ]}]));
    let ann = person(&[("state", "New York"), ("department", "Engineering"), ("jobTitle", "Lead")]);
    assert_eq!(and.evaluate(&ann), Verdict { in_scope: true, failed: vec![] });
    let bob = person(&[("state", "Ohio"), ("department", "Engineering")]);
    assert_eq!(
        and.evaluate(&bob),
        Verdict {
            in_scope: false,
            failed: vec![
                "New York engineers state EQUALS New York".into(),
                "New York engineers jobTitle IS NOT NULL".into()
            ]
        }
    );
    let clause = |value| json!([{"attribute": "dept", "operator": "EQUALS", "value": value}]);
    let or =
        filters(json!([{"name": "F1", "clauses": clause("Sales")}, {"name": "F2", "clauses": clause("Marketing")}]));
    assert!(or.evaluate(&person(&[("dept", "Marketing")])).in_scope);
    assert_eq!(or.evaluate(&person(&[("dept", "HR")])).failed, ["F1 dept EQUALS Sales", "F2 dept EQUALS Marketing"]);
}

#[test]
fn without_filters_everyone_is_in_scope() {
    assert_eq!(ScopingFilters::default().evaluate(&person(&[])), Verdict { in_scope: true, failed: vec![] });
}

#[test]
fn published_examples() {
    for (attribute, operator, value, attributes, expected) in [
        ("dept", "EQUALS", Some("sales"), vec![("dept", "Sales")], false),
        ("dept", "NOT EQUALS", Some("Sales"), vec![], false),
        ("accountEnabled", "IS TRUE", None, vec![], false),
    ] {
        assert_eq!(
            only(attribute, operator, value).evaluate(&person(&attributes)).in_scope,
            expected,
            "{attribute} {operator}"
        );
    }
}

#[test]
fn both_forms_of_a_clause_are_read_and_one_is_written() {
    let short = json!([{"name": "F1", "clauses": [
        {"attribute": "department", "operator": "EQUALS", "value": "Sales"},
        {"attribute": "jobTitle", "operator": "IS NOT NULL"},
    ]}]);
    let graph = json!([{"name": "F1", "clauses": [
        {"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": {"values": ["Sales"]}},
        {"sourceOperandName": "jobTitle", "operatorName": "IS NOT NULL", "targetOperand": {"values": []}},
    ]}]);
    assert_eq!(filters(short.clone()), filters(graph));
    assert_eq!(serde_json::to_value(filters(short.clone())).unwrap(), short);
}

#[test]
fn clauses_that_make_no_sense_are_refused() {
    for (clause, expected) in [
        (json!({"attribute": "a", "operator": "EQUALS"}), "`a EQUALS` needs a value"),
        (json!({"attribute": "a", "operator": "IS NULL", "value": "x"}), "`a IS NULL` takes no value"),
        (json!({"attribute": "", "operator": "IS NULL"}), "a clause needs a source attribute"),
        (
            json!({"attribute": "a", "operator": "EQUALS", "targetOperand": {"values": ["x", "y"]}}),
            "`a EQUALS` has several values, one is allowed",
        ),
        (
            json!({"attribute": "a", "operator": "Includes", "value": "x"}),
            "`Includes` is an Entra operator that this version does not evaluate yet",
        ),
        (json!({"attribute": "a", "operator": "IS NULL", "valeu": "x"}), "unknown field `valeu`"),
    ] {
        let error = serde_json::from_value::<Clause>(clause.clone()).unwrap_err().to_string();
        assert!(error.contains(expected), "{clause} gives {error}");
    }
}

fn clauses() -> impl Strategy<Value = Clause> {
    let operators: Vec<_> = FilterOperator::all().collect();
    ("[ab]", prop::sample::select(operators), "[xy]|True|false").prop_map(|(attribute, operator, value)| Clause {
        attribute,
        operator,
        value: operator.takes_value().then_some(value),
    })
}

fn groups() -> impl Strategy<Value = Vec<FilterGroup>> {
    let group = prop::collection::vec(clauses(), 1..4).prop_map(|clauses| FilterGroup { name: "F".into(), clauses });
    prop::collection::vec(group, 1..4)
}

proptest! {
    #[test]
    fn a_verdict_has_reasons_exactly_when_it_is_out(groups in groups(), a in "[xy]|True|", b in prop::option::of("[xy]|false")) {
        let mut source = person(&[("a", &a)]);
        source.extend(b.map(|b| ("b".to_owned(), Value::from(b))));
        let verdict = ScopingFilters(groups.clone()).evaluate(&source);
        prop_assert_eq!(verdict.in_scope, verdict.failed.is_empty());
        let alone = groups.into_iter().any(|group| ScopingFilters(vec![group]).evaluate(&source).in_scope);
        prop_assert_eq!(verdict.in_scope, alone, "OR between groups");
    }

    #[test]
    fn filters_survive_the_data_file(groups in groups()) {
        let filters = ScopingFilters(groups);
        let json = serde_json::to_string(&filters).unwrap();
        prop_assert_eq!(serde_json::from_str::<ScopingFilters>(&json).unwrap(), filters);
    }
}
