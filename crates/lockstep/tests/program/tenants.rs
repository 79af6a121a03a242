//! Tenants by command: their own addresses, what is shown of them, their export, what they may have. Names of tests begin with the
//! attack case they answer.

use serde_json::{Value, json};

use crate::installation::{Installation, Serving, Tenant, holds_none, send};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn post(serving: &Serving, tenant: &Tenant, path: &str, body: &Value) -> (u16, Value) {
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/scim+json\r\n", tenant.token);
    let (status, answer) = send(&serving.address, &format!("POST {path}"), &headers, &body.to_string());
    (status, serde_json::from_str(&answer).unwrap_or(Value::Null))
}

fn user(serving: &Serving, tenant: &Tenant, name: &str) -> String {
    let body = json!({ "schemas": [USER], "userName": name, "displayName": format!("{name} {}", tenant.url) });
    let (status, made) = post(serving, tenant, &tenant.path("/Users"), &body);
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_tenant_gets_an_address_of_its_own_and_loses_it() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "netskope");
        let usual = tenant.url.clone();
        let public = usual.strip_suffix("/t/acme/scim/v2").unwrap();
        let set = installation.json(&["tenant", "set", "acme", "--path", "/api/v2/scim/"]);
        assert_eq!(set["scim_url"], format!("{public}/api/v2/scim"));
        let users = "/api/v2/scim/Users";
        assert_eq!((serving.get(users, Some(&tenant.token)).0, serving.get(users, None).0), (200, 401));
        assert_eq!(serving.get(&tenant.path("/Users"), Some(&tenant.token)).0, 200, "the usual one stays");
        let (_, made) = post(&serving, &tenant, users, &json!({ "schemas": [USER], "userName": "ann" }));
        assert!(made["meta"]["location"].as_str().unwrap().starts_with(&format!("{public}{users}/")), "{made}");
        for command in [&["tenant", "list"][..], &["tenant", "show", "acme"], &["token", "add", "acme", "other"]] {
            let told = installation.json(command).to_string();
            assert!(told.contains(&format!("{public}/api/v2/scim\"")) && !told.contains(&usual), "{told}");
        }
        let logged = installation.json(&["tenant", "show", "acme"]);
        assert_eq!(
            (&logged["resources"]["User"], &logged["settings"]["address"]["path"]),
            (&json!(1), &json!("/api/v2/scim"))
        );
        let set = installation.json(&["tenant", "set", "acme", "--host", "ACME.example"]);
        assert_eq!(set["scim_url"], "http://acme.example/api/v2/scim", "the path stays");
        assert_eq!(serving.get(users, Some(&tenant.token)).0, 404, "the host is another");
        installation.json(&["tenant", "set", "acme", "--no-address"]);
        assert_eq!(installation.json(&["tenant", "show", "acme"])["scim_url"], usual);
        let added = installation.json(&["tenant", "add", "other", "--host", "other.example:8443"]);
        assert_eq!(added["scim_url"], "http://other.example:8443/scim/v2");
        for (option, value) in [("--path", "/t/other"), ("--path", "a"), ("--host", "a b"), ("--host", "http://a")] {
            installation.run(&["tenant", "set", "acme", option, value]).refused(2, "name one like");
        }
        installation.run(&["tenant", "set", "acme", "--no-address", "--path", "/x"]);
        assert_eq!(installation.run(&["tenant", "set", "acme"]).code, 2, "nothing was to be changed");
    }
}

#[test]
fn ti_08_an_export_has_all_of_its_tenant_and_nothing_of_another() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let (acme, other) =
            (Tenant::add(&installation, "acme", "generic"), Tenant::add(&installation, "fabrikam", "generic"));
        let ids: Vec<String> = (0..3).map(|number| user(&serving, &acme, &format!("ann{number}"))).collect();
        let foreign = user(&serving, &other, "eve");
        let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "schemas": [GROUP], "displayName": "All", "members": members });
        let (_, group) = post(&serving, &acme, &acme.path("/Groups"), &body);
        let client = installation.json(&["tenant", "client", "add", "acme", "app"]);
        let file = installation.path("acme.jsonl");
        let arguments = ["tenant", "export", "acme", "--output", file.to_str().unwrap()];
        let told = installation.json(&arguments);
        assert_eq!(told["resources"], json!({ "User": 3, "Group": 1 }));
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let head = &lines[0];
        assert_eq!(
            (&head["tenant"], &head["profile"], &head["scim_url"]),
            (&json!("acme"), &json!("generic"), &json!(acme.url))
        );
        assert_eq!((&head["tokens"][0]["name"], &head["clients"][0]["name"]), (&json!("entra"), &json!("app")));
        assert_eq!(head["definition"], json!({ "schemas": [], "resourceTypes": [] }));
        let exported: Vec<&str> = lines[1..].iter().map(|line| line["id"].as_str().unwrap()).collect();
        let expected: Vec<&str> = ids.iter().map(String::as_str).chain([group["id"].as_str().unwrap()]).collect();
        assert_eq!(exported, expected);
        for line in &lines[1..] {
            let endpoint = if line["meta"]["resourceType"] == "User" { "Users" } else { "Groups" };
            let path = acme.path(&format!("/{endpoint}/{}", line["id"].as_str().unwrap()));
            let (_, shown) = serving.get(&path, Some(&acme.token));
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), *line, "as a GET answers it");
        }
        let secret = client["client_secret"].as_str().unwrap();
        for never in [acme.token.as_str(), secret, foreign.as_str(), "fabrikam", "eve", other.token.as_str()] {
            assert!(!text.contains(never), "{never} is in the export");
        }
        installation.run(&arguments).refused(1, "is there already; name another file, or say --force");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        installation.json(&[&arguments[..], &["--force"]].concat());
        let printed = installation.run(&["tenant", "export", "acme"]);
        assert_eq!((printed.code, printed.json_lines()), (0, lines), "what is printed is the same");
        assert!(printed.err.contains("3 users, 1 group"), "{printed:?}");
        installation.run(&["tenant", "export", "acmee"]).refused(1, "did you mean \"acme\"?");
        let nowhere = installation.path("nowhere/x.jsonl");
        installation
            .run(&["tenant", "export", "acme", "--output", nowhere.to_str().unwrap()])
            .refused(1, "the folder that it would be in is not there; make that first");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(holds_none(file.parent().unwrap(), "acme.jsonl.new"));
    }
}

