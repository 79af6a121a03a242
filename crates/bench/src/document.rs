//! The one SCIM user that all requests about a user send and all mark-setting handlers store: 1.5 KB, as Entra's mappings
//! fill it for a person with everything set.

use serde_json::json;

/// The place in [`user`] that each request fills with a number of its own.
pub const NUMBER: &str = "{number}";

/// The document as a template; `userName` and `externalId` hold [`NUMBER`]. `prefix` keeps the names of one run from
/// meeting those of another.
pub fn user(prefix: &str) -> String {
    let address = |kind: &str| {
        format!(
            r#"{{"type":"{kind}","formatted":"Sveavägen 44, 111 34 Stockholm","streetAddress":"Sveavägen 44","locality":"Stockholm","region":"Stockholms län","postalCode":"111 34","country":"SE"}}"#
        )
    };
    let phone = |kind: &str, last: u8| format!(r#"{{"type":"{kind}","value":"+46 8 555 01 0{last}"}}"#);
    let (work, other) = (address("work"), address("other"));
    let phones = [phone("work", 1), phone("mobile", 2), phone("fax", 3)].join(",");
    [
        r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"#.to_owned(),
        format!(r#""userName":"{prefix}.{NUMBER}@contoso.example","externalId":"{prefix}-{NUMBER}","active":true,"#),
        r#""displayName":"Łucja Ängström-Nakamura","name":{"formatted":"Dr Łucja Ängström-Nakamura MSc","givenName":"Łucja","familyName":"Ängström-Nakamura","honorificPrefix":"Dr","honorificSuffix":"MSc"},"#.to_owned(),
        r#""title":"Principal Engineer, Identity Platform","preferredLanguage":"sv-SE","locale":"sv-SE","timezone":"Europe/Stockholm","userType":"Member","nickName":"Lucja","profileUrl":"https://people.contoso.example/lucja.angstrom-nakamura","#.to_owned(),
        format!(r#""emails":[{{"type":"work","primary":true,"value":"{prefix}.{NUMBER}@contoso.example"}},{{"type":"other","value":"lucja.angstrom@fabrikam.example"}}],"#),
        format!(r#""addresses":[{work},{other}],"phoneNumbers":[{phones}],"#),
        r#""urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"700412","department":"Identity and Access","costCenter":"4130","division":"Platform","organization":"Contoso Nordic"}}"#.to_owned(),
    ]
    .concat()
}

/// A smaller one, of about 500 bytes, for what is measured with many of them: nothing that a strict server does not know.
pub fn person(prefix: &str) -> String {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
        "userName": format!("{prefix}.{NUMBER}@contoso.example"), "externalId": format!("{prefix}-{NUMBER}"), "active": true,
        "displayName": format!("Person {NUMBER}"), "title": "Engineer",
        "name": { "givenName": format!("Given {NUMBER}"), "familyName": format!("Family {NUMBER}") },
        "emails": [{ "value": format!("{prefix}.{NUMBER}@contoso.example"), "type": "work", "primary": true }],
        enterprise: { "department": "Research", "employeeNumber": NUMBER },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::{NUMBER, person, user};

    #[test]
    fn a_person_is_half_a_kilobyte() {
        let text = person("peer").replace(NUMBER, "10000");
        assert!((400..=600).contains(&text.len()), "{} bytes", text.len());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["externalId"], "peer-10000");
    }

    #[test]
    fn it_is_a_user_of_one_and_a_half_kilobytes() {
        let text = user("post").replace(NUMBER, "100000");
        assert!((1_400..=1_600).contains(&text.len()), "{} bytes", text.len());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["userName"], "post.100000@contoso.example");
    }
}
