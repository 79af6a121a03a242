//! Tests of the validation: tables of wrong mappings with the sentences about them.

mod switching_off;
mod unread;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::schema::{AttributeDefinition, AttributeType};
use crate::value::Value;

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// The attributes of a directory.
fn source(name: &str) -> Option<SourceAttribute> {
    let of = |kind| SourceAttribute { kind, ..SourceAttribute::default() };
    match name {
        "accountEnabled" | "IsSoftDeleted" => Some(of(AttributeType::Boolean)),
        "hireDate" => Some(of(AttributeType::DateTime)),
        "level" => Some(of(AttributeType::Integer)),
        "manager" | "objectId" => Some(of(AttributeType::Reference)),
        "otherMails" | "members" | "tags" => Some(SourceAttribute { multivalued: true, ..SourceAttribute::default() }),
        "ageGroup" => {
            Some(SourceAttribute { choices: vec!["Minor".into(), "Adult".into()], ..SourceAttribute::default() })
        }
        "mystery" => None,
        _ => Some(SourceAttribute::default()),
    }
}

/// What is also named without the URN of its extension.
fn extension(name: &str) -> Option<&'static str> {
    ["level", "boss"].contains(&name).then_some("urn:example:2.0:User")
}

/// The attributes of a target.
fn target() -> Vec<AttributeDefinition> {
    let manager = json!([{"referencedObjectName": "User"}]);
    serde_json::from_value(json!([
        {"name": "id", "anchor": true, "required": true},
        {"name": "userName", "required": true},
        {"name": "externalId"},
        {"name": "displayName"},
        {"name": "title"},
        {"name": "active", "type": "Boolean"},
        {"name": "password", "mutability": "WriteOnly"},
        {"name": "name.givenName"},
        {"name": "name.familyName"},
        {"name": "emails", "multivalued": true},
        {"name": "emails.value"},
        {"name": "emails.type"},
        {"name": "groups", "multivalued": true, "mutability": "ReadOnly"},
        {"name": "x509Certificates.value", "type": "Binary"},
        {"name": "urn:example:2.0:User:level", "type": "Integer"},
        {"name": "urn:example:2.0:User:hired", "type": "DateTime"},
        {"name": "urn:example:2.0:User:badge", "mutability": "Immutable"},
        {"name": "urn:example:2.0:User:boss", "type": "Reference", "referencedObjects": manager},
    ]))
    .unwrap()
}

/// A mapping of users that is in order, with more attributes.
fn users(more: &serde_json::Value) -> ObjectMapping {
    let mut attributes = vec![
        json!({"target": "userName", "source": "[userPrincipalName]", "matchingPriority": 1, "required": true}),
        json!({"target": "active", "source": "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")"}),
    ];
    for mapping in more.as_array().unwrap() {
        attributes.retain(|other| other["target"] != mapping["target"]);
        attributes.push(mapping.clone());
    }
    serde_json::from_value(json!({"sourceObject": "User", "targetObject": "User", "attributes": attributes})).unwrap()
}

fn known(target: &[AttributeDefinition]) -> Known<'_> {
    static NOTHING: std::sync::LazyLock<Unread> = std::sync::LazyLock::new(Unread::default);
    let (source, extension) = (&source, &extension);
    Known { source, target, told: &[], core_schema: CORE, extension, no_default_domain: None, unread: &NOTHING }
}

/// The findings as `P` or `W` and the sentence.
fn told(findings: &[Finding]) -> Vec<String> {
    let mark = |finding: &Finding| if finding.severity == Severity::Problem { 'P' } else { 'W' };
    findings.iter().map(|finding| format!("{} {finding}", mark(finding))).collect()
}

fn findings_of(mapping: &ObjectMapping) -> Vec<String> {
    told(&validate(&[(mapping, known(&target()))]))
}

fn table(rows: &[(serde_json::Value, &[&str])]) {
    for (mappings, expected) in rows {
        assert_eq!(findings_of(&users(mappings)), *expected, "{mappings}");
    }
}