#[test]
fn ti_08_an_export_goes_on_behind_its_first_chunk_and_tells_own_addresses_and_types() {
    for installation in Installation::each() {
        let device = "urn:example:Device";
        let definition = json!({
            "schemas": [{ "id": device, "attributes": [{ "name": "serial" }, { "name": "secret", "returned": "never" }] }],
            "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": device }],
        });
        let schema = installation.file("devices.json", definition.to_string());
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        installation.json(&["tenant", "schema", "set", "acme", &schema]);
        installation.json(&["tenant", "set", "acme", "--path", "/scim"]);
        let body = json!({ "schemas": [device], "serial": "1", "secret": "hidden" });
        assert_eq!(post(&serving, &tenant, "/scim/Devices", &body).0, 201);
        let count = u64::from(provider::EXPORTED_AT_A_TIME) + 1;
        let users: Vec<Value> = (0..count)
            .map(|number| json!({ "method": "POST", "path": "/Users", "bulkId": format!("{number}"), "data": { "schemas": [USER], "userName": format!("u{number}") } }))
            .collect();
        for some in users.chunks(300) {
            let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": some });
            assert_eq!(post(&serving, &tenant, "/scim/Bulk", &bulk).0, 200);
        }
        let lines = installation.run(&["tenant", "export", "acme"]).json_lines();
        assert_eq!(lines.len() as u64, 1 + count + 1);
        assert_eq!(lines[0]["definition"]["resourceTypes"][0]["name"], "Device");
        let (user, last) = (&lines[1]["meta"]["location"], lines.last().unwrap());
        assert!(user.as_str().unwrap().contains("/scim/Users/"), "{user}");
        assert_eq!((&last["serial"], &last["secret"]), (&json!("1"), &Value::Null));
        let shown = installation.run(&["tenant", "show", "acme"]);
        assert!(shown.out.contains(&format!("{count} users, 0 groups, 1 of the type Device")), "{shown:?}");
    }
}

#[test]
fn ti_07_a_tenant_has_no_more_users_and_groups_than_it_may() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let (acme, other) =
            (Tenant::add(&installation, "acme", "generic"), Tenant::add(&installation, "fabrikam", "generic"));
        installation.json(&["tenant", "set", "acme", "--users-max", "2", "--groups-max", "1"]);
        let ann = user(&serving, &acme, "ann");
        user(&serving, &acme, "bob");
        for name in ["ann", "bob", "eve"] {
            user(&serving, &other, name);
        }
        let body = json!({ "schemas": [USER], "userName": "eve" });
        let (status, refused) = post(&serving, &acme, &acme.path("/Users"), &body);
        assert_eq!(status, 403, "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains("may have 2 resources of the type User"), "{refused}");
        let bulk = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "b", "data": body },
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "schemas": [GROUP], "displayName": "G" } },
            { "method": "POST", "path": "/Groups", "bulkId": "h", "data": { "schemas": [GROUP], "displayName": "H" } }] });
        let (_, done) = post(&serving, &acme, &acme.path("/Bulk"), &bulk);
        let statuses: Vec<&Value> = (0..3).map(|number| &done["Operations"][number]["status"]).collect();
        assert_eq!(statuses, ["403", "201", "403"], "{done}");
        let gone = format!("DELETE {}", acme.path(&format!("/Users/{ann}")));
        let headers = format!("Authorization: Bearer {}\r\n", acme.token);
        assert_eq!(send(&serving.address, &gone, &headers, "").0, 204);
        assert_eq!(post(&serving, &acme, &acme.path("/Users"), &body).0, 201, "there is room again");
        installation.json(&["tenant", "set", "acme", "--users-max", "0"]);
        user(&serving, &acme, "zoe");
        let question = installation.run(&["tenant", "remove", "acme"]);
        question.refused(
            2,
            "with its 3 users, 1 group and all its tokens? To keep a copy, say no and run: lockstep tenant export acme",
        );
    }
}
