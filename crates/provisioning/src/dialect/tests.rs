//! What goes on the wire, form by form.

use mapping::FlowType;
use mapping::schema::AttributeDefinition;
use proptest::prelude::*;

use super::*;
use crate::object_plan::{Wish, differences};
use crate::target_path::AttributeList;

fn path(text: &str) -> TargetPath {
    TargetPath::parse(text, ObjectType::User).unwrap()
}

fn operations(dialect: Dialect, changes: &[(&str, Option<Value>, Option<Value>)]) -> Value {
    let paths: Vec<TargetPath> = changes.iter().map(|(text, ..)| path(text)).collect();
    let differences: Vec<_> = paths
        .iter()
        .zip(changes)
        .map(|(path, (_, before, after))| Difference {
            path,
            before: before.clone(),
            after: after.clone(),
            redacted: false,
            joins: false,
            needs_element: path.is_filtered() && before.is_none(),
            roles: None,
        })
        .collect();
    patch_body(dialect, &differences)["Operations"].clone()
}

#[test]
fn switching_off() {
    let off = [("active", Some(json!(true)), Some(json!(false)))];
    assert_eq!(operations(Dialect::Entra, &off), json!([{"op": "Replace", "path": "active", "value": "False"}]));
    assert_eq!(operations(Dialect::EntraCompliant, &off), json!([{"op": "replace", "path": "active", "value": false}]));
    assert_eq!(operations(Dialect::Rfc, &off), json!([{"op": "replace", "path": "active", "value": false}]));
}

#[test]
fn several_attributes() {
    let changes = [
        ("emails[type eq \"work\"].value", None, Some(json!("a@x"))),
        ("name.familyName", Some(json!("A")), Some(json!("B"))),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", None, Some(json!("8"))),
    ];
    assert_eq!(
        operations(Dialect::Entra, &changes),
        json!([
            {"op": "Add", "path": "emails[type eq \"work\"].value", "value": "a@x"},
            {"op": "Replace", "path": "name.familyName", "value": "B"},
            {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "value": "8"},
        ])
    );
    assert_eq!(
        operations(Dialect::EntraCompliant, &changes),
        json!([
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@x"},
            {"op": "replace", "value": {
                "name.familyName": "B",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber": "8",
            }},
        ])
    );
    assert_eq!(
        operations(Dialect::Rfc, &changes),
        json!([
            {"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@x"}]},
            {"op": "replace", "path": "name.familyName", "value": "B"},
            {"op": "add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "value": "8"},
        ])
    );
}

#[test]
fn elements_that_are_there_are_changed_and_others_are_made_whole_and_once() {
    let held = json!({ "addresses": [{ "type": "work", "locality": "Bonn" }] });
    let wishes = [
        ("addresses[type eq \"work\"].region", "NW"),
        ("addresses[type eq \"work\"].locality", "Köln"),
        ("addresses[type eq \"home\"].locality", "Ulm"),
        ("emails[type eq \"work\"].value", "a@x"),
        ("addresses[type eq \"home\"].country", "DE"),
    ]
    .map(|(text, value)| (path(text), value));
    let wishes = wishes.iter().map(|(path, value)| Wish {
        path,
        value: Value::from(*value),
        redacted: false,
        always: false,
        unique: None,
        flow_type: FlowType::Always,
        roles: None,
    });
    let found = differences(wishes.collect(), held.as_object().unwrap());
    assert_eq!(
        patch_body(Dialect::Rfc, &found)["Operations"],
        json!([
            {"op": "add", "path": "addresses[type eq \"work\"].region", "value": "NW"},
            {"op": "replace", "path": "addresses[type eq \"work\"].locality", "value": "Köln"},
            {"op": "add", "path": "addresses", "value": [{"type": "home", "locality": "Ulm", "country": "DE"}]},
            {"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@x"}]},
        ])
    );
}