#[test]
fn what_is_in_order_is_not_told_of() {
    table(&[
        (json!([]), &[]),
        (json!([{"target": "title"}, {"target": "name"}, {"target": "groups"}]), &[]),
        (
            json!([{"target": "title", "source": "[jobTitle]"}, {"target": "emails[type eq \"work\"].value", "source": "[mail]"}]),
            &[],
        ),
        (json!([{"target": "urn:example:2.0:User:boss", "source": "[manager]"}]), &[]),
        (json!([{"target": "urn:example:2.0:User:level", "source": "Len([title])"}]), &[]),
        (json!([{"target": "urn:example:2.0:User:hired", "source": "[hireDate]"}]), &[]),
        (json!([{"target": "urn:example:2.0:User:badge", "source": "[employeeId]", "flowType": "ObjectAddOnly"}]), &[]),
        (json!([{"target": "urn:other:1.0:User:whatever", "source": "[otherMails]"}]), &[]),
        (json!([{"target": "emails", "source": "[otherMails]"}]), &[]),
        (json!([{"target": "externalId", "source": "[objectId]", "matchingPriority": 2}]), &[]),
    ]);
}

#[test]
fn target_attributes() {
    table(&[
        (
            json!([{"target": "nmae.givenName", "source": "[givenName]"}]),
            &["W `nmae.givenName` of users: no such target attribute is known; did you mean `name.givenName`?"],
        ),
        (
            json!([{"target": "emials[type eq \"work\"].value", "source": "[mail]"}]),
            &[
                "W `emials[type eq \"work\"].value` of users: no such target attribute is known; did you mean `emails[type eq \"work\"].value`?",
            ],
        ),
        (
            json!([{"target": "shoeSize", "source": "[mail]"}]),
            &[
                "W `shoeSize` of users: no such target attribute is known; where the application has it, add it to the attribute list",
            ],
        ),
        (
            json!([{"target": format!("{CORE}:title"), "source": "[jobTitle]"}, {"target": "title", "source": "[department]"}]),
            &[
                "P `title` of users: it is the same attribute as `urn:ietf:params:scim:schemas:core:2.0:User:title`, which is mapped too; remove one of the mappings",
            ],
        ),
        (
            json!([{"target": "emails", "source": "[otherMails]"}, {"target": "emails[type eq \"work\"].value", "source": "[mail]"}]),
            &[
                "P `emails` of users: it is written whole, and so is `emails[type eq \"work\"].value`, a part of it: each write undoes the other; map the whole or its parts",
            ],
        ),
        (
            json!([{"target": "groups", "source": "[otherMails]"}]),
            &[
                "P `groups` of users: only the target itself writes it (`ReadOnly`); remove the mapping, or say in the attribute list that it is `ReadWrite`",
            ],
        ),
        (
            json!([{"target": "urn:example:2.0:User:badge", "source": "[employeeId]"}]),
            &[
                "W `urn:example:2.0:User:badge` of users: it never changes once the object is there (`Immutable`), so updates of it fail; set `flowType` to `ObjectAddOnly`",
            ],
        ),
    ]);
}

#[test]
fn required_attributes() {
    let mut list = target();
    list.push(AttributeDefinition {
        name: "urn:example:2.0:User:cost".into(),
        required: true,
        ..AttributeDefinition::default()
    });
    let of = |mapping: &ObjectMapping| told(&validate(&[(mapping, known(&list))]));
    let missing = "`urn:example:2.0:User:cost` of users: the target requires it and no mapping writes it; map a source attribute to it, or a constant";
    assert_eq!(of(&users(&json!([]))), [format!("P {missing}")]);
    assert_eq!(of(&users(&json!([{"target": "urn:example:2.0:User:COST", "source": "\"1\""}]))), [""; 0]);
    assert_eq!(
        of(&users(&json!([{"target": "urn:example:2.0:User:cost"}]))),
        [
            "P `urn:example:2.0:User:cost` of users: the target requires it and its mapping has no source; map a source attribute to it or set a default"
        ]
    );
    // A default value may be the target's own business.
    let mut with_default = list.clone();
    with_default.last_mut().unwrap().default_value = Some("7".into());
    let what = "the target requires it, and its default value is written only where a mapping writes the attribute; map it, if objects cannot be created without it";
    assert_eq!(
        told(&validate(&[(&users(&json!([])), known(&with_default))])),
        [format!("W `urn:example:2.0:User:cost` of users: {what}")]
    );
    let mut updates = users(&json!([]));
    updates.flow_types.create = false;
    assert_eq!(of(&updates), [""; 0], "what is never created needs nothing");
    // What the target alone says forbids nothing.
    let target = target();
    let from_target = Known { told: &list[list.len() - 1..], ..known(&target) };
    assert_eq!(told(&validate(&[(&users(&json!([])), from_target)])), [format!("W {missing}")]);
}

