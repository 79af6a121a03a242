//! What each attribute mapping is told to do, for a new account and for one that there is.

use jiff::Timestamp;
use serde_json::json;

use super::*;

fn draft(attributes: &Json) -> Draft {
    let mapping = json!([{ "sourceObject": "User", "targetObject": "User", "attributes": attributes, "flowNullValues": ["jobTitle"] }]);
    Draft::read(&mapping.to_string(), ObjectType::User).unwrap()
}

fn ann() -> Map<String, Json> {
    let ann = json!({ "userPrincipalName": "ann@x.example", "givenName": "Ann", "surname": "Oak", "city": "", "secret": "s3cret" });
    serde_json::from_value(ann).unwrap()
}

fn tried(draft: &Draft, held: Option<&Json>) -> Vec<AttributeTrial> {
    let world = World { now: Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    let boss = Referred { name: "boss@x.example".into(), account: None };
    let references = References { manager: Some(boss), ..References::default() };
    try_attributes(draft, &ann(), &world, &references, held.and_then(Json::as_object))
}

fn effect_of(attribute: &Json) -> Effect {
    tried(&draft(&json!([attribute])), None).remove(0).effect
}

/// The effect of one mapping, as JSON without what is the same for all.
fn effect(attribute: &Json, held: Option<&Json>) -> Json {
    let one = tried(&draft(&json!([attribute])), held).remove(0);
    serde_json::to_value(one.effect).unwrap()
}

#[test]
fn what_a_new_account_gets() {
    for (attribute, expected) in [
        (
            json!({ "target": "name.givenName", "source": "[givenName]" }),
            json!({ "effect": "value", "value": "Ann", "fromDefault": false }),
        ),
        (
            json!({ "target": "active", "source": "\"True\"" }),
            json!({ "effect": "value", "value": true, "fromDefault": false }),
        ),
        (
            json!({ "target": "title", "source": "[jobTitle]", "defaultValue": "none" }),
            json!({ "effect": "value", "value": "none", "fromDefault": true }),
        ),
        (json!({ "target": "title", "source": "[jobTitle]" }), json!({ "effect": "nothing", "reason": "null" })),
        (json!({ "target": "title", "source": "[city]" }), json!({ "effect": "nothing", "reason": "empty" })),
        (
            json!({ "target": "title", "source": "IgnoreAttributeFlow" }),
            json!({ "effect": "nothing", "reason": "dropped" }),
        ),
        (json!({ "target": "title" }), json!({ "effect": "nothing", "reason": "noSource" })),
        (json!({ "target": "title", "source": "IgnoreObjectFlow" }), json!({ "effect": "skipsObject" })),
        (
            json!({ "target": "title", "source": "[surname]", "flowType": "ObjectAddOnly" }),
            json!({ "effect": "value", "value": "Oak", "fromDefault": false }),
        ),
        (
            json!({ "target": "userName", "source": "SelectUniqueValue([givenName], [surname])", "flowType": "ObjectAddOnly" }),
            json!({ "effect": "firstFree", "candidates": ["Ann", "Oak"], "taken": [], "free": null }),
        ),
        (
            json!({ "target": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "source": "[manager]" }),
            json!({ "effect": "reference", "to": [{ "name": "boss@x.example", "account": null }], "more": false }),
        ),
    ] {
        assert_eq!(effect(&attribute, None), expected, "{attribute}");
    }
}

#[test]
fn what_an_update_does() {
    let held = json!({ "id": "1", "title": "Lead", "name": { "givenName": "Ann" }, "userName": "ANN@x.example", "nickName": "A",
        "roles": [{ "value": "a" }] });
    for (attribute, expected) in [
        (
            json!({ "target": "title", "source": "[surname]" }),
            json!({ "effect": "change", "before": "Lead", "after": "Oak", "joins": false }),
        ),
        (
            json!({ "target": "locale", "source": "[surname]" }),
            json!({ "effect": "change", "before": null, "after": "Oak", "joins": false }),
        ),
        (json!({ "target": "name.givenName", "source": "[givenName]" }), json!({ "effect": "same", "value": "Ann" })),
        (
            json!({ "target": "userName", "source": "[userPrincipalName]" }),
            json!({ "effect": "same", "value": "ann@x.example" }),
        ),
        (
            json!({ "target": "title", "source": "[jobTitle]", "defaultValue": "x" }),
            json!({ "effect": "nothing", "reason": "null" }),
        ),
        (
            json!({ "target": "title", "source": "[jobTitle]", "flowNullValues": true }),
            json!({ "effect": "clear", "before": "Lead" }),
        ),
        (
            json!({ "target": "locale", "source": "[jobTitle]", "flowNullValues": true }),
            json!({ "effect": "nothing", "reason": "nothingHeld" }),
        ),
        (
            json!({ "target": "title", "source": "[surname]", "flowType": "ObjectAddOnly" }),
            json!({ "effect": "nothing", "reason": "creationOnly" }),
        ),
        (
            json!({ "target": "title", "source": "[surname]", "flowType": "AttributeAddOnly" }),
            json!({ "effect": "nothing", "reason": "held" }),
        ),
        (
            json!({ "target": "roles", "source": "[surname]", "flowType": "MultiValueAddOnly" }),
            json!({ "effect": "change", "before": [{ "value": "a" }], "after": [{ "value": "Oak" }], "joins": true }),
        ),
        (
            json!({ "target": "nickName", "source": "SelectUniqueValue([givenName], [surname])" }),
            json!({ "effect": "nothing", "reason": "uniqueStays" }),
        ),
    ] {
        assert_eq!(effect(&attribute, Some(&held)), expected, "{attribute}");
    }
}

#[test]
fn one_bad_mapping_hides_no_other() {
    let tried = tried(
        &draft(&json!([
            { "target": "userName", "source": "[userPrincipalName", "matchingPriority": 1 },
            { "target": "name[", "source": "[givenName]" },
            { "target": "title", "source": "CDate([givenName])" },
            { "target": "active", "source": "[givenName]" },
            { "target": "displayName", "source": "[jobTitle]", "required": true },
            { "target": "nickName", "source": "[givenName]" },
        ])),
        None,
    );
    let told: Vec<(&str, &str, &str)> = tried
        .iter()
        .map(|one| match &one.effect {
            Effect::Error { code, reason, .. } => (one.target.as_str(), *code, reason.as_str()),
            Effect::Value { value, .. } => (one.target.as_str(), "", value.as_str().unwrap_or_default()),
            other => panic!("{other:?}"),
        })
        .collect();
    for ((target, code, reason), (at, as_code, words)) in told.iter().zip([
        ("userName", "InvalidExpression", "this `[` is not closed by a `]`, at character 1"),
        ("name[", "InvalidTarget", "the target attribute `name[` is not understood: "),
        ("title", "AttributeMappingEvaluation", "the mapping of title failed: `CDate`"),
        ("active", "SchemaPropertyCanOnlyAcceptValue", "active cannot take the mapped value"),
        ("displayName", "MandatoryFieldsMissing", "displayName is required"),
        ("nickName", "", "Ann"),
    ]) {
        assert_eq!((*target, *code), (at, as_code));
        assert!(reason.starts_with(words), "{reason}");
    }
    let Effect::Error { pointer: Some(pointer), position, .. } = &tried[0].effect else { panic!("{tried:?}") };
    assert_eq!((pointer.as_str(), *position), ("[userPrincipalName\n^", Some(0)));
    assert_eq!(tried[0].source.as_deref(), Some("[userPrincipalName"));
}

#[test]
fn redacted_values_can_be_hidden_and_others_cannot() {
    let both = draft(&json!([
        { "target": "title", "source": "Redact([secret])" },
        { "target": "nickName", "source": "[givenName]" },
    ]));
    for held in [None, Some(json!({ "id": "1", "title": "0ld", "nickName": "A" }))] {
        let hidden: Vec<_> = tried(&both, held.as_ref()).into_iter().map(AttributeTrial::hidden).collect();
        let shown = serde_json::to_string(&hidden).unwrap();
        assert!(shown.contains("[Redact]") && shown.contains("Ann"), "{shown}");
        assert!(!shown.contains("s3cret") && !shown.contains("0ld"), "{shown}");
    }
}

/// Each mapping is tried alone, and what another one keeps secret is secret all the same.
#[test]
fn what_another_mapping_redacts_is_in_no_reason() {
    let sources = ["CDate([secret])", "CDate([same])", "[secret]", "[same]", "Mid([secret], 1, 4)"];
    let mut attributes: Vec<Json> =
        sources.iter().map(|source| json!({ "target": "active", "source": source })).collect();
    attributes.push(json!({ "target": "title", "source": "Append(\"x\", Redact([secret]))" }));
    let mut ann = ann();
    ann.insert("same".into(), "S3CRET".into());
    let world = World { now: Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    let tried = try_attributes(&draft(&json!(attributes)), &ann, &world, &References::default(), None);
    let reasons: Vec<&str> = tried
        .iter()
        .filter_map(|one| if let Effect::Error { reason, .. } = &one.effect { Some(reason.as_str()) } else { None })
        .collect();
    assert_eq!(reasons.len(), sources.len());
    for (reason, told) in reasons.iter().zip([
        "; it was called as CDate([secret]), where [secret] is [Redact]",
        "; it was called as CDate([same]), where [same] is \"[Redact]\"",
        "active cannot take the mapped value: the mapped value is not a boolean; True or False is expected",
        "the mapped value \"[Redact]\" is not a boolean; True or False is expected",
        "the mapped value is not a boolean; True or False is expected",
    ]) {
        assert!(reason.ends_with(told), "{reason}");
    }
}

#[test]
fn a_call_that_fails_is_pointed_at() {
    let source = "Join(\"-\", [city], Append(\"x\", CDate([givenName])))";
    let tried = tried(&draft(&json!([{ "target": "title", "source": source }])), None);
    let Effect::Error { pointer: Some(pointer), position, .. } = &tried[0].effect else { panic!("{tried:?}") };
    assert_eq!((*position, pointer), (Some(30), &format!("{source}\n{:30}^", "")));
    // An attribute that cannot take the value is no place in the expression.
    let Effect::Error { pointer: None, position: None, .. } =
        effect_of(&json!({ "target": "active", "source": "Append([givenName], \"!\")" }))
    else {
        panic!("there is no call that fails");
    };
}
