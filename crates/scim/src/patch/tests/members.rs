//! Stories of a group's members.

use serde_json::{Value, json};

use super::{attributes, message};
use crate::limits::MEMBERS_MAX;
use crate::{Filter, Member, MemberChange, PatchOp, ResourceType, ScimType};

fn member(id: &str) -> Member {
    Member { value: id.to_owned(), display: None, kind: None }
}

fn split(operations: Value) -> Result<(Value, Vec<MemberChange>), ScimType> {
    let patch = PatchOp::read(message(operations)).map_err(|error| error.scim_type)?;
    let (rest, changes) = patch.split_members(&ResourceType::group()).map_err(|error| error.scim_type)?;
    Ok((serde_json::to_value(&rest.operations).unwrap(), changes))
}

#[test]
fn changes_of_members_are_pulled_out() {
    use MemberChange::{Add, Clear, Remove, RemoveWhere};
    let ids = |ids: &[&str]| Remove(ids.iter().map(|id| (*id).to_owned()).collect());
    let filter = |text: &str| text.parse::<Filter>().unwrap();
    for (operation, rest, expected) in [
        (
            json!({"op": "Add", "path": "members", "value": [{"$ref": null, "value": "u1"}, "u2"]}),
            json!([]),
            vec![Add(vec![member("u1"), member("u2")])],
        ),
        (json!({"op": "add", "path": "members", "value": "u1"}), json!([]), vec![Add(vec![member("u1")])]),
        (
            json!({"name": "addMember", "op": "add", "path": "members", "value": [{"displayName": "x", "value": "u1"}]}),
            json!([]),
            vec![Add(vec![Member { display: Some("x".to_owned()), ..member("u1") }])],
        ),
        (
            json!({"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "u1"}]}),
            json!([]),
            vec![ids(&["u1"])],
        ),
        (json!({"op": "Remove", "path": "members", "value": []}), json!([]), vec![]),
        (json!({"op": "remove", "path": r#"members[value eq "u1"]"#}), json!([]), vec![ids(&["u1"])]),
        (
            json!({"op": "remove", "path": r#"members[type eq "User"]"#}),
            json!([]),
            vec![RemoveWhere(filter("type eq \"User\""))],
        ),
        (json!({"op": "remove", "path": "members"}), json!([]), vec![Clear]),
        (json!({"op": "remove", "path": "members", "value": null}), json!([]), vec![Clear]),
    ] {
        assert_eq!(split(json!([operation])), Ok((rest, expected)), "{operation}");
    }
}

#[test]
fn members_are_set_and_added_in_any_form() {
    use MemberChange::{Add, Clear, Remove, Replace, Require};
    for (operation, rest, expected) in [
        (
            json!({"op": "replace", "path": "members", "value": [{"value": "u1"}]}),
            json!([]),
            vec![Replace(vec![member("u1")])],
        ),
        (json!({"op": "replace", "path": "members", "value": []}), json!([]), vec![Clear]),
        (json!({"op": "add", "path": "members", "value": []}), json!([]), vec![]),
        (
            json!({"op": "add", "value": {"Members": [{"value": "u1"}], "displayName": "x"}}),
            json!([{"op": "add", "value": {"displayName": "x"}}]),
            vec![Add(vec![member("u1")])],
        ),
        (json!({"op": "add", "value": {"members": [{"value": "u1"}]}}), json!([]), vec![Add(vec![member("u1")])]),
        (
            json!({"op": "replace", "path": r#"members[value eq "u1"].value"#, "value": "u1"}),
            json!([]),
            vec![Require("u1".to_owned())],
        ),
        (
            json!({"op": "replace", "path": r#"members[value eq "u1"]"#, "value": {"value": "u1", "display": "x"}}),
            json!([]),
            vec![Require("u1".to_owned())],
        ),
        (
            json!({"op": "add", "path": r#"members[value eq "u1"]"#, "value": {"value": "u1"}}),
            json!([]),
            vec![Add(vec![member("u1")])],
        ),
        (json!({"op": "add", "path": "members.value", "value": "u1"}), json!([]), vec![Add(vec![member("u1")])]),
        (
            json!({"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": "u1"}),
            json!([]),
            vec![Add(vec![member("u1")])],
        ),
        (
            json!({"op": "replace", "path": "displayName", "value": "x"}),
            json!([{"op": "replace", "path": "displayName", "value": "x"}]),
            vec![],
        ),
        (
            json!({"op": "add", "value": {crate::GROUP_URN: {"members": ["u1"], "displayName": "x"}}}),
            json!([{"op": "add", "value": {crate::GROUP_URN: {"displayName": "x"}}}]),
            vec![Add(vec![member("u1")])],
        ),
    ] {
        assert_eq!(split(json!([operation])), Ok((rest, expected)), "{operation}");
    }
    let in_order =
        json!([{"op": "add", "path": "members", "value": "u1"}, {"op": "remove", "path": "members[value eq \"u1\"]"}]);
    assert_eq!(split(in_order), Ok((json!([]), vec![Add(vec![member("u1")]), Remove(vec!["u1".to_owned()])])));
}

#[test]
fn a_list_below_the_name_of_its_path_is_that_list() {
    use MemberChange::{Add, Clear, Remove, Replace};
    let below = |op: &str, members: Value| json!([{"op": op, "path": "members", "value": {"Members": members}}]);
    for (operations, expected) in [
        (below("add", json!([{"value": "u1"}])), vec![Add(vec![member("u1")])]),
        (below("remove", json!([{"value": "u1"}])), vec![Remove(vec!["u1".to_owned()])]),
        (below("replace", json!([{"value": "u1"}])), vec![Replace(vec![member("u1")])]),
        (below("replace", json!([])), vec![Clear]),
        (below("add", json!([])), vec![]),
        (below("remove", json!([])), vec![]),
        (below("remove", json!(null)), vec![]),
        (below("remove", json!("")), vec![]),
    ] {
        assert_eq!(split(operations.clone()), Ok((json!([]), expected)), "{operations}");
    }
}

#[test]
fn clearing_one_member_never_makes_it_one() {
    let gone = vec![MemberChange::Remove(vec!["u1".to_owned()])];
    for part in ["", ".value"] {
        let path = format!("members[value eq \"u1\"]{part}");
        for value in [json!(""), json!(null), json!([])] {
            let replace = json!([{"op": "Replace", "path": path, "value": value}]);
            assert_eq!(split(replace), Ok((json!([]), gone.clone())), "{path} {value}");
            let keyed = json!([{"op": "replace", "value": {path.as_str(): value}}]);
            assert_eq!(split(keyed), Ok((json!([]), gone.clone())), "{path} {value}");
            let add = json!([{"op": "add", "path": path, "value": value}]);
            assert_eq!(split(add), Ok((json!([]), vec![])), "{path} {value}");
        }
    }
    for part in ["display", "type", "$ref"] {
        for value in [json!("x"), json!(""), json!(null)] {
            for op in ["add", "Replace"] {
                let set = json!([{"op": op, "path": format!("members[value eq \"u1\"].{part}"), "value": value}]);
                let required = (op == "Replace" && value == "x").then(|| MemberChange::Require("u1".to_owned()));
                assert_eq!(split(set), Ok((json!([]), Vec::from_iter(required))), "{op} {part} {value}");
            }
        }
    }
}

#[test]
fn members_that_cannot_be() {
    for (operation, expected) in [
        (json!({"op": "add", "path": "members", "value": [{"display": "x"}]}), ScimType::InvalidValue),
        (json!({"op": "add", "path": "members", "value": [""]}), ScimType::InvalidValue),
        (json!({"op": "add", "path": "members", "value": 1}), ScimType::InvalidValue),
        (json!({"op": "add", "path": "members", "value": [{"value": 1}]}), ScimType::InvalidValue),
        (json!({"op": "add", "path": "members", "value": vec!["u"; MEMBERS_MAX + 1]}), ScimType::TooMany),
        (json!({"op": "replace", "path": r#"members[value eq "u1"].value"#, "value": "u2"}), ScimType::Mutability),
        (json!({"op": "replace", "path": r#"members[type eq "User"]"#, "value": "u2"}), ScimType::NoTarget),
        (json!({"op": "remove", "path": "members.display"}), ScimType::Mutability),
        (json!({"op": "remove", "path": "members.value"}), ScimType::Mutability),
        (json!({"op": "remove", "path": "MEMBERS.Value", "value": null}), ScimType::Mutability),
        (json!({"op": "remove", "path": "members.type"}), ScimType::Mutability),
        (json!({"op": "replace", "path": "members.value", "value": "u2"}), ScimType::Mutability),
        (json!({"op": "Replace", "path": "MEMBERS.VALUE", "value": []}), ScimType::Mutability),
        (json!({"op": "replace", "value": {"members.value": ["u2"]}}), ScimType::Mutability),
        (json!({"op": "remove", "path": r#"members[nope eq "x"]"#}), ScimType::InvalidFilter),
        (json!({"op": "add", "value": {"members": "flat"}}), ScimType::InvalidValue),
        (json!({"op": "replace", "value": {"members": "flat"}}), ScimType::InvalidValue),
        (json!({"op": "replace", "value": {format!("{}:members", crate::GROUP_URN): "flat"}}), ScimType::InvalidValue),
        (json!({"op": "add", "value": {crate::GROUP_URN: {"members": "flat"}}}), ScimType::InvalidValue),
        (
            json!({"op": "add", "path": "members", "value": {"members": [{"value": "u1"}], "x": 1}}),
            ScimType::InvalidValue,
        ),
    ] {
        assert_eq!(
            split(json!([operation])).map(|_| ()),
            Err(expected),
            "{}",
            operation.to_string().chars().take(80).collect::<String>()
        );
    }
}

#[test]
fn members_are_counted_where_they_are_named() {
    let half = vec!["u"; MEMBERS_MAX / 2 + 1];
    let add = json!({"op": "add", "path": "members", "value": half});
    let rename = json!({"op": "replace", "path": "displayName", "value": "x"});
    let twice_at_once = json!({"op": "add", "value": {"members": half, format!("{}:members", crate::GROUP_URN): half}});
    for (operations, expected) in [
        (json!([add, rename, rename]), Ok(())),
        (json!([add, add]), Err(ScimType::TooMany)),
        (json!([twice_at_once]), Err(ScimType::InvalidSyntax)),
    ] {
        assert_eq!(split(operations).map(drop), expected);
    }
}

#[test]
fn users_have_no_members_to_pull_out() {
    let patch = PatchOp::read(message(json!([{"op": "add", "path": "members", "value": "u1"}]))).unwrap();
    assert_eq!(patch.clone().split_members(&ResourceType::user()), Ok((patch, Vec::new())));
}

#[test]
fn sixty_of_a_hundred_members_leave() {
    let members: Vec<Value> = (0..100).map(|n| json!({"value": format!("u{n}")})).collect();
    let mut group = attributes(json!({"displayName": "x", "members": members}));
    let leavers: Vec<Value> =
        (20..80).map(|n| json!({"op": "remove", "path": format!("members[value eq \"u{n}\"]")})).collect();
    PatchOp::read(message(Value::Array(leavers))).unwrap().apply(&ResourceType::group(), &mut group).unwrap();
    let left: Vec<&str> =
        group["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
    assert_eq!(left, (0..20).chain(80..100).map(|n| format!("u{n}")).collect::<Vec<_>>());
}

#[test]
fn members_are_kept_once_also_without_splitting() {
    let mut group = attributes(json!({"displayName": "x", "members": [{"value": "u1", "display": "One"}]}));
    let add =
        PatchOp::read(message(json!([{"op": "add", "value": {"members": ["u1", {"value": "u2"}, "u2"]}}]))).unwrap();
    assert_eq!(add.apply(&ResourceType::group(), &mut group), Ok(true));
    assert_eq!(group["members"], json!([{"value": "u1", "display": "One"}, {"value": "u2"}]));
    assert_eq!(add.apply(&ResourceType::group(), &mut group), Ok(false));
    let remove = PatchOp::read(message(
        json!([{"op": "remove", "path": "members", "value": [{"value": "u1", "type": "User"}]}]),
    ))
    .unwrap();
    assert_eq!(remove.apply(&ResourceType::group(), &mut group), Ok(true));
    assert_eq!(group["members"], json!([{"value": "u2"}]));
    for (operation, expected) in [
        (json!({"op": "remove", "path": "members.value"}), Err(ScimType::Mutability)),
        (json!({"op": "add", "value": {"members": "u3"}}), Err(ScimType::InvalidValue)),
        (json!({"op": "add", "path": "members", "value": "u3"}), Ok(true)),
        (json!({"op": "remove", "path": "members", "value": {"members": [{"value": "u2"}]}}), Ok(true)),
    ] {
        let patch = PatchOp::read(message(json!([operation]))).unwrap();
        let applied = patch.apply(&ResourceType::group(), &mut group).map_err(|error| error.scim_type);
        assert_eq!(applied, expected, "{operation}");
    }
    assert_eq!(group["members"], json!([{"value": "u3"}]));
}

#[test]
fn a_member_may_be_named_by_its_address() {
    for (element, id) in [
        (json!({ "$ref": "https://h/scim/v2/Users/u1" }), Some("u1")),
        (json!({ "$REF": "../groups/g1" }), Some("g1")),
        (json!({ "$ref": "Users/u1", "value": "" }), Some("u1")),
        (json!({ "$ref": "Users/u1", "value": null }), Some("u1")),
        (json!({ "$ref": "Users/u1", "value": "u2" }), Some("u2")),
        (json!({ "$ref": 7, "value": "u2" }), Some("u2")),
        (json!({ "$ref": "Users/" }), None),
        (json!({ "$ref": "https://h/Devices/u1" }), None),
        (json!({ "$ref": "u1" }), None),
        (json!({ "$ref": 7 }), None),
        (json!({}), None),
        (json!("u1"), Some("u1")),
    ] {
        let read = Member::read_list(json!([element.clone()])).ok().map(|mut members| members.remove(0).value);
        assert_eq!(read.as_deref(), id, "{element}");
        assert_eq!(Member::is_named(&element), id.is_some(), "{element}");
    }
}