#[test]
fn types_that_clash() {
    let date = "write it as one with `FormatDateTime(…, , \"M/d/yyyy h:mm:ss tt\", \"yyyy-MM-ddTHH:mm:ssZ\")`";
    let hired = "`urn:example:2.0:User:hired` of users:";
    let flag = "write True or False, or make it of the source with `Switch`";
    let correct = "map another source, or correct the type in the attribute list";
    let several = "it holds a single value and its source has several, so objects with more than one fail; take one with `Item(…, 1)` or put them together with `Join`";
    for (mapping, expected) in [
        (json!({"target": "urn:example:2.0:User:hired", "source": "[accountEnabled]"}), format!("P {hired} `False` is not an instant such as 2026-03-02T08:00:00Z; {correct}")),
        (json!({"target": "urn:example:2.0:User:hired", "source": "CDate([x])"}), format!("P {hired} its source gives a date such as `3/2/2026 8:00:00 AM`, which is not an instant such as 2026-03-02T08:00:00Z; {date}")),
        (json!({"target": "urn:example:2.0:User:hired", "source": "\"2024-05-31\""}), format!("P {hired} `2024-05-31` is not an instant such as 2026-03-02T08:00:00Z; {correct}")),
        (json!({"target": "urn:example:2.0:User:level", "source": "\"high\""}), format!("P `urn:example:2.0:User:level` of users: `high` is not a whole number; {correct}")),
        (json!({"target": "urn:example:2.0:User:level", "source": "[objectId]"}), format!("P `urn:example:2.0:User:level` of users: its source gives an id, which is not a whole number; {correct}")),
        (json!({"target": "urn:example:2.0:User:level", "source": "[x]", "defaultValue": "low"}), "P `urn:example:2.0:User:level` of users: the default value `low` is not a whole number; write another".to_owned()),
        (json!({"target": "urn:example:2.0:User:level", "source": "Switch([x], \"0\", \"a\", \"1\", \"b\", \"two\")"}), format!("W `urn:example:2.0:User:level` of users: `two` is not a whole number; {correct}")),
        (json!({"target": "active", "source": "Switch([IsSoftDeleted], , \"False\", \"Yes\", \"True\", \"No\")"}), format!("P `active` of users: `No` is not true or false; {flag}")),
        (json!({"target": "x509Certificates[type eq \"a\"].value", "source": "\"ü\""}), format!("P `x509Certificates[type eq \"a\"].value` of users: `ü` is not base64; {correct}")),
        (json!({"target": "title", "source": "[otherMails]"}), format!("W `title` of users: {several}")),
        (json!({"target": "title", "source": "Split([x], \",\")"}), format!("W `title` of users: {several}")),
        (json!({"target": "name", "source": "\"Ann\""}), "P `name` of users: it is made of parts and takes no text; map its parts, such as `name.givenName`".to_owned()),
        (json!({"target": "name", "source": "[displayName]"}), "W `name` of users: it is made of parts and takes no text; map its parts, such as `name.givenName`".to_owned()),
        (json!({"target": "title", "source": "[x]", "flowType": "MultiValueAddOnly"}), "W `title` of users: `flowType` `MultiValueAddOnly` is for attributes with several values, and this one holds one; `AttributeAddOnly` writes it only where there is none".to_owned()),
    ] {
        assert_eq!(findings_of(&users(&json!([mapping]))), [expected], "{mapping}");
    }
}