#[test]
fn managers() {
    let text = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    let set = [(text, None, Some(json!("u9")))];
    assert_eq!(operations(Dialect::Entra, &set), json!([{"op": "Add", "path": text, "value": "u9"}]));
    assert_eq!(operations(Dialect::Rfc, &set), json!([{"op": "add", "path": text, "value": {"value": "u9"}}]));
    let cleared = [(text, Some(json!({"value": "u9"})), None)];
    assert_eq!(operations(Dialect::Entra, &cleared), json!([{"op": "Remove", "path": text}]));
}

#[test]
fn members() {
    let members = TargetPath::parse("members", ObjectType::Group).unwrap();
    let ids = ["u1".to_owned(), "u\"2".to_owned()];
    let body = |dialect, add| members_body(dialect, &members, add, &ids)["Operations"].clone();
    assert_eq!(
        body(Dialect::Entra, true),
        json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u1"}, {"$ref": null, "value": "u\"2"}]}])
    );
    assert_eq!(body(Dialect::Entra, false)[0]["op"], "Remove");
    assert_eq!(
        body(Dialect::Rfc, true),
        json!([{"op": "add", "path": "members", "value": [{"value": "u1"}, {"value": "u\"2"}]}])
    );
    assert_eq!(
        body(Dialect::Rfc, false),
        json!([{"op": "remove", "path": "members[value eq \"u1\"]"}, {"op": "remove", "path": "members[value eq \"u\\\"2\"]"}])
    );
}

#[test]
fn creates() {
    let attributes = || {
        let mut map = Map::new();
        path("userName").write(&mut map, "ada@x".into());
        path("emails[type eq \"work\"].value").write(&mut map, "ada@x".into());
        path("urn:example:2.0:User:own").write(&mut map, "1".into());
        map
    };
    assert_eq!(
        create_body(Dialect::Entra, ObjectType::User, attributes()),
        json!({
            "schemas": [scim::USER_URN, scim::ENTERPRISE_USER_URN],
            "meta": {"resourceType": "User"},
            "userName": "ada@x",
            "emails": [{"type": "work", "value": "ada@x", "primary": true}],
            "urn:example:2.0:User": {"own": "1"},
        })
    );
    assert_eq!(
        create_body(Dialect::Rfc, ObjectType::User, attributes())["schemas"],
        json!([scim::USER_URN, "urn:example:2.0:User"])
    );
}

#[test]
fn look_ups_are_encoded_once_and_values_escaped() {
    let query = |dialect, text, value| match_query(dialect, ObjectType::User, &path(text), value);
    assert_eq!(query(Dialect::Entra, "userName", "a b@x"), "/Users?filter=userName+eq+%22a+b%40x%22");
    assert_eq!(query(Dialect::Rfc, "userName", "a\"+\\"), "/Users?filter=userName%20eq%20%22a%5C%22%2B%5C%5C%22");
    assert_eq!(
        query(Dialect::Rfc, "emails[type eq \"work\"].value", "é"),
        "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22%C3%A9%22"
    );
    let (roles, encoded) =
        ("roles[primary eq \"True\"].value", |literal| format!("roles%5Bprimary%20eq%20{literal}%5D.value"));
    let filter = |dialect| query(dialect, roles, "x").replace('+', "%20");
    assert_eq!(filter(Dialect::Rfc), format!("/Users?filter={}%20eq%20%22x%22", encoded("true")));
    assert_eq!(filter(Dialect::Entra), format!("/Users?filter={}%20eq%20%22x%22", encoded("%22True%22")));
    for id in ["../../admin", "x?y", "a/b", "ä b"] {
        let path = write_path(ObjectType::User, id);
        assert!(path.strip_prefix("/Users/").is_some_and(|rest| !rest.contains(['/', '?', ' '])), "{path}");
    }
}

