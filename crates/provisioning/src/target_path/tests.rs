//! Every form of a target attribute: read, written, compared.

use mapping::schema::{AttributeDefinition, AttributeType};
use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::redaction::Redacted;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn path(text: &str) -> TargetPath {
    TargetPath::parse(text, ObjectType::User).unwrap()
}

/// The path where an administrator's list has these entries, in the layout of data files.
fn listed(text: &str, entries: Value) -> TargetPath {
    told(text, entries, json!([]))
}

/// The same where the target has told the last ones.
fn told(text: &str, own: Value, told: Value) -> TargetPath {
    let read = |entries| serde_json::from_value::<Vec<AttributeDefinition>>(entries).unwrap();
    let list = AttributeList::new(ObjectType::User, &read(own), &read(told));
    TargetPath::parse_by(text, ObjectType::User, &list).unwrap()
}

fn written(paths: &[(&str, &str)]) -> Value {
    let mut resource = Map::new();
    for (text, value) in paths {
        path(text).write(&mut resource, (*value).into());
    }
    for (text, value) in paths {
        assert_eq!(path(text).read(&resource), Some(&Value::from(*value)), "{text}");
    }
    Value::Object(resource)
}

#[test]
fn written_values_are_read_again() {
    let department = json!({ ENTERPRISE: { "department": "x" } });
    let cases = [
        ("userName", json!({ "userName": "x" })),
        ("USERNAME", json!({ "userName": "x" })),
        ("name.givenName", json!({ "name": { "givenName": "x" } })),
        ("emails[type eq \"work\"].value", json!({ "emails": [{ "type": "work", "value": "x" }] })),
        ("emails[type eq \"work\"]", json!({ "emails": [{ "type": "work", "value": "x" }] })),
        ("emails[type eq work].value", json!({ "emails": [{ "type": "work", "value": "x" }] })),
        ("emails[Type EQ \"work\"].Value", json!({ "emails": [{ "type": "work", "value": "x" }] })),
        (
            "emails[type eq \"work\" and primary eq true].value",
            json!({ "emails": [{ "type": "work", "primary": true, "value": "x" }] }),
        ),
        ("emails.value", json!({ "emails": [{ "value": "x" }] })),
        ("addresses[type eq \"work\"].formatted", json!({ "addresses": [{ "type": "work", "formatted": "x" }] })),
        ("roles[primary eq \"True\"].value", json!({ "roles": [{ "primary": true, "value": "x" }] })),
        ("roles[primary eq \"true\"].display", json!({ "roles": [{ "primary": true, "display": "x" }] })),
        ("roles[primary eq true].type", json!({ "roles": [{ "primary": true, "type": "x" }] })),
        ("department", department.clone()),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", department.clone()),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department", department.clone()),
        ("URN:ietf:params:scim:schemas:extension:Enterprise:2.0:user:Department", department),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            json!({ ENTERPRISE: { "manager": { "value": "x" } } }),
        ),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager.value",
            json!({ ENTERPRISE: { "manager": { "value": "x" } } }),
        ),
        ("urn:ietf:params:scim:schemas:core:2.0:User:title", json!({ "title": "x" })),
        (
            "urn:scim:schemas:extension:enterprise:1.0.department",
            json!({ "urn:scim:schemas:extension:enterprise:1.0": { "department": "x" } }),
        ),
        (
            "urn:scim:schemas:extension:enterprise:1.0.name.part",
            json!({ "urn:scim:schemas:extension:enterprise:1.0": { "name": { "part": "x" } } }),
        ),
        ("urn:example:2.0:User:-dn-", json!({ "urn:example:2.0:User": { "-dn-": "x" } })),
        ("urn:example:2.0:User:own", json!({ "urn:example:2.0:User": { "own": "x" } })),
        ("urn:example:2.0:User.own", json!({ "urn:example:2.0:User": { "own": "x" } })),
        ("urn:example:2.0:User:badge.code", json!({ "urn:example:2.0:User": { "badge": { "code": "x" } } })),
        (
            "urn:example:2.0:User:badges[type eq \"door\"].code",
            json!({ "urn:example:2.0:User": { "badges": [{ "type": "door", "code": "x" }] } }),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(written(&[(text, "x")]), expected, "{text}");
    }
}

