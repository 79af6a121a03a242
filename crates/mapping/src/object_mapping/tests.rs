//! Tests of object mappings: the data-file form and the problems that are found, all at once.

use serde_json::json;

use super::*;

fn read(json: serde_json::Value) -> ObjectMapping {
    serde_json::from_value(json).unwrap()
}

/// A user mapping with these attribute mappings.
fn users(attributes: &serde_json::Value) -> ObjectMapping {
    read(json!({"sourceObject": "User", "targetObject": "User", "attributes": attributes}))
}

fn problems(mapping: &ObjectMapping) -> Vec<String> {
    mapping.check().iter().map(ToString::to_string).collect()
}

#[test]
fn the_data_file_form_has_defaults_and_refuses_unknown_keys() {
    let mapping = users(&json!([{"target": "userName", "source": "[userPrincipalName]", "matchingPriority": 1}]));
    assert!(mapping.enabled);
    assert_eq!(mapping.flow_types, FlowTypes { create: true, update: true, delete: true });
    assert_eq!(mapping.scoping, ScopingFilters::default());
    assert_eq!(problems(&mapping), Vec::<String>::new());
    let written = serde_json::to_value(&mapping).unwrap();
    assert_eq!(written["flowTypes"], json!(["Add", "Update", "Delete"]));
    assert_eq!(read(written), mapping);
    let unknown = json!({"sourceObject": "User", "targetObject": "User", "attributes": [], "scope": []});
    assert!(serde_json::from_value::<ObjectMapping>(unknown).is_err());
}

