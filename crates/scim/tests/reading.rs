//! Bodies of POST and PUT as clients send them, and what is kept of them.

use scim::limits::{KEY_BYTES_MAX, MEMBERS_MAX, VALUES_MAX};
use scim::{Attributes, ENTERPRISE_USER_URN, PatchOp, ResourceType, ScimType, USER_URN};
use serde_json::{Value, json};

fn with_schemas(mut body: Value) -> Value {
    body["schemas"] = json!([USER_URN]);
    body
}

#[track_caller]
fn read(body: Value) -> Value {
    Value::Object(ResourceType::user().read(with_schemas(body)).expect("a body that is read"))
}

#[track_caller]
fn refusal(body: Value) -> ScimType {
    ResourceType::user().read(with_schemas(body)).expect_err("a body that is refused").scim_type
}

#[test]
fn what_a_directory_sends_when_it_creates_a_user() {
    let body = json!({
        "schemas": [USER_URN, ENTERPRISE_USER_URN],
        "externalId": "ada", "userName": "ada@contoso.example", "active": true,
        "emails": [{"primary": true, "type": "work", "value": "ada@contoso.example"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Ada L", "familyName": "L", "givenName": "Ada"},
        "roles": [], "addresses": null, "title": null, "department": null, "manager": null,
        "id": "mine", "groups": [{"value": "g1"}], "shoeSize": 41
    });
    let read = ResourceType::user().read(body).unwrap();
    let expected = json!({
        "externalId": "ada", "userName": "ada@contoso.example", "active": true,
        "emails": [{"primary": true, "type": "work", "value": "ada@contoso.example"}],
        "name": {"formatted": "Ada L", "familyName": "L", "givenName": "Ada"}
    });
    assert_eq!(Value::Object(read), expected);
}

#[test]
fn lenient_forms_become_canonical() {
    let ext = |value: Value| json!({"userName": "ada", ENTERPRISE_USER_URN: value});
    for (given, expected) in [
        (json!({"USERNAME": "ada", "ACTIVE": "True"}), json!({"userName": "ada", "active": true})),
        (json!({"userName": "ada", "active": "false"}), json!({"userName": "ada", "active": false})),
        (json!({"userName": "ada", "title": "", "active": ""}), json!({"userName": "ada"})),
        (
            json!({"userName": "ada", "emails": {"VALUE": "a@b", "Primary": "True", "x": 1}}),
            json!({"userName": "ada", "emails": [{"value": "a@b", "primary": true}]}),
        ),
        (json!({"userName": "ada", "emails": ["a@b"]}), json!({"userName": "ada", "emails": [{"value": "a@b"}]})),
        (
            json!({"userName": "ada", "emails": [null, {}, {"value": null}, "a@b"]}),
            json!({"userName": "ada", "emails": [{"value": "a@b"}]}),
        ),
        (
            json!({"userName": "ada", "emails": [{"type": "work", "value": "a@b"}, {"VALUE": "a@b", "type": "work"}, {"value": "a@b"}]}),
            json!({"userName": "ada", "emails": [{"type": "work", "value": "a@b"}, {"value": "a@b"}]}),
        ),
        (
            json!({"userName": "ada", "name": [{"givenName": "A"}]}),
            json!({"userName": "ada", "name": {"givenName": "A"}}),
        ),
        (
            json!({"userName": "ada", "name": {"familyName": "L"}, "name.givenName": "A"}),
            json!({"userName": "ada", "name": {"familyName": "L", "givenName": "A"}}),
        ),
        (
            json!({"userName": "ada", "emails[type eq \"work\"].value": "a@b"}),
            json!({"userName": "ada", "emails": [{"type": "work", "value": "a@b"}]}),
        ),
        (ext(json!({"manager": "u9", "department": null})), ext(json!({"manager": {"value": "u9"}}))),
        (
            ext(json!({"manager": [{"value": "u9", "displayName": "Boss", "$ref": null}]})),
            ext(json!({"manager": {"value": "u9"}})),
        ),
        (ext(json!({})), json!({"userName": "ada"})),
        (ext(Value::Null), json!({"userName": "ada"})),
        (
            json!({"userName": "ada", ENTERPRISE_USER_URN.to_uppercase(): {"DEPARTMENT": "R&D"}}),
            ext(json!({"department": "R&D"})),
        ),
        (
            json!({"userName": "ada", format!("{ENTERPRISE_USER_URN}:department"): "R&D"}),
            ext(json!({"department": "R&D"})),
        ),
        (json!({"userName": "ada", "department": "R&D"}), ext(json!({"department": "R&D"}))),
        (json!({"userName": "ada", USER_URN: {"title": "Dr"}}), json!({"userName": "ada", "title": "Dr"})),
        (json!({"userName": "ada", "meta.created": "x", "id.x": 1, "urn:x:y:z": {"a": 1}}), json!({"userName": "ada"})),
        (
            json!({"userName": "ada", "locale": "${jndi:ldap://x} {{7*7}}\r\n\u{202e}"}),
            json!({"userName": "ada", "locale": "${jndi:ldap://x} {{7*7}}\r\n\u{202e}"}),
        ),
        (json!({"userName": "ada", "__proto__": {"admin": true}, "constructor": {}}), json!({"userName": "ada"})),
    ] {
        assert_eq!(read(given.clone()), expected, "{given}");
    }
}

#[test]
fn bodies_that_do_not_fit_are_refused() {
    use ScimType::{InvalidValue, TooMany};
    let user = |name: &str, value: Value| json!({"userName": "ada", name: value});
    for (body, expected) in [
        (json!({}), InvalidValue),
        (json!({"userName": ""}), InvalidValue),
        (json!({"userName": "   "}), InvalidValue),
        (json!({"userName": null}), InvalidValue),
        (json!({"userNmae": "ada"}), InvalidValue),
        (json!({"userName": 123}), InvalidValue),
        (json!({"userName": ["ada"]}), InvalidValue),
        (json!({"userName": "a\r\nb"}), InvalidValue),
        (json!({"userName": "Barbara  Jensen"}), InvalidValue),
        (json!({"userName": " ada"}), InvalidValue),
        (json!({"userName": "\u{202e}ada"}), InvalidValue),
        (json!({"userName": "a".repeat(KEY_BYTES_MAX + 1)}), InvalidValue),
        (user("active", json!(0)), InvalidValue),
        (user("active", json!("yes")), InvalidValue),
        (user("active", json!([])), InvalidValue),
        (user("active", json!({})), InvalidValue),
        (user("externalId", json!("x".repeat(KEY_BYTES_MAX + 1))), InvalidValue),
        (user("externalId", json!(1)), InvalidValue),
        (user("emails", json!(5)), InvalidValue),
        (user("emails", json!(true)), InvalidValue),
        (user("emails", json!("flat")), InvalidValue),
        (user("roles", json!("flat")), InvalidValue),
        (user("urn:ietf:params:scim:schemas:core:2.0:User:emails", json!("flat")), InvalidValue),
        (user("emails", json!([[]])), InvalidValue),
        (user("emails", json!({})), InvalidValue),
        (user("emails", json!([{"value": "a", "primary": true}, {"value": "b", "primary": "True"}])), InvalidValue),
        (user("emails", json!(vec!["a@b"; VALUES_MAX + 1])), TooMany),
        (user("name", json!("Ada")), InvalidValue),
        (user("name", json!([{}, {}])), InvalidValue),
        (user("photos", json!([{"value": "javascript:alert(1)"}])), InvalidValue),
        (user("x509Certificates", json!([{"value": "not base64"}])), InvalidValue),
        (user(ENTERPRISE_USER_URN, json!("x")), InvalidValue),
        (user("name.givenName", json!(1)), InvalidValue),
    ] {
        assert_eq!(refusal(body.clone()), expected, "{}", body.to_string().chars().take(100).collect::<String>());
    }
}

#[test]
fn long_names_are_kept_whole() {
    for length in [52, 72, 73, 255, KEY_BYTES_MAX] {
        let name = "a".repeat(length);
        assert_eq!(read(json!({"userName": name}))["userName"], json!(name));
    }
}

#[test]
fn a_body_names_its_schema() {
    let user = ResourceType::user();
    for (schemas, is_read) in [
        (json!([USER_URN]), true),
        (json!([USER_URN.to_lowercase(), "urn:evil:1.0:User"]), true),
        (json!([ENTERPRISE_USER_URN, USER_URN]), true),
        (json!(["urn:evil:1.0:User"]), false),
        (json!([]), false),
        (json!(USER_URN), false),
        (Value::Null, false),
    ] {
        let got = user.read(json!({"SCHEMAS": schemas, "userName": "ada"}));
        assert_eq!(got.is_ok(), is_read, "{schemas}");
        assert!(got.is_ok() || got.unwrap_err().scim_type == ScimType::InvalidSyntax);
    }
    assert!(user.read(json!([])).is_err());
}

#[test]
fn a_group_keeps_its_members_as_objects() {
    let group = ResourceType::group();
    let body = json!({"schemas": [scim::GROUP_URN, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "displayName": "Sales", "members": ["u1", {"value": "u2", "display": "VP", "displayName": "x", "$ref": null}]});
    let read = group.read(body).unwrap();
    assert_eq!(
        Value::Object(read),
        json!({"displayName": "Sales", "members": [{"value": "u1"}, {"value": "u2", "display": "VP"}]})
    );
    assert!(group.read(json!({"schemas": [scim::GROUP_URN], "members": []})).is_err());
    let many = |count: usize| {
        group.read(json!({"schemas": [scim::GROUP_URN], "displayName": "x", "members": vec!["u"; count]}))
    };
    assert!(many(VALUES_MAX + 1).is_ok());
    assert_eq!(many(MEMBERS_MAX + 1).unwrap_err().scim_type, ScimType::TooMany);
}

fn require(paths: &[&str]) -> ResourceType {
    paths.iter().fold(ResourceType::user(), |user, path| user.require(path).expect("a known path"))
}

#[test]
fn a_profile_requires_more() {
    let department = format!("{ENTERPRISE_USER_URN}:department");
    let profile = require(&["externalId", "name.givenName", "emails.value", &department]);
    let whole = json!({"schemas": [USER_URN], "userName": "ada", "externalId": "1", "name": {"givenName": "A"},
        "emails": [{"value": "a@b"}], ENTERPRISE_USER_URN: {"department": "R&D"}});
    assert!(profile.read(whole.clone()).is_ok());
    for (name, value, named) in [
        ("externalId", Value::Null, "externalId"),
        ("name", json!({"familyName": "L"}), "name.givenName"),
        ("name", Value::Null, "name"),
        ("emails", json!([{"value": "a@b"}, {"type": "work"}]), "emails.value"),
        (ENTERPRISE_USER_URN, json!({"division": "x"}), "department"),
        (ENTERPRISE_USER_URN, Value::Null, "enterprise"),
    ] {
        let mut body = whole.clone();
        body[name] = value;
        let refused = profile.read(body).unwrap_err();
        assert!(refused.scim_type == ScimType::InvalidValue && refused.detail.contains(named), "{refused}");
    }
}

#[test]
fn a_profile_knows_less() {
    let profile =
        ResourceType::user().restrict(["userName", "name.givenName", r#"emails[type eq "work"].value"#]).unwrap();
    let body = json!({"schemas": [USER_URN], "userName": "ada", "externalId": "1", "title": "x", "name": {"givenName": "A", "familyName": "L"},
        "emails": [{"value": "a@b", "type": "work", "display": "x"}], ENTERPRISE_USER_URN: {"department": "R&D"}});
    let read: Attributes = profile.read(body).unwrap();
    assert_eq!(
        Value::Object(read),
        json!({"userName": "ada", "name": {"givenName": "A"}, "emails": [{"value": "a@b", "type": "work"}]})
    );
    assert_eq!(profile.schema_ids().collect::<Vec<_>>(), [USER_URN]);
    assert_eq!(ResourceType::user().restrict(["nope"]).unwrap_err().scim_type, ScimType::InvalidPath);
}

#[test]
fn sj_14_whole_numbers_are_whole_and_kept() {
    let schema = json!({"id": "urn:x:y:Part", "attributes": [
        {"name": "count", "type": "integer"}, {"name": "share", "type": "decimal"}, {"name": "counts", "type": "integer", "multiValued": true}
    ]});
    let parts = ResourceType::new("Part", "/Parts", "", serde_json::from_value(schema).unwrap());
    let read = |name: &str, number: &str| {
        let body = format!("{{\"schemas\":[\"urn:x:y:Part\"],\"{name}\":{number}}}");
        scim::parse_json(body.as_bytes()).and_then(|body| parts.read(body)).map(|read| read[name].to_string())
    };
    for number in ["0", "7", "-7", "9007199254740993", "18446744073709551615", "-9223372036854775808"] {
        assert_eq!(read("count", number).as_deref(), Ok(number), "not rounded as a float is");
        assert_eq!(read("counts", &format!("[{number}]")), Ok(format!("[{number}]")));
        assert_eq!(read("share", number).as_deref(), Ok(number));
    }
    assert_eq!(read("share", "0.25").as_deref(), Ok("0.25"));
    for number in [
        "-0",
        "1.0",
        "1e2",
        "1E0",
        "0.1e-999",
        "7.5",
        "1e400",
        "18446744073709551616",
        "-9223372036854775809",
        "\"7\"",
        "\"NaN\"",
        "\"\\u0037\"",
        "true",
        "{}",
        "[7]",
        "[]",
    ] {
        assert_eq!(read("count", number).map_err(|refused| refused.scim_type), Err(ScimType::InvalidValue), "{number}");
    }
    for number in ["NaN", "-Infinity", "0x10", "+7", "07", "7_0"] {
        assert_eq!(
            read("share", number).map_err(|refused| refused.scim_type),
            Err(ScimType::InvalidSyntax),
            "{number}"
        );
    }
}

/// Two filters may choose one element. Whatever case their keys are in, one of them counts in the end, and always the same.
#[test]
fn the_case_of_keys_that_are_paths_does_not_change_what_is_read() {
    let (one, other) = ("emails[type eq \"work\"].value", "emails[type eq \"work\" and primary eq true].value");
    let spellings = |key: &str| [key.to_owned(), key.to_uppercase().replace("\"WORK\"", "\"work\"")];
    let mut read_as = Vec::new();
    for one in spellings(one) {
        for other in spellings(other) {
            let given = json!({ &one: "one@x.example", &other: "other@x.example" });
            let mut body = given.clone();
            body["userName"] = json!("ada");
            let made = read(body);
            let patch = json!({ "schemas": [scim::PATCH_OP_URN], "Operations": [{ "op": "add", "value": given }] });
            let mut patched = Attributes::new();
            patched.insert("emails".to_owned(), json!([{ "type": "work", "primary": true, "value": "a@x.example" }]));
            patched.insert("userName".to_owned(), json!("ada"));
            let patch = scim::PatchOp::read(patch).expect("a message");
            patch.apply(&ResourceType::user(), &mut patched).expect("it is applied");
            read_as.push((made["emails"].clone(), patched["emails"].clone()));
        }
    }
    assert!(read_as.windows(2).all(|pair| pair[0] == pair[1]), "{read_as:?}");
}

const SITE: &str = "urn:example:schemas:1.0:Site";

/// Users with an extension whose attributes are called like those of the core schema and of another extension.
fn user_at_site() -> ResourceType {
    ResourceType::user().with_extension(
        serde_json::from_value(json!({ "id": SITE, "attributes": [
            { "name": "department", "type": "integer" },
            { "name": "title", "required": true },
            { "name": "badge", "mutability": "immutable" },
            { "name": "keeper", "type": "complex", "subAttributes": [{ "name": "value" }, { "name": "since", "type": "dateTime" }] },
        ] }))
        .expect("a schema"),
        false,
    )
}

fn with_site(extension: &Value) -> Value {
    json!({ "schemas": [USER_URN], "userName": "u", SITE: extension })
}

fn site(name: &str) -> String {
    format!("'{SITE}:{name}' ")
}

#[test]
fn what_is_wrong_with_an_attribute_of_an_extension_is_told_with_its_urn() {
    let (user, with) = (user_at_site(), with_site);
    for (body, expected) in [
        (with(&json!({ "title": "t", "department": "x" })), site("department") + "must be a whole number"),
        (with(&json!({ "department": 5 })), site("title") + "is required"),
        (
            with(&json!({ "title": "t", "keeper": { "since": "now" } })),
            site("keeper.since") + "must be a date and time",
        ),
        (
            json!({ "schemas": [USER_URN], "userName": "u", ENTERPRISE_USER_URN: { "department": 5 } }),
            format!("'{ENTERPRISE_USER_URN}:department' must be a string"),
        ),
        (
            json!({ "schemas": [USER_URN], "userName": "u", "department": 5 }),
            format!("'{ENTERPRISE_USER_URN}:department'"),
        ),
        (json!({ "schemas": [USER_URN], "userName": "u", "title": 5 }), "'title' must be a string".to_owned()),
        (
            json!({ "schemas": [USER_URN], "userName": "u", "name": { "givenName": 5 } }),
            "'name.givenName' must be a string".to_owned(),
        ),
    ] {
        let refused = user.read(body.clone()).unwrap_err();
        assert!(refused.detail.starts_with(&expected), "{body}: {}", refused.detail);
    }
}

#[test]
fn what_is_wrong_with_a_change_of_an_extension_is_told_with_its_urn() {
    let (user, with) = (user_at_site(), with_site);
    let held = user.read(with(&json!({ "title": "t", "badge": "1" }))).unwrap();
    for (operation, expected) in [
        (json!({ "op": "add", "path": format!("{SITE}:department"), "value": "x" }), site("department")),
        (json!({ "op": "add", "value": { SITE: { "department": "x" } } }), site("department")),
        (json!({ "op": "add", "path": format!("{SITE}:keeper.since"), "value": "x" }), site("keeper.since")),
        (json!({ "op": "replace", "path": format!("{SITE}:badge"), "value": "2" }), site("badge") + "is immutable"),
        (json!({ "op": "remove", "path": format!("{SITE}:badge") }), site("badge") + "is immutable"),
        (json!({ "op": "remove", "path": format!("{SITE}:title") }), site("title") + "is required"),
        (json!({ "op": "add", "path": "department", "value": 5 }), format!("'{ENTERPRISE_USER_URN}:department' ")),
    ] {
        let patch = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
        let refused = PatchOp::read(patch).unwrap().apply(&user, &mut held.clone()).unwrap_err();
        assert!(refused.detail.starts_with(&expected), "{operation}: {}", refused.detail);
    }
    let mut changed = user.read(with(&json!({ "title": "t", "badge": "2" }))).unwrap();
    let refused = user.keep_immutable(&held, &mut changed).unwrap_err();
    assert!(refused.detail.starts_with(&(site("badge") + "is immutable")), "{}", refused.detail);
}