#[test]
fn matching_attributes() {
    let cannot = "it matches objects, and the target cannot be asked for it:";
    let by_another = "match by another attribute";
    for (target, source, expected) in [
        ("password", "[x]", format!("P `password` of users: {cannot} it is never told (`WriteOnly`); {by_another}")),
        ("x509Certificates.value", "[x]", format!("P `x509Certificates.value` of users: {cannot} it holds bytes, which filters do not compare; {by_another}")),
        ("urn:example:2.0:User:boss", "[manager]", format!("P `urn:example:2.0:User:boss` of users: {cannot} it is a reference, which is written when the objects are there already; {by_another}")),
        ("externalId", "Redact([employeeId])", "W `externalId` of users: it matches objects, so the redacted value stands in the address of a request, which the target's own logs keep; match by an attribute that is no secret".to_owned()),
        ("externalId", "Switch([department], , \"Sales\", \"1\", \"IT\", \"2\")", "W `externalId` of users: it matches objects, and its value can only be `1` or `2`, so different objects match the same one; match by an attribute that each object has for itself".to_owned()),
        ("emails", "[mail]", "W `emails` of users: it matches objects and holds several values, which many targets do not filter by; choose one, such as `emails[type eq \"work\"].value`".to_owned()),
    ] {
        let mapping = json!([{"target": target, "source": source, "matchingPriority": 2}]);
        assert_eq!(findings_of(&users(&mapping)), [expected], "{target} {source}");
    }
    let boolean = users(&json!([{"target": "active", "source": "[IsSoftDeleted]", "matchingPriority": 2}]));
    assert!(findings_of(&boolean)[0].contains("true or false is shared by most objects"));
    let object = users(&json!([{"target": "name", "source": "[x]", "matchingPriority": 2}]));
    assert!(findings_of(&object)[0].contains("it is an object made of parts"), "{:?}", findings_of(&object));
}

#[test]
fn expressions_that_never_give_a_value() {
    let title = "`title` of users:";
    for (mapping, expected) in [
        (
            json!({"source": "Left([x], 0)"}),
            format!(
                "P {title} its source never gives a value: it is always empty, by `Left([x], 0)` at character 1; correct it, or remove the mapping"
            ),
        ),
        (
            json!({"source": "ToLower(Item([x], 0))"}),
            format!(
                "P {title} its source never gives a value: it fails: `Item`: `index` counts from 1, by `Item([x], 0)` at character 9; correct it, or remove the mapping"
            ),
        ),
        (
            json!({"source": "IgnoreObjectFlow"}),
            format!(
                "P {title} its source never gives a value: it leaves the whole object out; correct it, or remove the mapping"
            ),
        ),
        (
            json!({"source": "IIF([x], \"\", )", "defaultValue": "none"}),
            format!(
                "W {title} its source never gives a value: it is always empty; only its default value ever flows; remove the source"
            ),
        ),
        (
            json!({"source": "\"\""}),
            format!("W {title} its source never gives a value: it is empty; write a value, or remove the source"),
        ),
        (
            json!({"source": "Join(\" \", [x], Mid([y], 0, 2))"}),
            format!("W {title} `Mid([y], 0, 2)`, at character 16, never gives a value: `start` counts from 1"),
        ),
        (
            json!({"source": "Join(\" \", [x], Left([y], 0))"}),
            format!("W {title} `Left([y], 0)`, at character 16, never gives a value"),
        ),
        (
            json!({"source": "IIF([accountEnabled] = \"true\", \"in\", \"out\")"}),
            format!(
                "W {title} `[accountEnabled] = \"true\"`, at character 5, is always false; texts are compared with case, and null equals nothing"
            ),
        ),
        (
            json!({"source": "[x]", "flowNullValues": true}),
            format!(
                "W {title} `flowNullValues` of the mapping does nothing while `x` may not flow null; add it to `flowNullValues` of the object mapping"
            ),
        ),
    ] {
        let mut mapping = mapping;
        mapping["target"] = json!("title");
        assert_eq!(findings_of(&users(&json!([mapping]))), [expected], "{mapping}");
    }
}

#[test]
fn words_that_are_texts() {
    let constant = "its source is the text `IgnoreAttributeFlow`, and not the word that leaves the attribute as it is; write the source without quotes";
    let default = "its default value is the text `ignoreObjectFlow`, and not the word that passes over the whole object; remove it";
    let inside = "`\"IgnoreObjectFlow\"`, at character 15, is a text like any other; the word without quotes passes over the whole object";
    for (mapping, expected) in [
        (json!({"source": "\"IgnoreAttributeFlow\""}), constant),
        (json!({"source": "[x]", "defaultValue": "ignoreObjectFlow"}), default),
        (json!({"source": "Coalesce([x], \"IgnoreObjectFlow\")"}), inside),
    ] {
        let mut title = mapping;
        title["target"] = "title".into();
        assert_eq!(findings_of(&users(&json!([title]))), [format!("W `title` of users: {expected}")]);
    }
}

#[test]
fn a_default_domain_must_be_there_to_be_asked_for() {
    let domain = json!([{"target": "title", "source": "Join(\"@\", [x], DefaultDomain())"}]);
    table(&[(domain.clone(), &[])]);
    let (mapping, target) = (users(&domain), target());
    let without = Known { no_default_domain: Some("set one"), ..known(&target) };
    assert_eq!(
        told(&validate(&[(&mapping, without)])),
        ["P `title` of users: `DefaultDomain` fails, because there is no default domain; set one"]
    );
}

