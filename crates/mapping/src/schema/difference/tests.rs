//! Tests of the difference of mappings: the lines that people read, and that nothing is passed over.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn users(more: &Value) -> ObjectMapping {
    let mut json = json!({"sourceObject": "User", "targetObject": "User", "attributes": [
        {"target": "userName", "source": "[userPrincipalName]", "matchingPriority": 1},
        {"target": "title", "source": "[jobTitle]"},
    ]});
    json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json).unwrap()
}

fn lines(old: &[ObjectMapping], new: &[ObjectMapping]) -> Vec<String> {
    Difference::between(old, new).to_string().lines().map(str::to_owned).collect()
}

#[test]
fn each_change_is_a_line() {
    let old = users(&json!({"scoping": [
        {"name": "Sales", "clauses": [{"attribute": "department", "operator": "EQUALS", "value": "Sales"}]},
        {"name": "Old", "clauses": [{"attribute": "mail", "operator": "IS NOT NULL"}]},
    ], "flowNullValues": ["jobTitle"]}));
    let new = users(&json!({
        "enabled": false, "flowTypes": ["Add"],
        "attributes": [
            {"target": "userName", "source": "[mail]", "matchingPriority": 1, "defaultValue": ""},
            {"target": "nickName", "source": "\"x\""},
        ],
        "scoping": [{"name": "Sales", "clauses": [
            {"attribute": "department", "operator": "REGEX MATCH", "value": "Sales", "regexMode": "full"}]}],
        "inputFilters": [{"name": "In", "clauses": [{"attribute": "mail", "operator": "IS NULL"}]}],
        "targetAttributes": [{"name": "nickName", "caseExact": true}],
    }));
    assert_eq!(
        lines(&[old], &[new]),
        [
            "~ users  enabled: true → false; flowTypes: Add, Update, Delete → Add",
            "~ users: userName  defaultValue: (none) → \"\"; source: [userPrincipalName] → [mail]",
            "+ users: nickName  source: \"x\"",
            "- users: title  source: [jobTitle]",
            "~ users: scoping filter `Sales`  clause: department EQUALS Sales → department REGEX MATCH Sales (regexMode full)",
            "- users: scoping filter `Old`  clause: mail IS NOT NULL",
            "+ users: input filter `In`  clause: mail IS NULL",
            "+ users: attribute list, nickName  caseExact: true",
            "- users: jobTitle may flow null",
        ]
    );
}

#[test]
fn an_object_mapping_that_comes_or_goes_tells_all_it_has() {
    let users = users(&json!({}));
    let added = lines(&[], std::slice::from_ref(&users));
    assert_eq!(added[0], "+ users  enabled: true; flowTypes: Add, Update, Delete; targetObject: User");
    assert_eq!(added[1], "+ users: userName  matchingPriority: 1; source: [userPrincipalName]");
    assert!(lines(&[users], &[]).iter().all(|line| line.starts_with("- users")));
}

#[test]
fn the_json_form_has_old_and_new() {
    let new = users(&json!({"attributes": [
        {"target": "userName", "source": "[userPrincipalName]", "matchingPriority": 1},
        {"target": "title", "source": "[mail]"},
    ]}));
    assert_eq!(
        serde_json::to_value(Difference::between(&[users(&json!({}))], &[new])).unwrap(),
        json!([{"object": "User", "part": "attribute", "name": "title", "kind": "changed",
            "properties": [{"property": "source", "old": "[jobTitle]", "new": "[mail]"}]}])
    );
}

#[test]
fn another_order_alone_is_told() {
    let (old, mut new) = (users(&json!({})), users(&json!({})));
    new.attributes.reverse();
    assert_eq!(lines(&[old], &[new]), ["~ users  order: userName, title → title, userName"]);
}

/// Mappings from few words, so that two of them often share parts.
fn mappings() -> impl Strategy<Value = Vec<ObjectMapping>> {
    let attribute = ("[ab]", prop::sample::select(vec!["[x]", "\"x\"", "ToLower([y])"]), 0_u8..2, any::<bool>())
        .prop_map(|(target, source, priority, clears)| {
            json!({"target": target, "source": source, "matchingPriority": priority, "flowNullValues": clears})
        });
    let filter = ("[FG]", prop::collection::vec("[12]", 0..3)).prop_map(|(name, values)| {
        let clause = |value: &String| json!({"attribute": "a", "operator": "EQUALS", "value": value});
        json!({"name": name, "clauses": values.iter().map(clause).collect::<Vec<_>>()})
    });
    let filters = || prop::collection::vec(filter.clone(), 0..3);
    let object = (any::<bool>(), prop::collection::vec(attribute, 0..3), filters(), filters(), "[ab]?").prop_map(
        |(is_user, attributes, scoping, inputs, null)| {
            let object = if is_user { "User" } else { "Group" };
            let nulls: Vec<&String> = Some(&null).into_iter().filter(|null| !null.is_empty()).collect();
            let json = json!({"sourceObject": object, "targetObject": object, "attributes": attributes,
                "scoping": scoping, "inputFilters": inputs, "flowNullValues": nulls});
            serde_json::from_value(json).unwrap()
        },
    );
    prop::collection::vec(object, 0..3)
}

proptest! {
    #[test]
    fn there_is_a_difference_exactly_where_they_differ(old in mappings(), new in mappings()) {
        prop_assert_eq!(Difference::between(&old, &new).is_empty(), old == new);
        prop_assert!(Difference::between(&old, &old).is_empty());
        let (there, back) = (Difference::between(&old, &new), Difference::between(&new, &old));
        let count = |difference: &Difference, kind| difference.changes.iter().filter(|change| change.kind == kind).count();
        prop_assert_eq!(count(&there, ChangeKind::Added), count(&back, ChangeKind::Removed));
    }
}