#[test]
fn paths_of_one_element_meet_in_it_and_others_do_not() {
    let cases = [
        (
            vec![
                ("addresses[type eq \"work\"].locality", "Ulm"),
                ("addresses[type eq \"home\"].locality", "Bonn"),
                ("Addresses[TYPE eq work].country", "DE"),
            ],
            json!({ "addresses": [
                { "type": "work", "locality": "Ulm", "country": "DE" }, { "type": "home", "locality": "Bonn" }
            ] }),
        ),
        (
            vec![("roles[primary eq \"True\"].value", "a"), ("roles[primary eq true].display", "A")],
            json!({ "roles": [{ "primary": true, "value": "a", "display": "A" }] }),
        ),
        (
            vec![("urn:example:2.0:User:badge.code", "1"), ("URN:example:2.0:User:Badge.colour", "red")],
            json!({ "urn:example:2.0:User": { "badge": { "code": "1", "colour": "red" } } }),
        ),
    ];
    for (paths, expected) in cases {
        assert_eq!(written(&paths), expected, "{paths:?}");
    }
    assert!(path("roles[primary eq \"True\"].value").chooses_the_same(&path("Roles[primary eq true].type")));
    assert!(!path("emails[type eq \"work\"].value").chooses_the_same(&path("emails[type eq \"home\"].value")));
    assert!(!path("emails[type eq \"work\"].value").chooses_the_same(&path("phoneNumbers[type eq \"work\"].value")));
}

#[test]
fn what_a_target_answers_is_read_in_its_spelling() {
    let cases = [
        ("emails[type eq \"work\"].value", json!({ "Emails": [{ "Type": "WORK", "Value": "x" }] }), Some("x")),
        ("emails[type eq \"work\"].value", json!({ "emails": { "type": "work", "value": "x" } }), Some("x")),
        ("emails[type eq \"work\"].value", json!({ "emails": [{ "type": "home", "value": "x" }] }), None),
        ("emails[type eq \"work\"].value", json!({ "emails": "x" }), None),
        ("emails[type eq \"work\"].value", json!({ "emails": [null, 3, { "type": "work", "value": "" }] }), None),
        ("roles[primary eq \"True\"].value", json!({ "roles": [{ "primary": "True", "value": "x" }] }), Some("x")),
        ("department", json!({ ENTERPRISE.to_ascii_uppercase(): { "Department": "x" } }), Some("x")),
        ("name.givenName", json!({ "name": "x" }), None),
    ];
    for (text, resource, expected) in cases {
        let read = path(text).read(resource.as_object().unwrap()).and_then(Value::as_str);
        assert_eq!(read, expected, "{text} {resource}");
    }
}

#[test]
fn paths_go_out_as_they_are_usually_written() {
    for (text, expected, strict) in [
        ("emails[type eq \"work\"].value", "emails[type eq \"work\"].value", "emails[type eq \"work\"].value"),
        ("emails[type eq work]", "emails[type eq \"work\"].value", "emails[type eq \"work\"].value"),
        ("roles[primary eq \"True\"].value", "roles[primary eq \"True\"].value", "roles[primary eq true].value"),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        ),
        ("urn:example:2.0:User.own", "urn:example:2.0:User:own", "urn:example:2.0:User:own"),
        ("urn:example:2.0:User.own.part", "urn:example:2.0:User:own.part", "urn:example:2.0:User:own.part"),
    ] {
        assert_eq!((path(text).text(), path(text).strict_text()), (expected, strict), "{text}");
    }
}

fn one(text: &str) -> mapping::Value {
    text.into()
}

fn many(texts: &[&str]) -> mapping::Value {
    mapping::Value::List(texts.iter().map(|text| (*text).to_owned()).collect())
}

