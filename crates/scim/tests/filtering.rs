//! Every operator on every type (RFC 7644 §3.4.2.2, table 3): values in their order, each compared with each.

use std::cmp::Ordering;

use scim::{Attributes, Filter, Operator, ResourceType, Schema, ScimType};
use serde_json::{Value, json};

fn resource_type() -> ResourceType {
    let schema: Schema = serde_json::from_value(json!({ "id": "urn:x:y", "attributes": [
        { "name": "whole", "type": "integer" },
        { "name": "part", "type": "decimal" },
        { "name": "at", "type": "dateTime" },
        { "name": "loose", "type": "string" },
        { "name": "exact", "type": "string", "caseExact": true },
        { "name": "address", "type": "reference", "caseExact": true, "referenceTypes": ["external"] },
        { "name": "bytes", "type": "binary", "caseExact": true },
        { "name": "on", "type": "boolean" },
        { "name": "many", "type": "complex", "multiValued": true, "subAttributes": [
            { "name": "value", "type": "decimal" }, { "name": "type", "type": "string" },
        ] },
        { "name": "bare", "type": "complex", "subAttributes": [{ "name": "inner", "type": "integer" }] },
        { "name": "numbers", "type": "integer", "multiValued": true },
    ] }))
    .expect("the schema is well-formed");
    ResourceType::new("X", "/Xs", "", schema)
}

fn holds(resource: &Value, filter: &str) -> bool {
    let filter: Filter = filter.parse().unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.check(&resource_type()).unwrap_or_else(|error| panic!("{filter}: {error}"));
    filter.matches(&resource_type(), resource.as_object().expect("a resource is an object"))
}

/// Whether two values compare so, where their order is known.
fn expected(operator: Operator, order: Ordering) -> Option<bool> {
    Some(match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => return None,
    })
}

/// Values of a type from small to large, each with the forms in which a filter may write it.
type Ladder = (&'static str, Vec<(Value, Vec<&'static str>)>);

fn ladders() -> Vec<Ladder> {
    vec![
        (
            "whole",
            vec![
                (json!(i64::MIN), vec!["-9223372036854775808"]),
                (json!(-1), vec!["-1", "-1.0", "-10e-1"]),
                (json!(0), vec!["0", "-0", "0.0"]),
                (json!(9_007_199_254_740_992_i64), vec!["9007199254740992"]),
                (json!(9_007_199_254_740_993_i64), vec!["9007199254740993"]),
                (json!(i64::MAX), vec!["9223372036854775807"]),
            ],
        ),
        (
            "part",
            vec![
                (json!(-1.5), vec!["-1.5", "-15e-1"]),
                (json!(0.1), vec!["0.1", "0.10", "1E-1"]),
                (json!(1), vec!["1", "1.0", "10e-1"]),
                (json!(1e30), vec!["1e30"]),
            ],
        ),
        (
            "at",
            vec![
                (json!("0001-01-01T00:00:00Z"), vec!["\"0001-01-01T00:00:00.000Z\""]),
                (
                    json!("2026-01-01T01:00:00+02:00"),
                    vec!["\"2025-12-31T23:00:00Z\"", "2025-12-31T18:00:00.0000000-05:00"],
                ),
                (json!("2026-01-01T00:00:00.0000001Z"), vec!["\"2026-01-01T00:00:00.00000010000Z\""]),
                (json!("2026-01-01T00:00:00.1Z"), vec!["\"2026-01-01T00:00:00.100Z\"", "\"2026-01-01t00:00:00.1\""]),
            ],
        ),
        (
            "loose",
            vec![
                (json!("A"), vec!["\"a\"", "A"]),
                (json!("b"), vec!["\"B\""]),
                (json!("É"), vec!["\"e\u{301}\"", "\"é\""]),
            ],
        ),
        (
            "exact",
            vec![(json!("A"), vec!["\"A\""]), (json!("a"), vec!["\"a\"", "\"\\u0061\""]), (json!("é"), vec!["\"é\""])],
        ),
        (
            "address",
            vec![(json!("https://A"), vec!["\"https://A\""]), (json!("https://a"), vec!["\"https://a\"", "https://a"])],
        ),
        ("on", vec![(json!(false), vec!["false", "\"False\""]), (json!(true), vec!["true", "\"TRUE\""])]),
        ("bytes", vec![(json!("YQ=="), vec!["\"YQ==\""]), (json!("yq=="), vec!["\"yq==\""])]),
    ]
}

#[test]
fn each_value_compares_with_each_other_as_their_order_says() {
    for (name, ladder) in ladders() {
        for (held_at, (held, _)) in ladder.iter().enumerate() {
            let resource = json!({ name: held });
            for (asked_at, (_, forms)) in ladder.iter().enumerate() {
                for (form, operator) in forms.iter().flat_map(|form| Operator::ALL.map(|operator| (form, operator))) {
                    let has_order = !matches!(name, "on" | "bytes") || matches!(operator, Operator::Eq | Operator::Ne);
                    if let (true, Some(expected)) = (has_order, expected(operator, held_at.cmp(&asked_at))) {
                        let filter = format!("{name} {} {form}", operator.as_str());
                        assert_eq!(holds(&resource, &filter), expected, "{held} {filter}");
                    }
                }
            }
            for (filter, expected) in [("pr", true), ("eq null", false), ("ne null", true)] {
                assert_eq!(holds(&resource, &format!("{name} {filter}")), expected, "{held} {filter}");
                assert_eq!(holds(&json!({}), &format!("{name} {filter}")), !expected, "nothing {filter}");
            }
        }
    }
}