#[test]
fn extensions_are_read_where_they_are_switched_on() {
    let of = |extensions: serde_json::Value| {
        json!({"sourceObject": "User", "targetObject": "User", "extensions": extensions, "attributes": [
            {"target": "userName", "source": "[mail]", "matchingPriority": 1},
            {"target": "title", "source": "Trim([jobTitle])"},
        ]})
    };
    let mapping = read(of(json!(true)));
    assert_eq!(mapping.attributes[1].source.extension(), Some("Trim"));
    let written = serde_json::to_string(&mapping).unwrap();
    assert!(written.contains(r#""extensions":true"#), "{written}");
    assert_eq!(serde_json::from_str::<ObjectMapping>(&written).unwrap(), mapping);
    let refused = serde_json::from_value::<ObjectMapping>(of(json!(false))).unwrap_err().to_string();
    assert!(
        refused.starts_with("source of `title`: `Trim` is an extension of Lockstep that Entra does not know"),
        "{refused}"
    );
    let plain = users(&json!([]));
    assert!(!plain.extensions);
    assert!(!serde_json::to_string(&plain).unwrap().contains("extensions"));
    // A mapping on its own has no switch beside it.
    assert!(
        serde_json::from_value::<AttributeMapping>(json!({"target": "title", "source": "Trim([jobTitle])"})).is_err()
    );
}

#[test]
fn flow_types_are_a_subset() {
    for (json, expected) in [
        (json!(["Create"]), FlowTypes { create: true, update: false, delete: false }),
        (json!(["Update", "Delete"]), FlowTypes { create: false, update: true, delete: true }),
        (json!([]), FlowTypes { create: false, update: false, delete: false }),
    ] {
        let types: FlowTypes = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(types, expected, "{json}");
        assert_eq!(serde_json::from_value::<FlowTypes>(serde_json::to_value(types).unwrap()).unwrap(), types);
    }
    assert!(serde_json::from_value::<FlowTypes>(json!(["Purge"])).is_err());
}

#[test]
fn all_problems_are_found_at_once() {
    let mut mapping = users(&json!([
        {"target": "userName", "source": "[mail]"},
        {"target": "username", "source": "[upn]"},
        {"target": "USERNAME", "source": "[x]"},
        {"target": "ID", "source": "[objectId]"},
        {"target": " ", "source": "[objectId]"},
        {"target": "roles", "source": "[appRoleAssignments]"},
    ]));
    mapping.enabled = false;
    mapping.scoping = ScopingFilters(vec![crate::FilterGroup { name: "all".into(), clauses: vec![] }]);
    assert_eq!(
        problems(&mapping),
        [
            "the mapping of users cannot be disabled; set `enabled` to true, and switch the job off where nobody is to be provisioned",
            "`username` is the target of more than one attribute mapping",
            "`ID` is the primary key of the target and cannot be mapped",
            "an attribute mapping has no target attribute",
            "`roles`: appRoleAssignments flows only through SingleAppRoleAssignment, AppRoleAssignmentsComplex or AssertiveAppRoleAssignmentsComplex",
            "no attribute mapping matches objects; give one a matching priority of 1",
            "the scoping filter `all` has no clause, so everyone would pass it; give it a clause, or remove it",
        ]
    );
}

#[test]
fn matching_attributes_need_a_value_of_the_object() {
    let mapping = users(&json!([
        {"target": "a", "source": "\"x\"", "matchingPriority": 1},
        {"target": "b", "matchingPriority": 2},
        {"target": "c", "source": "Join(\"\", [mail], Guid())", "matchingPriority": 3},
        {"target": "d", "source": "[mail]", "matchingPriority": 3},
    ]));
    assert_eq!(
        problems(&mapping),
        [
            "`c` and `d` have the same matching priority 3; give each a number of its own",
            "`a` matches objects, so its value must come from the source object",
            "`b` matches objects, so its value must come from the source object",
            "`c` matches objects, so it cannot use `Guid`",
        ]
    );
}

#[test]
fn filters_of_each_kind_are_checked() {
    let clauses = |clauses: serde_json::Value| {
        serde_json::from_value::<ScopingFilters>(json!([{"name": "F1", "clauses": clauses}])).unwrap()
    };
    let mut mapping = users(&json!([{"target": "userName", "source": "[upn]", "matchingPriority": 1}]));
    mapping.scoping = clauses(json!([{"attribute": "manager", "operator": "IS NULL"}]));
    mapping.input_filters = clauses(json!([{"attribute": "startDate", "operator": "Includes", "value": "2026"}]));
    mapping.category_filters = clauses(json!([]));
    assert_eq!(
        problems(&mapping),
        [
            "the input filter `F1` uses `startDate`, which Entra's operators cannot use; write `IS BEFORE`, `IS AFTER`, `IS ON OR BEFORE`, `IS ON OR AFTER`, `HAS VALUE` or `HAS NO VALUE`",
            "the category filter `F1` has no clause, so everyone would pass it; give it a clause, or remove it",
            "the scoping filter `F1` uses `manager`, which Entra's operators cannot use; write an attribute of the manager, such as `manager.objectId EQUALS` or `manager.department EQUALS`, or `manager HAS NO VALUE`",
        ]
    );
    assert!(mapping.reads().all(|(place, _)| place.filter.is_none()), "they are told of already");
}

#[test]
fn what_entras_operators_cannot_use_ours_can() {
    let group = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
    for (attribute, entras, cure, ours, value) in [
        ("manager", "EQUALS", "manager.objectId EQUALS", "HAS NO VALUE", None),
        ("manager.endDate", "IS NULL", "HAS NO VALUE", "IS AFTER", Some("now")),
        ("members", "IS NOT NULL", "memberOf IS MEMBER OF", "HAS VALUE", None),
        ("appRoleAssignments", "Includes", "ANY EQUALS", "ANY Includes", Some("Admin")),
        ("otherMails", "EQUALS", "ANY EQUALS", "NONE EQUALS", Some("a@b.example")),
        ("proxyAddresses", "IS NOT NULL", "HAS VALUE", "HAS NO VALUE", None),
        ("groupTypes", "Includes", "ANY EQUALS", "NONE Includes", Some("Unified")),
        ("employeeHireDate", "EQUALS", "IS BEFORE", "IS ON OR AFTER", Some("2026-01-01")),
        ("userType", "EQUALS", "ANY EQUALS", "NONE EQUALS", Some("Guest")),
        ("accountExpires", "Greater_Than", "IS AFTER", "IS ON OR BEFORE", Some("today+14d")),
        ("memberOf", "EQUALS", "IS MEMBER OF", "IS NOT NESTED MEMBER OF", Some(group)),
    ] {
        let with = |operator: &str, value: Option<&str>| {
            let operator: crate::FilterOperator = operator.parse().unwrap();
            let value = value.or(operator.takes_value().then_some("1")).map(str::to_owned);
            let clause = crate::Clause::new(attribute, operator, value, crate::RegexMode::Search).unwrap();
            let mut mapping = users(&json!([{"target": "userName", "source": "[upn]", "matchingPriority": 1}]));
            mapping.scoping = ScopingFilters(vec![crate::FilterGroup { name: "F1".into(), clauses: vec![clause] }]);
            mapping
        };
        let refused = problems(&with(entras, None));
        assert!(refused.len() == 1 && refused[0].contains(cure), "{attribute}: {refused:?}");
        let taken = with(ours, value);
        assert_eq!(problems(&taken), Vec::<String>::new(), "{attribute} {ours}");
        assert!(taken.filter_groups().flat_map(|group| &group.clauses).all(crate::Clause::is_extension));
        let read = if attribute == "memberOf" { "transitiveMemberOf" } else { attribute };
        assert!(taken.reads().any(|(_, name)| name == read), "{attribute} {ours}");
    }
}

#[test]
fn limit_of_attribute_mappings() {
    let of = |count: usize| {
        let mut mapping = users(&json!([{"target": "userName", "source": "[upn]", "matchingPriority": 1}]));
        let more =
            (1..count).map(|index| AttributeMapping::new(format!("a{index}"), MappingSource::Attribute("a".into())));
        mapping.attributes.extend(more);
        mapping
    };
    assert_eq!(problems(&of(ATTRIBUTE_MAPPINGS_MAX)), Vec::<String>::new());
    assert_eq!(
        problems(&of(ATTRIBUTE_MAPPINGS_MAX + 1)),
        ["there are 501 attribute mappings, at most 500 are allowed"]
    );
}

#[test]
fn limit_of_clauses() {
    let clause = crate::Clause::new("a", crate::FilterOperator::IsNull, None, crate::RegexMode::Search).unwrap();
    let of = |count: usize| {
        let mut mapping = users(&json!([{"target": "userName", "source": "[upn]", "matchingPriority": 1}]));
        let group = |count: usize| crate::FilterGroup { name: "F".into(), clauses: vec![clause.clone(); count] };
        mapping.scoping = ScopingFilters(vec![group(count - 1), group(1)]);
        mapping
    };
    assert_eq!(problems(&of(CLAUSES_MAX)), Vec::<String>::new());
    assert_eq!(problems(&of(CLAUSES_MAX + 1)), ["the scoping filters have 501 clauses, at most 500 are allowed"]);
}

#[test]
fn matching_goes_by_ascending_priority() {
    let mapping = users(&json!([
        {"target": "externalId", "source": "[objectId]", "matchingPriority": 7},
        {"target": "displayName", "source": "[displayName]"},
        {"target": "userName", "source": "[upn]", "matchingPriority": 1},
    ]));
    let order: Vec<_> = mapping.matching().map(|mapping| mapping.target.as_str()).collect();
    assert_eq!(order, ["userName", "externalId"]);
}

#[test]
fn what_is_looked_up_and_what_is_cleared_is_checked() {
    let unique = r#"SelectUniqueValue([mail], Append([mail], "2"))"#;
    let mapping = users(&json!([
        {"target": "userName", "source": "[upn]", "matchingPriority": 1, "flowNullValues": true},
        {"target": "a", "source": "[mail]", "required": true, "flowNullValues": true},
        {"target": "b", "source": unique},
        {"target": "c", "source": unique, "flowType": "ObjectAddOnly", "matchingPriority": 2},
        {"target": "d", "source": unique, "flowType": "ObjectAddOnly"},
    ]));
    assert_eq!(
        problems(&mapping),
        [
            "`userName` is a matching or required attribute, so its value cannot be cleared when the source has none",
            "`a` is a matching or required attribute, so its value cannot be cleared when the source has none",
            "`b` uses SelectUniqueValue, so it applies at creation only (`flowType` `ObjectAddOnly`) and matches no objects",
            "`c` uses SelectUniqueValue, so it applies at creation only (`flowType` `ObjectAddOnly`) and matches no objects",
        ]
    );
}

#[test]
fn a_mapping_clears_where_every_attribute_it_reads_may_flow_null() {
    for (source, flowing, is_flagged, expected) in [
        ("[mail]", vec!["mail"], true, true),
        ("[mail]", vec!["mail"], false, false),
        ("[mail]", vec!["other"], true, false),
        (r#"Join("", [mail], [other])"#, vec!["mail"], true, false),
        (r#"Join("", [mail], [other])"#, vec!["mail", "other"], true, true),
        (r#""constant""#, vec!["mail"], true, false),
    ] {
        let mut mapping = users(&json!([{"target": "a", "source": source, "flowNullValues": is_flagged}]));
        mapping.flow_null_values = flowing.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(mapping.clears(&mapping.attributes[0]), expected, "{source} {flowing:?}");
        let written = serde_json::to_value(&mapping).unwrap();
        assert_eq!(read(written), mapping);
    }
}
