//! Tests of what is told of a document whose parts do not fit together.

use serde_json::{Value, json};

use super::*;

/// A SCIM application that is in no gallery, as it is exported.
const CUSTOMAPPSSO: &str = include_str!("../../../tests/schemas/customappsso.json");
const RULE: &str = "/synchronizationRules/0";
const LOST: &str = "so nothing is known of its attributes: which are required, and the attribute list";

/// What is told of the exported document after a change, beyond what is told without.
fn told_after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let lines = |json: &Value| -> Vec<String> {
        let findings = read(&Document::from_json(json.clone()).expect("a schema")).findings;
        findings.iter().map(|one| format!("{}{one}", if one.blocks { "! " } else { "" })).collect()
    };
    let mut json: Value = serde_json::from_str(CUSTOMAPPSSO).expect("JSON");
    let before = lines(&json);
    change(&mut json);
    lines(&json).into_iter().filter(|line| !before.contains(line)).collect()
}

fn list<'j>(json: &'j mut Value, pointer: &str) -> &'j mut Vec<Value> {
    json.pointer_mut(pointer).and_then(Value::as_array_mut).expect("a list")
}

fn directory<'j>(json: &'j mut Value, name: &str) -> &'j mut Value {
    list(json, "/directories").iter_mut().find(|one| one["name"] == name).expect("a directory")
}

#[test]
fn directories_and_objects_that_are_not_defined_are_told_with_what_is_lost() {
    let at = "target directory customapsso: the document defines no `customapsso` there";
    assert_eq!(
        told_after(|json| json.pointer_mut(RULE).unwrap()["targetDirectoryName"] = "customapsso".into()),
        ["users", "groups"].map(|objects| format!("different: {objects}: {at}, {LOST}; did you mean `customappsso`?"))
    );
    assert_eq!(
        told_after(|json| json.pointer_mut(RULE).unwrap()["sourceDirectoryName"] = "Entra ID".into())[0],
        "different: users: source directory Entra ID: the document defines no `Entra ID` there, so no attribute of it may flow null"
    );
    let told = told_after(|json| {
        json.pointer_mut(RULE).unwrap()["objectMappings"][0]["targetObjectName"] = "urn:x:User".into();
    });
    let place = "users: target directory customappsso, target object urn:x:User";
    assert_eq!(told, [format!("different: {place}: the document defines no `urn:x:User` there, {LOST}")]);
    let told = told_after(|json| json.pointer_mut(RULE).unwrap()["targetDirectoryName"] = Value::Null);
    assert!(told[0].contains("the document does not say which it is, so nothing is known"), "{told:?}");
    assert_eq!(told_after(|json| json["directories"] = json!([])), Vec::<String>::new(), "rules alone are nothing odd");
    let other_case = told_after(|json| json.pointer_mut(RULE).unwrap()["targetDirectoryName"] = "CustomAppSSO".into());
    assert_eq!(other_case, Vec::<String>::new());
}

#[test]
fn definitions_that_are_there_twice_are_told() {
    let told = told_after(|json| {
        let again = directory(json, "customappsso").clone();
        list(json, "/directories").push(again);
    });
    let twice = "the document defines `customappsso` 2 times; the first definition counts, the others do not";
    assert_eq!(
        told,
        ["users", "groups"].map(|objects| format!("different: {objects}: target directory customappsso: {twice}"))
    );
    let told = told_after(|json| {
        let objects = directory(json, "customappsso")["objects"].as_array_mut().unwrap();
        objects.push(objects[0].clone());
    });
    assert!(told.len() == 1 && told[0].contains(", target object urn:") && told[0].contains(" 2 times"), "{told:?}");
}

