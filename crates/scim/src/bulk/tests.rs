//! Bulk requests as clients send them, and as nobody should.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{ScimType, limits};

fn read(operations: &Value) -> BulkRequest {
    read_with(&json!({ "schemas": [BULK_REQUEST_URN], "Operations": operations })).unwrap()
}

fn read_with(body: &Value) -> Result<BulkRequest, BulkError> {
    let mut number = 0;
    BulkRequest::read(body.clone(), || {
        number += 1;
        format!("id-{number}")
    })
}

fn post(bulk_id: &str, data: &Value) -> Value {
    json!({ "method": "POST", "path": "/Groups", "bulkId": bulk_id, "data": data })
}

#[test]
fn requests_that_are_refused_as_a_whole() {
    let message = |more: Value| {
        let mut body = json!({ "schemas": [BULK_REQUEST_URN], "Operations": [] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, expected) in [
        (json!([]), ScimType::InvalidSyntax),
        (json!({ "Operations": [] }), ScimType::InvalidSyntax),
        (json!({ "schemas": [BULK_REQUEST_URN] }), ScimType::InvalidSyntax),
        (message(json!({ "Operations": {} })), ScimType::InvalidSyntax),
        (message(json!({ "failOnErrors": -1 })), ScimType::InvalidValue),
        (message(json!({ "failOnErrors": 1.5 })), ScimType::InvalidValue),
        (message(json!({ "failOnErrors": "1" })), ScimType::InvalidValue),
    ] {
        match read_with(&body) {
            Err(BulkError::Scim(error)) => assert_eq!(error.scim_type, expected, "{body}"),
            other => panic!("{body}: {other:?}"),
        }
    }
    let many = |count| message(json!({ "Operations": vec![json!({}); count] }));
    assert_eq!(read_with(&many(limits::BULK_OPERATIONS_MAX + 1)), Err(BulkError::TooManyOperations));
    assert_eq!(read_with(&many(limits::BULK_OPERATIONS_MAX)).unwrap().entries.len(), limits::BULK_OPERATIONS_MAX);
    let lenient =
        json!({ "SCHEMAS": [BULK_REQUEST_URN.to_uppercase()], "operations": [], "failonerrors": 2, "more": 1 });
    assert_eq!(read_with(&lenient).unwrap().fail_on_errors, Some(2));
    for none in [json!(0), json!(null)] {
        assert_eq!(read_with(&message(json!({ "failOnErrors": none }))).unwrap().fail_on_errors, None, "{none}");
    }
}

#[test]
fn the_data_of_a_patch_may_be_its_operations_alone() {
    let operations = json!([{ "op": "add", "path": "title", "value": "T" }]);
    let whole = json!({ "schemas": [PATCH_OP_URN], "Operations": operations });
    let sent = |method: &str, data: &Value| {
        let request = read(&json!([{ "method": method, "path": "/Users/1", "data": data }]));
        request.entries[0].operation.as_ref().unwrap().data.clone()
    };
    for data in [
        operations.clone(),
        json!({ "Operations": operations }),
        json!({ "Schemas": [], "Operations": operations }),
        json!({ "schemas": null, "Operations": operations }),
        whole.clone(),
    ] {
        assert_eq!(sent("PATCH", &data), whole, "{data}");
    }
    let other = json!({ "schemas": [BULK_REQUEST_URN], "Operations": operations });
    assert_eq!(sent("PATCH", &other), other, "what says that it is something else is not taken for a PATCH");
    assert_eq!(sent("PUT", &operations), operations);
}

#[test]
fn operations_that_are_refused_alone() {
    use ScimType::{InvalidPath, InvalidSyntax, InvalidValue};
    let change = |path: &str| json!({ "method": "PATCH", "path": path, "data": {} });
    for (operation, expected) in [
        (json!(1), InvalidSyntax),
        (json!({}), InvalidSyntax),
        (json!({ "method": 1, "path": "/Users", "bulkId": "a", "data": {} }), InvalidSyntax),
        (json!({ "method": "GET", "path": "/Users/1" }), InvalidValue),
        (json!({ "path": "/Users/1" }), InvalidSyntax),
        (json!({ "method": "POST", "path": "/Users", "data": {} }), InvalidSyntax),
        (json!({ "method": "POST", "path": "/Users", "bulkId": "", "data": {} }), InvalidValue),
        (json!({ "method": "POST", "path": "/Users", "bulkId": 7, "data": {} }), InvalidValue),
        (json!({ "method": "POST", "path": "/Users", "bulkId": "a" }), InvalidSyntax),
        (json!({ "method": "POST", "path": "/Users/1", "bulkId": "a", "data": {} }), InvalidPath),
        (json!({ "method": "POST", "bulkId": "a", "data": {} }), InvalidSyntax),
        (json!({ "method": "DELETE", "path": "/Users" }), InvalidPath),
        (json!({ "method": "PUT", "path": "/Users/1" }), InvalidSyntax),
        (json!({ "method": "PUT", "path": "/Users/1", "data": {}, "version": 1 }), InvalidValue),
        (change("http://other/Users/1"), InvalidPath),
        (change("//other/Users"), InvalidPath),
        (change("../admin/1"), InvalidPath),
        (change("/Users/../Groups/1"), InvalidPath),
        (change("/Users/.search"), InvalidPath),
        (change("/Users/1/2"), InvalidPath),
        (change("/Users/%2e%2e"), InvalidPath),
        (change("/Users/1?attributes=id"), InvalidPath),
        (change("/Users//1"), InvalidPath),
        (change("/"), InvalidPath),
        (change(""), InvalidPath),
        (change("/Users/bulkId:nobody"), InvalidValue),
    ] {
        let request = read(&json!([operation]));
        assert_eq!(request.entries[0].operation.as_ref().unwrap_err().scim_type, expected, "{operation}");
    }
    let odd = read(&json!([{ "METHOD": "delete", "Path": "Users/1/", "version": null, "data": null }]));
    let operation = odd.entries[0].operation.as_ref().unwrap();
    let about = Some(BulkId::Known("1".to_owned()));
    assert_eq!(
        (operation.method, operation.endpoint.as_str(), &operation.target),
        (BulkMethod::Delete, "Users", &about)
    );
}

#[test]
fn a_bulk_id_is_filled_in_wherever_it_stands() {
    let request = read(&json!([
        { "method": "PATCH", "path": "/Groups/bulkId:b", "data": { "Operations": [
            { "op": "remove", "path": "members[value eq \"bulkId:a\"]" },
            { "op": "add", "path": "members", "value": ["BulkId:a", { "value": "bulkId:b", "$ref": "../Groups/bulkId:b" }] },
        ] } },
        post("a", &json!({ "displayName": "the bulkId:a of it", "manager": "bulkId:b" })),
        post("b", &json!({})),
    ]));
    let operation = |number: usize| request.entries[number].operation.as_ref().unwrap();
    assert_eq!(operation(0).target, Some(BulkId::Made(2)));
    assert_eq!(
        operation(0).data["Operations"],
        json!([
            { "op": "remove", "path": "members[value eq \"id-1\"]" },
            { "op": "add", "path": "members", "value": ["id-1", { "value": "id-2", "$ref": "../Groups/id-2" }] },
        ])
    );
    assert_eq!(operation(1).data, json!({ "displayName": "the bulkId:a of it", "manager": "id-2" }));
    assert_eq!((&operation(0).needs, &operation(1).needs), (&vec![1, 2], &vec![2]));
    assert_eq!(request.order(), [[2], [1], [0]]);
}

#[test]
fn a_bulk_id_may_have_what_no_address_has() {
    for bulk_id in ["a/b", "a?b#c", "..", "https://x/y", "%2F", "ü \\"] {
        let change = |path: String| json!({ "method": "PATCH", "path": path, "data": { "manager": { "$ref": path } } });
        let request = read(&json!([
            change(format!("/Users/bulkId:{bulk_id}")),
            change("/Users/1".to_owned()),
            post(bulk_id, &json!({}))
        ]));
        let operation = request.entries[0].operation.as_ref().unwrap();
        assert_eq!(operation.target, Some(BulkId::Made(2)), "{bulk_id}");
        assert_eq!(operation.data["manager"]["$ref"], "/Users/id-1", "{bulk_id}");
    }
}

fn read_typed(request: Value) -> BulkRequest {
    let (user, group) = (ResourceType::user(), ResourceType::group());
    let types = |endpoint: &str| [(&user, "Users"), (&group, "Groups")].into_iter().find(|(_, at)| *at == endpoint);
    let mut number = 0;
    let read = BulkRequest::read_as(
        request,
        |endpoint| Some(types(endpoint)?.0),
        || {
            number += 1;
            format!("id-{number}")
        },
    );
    read.unwrap()
}

/// RFC 7644 §3.7.2: what refers to a resource is filled in; a name that begins with those letters is a name.
#[test]
fn where_the_type_is_known_a_bulk_id_is_one_where_a_resource_is_named() {
    let enterprise = crate::ENTERPRISE_USER_URN;
    let texts = json!({
        "userName": "bulkId:u", "displayName": "bulkId: smith", "externalId": "bulkId:nobody",
        "emails": [{ "value": "bulkId:u", "display": "bulkId:nobody" }], "profileUrl": "bulkId:u",
        enterprise: { "department": "bulkId:u" }, "nobody.knows": "bulkId:nobody", "title ": "bulkId:nobody",
    });
    let patch = |operations: Value| json!({ "schemas": ["bulkId:nobody"], "Operations": operations });
    let request = json!({ "schemas": [BULK_REQUEST_URN], "Operations": [
        { "method": "POST", "path": "/Users", "bulkId": "u", "data": texts },
        { "method": "POST", "path": "/Users", "bulkId": "v", "data": {
            enterprise: { "manager": { "value": "bulkId:u", "$ref": "../Users/bulkId:u", "displayName": "bulkId:u" } },
        } },
        { "method": "POST", "path": "/Users", "bulkId": "w", "data": { "manager": "bulkId:u" } },
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": {
            "displayName": "bulkId:u", "members": ["bulkId:u", { "value": "bulkId:v", "display": "bulkId:v" }],
        } },
        { "method": "PATCH", "path": "/Groups/1", "data": patch(json!([
            { "op": "add", "path": "members", "value": [{ "value": "bulkId:u" }] },
            { "op": "add", "path": "members", "value": { "Members": [{ "value": "bulkId:u" }, "bulkId:u"] } },
            { "op": "add", "path": "displayName", "value": { "displayName": "bulkId:nobody" } },
            { "op": "remove", "path": "members[value eq \"bulkId:v\"]" },
            { "op": "replace", "path": "displayName", "value": "bulkId:nobody" },
            { "op": "add", "value": { "displayName": "bulkId:nobody", "members": [{ "value": "bulkId:u" }] } },
        ])) },
        { "method": "PATCH", "path": "/Users/1", "data": patch(json!([
            { "op": "add", "path": format!("{enterprise}:manager.value"), "value": "bulkId:u" },
            { "op": "add", "path": enterprise, "value": { "manager": { "value": "bulkId:u" }, "division": "bulkId:u" } },
            { "op": "add", "path": "emails[type eq \"work\"].value", "value": "bulkId:nobody" },
        ])) },
    ] });
    let read = read_typed(request);
    let data = |number: usize| &read.entries[number].operation.as_ref().unwrap().data;
    assert_eq!(data(0), &texts);
    let manager = json!({ "value": "id-1", "$ref": "../Users/id-1", "displayName": "bulkId:u" });
    assert_eq!(data(1), &json!({ enterprise: { "manager": manager } }));
    assert_eq!(data(2), &json!({ "manager": "id-1" }));
    let members = json!(["id-1", { "value": "id-2", "display": "bulkId:v" }]);
    assert_eq!(data(3), &json!({ "displayName": "bulkId:u", "members": members }));
    assert_eq!(
        data(4),
        &patch(json!([
            { "op": "add", "path": "members", "value": [{ "value": "id-1" }] },
            { "op": "add", "path": "members", "value": { "Members": [{ "value": "id-1" }, "id-1"] } },
            { "op": "add", "path": "displayName", "value": { "displayName": "bulkId:nobody" } },
            { "op": "remove", "path": "members[value eq \"id-2\"]" },
            { "op": "replace", "path": "displayName", "value": "bulkId:nobody" },
            { "op": "add", "value": { "displayName": "bulkId:nobody", "members": [{ "value": "id-1" }] } },
        ]))
    );
    assert_eq!(
        data(5),
        &patch(json!([
            { "op": "add", "path": format!("{enterprise}:manager.value"), "value": "id-1" },
            { "op": "add", "path": enterprise, "value": { "manager": { "value": "id-1" }, "division": "bulkId:u" } },
            { "op": "add", "path": "emails[type eq \"work\"].value", "value": "bulkId:nobody" },
        ]))
    );
}

