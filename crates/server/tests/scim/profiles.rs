//! Each application keeps the attributes it documents, and no others.

use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{ENTERPRISE, GROUP, Row, USER, World};

const FORCEPOINT: &str = "urn:ietf:params:scim:schemas:extension:forcepoint:2.0:User";

/// A user with more than any of the four applications knows.
fn everything() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE, FORCEPOINT],
        "userName": "ada@contoso.example", "externalId": "ada", "displayName": "Ada", "active": true, "title": "T",
        "preferredLanguage": "en-GB", "nickName": "A", "locale": "en", "userType": "Employee", "password": "secret",
        "name": { "formatted": "Ada L", "givenName": "Ada", "familyName": "L", "middleName": "M", "honorificPrefix": "Dr" },
        "emails": [{ "type": "work", "value": "a@x", "primary": true, "display": "Ada" }],
        "phoneNumbers": [{ "type": "fax", "value": "1" }],
        "addresses": [{ "type": "other", "locality": "L", "country": "SE" }],
        "roles": [{ "value": "r" }],
        FORCEPOINT: { "ntlmId": "CONTOSO\\ada" },
        ENTERPRISE: { "employeeNumber": "17", "department": "D", "costCenter": "C", "manager": { "value": "u9" } },
    })
}

#[test]
fn what_each_application_keeps_of_a_user() {
    on_both(|store| async {
        let first = World::new(store, "generic").await;
        let kept = |mut body: Value, names: &[&str]| {
            body.as_object_mut().unwrap().retain(|name, _| names.contains(&name.as_str()));
            body
        };
        let mut generic = everything();
        for name in ["password", FORCEPOINT] {
            generic.as_object_mut().unwrap().remove(name);
        }
        generic["schemas"] = json!([USER, ENTERPRISE]);
        let mut forcepoint = kept(everything(), &["userName", "externalId", "displayName", FORCEPOINT]);
        forcepoint["schemas"] = json!([USER, FORCEPOINT]);
        let mut netskope = kept(everything(), &["userName", "externalId", "active", "displayName"]);
        netskope["schemas"] = json!([USER]);
        netskope["name"] = json!({ "givenName": "Ada", "familyName": "L" });
        netskope["emails"] = json!([{ "type": "work", "value": "a@x", "primary": true }]);
        let mut palo_alto = kept(
            everything(),
            &[
                "userName",
                "externalId",
                "active",
                "displayName",
                "title",
                "preferredLanguage",
                "phoneNumbers",
                "addresses",
            ],
        );
        palo_alto["schemas"] = json!([USER, ENTERPRISE]);
        palo_alto["name"] =
            json!({ "formatted": "Ada L", "givenName": "Ada", "familyName": "L", "honorificPrefix": "Dr" });
        palo_alto["emails"] = netskope["emails"].clone();
        palo_alto[ENTERPRISE] = json!({ "employeeNumber": "17", "department": "D", "manager": { "value": "u9" } });
        let mut storegate = kept(everything(), &["userName", "active", "preferredLanguage"]);
        storegate["schemas"] = json!([USER]);
        storegate["name"] = netskope["name"].clone();
        for (profile, expected) in [
            ("generic", generic),
            ("forcepoint-csg", forcepoint),
            ("netskope", netskope),
            ("palo-alto-cie", palo_alto),
            ("storegate", storegate),
        ] {
            let world = first.tenant(profile, profile).await;
            let made = world.call("POST", "/Users", &everything()).await;
            assert_eq!(made.status.as_u16(), 201, "{profile}: {}", made.body);
            let mut body = made.body;
            for name in ["id", "meta"] {
                body.as_object_mut().unwrap().remove(name);
            }
            assert_eq!(body, expected, "{profile}");
        }
    });
}