#[test]
fn what_is_another_value_each_time() {
    let changing =
        |flow: &str| findings_of(&users(&json!([{"target": "title", "source": "Guid()", "flowType": flow}])));
    let told = "W `title` of users: `Guid` gives another value each time, so every cycle writes it anew; set `flowType` to `ObjectAddOnly`";
    assert_eq!(changing("Always"), [told]);
    assert_eq!(changing("ObjectAddOnly"), [""; 0]);
}

/// Mappings of users and groups whose references are those given, each required or not.
fn with_references(rows: &[(ObjectType, &str, &[&str], bool)]) -> Vec<String> {
    let of = |object: ObjectType| {
        let mine = rows.iter().filter(|(from, ..)| *from == object);
        let definition = |(_, name, to, required): &(ObjectType, &str, &[&str], bool)| AttributeDefinition {
            name: (*name).to_owned(),
            kind: AttributeType::Reference,
            required: *required,
            referenced_objects: to
                .iter()
                .map(|to| serde_json::from_value(json!({"referencedObjectName": to})).unwrap())
                .collect(),
            ..AttributeDefinition::default()
        };
        let list: Vec<AttributeDefinition> = mine.clone().map(definition).collect();
        let mut mapping: ObjectMapping =
            serde_json::from_value(json!({"sourceObject": object, "targetObject": object, "attributes": [
                {"target": "key", "source": "[displayName]", "matchingPriority": 1},
            ]}))
            .unwrap();
        mapping
            .attributes
            .extend(mine.map(|(_, name, ..)| crate::AttributeMapping::new(*name, "[manager]".parse().unwrap())));
        (mapping, list)
    };
    let (users, groups) = (of(ObjectType::User), of(ObjectType::Group));
    let findings = validate(&[(&users.0, known(&users.1)), (&groups.0, known(&groups.1))]);
    let problems: Vec<Finding> = findings.into_iter().filter(|finding| finding.severity == Severity::Problem).collect();
    told(&problems)
}

#[test]
fn references_that_wait_for_one_another() {
    use ObjectType::{Group, User};
    let cure = "references are written when both objects are there, so make one of these attributes optional";
    let none = "no object can be created, because each needs another one first:";
    assert_eq!(
        with_references(&[(User, "manager", &["User"], false), (Group, "members", &["User", "Group"], false)]),
        [""; 0]
    );
    assert_eq!(
        with_references(&[(User, "manager", &["User"], true)]),
        [format!("P the mapping of users: {none} User.`manager` → User; {cure}")]
    );
    assert_eq!(
        with_references(&[(User, "home", &["urn:x:2.0:Group"], true), (Group, "owner", &["User"], true)]),
        [
            format!("P the mapping of users: {none} User.`home` → Group.`owner` → User; {cure}"),
            format!("P the mapping of groups: {none} Group.`owner` → User.`home` → Group; {cure}"),
        ]
    );
    // One of the types that may stand there can be created.
    assert_eq!(with_references(&[(Group, "owner", &["Group", "User"], true)]), [""; 0]);
    assert_eq!(
        with_references(&[(User, "home", &["Group"], true), (Group, "parent", &["Group"], true)]),
        [
            format!("P the mapping of users: {none} User.`home` → Group.`parent` → Group; {cure}"),
            format!("P the mapping of groups: {none} Group.`parent` → Group; {cure}"),
        ]
    );
}

#[test]
fn object_mappings_beside_one_another() {
    let group: ObjectMapping =
        serde_json::from_value(json!({"sourceObject": "User", "targetObject": "Group", "flowTypes": ["Add"],
        "attributes": [{"target": "displayName", "source": "[displayName]", "matchingPriority": 1}]}))
        .unwrap();
    let list = Vec::new();
    let mut nothing = group.clone();
    nothing.flow_types = crate::FlowTypes { create: false, update: false, delete: false };
    nothing.source_object = ObjectType::Group;
    assert_eq!(
        told(&validate(&[(&group, known(&list)), (&nothing, known(&list))])),
        [
            "P the mapping of groups: what is read and what is written must be of one type; set `sourceObject` and `targetObject` alike",
            "P the mapping of groups: there is more than one; keep one of them",
            "P the job: it has no mapping of users; add one",
            "W the mapping of groups: `flowTypes` lacks Update, so who leaves the scope is not switched off at the target either; allow Update",
            "W the mapping of groups: `flowTypes` is empty, so nothing is ever written; allow Add, Update and Delete, or switch the mapping off",
        ]
    );
}