/// What RFC 7643 calls so names resources, with an address or without; what others call so does where its address stands beside it.
#[test]
fn an_attribute_of_its_own_schema_is_text_whatever_it_is_called() {
    let part = |name: &str| json!({ "name": name, "type": if name == "$ref" { "reference" } else { "string" } });
    let complex = |name: &str, parts: Vec<Value>| json!({ "name": name, "type": "complex", "multiValued": true, "subAttributes": parts });
    let named = ["members", "manager", "groups"].map(|name| complex(name, vec![part("value"), part("display")]));
    let mut attributes = named.to_vec();
    attributes.push(complex("owners", vec![part("value"), part("$ref")]));
    let schema = |urn: &str| crate::Schema::read(&json!({ "id": urn, "attributes": attributes })).unwrap();
    let thing = ResourceType::new("Thing", "/Things", "", schema("urn:x:y"));
    let enterprise = crate::ENTERPRISE_USER_URN;
    let manager = format!("{enterprise}:manager.value");
    let user = ResourceType::user().restrict(["userName", &manager]).unwrap().with_extension(schema("urn:x:z"), false);
    let filled = |resource_type: &ResourceType, method: &str, data: &Value| {
        let changed = json!({ "method": method, "path": "/Things/1", "data": data });
        let request = json!({ "schemas": [BULK_REQUEST_URN], "Operations": [post("b", &json!({})), changed] });
        let types = |endpoint: &str| (endpoint == "Things").then_some(resource_type);
        let read = BulkRequest::read_as(request, types, || "id".to_owned()).unwrap();
        read.entries[1].operation.as_ref().unwrap().data.clone()
    };
    let add = |path: &str, value: Value| json!({ "schemas": [PATCH_OP_URN], "Operations": [{ "op": "add", "path": path, "value": value }] });
    for (resource_type, level, urn) in [(&thing, None, "urn:x:y"), (&user, Some("urn:x:z"), "urn:x:z")] {
        for (name, text) in [("members", "bulkId:b"), ("manager", "bulkId:b"), ("groups", "bulkId:b"), ("owners", "id")]
        {
            let of = |text: &str| json!({ name: ["bulkId:b", { "value": text, "display": "bulkId:b" }] });
            let whole = |text: &str| level.map_or_else(|| of(text), |urn| json!({ urn: of(text) }));
            let mut expected = whole(text);
            let list = if let Some(urn) = level { &mut expected[urn] } else { &mut expected };
            list[name][0] = json!(text);
            assert_eq!(filled(resource_type, "PUT", &whole("bulkId:b")), expected, "{name} of {urn}");
            for path in [format!("{urn}:{name}"), format!("{urn}:{name}.value")] {
                let sent = add(&path, json!("bulkId:b"));
                assert_eq!(filled(resource_type, "PATCH", &sent), add(&path, json!(text)), "{path}");
            }
        }
    }
    let sent = json!({ enterprise: { "manager": { "value": "bulkId:b" } } });
    assert_eq!(filled(&user, "PUT", &sent), json!({ enterprise: { "manager": { "value": "id" } } }));
}

