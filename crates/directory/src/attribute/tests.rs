//! The table of source attributes, and what values each takes.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn names_and_aliases_are_found_without_case() {
    for (name, expected) in [
        ("department", Some("department")),
        ("DEPARTMENT", Some("department")),
        ("officelocation", Some("physicalDeliveryOfficeName")),
        ("mobilePhone", Some("mobile")),
        ("extensionAttribute15", Some("extensionAttribute15")),
        ("extension_9d98asd_costCenter", Some("extension_9d98asd_costCenter")),
        ("extensionAttribute16", None),
        ("extension_9d98asd", None),
        ("extension__x", None),
        ("passwordProfile", None),
        ("", None),
    ] {
        assert_eq!(attribute_name(ObjectKind::User, name).as_deref(), expected, "{name}");
    }
    assert_eq!(attribute_name(ObjectKind::Group, "groupdisplayname").as_deref(), Some("displayName"));
    assert_eq!(attribute_name(ObjectKind::Group, "department"), None);
}

#[test]
fn no_two_attributes_share_a_name() {
    for table in [SOURCE_ATTRIBUTES, GROUP_ATTRIBUTES] {
        let names = table.iter().flat_map(|a| std::iter::once(&a.name).chain(a.aliases));
        let mut seen = std::collections::HashSet::new();
        for name in names {
            assert!(seen.insert(name.to_ascii_lowercase()), "{name}");
        }
    }
}

#[test]
fn values_take_the_form_in_which_they_are_kept() {
    for (name, value, expected) in [
        ("department", json!("Sales"), Ok(Some(json!("Sales")))),
        ("department", json!(""), Ok(None)),
        ("department", json!(null), Ok(None)),
        ("department", json!(12), Ok(Some(json!("12")))),
        ("department", json!(true), Err("is true or false where a text is wanted")),
        ("department", json!("x\0"), Err("holds a NUL character")),
        ("usageLocation", json!("DEU"), Err("has 3 characters; it can have 2")),
        ("usageLocation", json!("ÄÖ"), Ok(Some(json!("ÄÖ")))),
        ("accountEnabled", json!("True"), Ok(Some(json!(true)))),
        ("accountEnabled", json!("no"), Ok(Some(json!(false)))),
        ("accountEnabled", json!("perhaps"), Err("is \"perhaps\"; it can be true or false")),
        ("employeeHireDate", json!("2024-02-29"), Ok(Some(json!("2024-02-29T00:00:00Z")))),
        ("employeeHireDate", json!("2024-02-29T10:00:00+02:00"), Ok(Some(json!("2024-02-29T08:00:00Z")))),
        ("userType", json!("guest"), Ok(Some(json!("Guest")))),
        ("userType", json!("Robot"), Err("is \"Robot\"; it can be Member, Guest")),
        ("userType", json!(0), Err("is \"0\"; it can be Member, Guest")),
        ("businessPhones", json!(["1"]), Ok(Some(json!("1")))),
        ("businessPhones", json!(["1", "2"]), Err("is a list where a text is wanted")),
        ("otherMails", json!(["a", "", "a", "b"]), Ok(Some(json!(["a", "b"])))),
        ("otherMails", json!("a"), Ok(Some(json!(["a"])))),
        ("otherMails", json!([]), Ok(None)),
        ("otherMails", json!([{}]), Err("is an object where a text is wanted")),
    ] {
        let got = of_user(name).unwrap().rules.normalised(value.clone());
        assert_eq!(got, expected.map_err(str::to_owned), "{name}: {value}");
    }
    let refusal = of_user("employeeHireDate").unwrap().rules.normalised(json!("29.2.2024")).unwrap_err();
    assert!(refusal.contains("2024-05-31"), "{refusal}");
}

#[test]
fn limits() {
    let mails = of_user("otherMails").unwrap().rules;
    let values = |count: usize| Value::Array((0..count).map(|n| json!(n.to_string())).collect());
    assert!(mails.normalised(values(VALUES_MAX)).is_ok());
    assert!(mails.normalised(values(VALUES_MAX + 1)).is_err());
    let address = of_user("streetAddress").unwrap().rules;
    assert!(address.normalised(json!("é".repeat(STRING_MAX))).is_ok());
    assert!(address.normalised(json!("é".repeat(STRING_MAX + 1))).is_err());
    assert_eq!(shown(&"x".repeat(SHOWN_MAX + 1)).chars().count(), SHOWN_MAX + "\"…\"".chars().count());
}

fn values() -> impl Strategy<Value = Value> {
    let one = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,5}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?".prop_map(Value::from),
        prop::sample::select(&["true", "No", "guest", "Adult"][..]).prop_map(Value::from),
    ];
    prop_oneof![one.clone(), prop::collection::vec(one, 0..3).prop_map(Value::Array)]
}

proptest! {
    /// What is kept is kept as it is: an import of what was exported changes nothing.
    #[test]
    fn normalising_twice_is_normalising_once(
        attribute in prop::sample::select(SOURCE_ATTRIBUTES),
        value in values(),
    ) {
        if let Ok(Some(kept)) = attribute.normalised(value) {
            prop_assert_eq!(attribute.normalised(kept.clone()), Ok(Some(kept)));
        }
    }

    #[test]
    fn no_name_and_no_cell_panics(name in ".{0,20}", text in ".{0,20}") {
        if let Some(named) = of_user(&name) {
            drop(named.rules.normalised(named.rules.cell(&text)));
        }
        for attribute in SOURCE_ATTRIBUTES {
            drop(attribute.normalised(attribute.cell(&text)));
        }
    }
}