#[test]
fn what_must_not_be_cleared_does_not_flow_null_by_its_definition() {
    let told = told_after(|json| {
        for object in directory(json, "customappsso")["objects"].as_array_mut().unwrap() {
            for entry in object["attributes"].as_array_mut().unwrap().iter_mut().filter(|one| one["name"] == "userName")
            {
                entry["flowNullValues"] = true.into();
            }
        }
    });
    let reason = "`flowNullValues` of its definition is passed over: what is required, or matched by, is never cleared";
    assert_eq!(told, [format!("note: users: target attribute userName: {reason}")]);
}

#[test]
fn a_flag_that_was_passed_over_does_not_come_back_when_nothing_is_matched_by_the_attribute_any_more() {
    let mut json: Value = serde_json::from_str(CUSTOMAPPSSO).expect("JSON");
    let objects = directory(&mut json, "customappsso")["objects"].as_array_mut().unwrap();
    let attributes = objects.iter_mut().flat_map(|one| one["attributes"].as_array_mut().unwrap());
    for entry in attributes.filter(|one| one["name"] == "userName") {
        entry["flowNullValues"] = true.into();
        entry["required"] = false.into();
    }
    let base = Document::from_json(json).expect("a schema");
    let mut changed = read(&base).objects;
    let user_name = changed[0].attributes.iter_mut().find(|one| one.target == "userName").unwrap();
    assert!(user_name.is_matching() && !user_name.required && !user_name.flow_null_values);
    user_name.matching_priority = 0;
    let text = String::new;
    let names = crate::schema::Names {
        schema_id: text(),
        rule_id: text(),
        source_directory_id: text(),
        target_directory_id: text(),
        source_directory: text(),
        target_directory: text(),
    };
    let written = crate::schema::write(Some(&base), &changed, &names).document;
    let again = read(&written).objects;
    assert!(!again[0].attributes.iter().find(|one| one.target == "userName").unwrap().flow_null_values);
}

#[test]
fn two_object_mappings_of_one_name_are_told_by_their_places() {
    let told = told_after(|json| {
        let mappings = list(json, &format!("{RULE}/objectMappings"));
        mappings.push(mappings[0].clone());
    });
    let at = |index: usize| format!("(synchronizationRules[0].objectMappings[{index}])");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&format!("{}: one object mapping counts", at(2))), "{told:?}");
    assert!(told[0].ends_with(&format!("{}; this one is left out", at(0))), "{told:?}");
}

/// A document with mappings of users to these target attributes.
fn mapped(targets: &str) -> Document {
    let mapping = |target: &str| json!({"targetAttributeName": target, "source": {"expression": "[mail]"}});
    let mappings: Vec<Value> = targets.split(", ").map(mapping).collect();
    Document::from_json(json!({"synchronizationRules": [{"targetDirectoryName": "crm.example", "objectMappings": [
        {"sourceObjectName": "User", "targetObjectName": "User", "attributeMappings": mappings}]}]}))
    .expect("a schema")
}

#[test]
fn a_target_of_another_protocol_is_told_first_and_blocks() {
    for (targets, is_foreign) in [
        ("IsActive, Alias, Email, FirstName, LastName, Username", true),
        ("active, user_name, email, first_name, last_name, title, manager, sys_id", true),
        ("login, name, status, role, address, tracking_codes.dept", true),
        ("userName, login, status, role, address", false),
        ("userNames, login, status, role, name.givenName", false),
        ("login, status, role, address, urn:example:2.0:User:badge", false),
        ("login, status, role, emails[type eq \"work\"].value", false),
        ("login, status, role", false),
        ("displayName, title, locale, timezone, login, status, role, address", false),
    ] {
        let findings = read(&mapped(targets)).findings;
        let first = findings.first().map(ToString::to_string).unwrap_or_default();
        let words = "not supported: the target `crm.example`: it speaks another protocol than SCIM";
        assert_eq!(first.starts_with(words), is_foreign, "{targets}: {first}");
        assert!(!is_foreign || findings[0].blocks);
    }
    let findings = read(&mapped("login, Name, status, role")).findings;
    assert!(findings[0].reason.contains("(`login`, `Name`, `status`, `role`), and"), "{}", findings[0]);
}