#[test]
fn parts_of_texts() {
    let resource = json!({ "loose": "Ärger 100%", "exact": "Ab_c", "address": "https://a.example/X", "bytes": "YWJj" });
    for (filter, expected) in [
        ("loose co \"ÄRGER\"", true),
        ("loose sw \"ä\"", true),
        ("loose ew \"%\"", true),
        ("loose co \"_\"", false),
        ("exact sw \"Ab\"", true),
        ("exact sw \"ab\"", false),
        ("exact ew \"_c\"", true),
        ("exact co \"?\"", false),
        ("address ew \"/X\"", true),
        ("address ew \"/x\"", false),
        ("bytes sw \"YW\"", true),
        ("bytes sw \"yw\"", false),
    ] {
        assert_eq!(holds(&resource, filter), expected, "{filter}");
    }
}

#[test]
fn values_of_which_there_are_many() {
    let resource = json!({ "numbers": [1, 5], "many": [{ "value": 1.5, "type": "A" }, { "value": 3, "type": "b" }], "bare": { "inner": 7 } });
    for (filter, expected) in [
        ("numbers eq 5", true),
        ("numbers gt 5", false),
        ("numbers ne 5", true),
        ("not (numbers eq 5)", false),
        ("many gt 2", true),
        ("many.value lt 1", false),
        ("many[type eq \"a\" and value gt 2]", false),
        ("many[type eq \"B\" and value gt 2]", true),
        ("many[type eq \"a\"].value eq 1.50", true),
        ("many[not (type eq \"a\") and (value eq 3 or value eq 4)]", true),
        ("bare.inner ge 7", true),
        ("bare pr", true),
        // Without parentheses `and` binds stronger than `or`, and `not` stronger than both.
        ("numbers eq 1 or numbers eq 9 and numbers eq 8", true),
        ("(numbers eq 1 or numbers eq 9) and numbers eq 8", false),
        ("not numbers eq 9 and numbers eq 1", true),
        ("not (numbers eq 9 and numbers eq 1)", true),
    ] {
        assert_eq!(holds(&resource, filter), expected, "{filter}");
    }
}

#[test]
fn what_a_type_does_not_have_is_refused() {
    for filter in [
        "on gt true",
        "on co \"t\"",
        "on eq 1",
        "on eq \"yes\"",
        "bytes gt \"YQ==\"",
        "at eq \"notadate\"",
        "at co \"2026\"",
        "at gt 2026",
        "whole co 1",
        "whole eq \"x\"",
        "whole eq true",
        "part sw 1",
        "bare eq 7",
        "bare.other eq 1",
        "whole gt null",
        "loose co null",
        "numbers[other eq 1]",
        "many[other eq 1]",
        "unknown pr",
    ] {
        let parsed: Filter = filter.parse().unwrap_or_else(|error| panic!("{filter}: {error}"));
        let refused = parsed.check(&resource_type()).map_err(|error| error.scim_type);
        assert_eq!(refused, Err(ScimType::InvalidFilter), "{filter}");
    }
}

/// In a search of several resource types an attribute that one of them lacks is one without value.
#[test]
fn an_attribute_of_another_type() {
    let resource = Attributes::from_iter([("whole".to_owned(), json!(1))]);
    for (filter, expected) in [
        ("userName pr", false),
        ("userName eq \"a\"", false),
        ("userName ne \"a\"", true),
        ("userName eq null", true),
        ("userName ne null", false),
        ("not (userName gt \"a\")", true),
        ("emails[type eq \"work\"]", false),
        ("emails[type eq \"work\"].value ne \"x\"", true),
        ("userName eq \"a\" or whole eq 1", true),
        ("whole eq \"a\"", false),
        ("not (whole co \"a\")", true),
        ("whole ne \"a\"", true),
    ] {
        let parsed: Filter = filter.parse().expect("it is a filter");
        assert!(parsed.check(&resource_type()).is_err(), "{filter}");
        let resource_type = resource_type();
        let matcher = parsed.matcher_where_known(&resource_type);
        assert_eq!(matcher.matches(&resource), expected, "{filter}");
    }
    let (own, users) = (resource_type(), ResourceType::user());
    for (filter, accepted) in [
        ("userName pr or on eq true", true),
        ("userName pr or on gt true", false),
        ("userName eq 5 and on eq true", false),
        ("not (nobody pr)", false),
        ("password pr", false),
    ] {
        let parsed: Filter = filter.parse().expect("it is a filter");
        assert_eq!(parsed.check_among(&[&own, &users]).is_ok(), accepted, "{filter}");
    }
}

#[test]
fn what_is_to_be_written_instead_of_a_value_is_said_of_what_was_written() {
    for (value, expected) in [
        ("1e400", "write a number that 64 bits can hold"),
        ("-1e400", "write a number that 64 bits can hold"),
        ("1e-400", "write a number that 64 bits can hold"),
        ("\"1\"", "write a number, without quotation marks"),
        ("\"0\"", "write a number, without quotation marks"),
        ("one", "write a number, without quotation marks"),
        ("inf", "write a number, without quotation marks"),
        ("true", "write a number, without quotation marks"),
    ] {
        let filter: Filter = format!("part eq {value}").parse().expect("it is well-formed");
        let refused = filter.check(&resource_type()).expect_err("it is no number");
        assert!(refused.detail.contains(expected), "{value}: {}", refused.detail);
    }
}
