//! The address of a user's manager (RFC 7643 §4.3): `$ref`, beside the id. A client that tells it is answered with it, but never in
//! the client's words, which others may follow: kept is that it was told, and the server makes it from the id.

use scim::{Attributes, ENTERPRISE_USER_URN};
use serde_json::{Map, Value};
use store::ResourceId;

/// What a document keeps of an address, before the id.
const KEPT: &str = "/Users/";
/// How a kept address begins in the text of a document: the keys of an object are in order, and `$` comes first.
const KEPT_IN_TEXT: &str = "\"manager\":{\"$ref\":\"/Users/";

/// Gives a manager who is named by an address alone the id at its end: RFC 7643 §4.3 requires neither of the two.
pub(crate) fn name_by_address(attributes: &mut Attributes) {
    let Some(manager) = manager_of(attributes).filter(|manager| !manager.contains_key("value")) else { return };
    let id = manager.get("$ref").and_then(Value::as_str).and_then(id_in);
    if let Some(id) = id.map(str::to_owned) {
        manager.insert("value".to_owned(), id.into());
    }
}

/// The id at the end of a user's address.
fn id_in(address: &str) -> Option<&str> {
    let (endpoint, id) = scim::resource_at(address)?;
    (endpoint.eq_ignore_ascii_case("Users") && id.parse::<ResourceId>().is_ok()).then_some(id)
}

/// Whether the manager of these attributes has an address that ends with the resource its id names.
pub(crate) fn is_told(attributes: &Attributes) -> bool {
    let manager = attributes.get(ENTERPRISE_USER_URN).and_then(|extension| extension.get("manager"));
    let text = |key: &str| manager.and_then(|manager| manager.get(key)).and_then(Value::as_str);
    text("value").is_some_and(|id| text("$ref").and_then(id_in) == Some(id))
}

/// Keeps that an address was told.
pub(crate) fn keep(attributes: &mut Attributes) {
    let Some(manager) = manager_of(attributes) else { return };
    if let Some(kept) = manager.get("value").and_then(Value::as_str).map(|id| format!("{KEPT}{id}")) {
        manager.insert("$ref".to_owned(), kept.into());
    }
}

/// Makes a kept address whole; `base` is that of the tenant's endpoint.
pub(crate) fn make_whole(attributes: &mut Attributes, base: &str) {
    if let Some(Value::String(address)) = manager_of(attributes).and_then(|manager| manager.get_mut("$ref")) {
        address.insert_str(0, base);
    }
}

/// Appends the text of a document with a kept address made whole.
pub(crate) fn push_whole(text: &mut String, document: &str, base: &str) {
    // Most documents have no such sign at all, which takes no time to see.
    let kept = document.as_bytes().contains(&b'$').then(|| document.find(KEPT_IN_TEXT)).flatten();
    let Some(at) = kept else {
        text.push_str(document);
        return;
    };
    let (before, after) = document.split_at(at + KEPT_IN_TEXT.len() - KEPT.len());
    text.push_str(before);
    text.push_str(base);
    text.push_str(after);
}

fn manager_of(attributes: &mut Attributes) -> Option<&mut Map<String, Value>> {
    attributes.get_mut(ENTERPRISE_USER_URN)?.get_mut("manager")?.as_object_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ID: &str = "01a1fcff-9d56-7a9e-8292-becdc33d4463";

    fn with(manager: &Value) -> Attributes {
        Attributes::from_iter([(ENTERPRISE_USER_URN.to_owned(), json!({ "manager": manager }))])
    }

    #[test]
    fn an_address_counts_when_it_is_one_of_the_manager() {
        for (address, id, expected) in [
            (format!("https://h/t/a/scim/v2/Users/{ID}"), ID, true),
            (format!("../Users/{ID}"), ID, true),
            (format!("Users/{ID}"), ID, true),
            (format!("{KEPT}{ID}"), ID, true),
            (format!("https://h/OtherUsers/{ID}"), ID, false),
            (format!("https://h/Groups/{ID}"), ID, false),
            (format!("https://h/Users/{ID}/"), ID, false),
            ("https://h/Users/7".to_owned(), "7", false),
            ("https://h/Users/1".to_owned(), ID, false),
        ] {
            assert_eq!(is_told(&with(&json!({ "value": id, "$ref": address }))), expected, "{address}");
        }
        assert!(
            !is_told(&with(&json!({ "value": ID }))) && !is_told(&with(&json!(ID))) && !is_told(&Attributes::new())
        );
    }

    #[test]
    fn a_manager_named_by_an_address_has_its_id() {
        let named = |manager: Value| {
            let mut attributes = with(&manager);
            name_by_address(&mut attributes);
            attributes[ENTERPRISE_USER_URN]["manager"]["value"].clone()
        };
        for address in [format!("../Users/{ID}"), format!("https://h/t/a/scim/v2/Users/{ID}"), format!("Users/{ID}")] {
            assert_eq!(named(json!({ "$ref": address })), ID, "{address}");
        }
        for address in [format!("https://h/Groups/{ID}"), "https://h/Users/7".to_owned(), ID.to_owned(), String::new()]
        {
            assert_eq!(named(json!({ "$ref": address })), Value::Null, "{address}");
        }
        assert_eq!(named(json!({ "value": "7", "$ref": format!("../Users/{ID}") })), "7");
    }

    #[test]
    fn text_and_attributes_are_made_whole_alike() {
        for manager in [json!({ "value": ID }), json!({ "value": ID, "displayName": "B\"$" })] {
            let mut attributes = with(&manager);
            for kept in [false, true] {
                if kept {
                    keep(&mut attributes);
                }
                let mut text = String::new();
                push_whole(&mut text, &Value::Object(attributes.clone()).to_string(), "https://h/v2");
                let mut whole = attributes.clone();
                make_whole(&mut whole, "https://h/v2");
                assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), Value::Object(whole));
                assert_eq!(text.contains(&format!("https://h/v2/Users/{ID}")), kept, "{text}");
            }
        }
    }
}