#[test]
fn a_bulk_id_that_is_unknown_or_twice_or_its_own_refuses_the_operation() {
    let request = read(&json!([
        post("a", &json!({})),
        post("a", &json!({})),
        post("b", &json!({ "members": [{ "value": "bulkId:nobody" }] })),
        post("c", &json!({ "members": [{ "value": "bulkId:c" }] })),
        post("d", &json!({ "members": [{ "value": "bulkId:a" }] })),
    ]));
    let refused: Vec<bool> = request.entries.iter().map(|entry| entry.operation.is_err()).collect();
    assert_eq!(refused, [false, true, true, true, false]);
}

#[test]
fn what_is_about_one_resource_keeps_its_order() {
    let change = |value: &str| json!({ "method": "PATCH", "path": "/Groups/1", "data": { "value": value } });
    let request = read(&json!([change("bulkId:a"), change("x"), change("y"), post("a", &json!({}))]));
    assert_eq!(request.order(), [[3], [0], [1], [2]]);
    // Another spelling of the endpoint leads to the same resource; another id is another one.
    for (path, expected) in
        [("/groups/1", [[2], [0], [1]]), ("GROUPS/1/", [[2], [0], [1]]), ("/Groups/2", [[1], [2], [0]])]
    {
        let delete = json!({ "method": "DELETE", "path": path });
        let request = read(&json!([change("bulkId:a"), delete, post("a", &json!({}))]));
        assert_eq!(request.order(), expected, "{path}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        Just("bulkId:a".to_owned()),
        Just("bulkId:b".to_owned()),
        Just("/Groups/bulkId:a".to_owned()),
        Just("members[value eq \"bulkId:b\"]".to_owned()),
        Just("POST".to_owned()),
        Just("/Users".to_owned()),
    ];
    let leaf = prop_oneof![text.prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key = prop_oneof!["[a-z]{1,6}", "method|path|bulkId|data|value|version|\\$ref"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_every_operation_has_its_turn(operations in proptest::collection::vec(value(), 0..12)) {
        let request = read(&Value::from(operations.clone()));
        let mut turns: Vec<usize> = request.order().into_iter().flatten().collect();
        turns.sort_unstable();
        prop_assert_eq!(turns, (0..operations.len()).collect::<Vec<_>>());
    }
}
