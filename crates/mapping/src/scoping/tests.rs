//! Tests of scoping filters: the published examples, the rule of null, and the forms in data files.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::value::Value;

mod ours;

const NOW: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

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
        FilterOperator::RegexMatch,
        FilterOperator::NotRegexMatch,
        FilterOperator::GreaterThan,
        FilterOperator::GreaterThanOrEquals,
        FilterOperator::Includes,
        FilterOperator::EndsWith,
        FilterOperator::BitAnd,
        FilterOperator::NotBitAnd,
        FilterOperator::IsBefore,
        FilterOperator::IsOnOrBefore,
        FilterOperator::IsAfter,
        FilterOperator::IsOnOrAfter,
        FilterOperator::HasValue,
        FilterOperator::HasNoValue,
        FilterOperator::IsMemberOf,
        FilterOperator::IsNotMemberOf,
        FilterOperator::IsNestedMemberOf,
        FilterOperator::IsNotNestedMemberOf,
    ] {
        assert_eq!(operator.to_string().parse(), Ok(operator));
        assert!(FilterOperator::all().any(|listed| listed == operator));
        for quantifier in Quantifier::ALL {
            let Some(quantified) = operator.quantified(quantifier) else { continue };
            assert_eq!(quantified.to_string(), format!("{} {operator}", quantifier.name()));
            assert_eq!(quantified.to_string().parse(), Ok(quantified));
            assert!(quantified.is_extension() && quantified.takes_value());
        }
    }
    assert_eq!(FilterOperator::all().filter(|operator| !operator.is_extension()).count(), 14);
    assert_eq!(FilterOperator::all().count(), 24);
    assert_eq!("Present".parse(), Ok(FilterOperator::IsNotNull));
}

