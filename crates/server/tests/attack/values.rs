//! Values of the wrong kind, and numbers that no number holds (SJ-14, SJ-15).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, operations, raw, user};
use crate::world::{ENTERPRISE, USER, World};

#[test]
fn sj_14_numbers_are_kept_whole_or_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for attribute in ["userName", "displayName", "active", "emails", "nobodyKnows"] {
            for (number, expected) in [
                ("1e400", "invalidValue"),
                ("-1e400", "invalidValue"),
                ("18446744073709551617", "invalidValue"),
                ("-9223372036854775809", "invalidValue"),
                ("1e99", "invalidValue"),
                ("NaN", "invalidSyntax"),
                ("Infinity", "invalidSyntax"),
                ("-Infinity", "invalidSyntax"),
                ("+1", "invalidSyntax"),
                ("01", "invalidSyntax"),
                (".5", "invalidSyntax"),
                ("1.", "invalidSyntax"),
                ("0x10", "invalidSyntax"),
                ("1_000", "invalidSyntax"),
            ] {
                let body = format!("{{\"schemas\":[\"{USER}\"],\"a\":1,\"{attribute}\":{number}}}");
                check_refused(&format!("{attribute} {number}"), &raw(&world, "POST", "/Users", body).await, expected);
            }
        }
        for number in ["-0", "0", "0.1e-999", "1.5", "9007199254740993"] {
            let body = format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"x\",\"title\":{number}}}");
            check_refused(number, &raw(&world, "POST", "/Users", body).await, "invalidValue");
        }
    });
}

/// Values that attributes cannot have.
fn wrong() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        (
            "active",
            vec![
                json!(0),
                json!(1),
                json!([]),
                json!({}),
                json!([true]),
                json!("yes"),
                json!("1"),
                json!("on"),
                json!(" true"),
                json!("truee"),
                json!("null"),
            ],
        ),
        (
            "userName",
            vec![json!(123), json!(true), json!([]), json!(["x"]), json!({}), json!({ "value": "x" }), json!(1.5)],
        ),
        ("displayName", vec![json!(0), json!(false), json!([]), json!({}), json!(["x"])]),
        ("externalId", vec![json!(1), json!(true), json!({}), json!(["x"])]),
        (
            "emails",
            vec![json!({}), json!(5), json!(true), json!([[]]), json!([5]), json!([true]), json!([[{ "value": "x" }]])],
        ),
        (
            "emails",
            vec![
                json!([{ "value": 5 }]),
                json!([{ "value": {} }]),
                json!([{ "primary": "yes", "value": "x" }]),
                json!([{ "primary": 1, "value": "x" }]),
            ],
        ),
        (
            "name",
            vec![
                json!("Ann"),
                json!(5),
                json!(true),
                json!([{}, {}]),
                json!({ "givenName": {} }),
                json!({ "givenName": ["x"] }),
            ],
        ),
        (
            ENTERPRISE,
            vec![
                json!("x"),
                json!(5),
                json!(true),
                json!({ "manager": 5 }),
                json!({ "manager": [[]] }),
                json!({ "manager": ["a", "b"] }),
            ],
        ),
    ]
}

#[test]
fn sj_15_a_value_of_the_wrong_kind_is_never_taken_for_another() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for (attribute, values) in wrong() {
            for value in values {
                let name = format!("{attribute} {value}");
                let refused = world.call("POST", "/Users", &user("bob", attribute, &value)).await;
                check_refused(&format!("POST {name}"), &refused, "invalidValue");
                if value == json!([]) {
                    continue;
                }
                for change in [
                    json!({ "op": "add", "path": attribute, "value": value }),
                    json!({ "op": "replace", "value": { attribute: value } }),
                ] {
                    let refused = world.call("PATCH", &path, &operations(&json!([change]))).await;
                    check_refused(&format!("PATCH {name}"), &refused, "invalidValue");
                }
            }
        }
        assert_eq!(world.get(&path).await.body["active"], Value::Null, "nobody became active");
    });
}

#[test]
fn sj_15_the_only_texts_that_are_booleans() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for (value, expected) in [
            (json!("False"), json!(false)),
            (json!("false"), json!(false)),
            (json!("FALSE"), json!(false)),
            (json!("True"), json!(true)),
            (json!(false), json!(false)),
            (json!(true), json!(true)),
            (json!(null), Value::Null),
            (json!(""), Value::Null),
        ] {
            let set = operations(&json!([{ "op": "replace", "path": "active", "value": value }]));
            let answer = world.call("PATCH", &path, &set).await;
            assert_eq!(
                (answer.status.as_u16(), answer.body.get("active").cloned().unwrap_or_default()),
                (200, expected),
                "{value}"
            );
        }
    });
}