#[test]
fn what_each_application_requires_and_is_searched_by() {
    on_both(|store| async {
        let first = World::new(store, "generic").await;
        for (profile, required, searched_by, not_searched_by) in [
            ("forcepoint-csg", vec!["userName", "externalId", "displayName"], "id, userName", "externalId"),
            ("netskope", vec!["userName"], "id, userName", "externalId"),
            ("palo-alto-cie", vec!["userName", "active", "displayName", "name"], "id, userName", "externalId"),
            ("storegate", vec!["userName"], "id, userName", "active"),
        ] {
            let world = first.tenant(profile, profile).await;
            for name in required {
                let mut body = everything();
                body.as_object_mut().unwrap().remove(name);
                let refused = world.call("POST", "/Users", &body).await;
                assert_eq!(
                    (refused.status.as_u16(), &refused.body["scimType"]),
                    (400, &json!("invalidValue")),
                    "{profile} {name}"
                );
                assert!(refused.body["detail"].as_str().unwrap().contains(name), "{profile} {name}: {}", refused.body);
            }
            let id = world.call("POST", "/Users", &everything()).await.id();
            let answer = world.get(&format!("/Users?filter={not_searched_by}+eq+%22true%22")).await;
            assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!("invalidFilter")), "{profile}");
            assert!(answer.body["detail"].as_str().unwrap().contains(searched_by), "{profile}: {}", answer.body);
            for filter in [
                "userName+eq+%22ADA@contoso.example%22".to_owned(),
                format!("id+eq+%22{id}%22+and+active+pr"),
                format!("id+eq+%22{id}%22"),
            ] {
                let expected = u64::from(!(filter.contains("active") && profile == "forcepoint-csg"));
                let answer = world.get(&format!("/Users?filter={filter}")).await;
                assert_eq!(answer.body["totalResults"].as_u64().unwrap_or_default(), expected, "{profile} {filter}");
            }
        }
    });
}

#[test]
fn what_each_application_keeps_of_a_group() {
    on_both(|store| async {
        let first = World::new(store, "generic").await;
        for (profile, external_id, second, nested) in [
            ("generic", json!("x"), 201, 201),
            ("forcepoint-csg", json!("x"), 409, 201),
            ("netskope", json!("x"), 409, 400),
            ("palo-alto-cie", Value::Null, 409, 201),
        ] {
            let world = first.tenant(profile, profile).await;
            let body = json!({ "schemas": [GROUP], "displayName": "Sales", "externalId": "x" });
            let row =
                |name, body, status, expected| Row { name, method: "POST", path: "/Groups", body, status, expected };
            world.check("", row(profile, body.clone(), 201, vec![("/externalId", external_id)])).await;
            world.check("", row(profile, body, second, vec![])).await;
            world.check("", row(profile, json!({ "schemas": [GROUP] }), 400, vec![])).await;
            let inner = world.group("Inner", &[]).await;
            let outer = json!({ "schemas": [GROUP], "displayName": "Outer", "members": [{ "value": "{id}" }] });
            world.check(&inner, row(profile, outer, nested, vec![])).await;
        }
    });
}

/// Whether a schema has resources have an `externalId`; `None` where it lists none.
fn requires_external_id(schema: &Value) -> Option<bool> {
    let mut listed = schema["attributes"].as_array()?.iter();
    let external_id = listed.find(|attribute| attribute["name"] == "externalId")?;
    assert_eq!(external_id["caseExact"], true);
    external_id["required"].as_bool()
}

/// Clients make their requests of what is announced.
#[test]
fn what_each_application_announces_is_what_it_takes() {
    on_both(|store| async {
        let first = World::new(store, "generic").await;
        for (profile, [of_users, of_groups], members) in [
            ("generic", [Some(false); 2], json!(["User", "Group"])),
            ("forcepoint-csg", [Some(true), Some(false)], json!(["User", "Group"])),
            ("netskope", [Some(false); 2], json!(["User"])),
            ("palo-alto-cie", [Some(false), None], json!(["User", "Group"])),
            ("storegate", [None; 2], Value::Null),
        ] {
            let world = first.tenant(profile, profile).await;
            let user = world.get(&format!("/Schemas/{USER}")).await.body;
            assert_eq!(requires_external_id(&user), of_users, "{profile}");
            let group = world.get(&format!("/Schemas/{GROUP}")).await.body;
            let attributes = group["attributes"].as_array().cloned().unwrap_or_default();
            assert_eq!(requires_external_id(&group), of_groups, "{profile}");
            let part = |name: &str| {
                let all =
                    attributes.iter().find(|attribute| attribute["name"] == "members")?["subAttributes"].as_array()?;
                all.iter().find(|part| part["name"] == name).cloned()
            };
            let told = [("$ref", "referenceTypes"), ("type", "canonicalValues")]
                .map(|(name, of)| part(name).map_or(Value::Null, |part| part[of].clone()));
            assert_eq!(told, [members.clone(), members], "{profile}");
        }
    });
}
