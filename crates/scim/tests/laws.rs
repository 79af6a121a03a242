//! Laws that hold for every body and every PATCH.

use proptest::prelude::*;
use scim::{Attributes, ENTERPRISE_USER_URN, PatchOp, ResourceType, USER_URN, parse_json};
use serde_json::{Map, Value, json};

const NAMES: [&str; 24] = [
    "userName",
    "USERNAME",
    "externalId",
    "displayName",
    "title",
    "active",
    "name",
    "name.givenName",
    "emails",
    "roles",
    "manager",
    "department",
    "id",
    "meta",
    "groups",
    "password",
    "x509Certificates",
    "photos",
    "nope",
    "value",
    "type",
    "primary",
    USER_URN,
    ENTERPRISE_USER_URN,
];
const PATHS: [&str; 20] = [
    "userName",
    "title",
    "active",
    "name",
    "name.familyName",
    "emails",
    "emails.value",
    r#"emails[type eq "work"]"#,
    r#"emails[type eq "work"].value"#,
    r#"emails[type eq "home"].primary"#,
    r#"roles[primary eq "True"].value"#,
    "roles",
    "manager",
    "manager.value",
    "department",
    ENTERPRISE_USER_URN,
    USER_URN,
    r#"emails[value co "a" or primary eq true]"#,
    "id",
    "nope",
];

fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn values() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..9_i64).prop_map(Value::from),
        proptest::sample::select(
            &["", " ", "a", "b", "ada", "work", "home", "True", "false", "AAAA", "javascript:x"][..]
        )
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name(), inner, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect())),
        ]
    })
    .boxed()
}

fn bodies() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map(name(), values(), 0..8).prop_map(|given| {
        let mut body: Map<String, Value> = given.into_iter().collect();
        body.insert("schemas".to_owned(), json!([USER_URN]));
        body.entry("userName").or_insert_with(|| json!("ada"));
        Value::Object(body)
    })
}

/// Attributes that a POST could have left behind.
fn stored() -> impl Strategy<Value = Attributes> {
    bodies().prop_map(|body| {
        ResourceType::user().read(body).unwrap_or_else(|_| Map::from_iter([("userName".to_owned(), json!("ada"))]))
    })
}

fn patches() -> impl Strategy<Value = PatchOp> {
    let operation = (
        proptest::sample::select(&["add", "Replace", "remove"][..]),
        proptest::option::weighted(0.8, proptest::sample::select(&PATHS[..])),
        values(),
    )
        .prop_map(|(op, path, value)| json!({"op": op, "path": path, "value": value}));
    proptest::collection::vec(operation, 0..5).prop_map(|operations| {
        PatchOp::read(json!({"schemas": [scim::PATCH_OP_URN], "Operations": operations}))
            .expect("the paths are known to parse")
    })
}

fn body_of(attributes: &Attributes) -> Value {
    let mut body = attributes.clone();
    body.insert("schemas".to_owned(), json!([USER_URN]));
    Value::Object(body)
}

fn primaries(value: &Value) -> usize {
    value.as_array().map_or(0, |elements| {
        elements.iter().filter(|element| element.get("primary") == Some(&Value::Bool(true))).count()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_was_read_reads_the_same(body in bodies()) {
        let user = ResourceType::user();
        if let Ok(once) = user.read(body) {
            prop_assert_eq!(user.read(body_of(&once)), Ok(once));
        }
    }

    #[test]
    fn any_json_is_read_or_refused(value in values()) {
        let _ = ResourceType::user().read(value.clone());
        let _ = PatchOp::read(value.clone());
        let printed = serde_json::to_vec(&value).unwrap();
        let _ = parse_json(&printed);
    }

    #[test]
    fn a_refused_patch_changes_nothing(before in stored(), patch in patches()) {
        let mut after = before.clone();
        let applied = patch.apply(&ResourceType::user(), &mut after);
        prop_assert_eq!(applied.unwrap_or(false), before != after);
    }

    #[test]
    fn a_patched_user_could_have_been_posted(before in stored(), patch in patches()) {
        let user = ResourceType::user();
        let mut after = before;
        if patch.apply(&user, &mut after).is_ok() {
            prop_assert!(after.values().all(|value| primaries(value) <= 1));
            prop_assert_eq!(user.read(body_of(&after)), Ok(after));
        }
    }

    #[test]
    fn replacing_everything_by_itself_is_no_change(before in stored()) {
        let operations = json!([{"op": "replace", "value": before}, {"op": "add", "value": before}]);
        let patch = PatchOp::read(json!({"schemas": [scim::PATCH_OP_URN], "Operations": operations})).unwrap();
        let mut after = before.clone();
        let changed = patch.apply(&ResourceType::user(), &mut after);
        prop_assert_eq!((changed, after), (Ok(false), before));
    }

    #[test]
    fn a_patch_reads_as_it_is_written(patch in patches()) {
        prop_assert_eq!(PatchOp::read(serde_json::to_value(&patch).unwrap()), Ok(patch));
    }
}