fn filtered(groups: &serde_json::Value) -> Vec<String> {
    let mut mapping = users(&json!([]));
    mapping.scoping = serde_json::from_value(groups.clone()).unwrap();
    findings_of(&mapping)
}

#[test]
fn clauses_that_are_not_meant_so() {
    for (attribute, operator, value, expected) in [
        (
            "employeeId",
            "REGEX MATCH",
            "[1-9][0-9]",
            "finds its pattern anywhere in the value; where the whole value is meant, write `^` before it and `$` behind it, or set `regexMode` to `full`",
        ),
        (
            "department",
            "REGEX MATCH",
            "$Sales",
            "has a pattern that matches nothing: `^` stands at the beginning of a pattern, `$` at its end",
        ),
        ("department", "EQUALS", "Sales ", "begins or ends with a blank, which counts; take it away"),
        ("department", "Includes", "", "holds for every value; write `IS NOT NULL`"),
        (
            "tags",
            "EQUALS",
            "a@b",
            "compares an attribute with several values, and holds only where all of them satisfy it",
        ),
    ] {
        let clause = json!({"attribute": attribute, "operator": operator, "value": value});
        let clauses = json!([{"name": "F", "clauses": [clause]}, {"name": "G", "clauses": [{"attribute": "mail", "operator": "IS NULL"}]}]);
        assert_eq!(
            filtered(&clauses),
            [format!("W the scoping filter `F` of users: `{attribute} {operator} {value}` {expected}")]
        );
    }
    let never =
        json!([{"name": "F", "clauses": [{"attribute": "hireDate", "operator": "Greater_Than", "value": "3"}]}]);
    assert_eq!(
        filtered(&never),
        ["W the scoping filter `F` of users: `hireDate Greater_Than 3` never holds: `hireDate` is no whole number"]
    );
}

#[test]
fn filters_that_nobody_can_pass() {
    let clause = |attribute: &str, operator: &str, value: Option<&str>| json!({"attribute": attribute, "operator": operator, "value": value});
    let dept = |operator, value| clause("department", operator, value);
    for (clauses, why) in [
        (
            vec![dept("EQUALS", Some("A")), dept("EQUALS", Some("B"))],
            "`department EQUALS A` and `department EQUALS B` never hold together",
        ),
        (
            vec![dept("IS NULL", None), dept("EQUALS", Some("B"))],
            "`department IS NULL` and `department EQUALS B` never hold together",
        ),
        (
            vec![dept("EQUALS", Some("A")), dept("NOT REGEX MATCH", Some("^A$"))],
            "`department EQUALS A` and `department NOT REGEX MATCH ^A$` never hold together",
        ),
        (
            vec![clause("level", "EQUALS", Some("9")), clause("level", "Greater_Than", Some("10"))],
            "`level EQUALS 9` and `level Greater_Than 10` never hold together",
        ),
        (
            vec![clause("accountEnabled", "IS TRUE", None), clause("accountEnabled", "IS FALSE", None)],
            "`accountEnabled IS TRUE` and `accountEnabled IS FALSE` never hold together",
        ),
        (
            vec![clause("ageGroup", "NOT EQUALS", Some("Adult")), clause("ageGroup", "ENDS_WITH", Some("t"))],
            "`ageGroup NOT EQUALS Adult` and `ageGroup ENDS_WITH t` never hold together",
        ),
    ] {
        let only = filtered(&json!([{"name": "F", "clauses": clauses}]));
        assert_eq!(
            only,
            [format!(
                "P the scoping filter `F` of users: nobody can pass it, and no other filter lets anyone through: {why}"
            )]
        );
        let other =
            json!([{"name": "F", "clauses": clauses}, {"name": "G", "clauses": [clause("mail", "IS NULL", None)]}]);
        assert_eq!(filtered(&other), [format!("W the scoping filter `F` of users: nobody can pass it: {why}")]);
    }
    let flag = filtered(&json!([{"name": "F", "clauses": [clause("accountEnabled", "EQUALS", Some("true"))]}]));
    let why = "`accountEnabled EQUALS true` never holds: `accountEnabled` can be `False` or `True`";
    assert_eq!(
        flag,
        [format!(
            "P the scoping filter `F` of users: nobody can pass it, and no other filter lets anyone through: {why}"
        )]
    );
}