#[test]
fn values_take_the_type_of_the_attribute() {
    let x509 = "x509Certificates[type eq \"a\"].value";
    let own = |kind: &str, multivalued: bool| {
        listed(
            "urn:example:2.0:User:own",
            json!([{ "name": "urn:example:2.0:User:own", "type": kind, "multivalued": multivalued }]),
        )
    };
    let cases = [
        (path("active"), one("False"), json!(false)),
        (path("active"), one(" 1"), json!(true)),
        (path("emails"), many(&["a", "b", "a", ""]), json!([{ "value": "a" }, { "value": "b" }])),
        (path("emails"), one(r#"{"value":"a","display":null}"#), json!([{ "value": "a" }])),
        (path("title"), many(&["a"]), json!("a")),
        (path("department"), one("R&D"), json!("R&D")),
        (path("manager"), one("u1"), json!({ "value": "u1" })),
        (path("name"), one(r#"{"givenName":"A"}"#), json!({ "givenName": "A" })),
        (path(x509), one("AQID"), json!("AQID")),
        (own("Integer", false), one("-8"), json!(-8)),
        (own("Integer", true), many(&["8", "9"]), json!([8, 9])),
        (own("String", true), one("8"), json!(["8"])),
        (own("DateTime", false), one("2026-03-02T08:00:00.5+01:00"), json!("2026-03-02T08:00:00.5+01:00")),
        (own("Reference", false), one("../Users/1"), json!("../Users/1")),
    ];
    for (path, value, expected) in cases {
        assert_eq!(path.json(&value), Ok(expected), "{} {value:?}", path.text());
    }
}

#[test]
fn ex_10_values_of_another_type_are_refused_with_the_reason() {
    let own =
        |kind: &str| listed("urn:example:2.0:User:own", json!([{ "name": "urn:example:2.0:User:own", "type": kind }]));
    let cases = [
        (path("active"), one("maybe"), "the mapped value \"maybe\" is not a boolean; True or False is expected"),
        (
            path("title"),
            many(&["a", "b"]),
            "it takes a single value and the mapping gives 2; take one of them with an expression, or say in the attribute list that it is multi-valued",
        ),
        (
            path("name"),
            one("Ann"),
            "the mapped value \"Ann\" is not an object; map to a part of it, such as name.familyName",
        ),
        (
            path("profileUrl"),
            one("a b"),
            "the mapped value \"a b\" is not a reference: an id or an address without blanks",
        ),
        (own("Integer"), one("1.5"), "the mapped value \"1.5\" is not a whole number"),
        (
            own("Integer"),
            one("99999999999999999999"),
            "the mapped value \"99999999999999999999\" is not a whole number",
        ),
        (
            own("DateTime"),
            one("yesterday"),
            "the mapped value \"yesterday\" is not an instant such as 2026-03-02T08:00:00Z; FormatDateTime can write one",
        ),
        (
            own("DateTime"),
            one("2026-02-30T08:00:00Z"),
            "the mapped value \"2026-02-30T08:00:00Z\" is not an instant such as 2026-03-02T08:00:00Z; FormatDateTime can write one",
        ),
        (own("Binary"), one("a*b"), "the mapped value \"a*b\" is not base64"),
    ];
    for (path, value, expected) in cases {
        let unfit = path.json(&value).unwrap_err();
        assert_eq!(unfit.reason(false, &Redacted::default()), expected, "{}", path.text());
        assert!(
            !matches!(&value, mapping::Value::Text(text) if unfit.reason(true, &Redacted::default()).contains(text)),
            "{unfit:?}"
        );
    }
    let long = path("active").json(&"x".repeat(1000).into()).unwrap_err().reason(false, &Redacted::default());
    assert!(long.len() < 200 && long.contains('…'), "{long}");
}

#[test]
fn what_is_held_is_compared_by_the_type_of_the_attribute() {
    let own = |kind: &str| {
        listed(
            "urn:example:2.0:User:own",
            json!([{ "name": "urn:example:2.0:User:own", "type": kind, "caseExact": true }]),
        )
    };
    let cases = [
        (path("userName"), json!("ADA@x"), json!("ada@x"), true),
        (path("displayName"), json!("ADA"), json!("Ada"), false),
        (path("active"), json!("True"), json!(true), true),
        (path("manager"), json!({ "value": "u1", "displayName": "Boss" }), json!("u1"), true),
        (path("manager"), json!([{ "value": "u1" }]), json!("u1"), true),
        (path("manager"), json!("u1"), json!({ "value": "u1" }), true),
        (path("manager"), json!({ "value": "u2" }), json!({ "value": "u1" }), false),
        (path("title"), json!(8), json!("8"), true),
        (own("DateTime"), json!("2026-03-02T08:00:00Z"), json!("2026-03-02T09:00:00.000+01:00"), true),
        (own("DateTime"), json!("2026-03-02T08:00:00Z"), json!("2026-03-02T08:00:01Z"), false),
        (own("DateTime"), json!("soon"), json!("2026-03-02T08:00:01Z"), false),
        (own("Integer"), json!("8"), json!(8), true),
        (own("Integer"), json!(8.0), json!(8), true),
        (own("Integer"), json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64), false),
        (own("Binary"), json!("-_8="), json!("+/8"), true),
        (own("Reference"), json!("../Users/A"), json!("../Users/a"), false),
        (
            path("emails"),
            json!([{ "value": "b" }, { "value": "a", "type": "x" }]),
            json!([{ "value": "a" }, { "value": "b" }]),
            true,
        ),
        (
            path("emails"),
            json!([{ "value": "a" }, { "value": "c" }]),
            json!([{ "value": "a" }, { "value": "b" }]),
            false,
        ),
        (path("emails"), json!([{ "value": "a" }, { "value": "c" }]), json!([{ "value": "a" }]), false),
        (path("roles"), json!([{ "value": "a" }]), json!([{ "value": "a", "primary": false }]), true),
    ];
    for (path, held, wanted, expected) in cases {
        assert_eq!(path.same(&held, &wanted), expected, "{} {held} {wanted}", path.text());
    }
}

#[test]
fn the_attribute_list_says_whether_case_is_a_change() {
    let exact = |name: &str, case_exact: bool| json!([{ "name": name, "caseExact": case_exact }]);
    let work = "emails[type eq \"work\"].value";
    for (text, entry, expected) in [
        ("displayName", exact("displayName", false), true),
        ("displayName", exact("DISPLAYNAME", true), false),
        ("displayName", exact("title", false), false),
        ("userName", exact("userName", true), false),
        ("title", exact("urn:ietf:params:scim:schemas:core:2.0:User:title", false), true),
        (work, exact("Emails[Type eq work].value", false), true),
        (work, exact("emails.value", false), true),
        (work, exact("emails[type eq \"home\"].value", false), false),
        ("emails", exact("emails", false), true),
        ("department", exact("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department", false), true),
    ] {
        let path = listed(text, entry.clone());
        let (held, wanted) = if text == "emails" {
            (json!([{ "value": "ADA" }]), json!([{ "value": "Ada" }]))
        } else {
            (json!("ADA"), json!("Ada"))
        };
        assert_eq!(path.same(&held, &wanted), expected, "{text} {entry}");
    }
}

#[test]
fn an_entry_stands_above_the_rfc_and_that_above_what_the_target_tells() {
    let name = "urn:example:2.0:User:own";
    let entry = |name: &str, more: Value| {
        let mut entry = more;
        entry["name"] = name.into();
        json!([entry])
    };
    let none = json!([]);
    let cases = [
        ("title", none.clone(), entry("title", json!({ "mutability": "ReadOnly" })), Mutability::ReadWrite),
        ("title", entry("title", json!({ "mutability": "Immutable" })), none.clone(), Mutability::Immutable),
        (name, none.clone(), entry(name, json!({ "mutability": "WriteOnly" })), Mutability::WriteOnly),
        (name, none.clone(), entry(name, json!({ "mutability": "ReadOnly" })), Mutability::ReadWrite),
        (name, none.clone(), entry(name, json!({ "mutability": "Immutable" })), Mutability::ReadWrite),
        (name, entry(name, json!({})), entry(name, json!({ "mutability": "ReadOnly" })), Mutability::ReadWrite),
        (name, entry(name, json!({ "anchor": true })), none.clone(), Mutability::ReadOnly),
        ("password", none.clone(), none.clone(), Mutability::WriteOnly),
        ("password", entry("password", json!({ "required": true })), none.clone(), Mutability::WriteOnly),
        ("groups", none.clone(), none.clone(), Mutability::ReadOnly),
        ("groups", entry("groups", json!({})), none.clone(), Mutability::ReadWrite),
    ];
    for (text, own, others, expected) in cases {
        assert_eq!(told(text, own.clone(), others.clone()).mutability(), expected, "{text} {own} {others}");
    }
    // A type that only the target told is none that text must fit.
    let level = told(name, none, entry(name, json!({ "type": "Integer" })));
    assert_eq!((level.json(&one("8")), level.json(&one("senior"))), (Ok(json!(8)), Ok(json!("senior"))));
    // A type that is left out is text, which says nothing of what is known to be something else.
    let active = listed("active", entry("active", json!({ "required": true, "defaultValue": "True" })));
    assert_eq!(active.json(&one("True")), Ok(json!(true)));
    assert_eq!((active.is_required(), active.default_value()), (true, Some("True")));
    // Parts in a list make an object of the whole.
    let badges = listed(
        "urn:example:2.0:User:badges",
        json!([
            { "name": "urn:example:2.0:User:badges", "multivalued": true },
            { "name": "urn:example:2.0:User:badges.value", "type": AttributeType::Integer }
        ]),
    );
    assert_eq!(badges.json(&one("x")), Ok(json!([{ "value": "x" }])));
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
    // That a change of case is to be written does not make another account of it.
    assert!(
        listed("displayName", json!([{ "name": "displayName", "caseExact": true }]))
            .matches(&json!("ADA"), &json!("Ada"))
    );
}

#[test]
fn targets_that_cannot_be_written_are_refused() {
    for (text, expected) in [
        ("emails[type ne \"work\"].value", "only `eq` and `and`"),
        ("emails[type eq \"a\" or type eq \"b\"].value", "only `eq` and `and`"),
        ("emails[type eq null].value", "compared with null"),
        ("roles[primary eq \"maybe\"].value", "true or false"),
        ("emails[", ""),
        ("", ""),
        ("urn:example:1.0", "a schema and no attribute"),
        ("nickName.foo.bar.baz", "a path has one `.` at most"),
    ] {
        let error = TargetPath::parse(text, ObjectType::User).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn a_path_is_read_again_as_it_is_told(text in r#"(urn:a:b:2\.0:User[:.])?[a-zA-Z]{1,8}(\[(type|primary) eq ("[a-z]{1,5}"|true|work|7)( and display eq "x y")?\])?(\.[a-z]{1,6})?"#) {
        if let Ok(path) = TargetPath::parse(&text, ObjectType::User) {
            for told in [path.text(), path.strict_text()] {
                let again = TargetPath::parse(told, ObjectType::User).unwrap();
                prop_assert_eq!(attribute_key(ObjectType::User, told), attribute_key(ObjectType::User, &text));
                prop_assert_eq!(again.text(), told);
            }
            let mut resource = Map::new();
            path.write(&mut resource, "x".into());
            prop_assert_eq!(path.read(&resource), Some(&"x".into()));
            prop_assert!(!path.needs_element(&resource));
        }
    }

    #[test]
    fn what_was_written_is_what_is_wanted(
        name in prop::sample::select(vec!["active", "title", "emails", "roles", "manager", "profileUrl", "urn:x:2.0:User:y"]),
        texts in prop::collection::vec("\\PC{0,6}|true|7|\\{\"value\":\"a\"\\}", 1..4),
    ) {
        let path = path(name);
        if let Ok(value) = path.json(&mapping::Value::List(texts)) {
            prop_assert!(path.same(&value, &value), "{}", value);
            let mut resource = Map::new();
            path.write(&mut resource, value.clone());
            prop_assert!(path.read(&resource).is_none_or(|held| path.same(held, &value)));
        }
    }
}