#[test]
fn a_part_of_an_element_is_changed_and_removed_by_its_path() {
    let (roles, strict) = ("roles[primary eq \"True\"].value", "roles[primary eq true].value");
    let work = "emails[type eq \"work\" and primary eq true].value";
    for (text, rfc) in [("addresses[type eq \"work\"].formatted", None), (roles, Some(strict)), (work, None)] {
        let rfc = rfc.unwrap_or(text);
        let change = [(text, Some(json!("a")), Some(json!("b")))];
        let removal = [(text, Some(json!("a")), None)];
        for (dialect, ops, expected) in [
            (Dialect::Entra, ["Replace", "Remove"], text),
            (Dialect::EntraCompliant, ["replace", "remove"], text),
            (Dialect::Rfc, ["replace", "remove"], rfc),
        ] {
            assert_eq!(operations(dialect, &change), json!([{ "op": ops[0], "path": expected, "value": "b" }]));
            assert_eq!(operations(dialect, &removal), json!([{ "op": ops[1], "path": expected }]));
        }
    }
}

#[test]
fn the_old_dotted_form_goes_out_with_a_colon() {
    let change = [("urn:example:2.0:User.own", None, Some(json!("1")))];
    for (dialect, op) in [(Dialect::Entra, "Add"), (Dialect::EntraCompliant, "add"), (Dialect::Rfc, "add")] {
        let expected = json!([{ "op": op, "path": "urn:example:2.0:User:own", "value": "1" }]);
        assert_eq!(operations(dialect, &change), expected);
    }
}

#[test]
fn a_manager_from_another_attribute_is_written_as_managers_are() {
    let text = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    let value = path(text).json(&"u9".into()).unwrap();
    let set = [(text, None, Some(value.clone()))];
    assert_eq!(operations(Dialect::Entra, &set), json!([{ "op": "Add", "path": text, "value": "u9" }]));
    assert_eq!(operations(Dialect::Rfc, &set), json!([{ "op": "add", "path": text, "value": { "value": "u9" } }]));
    assert!(path(text).same(&json!({ "value": "u9", "displayName": "Boss" }), &value));
}

#[test]
fn a_filter_compares_with_a_value_of_the_attributes_type() {
    let list: Vec<AttributeDefinition> =
        serde_json::from_value(json!([{ "name": "urn:example:2.0:User:level", "type": "Integer" }])).unwrap();
    let list = AttributeList::new(ObjectType::User, &list, &[]);
    let path = TargetPath::parse_by("urn:example:2.0:User:level", ObjectType::User, &list).unwrap();
    let query = match_query(Dialect::Entra, ObjectType::User, &path, "8");
    assert_eq!(query, "/Users?filter=urn%3Aexample%3A2.0%3AUser%3Alevel+eq+8");
}

proptest! {
    #[test]
    fn ex_07_a_filter_says_nothing_but_the_value(
        value in prop_oneof![
            ".{0,30}",
            "[\"\\\\ a-c\n\r\t\u{1}-\u{1f}\u{7f}()\\[\\]&?#%+;=]{0,30}",
            Just(r#"x" or userName pr or userName eq "x"#.to_owned()),
        ],
        dialect in prop::sample::select(vec![Dialect::Entra, Dialect::EntraCompliant, Dialect::Rfc]),
    ) {
        prop_assume!(!value.contains('\0'));
        let query = match_query(dialect, ObjectType::User, &path("nickName"), &value);
        prop_assert!(query.is_ascii() && query.matches(['?', '&', '#']).count() == 1, "{query}");
        let filter = query.split_once("filter=").unwrap().1.replace('+', " ");
        let text = percent_encoding::percent_decode_str(&filter).decode_utf8().unwrap().into_owned();
        let filter: scim::Filter = text.parse().unwrap();
        let is_the_value = matches!(
            &filter,
            scim::Filter::Compare { path, operator: scim::Operator::Eq, value: scim::Literal::String(given) }
                if *given == value && path.to_string() == "nickName"
        );
        prop_assert!(is_the_value, "{filter:?}");
    }
}
