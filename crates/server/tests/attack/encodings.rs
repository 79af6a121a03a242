//! Bytes that are no text, and text that is not what it looks like (SJ-10, SJ-11, SJ-13, SJ-21).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::{check_refused, count, encoded, operations, raw, user};
use crate::world::{USER, World};

/// A body with these bytes in a value, and one with them in a key.
fn with(bytes: &[u8]) -> [Vec<u8>; 2] {
    let body = json!({ "schemas": [USER], "userName": "bob", "KEY": "VALUE" }).to_string();
    ["KEY", "VALUE"].map(|place| {
        let (before, after) = body.split_once(place).unwrap();
        [before.as_bytes(), bytes, after.as_bytes()].concat()
    })
}

#[test]
fn sj_10_what_is_not_utf_8_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let id = world.user("ann").await;
        let utf_16 = |text: &str, be: bool| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if be { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let body = json!({ "schemas": [USER], "userName": "bob" }).to_string();
        let mut bodies = vec![
            utf_16(&format!("\u{feff}{body}"), false),
            utf_16(&format!("\u{feff}{body}"), true),
            utf_16(&body, false),
        ];
        for bytes in [
            &b"\xFF"[..],
            b"\xC0\xAF",
            b"\xC1\xBF",
            b"\xE0\x80\xAF",
            b"\xF0\x80\x80\xAF",
            b"\xED\xA0\x80",
            b"\xED\xA0\xBD\xED\xB8\x80",
            b"\xF4\x90\x80\x80",
            b"\xF8\x88\x80\x80\x80",
            b"\x80",
            b"\xE2\x82",
            b"\\ud800",
            b"\\udc00\\ud800",
            b"\\ud83d",
            b"\\ud83dx",
            b"\\u12",
            b"\\x41",
            b"\x01",
            b"\n",
        ] {
            bodies.extend(with(bytes));
        }
        for body in bodies {
            for (method, path) in
                [("POST", "/Users".to_owned()), ("PUT", format!("/Users/{id}")), ("PATCH", format!("/Users/{id}"))]
            {
                let answer = raw(&world, method, &path, body.clone()).await;
                check_refused(&format!("{method} {}", body.escape_ascii()), &answer, "invalidSyntax");
            }
        }
        assert_eq!(count(&world).await, 1, "none of it was stored");
        let [_, pair] = with(b"\\ud83d\\ude00");
        assert_eq!(
            raw(&world, "POST", "/Users", pair).await.status.as_u16(),
            201,
            "a pair of surrogates is a character"
        );
    });
}

#[test]
fn sj_11_a_byte_order_mark_is_refused() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let body = json!({ "schemas": [USER], "userName": "bob" }).to_string();
        for (name, body) in [
            ("in front", format!("\u{feff}{body}")),
            ("twice", format!("\u{feff}\u{feff}{body}")),
            ("after a blank", format!(" \u{feff}{body}")),
            ("behind", format!("{body}\u{feff}")),
            ("alone", "\u{feff}".to_owned()),
        ] {
            check_refused(name, &raw(&world, "POST", "/Users", body).await, "invalidSyntax");
        }
    });
}

/// Control characters, and others that are not seen or turn what is around them.
const UNSEEN: [char; 24] = [
    '\r',
    '\n',
    '\t',
    '\u{1b}',
    '\u{1}',
    '\u{8}',
    '\u{7f}',
    '\u{85}',
    '\u{9f}',
    '\u{a0}',
    '\u{ad}',
    '\u{200b}',
    '\u{200e}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2069}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{fffd}',
    '\u{e0001}',
];

#[test]
fn sj_13_control_characters_are_no_part_of_a_name_and_stay_data_elsewhere() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for c in UNSEEN {
            for name in [format!("a{c}b"), format!("{c}ab"), format!("ab{c}")] {
                let label = name.escape_unicode().to_string();
                check_refused(
                    &label,
                    &world.call("POST", "/Users", &json!({ "schemas": [USER], "userName": name })).await,
                    "invalidValue",
                );
                let rename = operations(&json!([{ "op": "replace", "path": "userName", "value": name }]));
                check_refused(&label, &world.call("PATCH", &path, &rename).await, "invalidValue");
            }
            let text = format!("a{c}b");
            let set = operations(
                &json!([{ "op": "replace", "path": "displayName", "value": text }, { "op": "replace", "path": "externalId", "value": text }]),
            );
            let answer = world.call("PATCH", &path, &set).await;
            assert_eq!(
                (&answer.body["displayName"], &answer.body["externalId"]),
                (&json!(text), &json!(text)),
                "kept as it was sent"
            );
            for (name, value) in &answer.headers {
                assert!(value.to_str().is_ok_and(|value| !value.contains(c) || c == '\t'), "{name} holds none of it");
            }
            let found = world.get(&format!("/Users?filter=externalId+eq+{}", encoded(&json!(text).to_string()))).await;
            assert_eq!(found.body["totalResults"], 1, "{}", text.escape_unicode());
        }
    });
}

#[test]
fn sj_13_nul_is_no_character_of_any_text() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let path = format!("/Users/{}", world.user("ann").await);
        for value in [json!("a\0b"), json!(["\0"]), json!({ "value": "\0" }), json!({ "\0": 1 })] {
            for attribute in ["userName", "displayName", "emails", "nobodyKnows", "a\0b"] {
                check_refused(
                    attribute,
                    &world.call("POST", "/Users", &user("bob", attribute, &value)).await,
                    "invalidSyntax",
                );
                let set = operations(&json!([{ "op": "add", "path": "displayName", "value": value }]));
                check_refused(attribute, &world.call("PATCH", &path, &set).await, "invalidSyntax");
            }
        }
    });
}

#[test]
fn sj_21_templates_are_text() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (number, text) in [
            "${7*7}",
            "{{7*7}}",
            "#{7*7}",
            "${jndi:ldap://x}",
            "<%= 7*7 %>",
            "%{7*7}",
            "$(id)",
            "`id`",
            "<script>alert(1)</script>",
        ]
        .into_iter()
        .enumerate()
        {
            let mut body = user(&format!("u{number}"), "displayName", &json!(text));
            body["schemas"] = json!([USER, text]);
            let made = world.call("POST", "/Users", &body).await;
            assert_eq!((made.status.as_u16(), &made.body["displayName"]), (201, &json!(text)), "kept as it was sent");
            assert_eq!(made.body["schemas"], json!([USER]));
            let alone = json!({ "schemas": [text], "userName": "x" });
            check_refused(text, &world.call("POST", "/Users", &alone).await, "invalidSyntax");
            for op in ["add", "remove", "replace"] {
                let at = operations(&json!([{ "op": op, "path": text, "value": "x" }]));
                let answer = world.call("PATCH", &format!("/Users/{}", made.id()), &at).await;
                check_refused(text, &answer, "invalidPath");
                assert!(!answer.body["detail"].as_str().unwrap().contains("49"), "nothing is worked out");
            }
            let filtered = world.get(&format!("/Users?filter={}", encoded(&format!("{text} eq \"x\"")))).await;
            check_refused(text, &filtered, "invalidFilter");
            let exact: Value =
                world.get(&format!("/Users?filter={}", encoded(&format!("displayName eq {}", json!(text))))).await.body;
            assert_eq!(exact["totalResults"], 1, "{text}");
        }
    });
}
