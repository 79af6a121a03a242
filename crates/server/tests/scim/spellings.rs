//! One address in several spellings: with the suffix of RFC 7644 §3.8, and percent-encoded where it need not be (RFC 3986 §6.2.2.2).

use http::StatusCode;
use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{PATCH, PUBLIC, USER, World};

const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

#[test]
fn an_address_with_the_suffix_is_that_without() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.define_devices().await;
        for base in [world.address(""), "/api/scim".to_owned()] {
            world.moved_to("", if base.starts_with("/api") { &base } else { "" }).await;
            let ask = async |method: &str, path: &str, body: &Value| {
                let answer = world.ask(method, ("", &format!("{base}{path}")), body).await;
                (answer.status.as_u16(), answer.body)
            };
            let (status, ann) = ask("POST", "/Users.scim", &json!({ "schemas": [USER], "userName": "ann" })).await;
            let location = format!("{PUBLIC}{base}/Users/{}", ann["id"].as_str().unwrap());
            assert_eq!((status, &ann["meta"]["location"]), (201, &json!(location)));
            let one = format!("/Users/{}.scim", ann["id"].as_str().unwrap());
            let change = json!({ "schemas": [PATCH], "Operations": [{ "op": "add", "path": "title", "value": "x" }] });
            for (method, body) in
                [("GET", Value::Null), ("PUT", json!({ "schemas": [USER], "userName": "ann" })), ("PATCH", change)]
            {
                let (status, shown) = ask(method, &one, &body).await;
                assert_eq!((status, &shown["meta"]["location"]), (200, &json!(location)), "{method} {base}");
            }
            for (path, member, expected) in [
                (format!("{one}/"), "userName", json!("ann")),
                ("/Users.SCIM?count=1".to_owned(), "itemsPerPage", json!(1)),
                ("/users.scim".to_owned(), "totalResults", json!(1)),
                ("/Devices.scim".to_owned(), "totalResults", json!(0)),
                ("/ServiceProviderConfig.scim".to_owned(), "patch", json!({ "supported": true })),
                ("/ResourceTypes.scim".to_owned(), "startIndex", json!(1)),
                ("/ResourceTypes/User.scim".to_owned(), "name", json!("User")),
                ("/Schemas.scim".to_owned(), "startIndex", json!(1)),
                (format!("/Schemas/{CORE}.scim"), "id", json!(CORE)),
            ] {
                let (status, shown) = ask("GET", &path, &Value::Null).await;
                assert_eq!((status, &shown[member]), (200, &expected), "{base}{path}: {shown}");
            }
            let search = json!({ "schemas": [SEARCH], "filter": "userName eq \"ann\"" });
            assert_eq!(ask("POST", "/Users/.search.scim", &search).await.1["totalResults"], 1);
            assert_eq!(ask("DELETE", &one, &Value::Null).await.0, 204);
            for path in ["/.scim", "/Users/.scim", "/Nothing.scim", "/Schemas/urn:x.scim"] {
                assert_eq!(ask("GET", path, &Value::Null).await.0, 404, "{base}{path}");
            }
        }
    });
}

#[test]
fn what_need_not_be_encoded_may_be() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let ann = world.user("ann").await;
        let encoded = ann.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        for base in ["/t/%63ontoso/scim%2Fv2", "/t/%63ontoso/%73cim/v%32", "/%61pi/%73cim"] {
            world.moved_to("", if base.starts_with("/t") { "" } else { "/api/scim" }).await;
            let is_one = !base.contains("%2F");
            for path in [
                "/%55sers".to_owned(),
                format!("/Users/{encoded}"),
                format!("/%75sers/{ann}"),
                "/ResourceTypes/%55ser".to_owned(),
                format!("/Schemas/{}", CORE.replace(':', "%3A").replace('U', "%55")),
            ] {
                let answer = world.ask("GET", ("", &format!("{base}{path}")), &Value::Null).await;
                let expected = if is_one { StatusCode::OK } else { StatusCode::NOT_FOUND };
                assert_eq!(answer.status, expected, "{base}{path}: {}", answer.body);
            }
            let search = json!({ "schemas": [SEARCH] });
            let found = world.ask("POST", ("", &format!("{base}/Users/%2Esearch")), &search).await;
            assert_eq!(found.status.is_success(), is_one, "{}", found.body);
        }
        // What is reserved, and what was encoded twice, is another address.
        for path in [format!("/Users%2F{ann}"), "/%2555sers".to_owned(), format!("/Users/{}%2e", &ann[1..])] {
            assert_eq!(world.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        // Another tenant is another tenant, however it is written.
        let other = world.tenant("fabrikam", "generic").await;
        let asked = world.ask("GET", ("", &other.address("/Users").replace('k', "%6b")), &Value::Null).await;
        assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    });
}