#[test]
fn filters_that_change_nothing() {
    let (a, b) = (json!({"attribute": "a", "operator": "IS NULL"}), json!({"attribute": "b", "operator": "IS NULL"}));
    assert_eq!(
        filtered(
            &json!([{"name": "F", "clauses": [a, b]}, {"name": "G", "clauses": [b]}, {"name": "G", "clauses": [b, b]}])
        ),
        [
            "W the scoping filter `F` of users: whoever passes it passes `G` too, so it changes nothing; remove it",
            "W the scoping filter `G` of users: it has the same clause twice; remove one",
            "W the scoping filter `G` of users: another filter has the same title, so logs cannot tell them apart; rename one",
            "W the scoping filter `G` of users: whoever passes it passes `G` too, so it changes nothing; remove it",
        ]
    );
}

#[test]
fn what_a_mapping_must_be_by_itself_comes_too() {
    let mapping = users(&json!([{"target": "title", "source": "[mail]", "matchingPriority": 1}]));
    let findings = validate(&[(&mapping, known(&target()))]);
    assert_eq!(
        told(&findings),
        ["P `userName` and `title` have the same matching priority 1; give each a number of its own"]
    );
    assert_eq!(findings[0].rule, Rule::Mapping);
}

#[test]
fn places_are_told_for_machines_too() {
    let findings =
        validate(&[(&users(&json!([{"target": "title", "source": "ToLower(Left([x], 0))"}])), known(&target()))]);
    assert_eq!(
        serde_json::to_value(&findings[0]).unwrap(),
        json!({
            "severity": "problem",
            "rule": "expression",
            "place": {"object": "User", "target": "title", "filter": null, "clause": null, "position": 8},
            "message": "`title` of users: its source never gives a value: it is always empty, by `Left([x], 0)` at character 9; correct it, or remove the mapping",
        })
    );
}

fn some_clause() -> impl Strategy<Value = serde_json::Value> {
    let values = proptest::sample::select(&["", "A", "a", "True", "true", "10", "9", "^A$", "A "][..]);
    let operators = proptest::sample::select(crate::FilterOperator::all().collect::<Vec<_>>());
    let attributes = proptest::sample::select(&["department", "accountEnabled", "ageGroup", "level", "mystery"][..]);
    (attributes, operators, values).prop_map(|(attribute, operator, value)| {
        let value = operator.takes_value().then_some(value);
        json!({"attribute": attribute, "operator": operator.to_string(), "value": value})
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whoever passes a filter was not said to be unable to.
    #[test]
    fn a_filter_that_someone_passes_is_never_said_to_be_closed(
        clauses in proptest::collection::vec(some_clause(), 1..4),
        text in proptest::option::of(proptest::sample::select(&["A", "a", "10", "11", "9", "True", "true"][..])),
        flag in proptest::option::of(proptest::sample::select(&["True", "False"][..])),
        age in proptest::option::of(proptest::sample::select(&["Minor", "Adult"][..])),
    ) {
        let group = json!([{"name": "F", "clauses": clauses}]);
        let Ok(scoping) = serde_json::from_value::<crate::ScopingFilters>(group) else { return Ok(()) };
        let value = |text: Option<&str>| Value::from(text.map(str::to_owned));
        let numeric = text.filter(|text| text.parse::<i64>().is_ok());
        let object: std::collections::BTreeMap<String, Value> = [
            ("department", value(text)), ("mystery", value(text)), ("accountEnabled", value(flag)), ("ageGroup", value(age)), ("level", value(numeric)),
        ].map(|(name, value)| (name.to_owned(), value)).into();
        let passes = scoping.evaluate(&object, jiff::Timestamp::UNIX_EPOCH).is_ok_and(|verdict| verdict.in_scope);
        let mut mapping = users(&json!([]));
        mapping.scoping = scoping;
        let said = validate(&[(&mapping, known(&[]))]);
        let closed = said.iter().any(|finding| finding.message.contains("nobody can pass it") || finding.message.contains("never holds"));
        prop_assert!(!(passes && closed), "{clauses:?} lets {object:?} through, and: {said:?}");
    }
}