#[test]
fn other_operators_are_refused_with_a_reason() {
    for (text, expected) in [
        (
            "IsMemberOf",
            "the operator `IsMemberOf` is not supported: use `IS MEMBER OF` with the object id of the group, or assign the group to the application and let the scope be those who are assigned",
        ),
        ("equals", "there is no operator `equals`; did you mean `EQUALS`?"),
        ("IS NUL", "there is no operator `IS NUL`; did you mean `IS NULL`?"),
        ("Valid Cert Match", "the operator `Valid Cert Match` is not supported: Microsoft does not tell what it does"),
        ("GREATER_THAN", "there is no operator `GREATER_THAN`; did you mean `Greater_Than`?"),
        ("ENDS WITH", "there is no operator `ENDS WITH`; did you mean `ENDS_WITH`?"),
        (
            "greater than or equal",
            "there is no operator `greater than or equal`; did you mean `Greater_Than_OR_EQUALS`?",
        ),
        ("contains", "there is no operator `contains`; did you mean `Includes`?"),
        ("!=", "there is no operator `!=`; did you mean `NOT EQUALS`?"),
        ("STARTS_WITH", "there is no operator `STARTS_WITH`; did you mean `REGEX MATCH`?"),
        ("ALL CONTAINS", "there is no operator `ALL CONTAINS`; did you mean `ALL Includes`?"),
        ("ANY equals", "there is no operator `ANY equals`; did you mean `ANY EQUALS`?"),
        ("IS MEMBER OFF", "there is no operator `IS MEMBER OFF`; did you mean `IS MEMBER OF`?"),
        (
            "ANY IS NULL",
            "`ANY` cannot stand before `IS NULL`: it is for operators that compare each value with something, such as `ANY EQUALS`",
        ),
        (
            "NONE IS MEMBER OF",
            "`NONE` cannot stand before `IS MEMBER OF`: it is for operators that compare each value with something, such as `NONE EQUALS`",
        ),
        ("ANY NONE EQUALS", "there is no operator `ANY NONE EQUALS`; did you mean `ANY NOT EQUALS`?"),
    ] {
        assert_eq!(text.parse::<FilterOperator>().unwrap_err().to_string(), expected, "{text}");
    }
    for text in ["", "sounds like", "NONE IS NUL"] {
        let all: Vec<String> = FilterOperator::all().map(|operator| operator.to_string()).collect();
        let expected = format!("there is no operator `{text}`; there are {}", all.join(", "));
        assert_eq!(text.parse::<FilterOperator>().unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn each_operator_on_each_kind_of_value() {
    let attributes = person(&[
        ("dept", "Sales"),
        ("empty", ""),
        ("yes", "True"),
        ("no", "false"),
        ("id", "110"),
        ("upn", "a@x.com"),
    ]);
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
        ("dept", "REGEX MATCH", Some("^S.*s$"), true),
        ("dept", "REGEX MATCH", Some("ale"), true),
        ("dept", "REGEX MATCH", Some("^s"), false),
        ("dept", "REGEX MATCH", Some("(?i)^s"), true),
        ("dept", "NOT REGEX MATCH", Some("^s"), true),
        ("dept", "NOT REGEX MATCH", Some("ale"), false),
        ("id", "REGEX MATCH", Some("([1-9][0-9])"), true),
        ("upn", "NOT REGEX MATCH", Some(".*\\@domain.com"), true),
        ("id", "Greater_Than", Some("109"), true),
        ("id", "Greater_Than", Some("110"), false),
        ("id", "Greater_Than", Some("9"), true),
        ("id", "Greater_Than_OR_EQUALS", Some("110"), true),
        ("id", "Greater_Than_OR_EQUALS", Some("111"), false),
        ("dept", "Greater_Than", Some("1"), false),
        ("dept", "Includes", Some("ale"), true),
        ("dept", "Includes", Some("ALE"), false),
        ("dept", "ENDS_WITH", Some("les"), true),
        ("dept", "ENDS_WITH", Some("Sal"), false),
        ("id", "&", Some("2"), true),
        ("id", "&", Some("1"), false),
        ("id", "!&", Some("1"), true),
        ("dept", "&", Some("Sales, Marketing"), true),
        ("dept", "&", Some("Marketing"), false),
        ("dept", "!&", Some("Marketing"), true),
    ] {
        let got = only(attribute, operator, value).evaluate(&attributes, NOW).unwrap().in_scope;
        assert_eq!(got, expected, "{attribute} {operator} {value:?}");
    }
    for attribute in ["empty", "absent"] {
        for operator in FilterOperator::all().filter(|operator| !operator.is_extension()) {
            let value = operator.takes_value().then_some("0");
            let got = only(attribute, &operator.to_string(), value).evaluate(&attributes, NOW).unwrap().in_scope;
            assert_eq!(got, operator == FilterOperator::IsNull, "{attribute} {operator}");
        }
    }
}

#[test]
fn a_regular_expression_may_have_to_match_the_whole_value() {
    for (value, pattern, expected) in [
        ("11", "([1-9][0-9])", true),
        ("110", "([1-9][0-9])", false),
        ("b", "a|b", true),
        ("ab", "a|b", false),
        ("ab", "(?x)ab # comment", true),
        ("ab\n", "ab", false),
        ("ab\n", "ab$", false),
    ] {
        let filter = filters(json!([{"name": "F1", "clauses": [
            {"attribute": "x", "operator": "REGEX MATCH", "value": pattern, "regexMode": "full"},
        ]}]));
        assert_eq!(filter.evaluate(&person(&[("x", value)]), NOW).unwrap().in_scope, expected, "{value:?} {pattern}");
    }
    for (pattern, mode, expected) in [
        ("[0-9]+", RegexMode::Search, true),
        ("^[0-9]+", RegexMode::Search, true),
        ("^[0-9]+$", RegexMode::Search, false),
        ("\\A[0-9]+\\z", RegexMode::Search, false),
        ("[0-9]+", RegexMode::Full, false),
    ] {
        let clause = Clause::new("x", FilterOperator::RegexMatch, Some(pattern.to_owned()), mode).unwrap();
        assert_eq!(clause.is_unanchored(), expected, "{pattern} {mode:?}");
    }
}

#[test]
fn what_takes_too_long_is_neither_in_scope_nor_out() {
    let source = person(&[("x", &"a".repeat(60_000))]);
    let undecided = only("x", "NOT REGEX MATCH", Some("(?=(a+))\\1b")).evaluate(&source, NOW).unwrap_err();
    assert_eq!(
        undecided.to_string(),
        "the scoping filter `F1 x NOT REGEX MATCH (?=(a+))\\1b` cannot be decided: its regular expression takes too many steps on this value"
    );
}

#[test]
fn all_values_of_a_list_must_hold() {
    let source = BTreeMap::from([
        ("x".to_owned(), Value::List(vec!["a".into(), "b".into()])),
        ("none".to_owned(), Value::List(vec![])),
        ("blank".to_owned(), Value::List(vec![String::new(), String::new()])),
    ]);
    for (attribute, operator, value, expected) in [
        ("blank", "IS NULL", None, true),
        ("blank", "IS NOT NULL", None, false),
        ("blank", "NOT EQUALS", Some("a"), false),
        ("x", "EQUALS", Some("a"), false),
        ("x", "NOT EQUALS", Some("a"), false),
        ("x", "NOT EQUALS", Some("c"), true),
        ("x", "IS NOT NULL", None, true),
        ("none", "IS NULL", None, true),
        ("none", "NOT EQUALS", Some("a"), false),
    ] {
        assert_eq!(
            only(attribute, operator, value).evaluate(&source, NOW).unwrap().in_scope,
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
    assert_eq!(and.evaluate(&ann, NOW).unwrap(), Verdict { in_scope: true, failed: vec![] });
    let bob = person(&[("state", "Ohio"), ("department", "Engineering")]);
    assert_eq!(
        and.evaluate(&bob, NOW).unwrap(),
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
    assert!(or.evaluate(&person(&[("dept", "Marketing")]), NOW).unwrap().in_scope);
    assert_eq!(
        or.evaluate(&person(&[("dept", "HR")]), NOW).unwrap().failed,
        ["F1 dept EQUALS Sales", "F2 dept EQUALS Marketing"]
    );
}

#[test]
fn an_explanation_tells_of_every_clause_what_it_saw() {
    let filters = filters(json!([
        {"name": "F1", "clauses": [
            {"attribute": "dept", "operator": "EQUALS", "value": "Sales"},
            {"attribute": "city", "operator": "IS NULL"},
        ]},
        {"name": "F2", "clauses": [{"attribute": "city", "operator": "IS NOT NULL"}]},
    ]));
    let told = |source: &BTreeMap<String, Value>| {
        let explanation = filters.explain(source, NOW);
        assert_eq!(explanation.in_scope, filters.evaluate(source, NOW).map(|verdict| verdict.in_scope));
        let clause = |one: &ExplainedClause<'_>| format!("{} saw {:?}: {:?}", one.clause, one.seen.first(), one.held);
        let group = |group: &ExplainedGroup<'_>| {
            (group.name.to_owned(), group.holds, group.clauses.iter().map(clause).collect::<Vec<_>>().join(", "))
        };
        explanation.groups.iter().map(group).collect::<Vec<_>>()
    };
    let group = |name: &str, holds, clauses: &str| (name.to_owned(), holds, clauses.to_owned());
    assert_eq!(
        told(&person(&[("dept", "Sales")])),
        [
            group("F1", true, "dept EQUALS Sales saw Some(\"Sales\"): Yes, city IS NULL saw None: Yes"),
            group("F2", false, "city IS NOT NULL saw None: No"),
        ]
    );
    assert_eq!(
        told(&person(&[("dept", "HR"), ("city", "Bonn")])),
        [
            group("F1", false, "dept EQUALS Sales saw Some(\"HR\"): No, city IS NULL saw Some(\"Bonn\"): No"),
            group("F2", true, "city IS NOT NULL saw Some(\"Bonn\"): Yes"),
        ]
    );
    let slow = only("x", "REGEX MATCH", Some("(?=(a+))\\1b"));
    let source = person(&[("x", &"a".repeat(60_000))]);
    let explanation = slow.explain(&source, NOW);
    assert_eq!(explanation.in_scope, Err(slow.evaluate(&source, NOW).unwrap_err()));
    assert_eq!(explanation.groups[0].clauses[0].held, Held::Undecided);
}

#[test]
fn without_filters_everyone_is_in_scope() {
    assert_eq!(ScopingFilters::default().evaluate(&person(&[]), NOW), Ok(Verdict { in_scope: true, failed: vec![] }));
}

#[test]
fn published_examples() {
    for (attribute, operator, value, attributes, expected) in [
        ("dept", "EQUALS", Some("sales"), vec![("dept", "Sales")], false),
        ("dept", "NOT EQUALS", Some("Sales"), vec![], false),
        ("accountEnabled", "IS TRUE", None, vec![], false),
    ] {
        assert_eq!(
            only(attribute, operator, value).evaluate(&person(&attributes), NOW).unwrap().in_scope,
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
            json!({"attribute": "a", "operator": "Greater_Than", "value": "1.5"}),
            "`a Greater_Than` needs a whole number, such as 1000",
        ),
        (
            json!({"attribute": "a", "operator": "REGEX MATCH", "value": "(x"}),
            "the regular expression of `a REGEX MATCH` has a `(` that is not closed",
        ),
        (
            json!({"attribute": "a", "operator": "NOT REGEX MATCH", "value": "^x{2,1}$"}),
            "the regular expression of `a NOT REGEX MATCH` has the quantifier `{2,1}`, whose first number is greater than its second",
        ),
        (
            json!({"attribute": "a", "operator": "EQUALS", "value": "x", "regexMode": "full"}),
            "`a EQUALS` compares with no regular expression, so it takes no `regexMode`",
        ),
        (json!({"attribute": "a", "operator": "IS NULL", "valeu": "x"}), "unknown field `valeu`"),
    ] {
        let error = serde_json::from_value::<Clause>(clause.clone()).unwrap_err().to_string();
        assert!(error.contains(expected), "{clause} gives {error}");
    }
}

fn clauses() -> impl Strategy<Value = Clause> {
    let operators: Vec<_> = FilterOperator::all()
        .flat_map(|operator| {
            Quantifier::ALL.into_iter().filter_map(move |one| operator.quantified(one)).chain([operator])
        })
        .collect();
    ("[ab]", prop::sample::select(operators), "[0-9]", any::<bool>()).prop_map(
        |(attribute, operator, digit, is_full)| {
            let is_regex = operator.operand() == operand::OperandKind::Pattern;
            let mode = if is_full && is_regex { RegexMode::Full } else { RegexMode::Search };
            let (attribute, value) = match operator.operand() {
                operand::OperandKind::Moment => (attribute, format!("now-{digit}d")),
                operand::OperandKind::Group => ("memberOf".to_owned(), ours::group(&digit)),
                _ => (attribute, digit),
            };
            Clause::new(attribute, operator, operator.takes_value().then_some(value), mode).unwrap()
        },
    )
}

fn groups() -> impl Strategy<Value = Vec<FilterGroup>> {
    let group = prop::collection::vec(clauses(), 1..4).prop_map(|clauses| FilterGroup { name: "F".into(), clauses });
    prop::collection::vec(group, 1..4)
}

proptest! {
    #[test]
    fn a_verdict_has_reasons_exactly_when_it_is_out(groups in groups(), a in "[0-9]|True|", b in prop::option::of("[0-9]{2}|false")) {
        let mut source = person(&[("a", &a)]);
        source.extend(b.map(|b| ("b".to_owned(), Value::from(b))));
        let verdict = ScopingFilters(groups.clone()).evaluate(&source, NOW).unwrap();
        prop_assert_eq!(verdict.in_scope, verdict.failed.is_empty());
        let alone = groups.into_iter().any(|group| ScopingFilters(vec![group]).evaluate(&source, NOW).unwrap().in_scope);
        prop_assert_eq!(verdict.in_scope, alone, "OR between groups");
    }

    #[test]
    fn filters_survive_the_data_file(groups in groups()) {
        let filters = ScopingFilters(groups);
        let json = serde_json::to_string(&filters).unwrap();
        prop_assert_eq!(serde_json::from_str::<ScopingFilters>(&json).unwrap(), filters);
    }
}
