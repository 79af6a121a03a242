//! Tests of who is switched off, and of references.

use super::*;

/// What is told of users whose `active` is made so.
fn active(more: &serde_json::Value) -> Vec<String> {
    let mut mapping = json!({"target": "active"});
    mapping.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    findings_of(&users(&json!([mapping])))
}

#[test]
fn who_leaves_is_switched_off() {
    let active = "W `active` of users: it does not read `IsSoftDeleted`, so who leaves the scope is not switched off at the target; map `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")`";
    assert_eq!(findings_of(&users(&json!([{"target": "active", "source": "[accountEnabled]"}]))), [active]);
}

#[test]
fn active_that_switches_nobody_off() {
    let cure = "map `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")`";
    let reverse = format!(
        "W `active` of users: it is the reverse of what is meant: who leaves the scope is switched on, and everybody else off; {cure}"
    );
    let never = format!(
        "W `active` of users: it is never False where `IsSoftDeleted` is True, so who leaves the scope is not switched off at the target; {cure}"
    );
    for (source, expected) in [
        ("[IsSoftDeleted]", vec![&reverse]),
        ("Switch([IsSoftDeleted], , \"False\", \"False\", \"True\", \"True\")", vec![&reverse]),
        ("Switch([IsSoftDeleted], \"\", \"False\", \"True\")", vec![&never]),
        ("IIF([IsSoftDeleted], \"True\", \"True\")", vec![&never]),
        ("IIF([IsSoftDeleted], IgnoreAttributeFlow, \"True\")", vec![&never]),
        ("IIF([IsSoftDeleted], \"1\", [accountEnabled])", vec![&never]),
        ("Not([IsSoftDeleted])", vec![]),
        ("IIF([IsSoftDeleted], \"0\", \"1\")", vec![]),
        ("IIF([IsSoftDeleted], \"False\", [accountEnabled])", vec![]),
        ("IIF([IsSoftDeleted] = \"True\", [accountEnabled], \"True\")", vec![]),
        ("Switch([accountEnabled], \"False\", \"True\", Not([IsSoftDeleted]))", vec![]),
        ("IIF([IsSoftDeleted], [mystery], \"True\")", vec![]),
    ] {
        let told = active(&json!({"source": source}));
        assert_eq!(told.iter().collect::<Vec<_>>(), expected, "{source}");
    }
    let misspelt = active(&json!({"source": "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"Flase\")"}));
    assert!(misspelt.contains(&never), "{misspelt:?}");
}

#[test]
fn active_that_is_always_false() {
    let cure = "map `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")`";
    let off = format!(
        "W `active` of users: it is always False, so everybody is switched off at the target, in scope or not; {cure}"
    );
    let begins = |only: &str| {
        format!("W `active` of users: it writes False, and only {only}, so accounts begin switched off; {cure}")
    };
    let nobody = format!(
        "W `active` of users: it does not read `IsSoftDeleted`, so who leaves the scope is not switched off at the target; {cure}"
    );
    let (created, empty) = (begins("when an account is created"), begins("where the account has no value"));
    for (mapping, expected) in [
        (json!({"source": "\"False\""}), vec![&off]),
        (json!({"source": "\"0\""}), vec![&off]),
        (json!({"source": "Switch([IsSoftDeleted], , \"False\", \"False\", \"True\", \"False\")"}), vec![&off]),
        (json!({"source": "\"False\"", "flowType": "ObjectAddOnly"}), vec![&created]),
        (json!({"source": "\"False\"", "flowType": "AttributeAddOnly"}), vec![&empty]),
        (json!({"defaultValue": "False"}), vec![&empty]),
        (json!({"source": "\"True\""}), vec![&nobody]),
        (json!({"defaultValue": "True"}), vec![&nobody]),
        // Only who leaves is switched off.
        (json!({"source": "IIF([IsSoftDeleted], \"False\", IgnoreAttributeFlow)"}), vec![]),
    ] {
        assert_eq!(active(&mapping).iter().collect::<Vec<_>>(), expected, "{mapping}");
    }
    let elsewhere =
        json!([{"target": "active", "source": "\"False\""}, {"target": "title", "source": "[IsSoftDeleted]"}]);
    assert_eq!(findings_of(&users(&elsewhere)), [off], "nothing makes up for it");
}

#[test]
fn active_that_is_not_written_again() {
    for (flow_type, expected) in [
        ("ObjectAddOnly", Some("when an account is created")),
        ("AttributeAddOnly", Some("where the account has no value")),
        ("ValueAddOnly", Some("where the account has no value")),
        ("Always", None),
    ] {
        let expected = expected.map(|only| {
            format!(
                "W `active` of users: `flowType` `{flow_type}` writes it only {only}, so who leaves the scope is not switched off at the target; set `flowType` to `Always`"
            )
        });
        let told = active(&json!({"source": "Not([IsSoftDeleted])", "flowType": flow_type}));
        assert_eq!(told, expected.into_iter().collect::<Vec<_>>(), "{flow_type}");
    }
    // Another mapping may tell the application, unless it is written once only.
    let other = |flow_type: &str| {
        let title = json!({"target": "title", "source": "[IsSoftDeleted]", "flowType": flow_type});
        findings_of(&users(&json!([{"target": "active", "source": "[accountEnabled]"}, title])))
    };
    assert_eq!((other("Always").len(), other("ObjectAddOnly").len()), (0, 1));
    // So may the value that is taken away, where it is.
    let mut cleared = users(&json!([
        {"target": "active", "source": "IIF([IsSoftDeleted], \"\", \"True\")", "flowNullValues": true},
    ]));
    cleared.flow_null_values = ["IsSoftDeleted".to_owned()].into();
    assert_eq!(findings_of(&cleared), [""; 0]);
}

#[test]
fn references_and_texts() {
    let boss = "urn:example:2.0:User:boss";
    let cure = "map a source attribute that refers to objects, as `[manager]` or `[members]` does";
    let told = |given: &str| {
        vec![format!(
            "W `boss` of users: it refers to `User`, and its source gives {given}, which is written as it is; {cure}"
        )]
    };
    for (source, expected) in [
        ("[department]", told("a text")),
        ("ToLower([department])", told("a text")),
        ("[level]", told("a whole number")),
        ("[manager]", vec![]),
        ("[objectId]", vec![]),
        ("\"701984\"", vec![]),
        ("[mystery]", vec![]),
    ] {
        assert_eq!(findings_of(&users(&json!([{"target": "boss", "source": source}]))), expected, "{source}");
    }
    let twice = json!([{"target": "boss", "source": "[manager]"}, {"target": boss, "source": "[manager]"}]);
    let same = "it is the same attribute as `boss`, which is mapped too; remove one of the mappings";
    assert_eq!(findings_of(&users(&twice)), [format!("P `{boss}` of users: {same}")]);
    let text = findings_of(&users(&json!([{"target": "title", "source": "[manager]"}])));
    assert!(
        text[0].starts_with("W `title` of users: it holds a text, and its source refers to the manager"),
        "{text:?}"
    );
    assert_eq!(findings_of(&users(&json!([{"target": "name.givenName", "source": "[manager]"}]))), [""; 0]);
}
