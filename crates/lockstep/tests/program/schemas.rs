//! What a tenant defines itself, by command and file: tried, set, shown, used, cleared.

use serde_json::{Value, json};

use crate::installation::Installation;

const DEVICE: &str = "urn:example:schemas:1.0:Device";

fn devices(attributes: &Value) -> String {
    json!({
        "schemas": [{ "id": DEVICE, "attributes": attributes }],
        "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": DEVICE }],
    })
    .to_string()
}

#[test]
fn a_definition_is_tried_set_shown_and_cleared() {
    for installation in Installation::each() {
        let file = installation.file("devices.json", devices(&json!([{ "name": "serial", "uniqueness": "server" }])));
        let wrong = installation.file("wrong.json", devices(&json!([{ "name": "serial", "type": "text" }])));
        installation.json(&["tenant", "add", "acme"]);
        installation.run(&["tenant", "schema", "set", "nobody", &file]).refused(1, "no tenant is named");
        installation
            .run(&["tenant", "schema", "set", "acme", &wrong])
            .refused(2, "attribute 'serial': 'type' must be one of");
        let expected = json!(["resource type Device is new", format!("schema {DEVICE} is new")]);
        let tried = installation.json(&["tenant", "schema", "set", "acme", &file, "--dry-run"]);
        assert_eq!((&tried["differences"], &tried["dry_run"]), (&expected, &json!(true)));
        let nothing = json!({ "schemas": [], "resourceTypes": [] });
        assert_eq!(installation.json(&["tenant", "schema", "show", "acme"]), nothing, "a try changes nothing");
        assert_eq!(installation.json(&["tenant", "schema", "set", "acme", &file])["differences"], expected);
        assert_eq!(installation.json(&["tenant", "schema", "set", "acme", &file])["differences"], json!([]));
        let shown = installation.json(&["tenant", "schema", "show", "acme"]);
        assert_eq!(shown["schemas"][0]["id"], DEVICE);
        let shown_file = installation.file("shown.json", shown.to_string());
        installation.json(&["tenant", "add", "fabrikam", "--schema", &shown_file]);
        assert_eq!(
            installation.json(&["tenant", "schema", "show", "fabrikam"]),
            shown,
            "what is shown is what set takes"
        );
        assert_eq!(
            installation.json(&["tenant", "schema", "clear", "acme"])["differences"].as_array().unwrap().len(),
            2
        );
        assert_eq!(installation.json(&["tenant", "schema", "show", "acme"]), nothing);
        let audited = installation.json(&["audit"]);
        let told: Vec<&str> =
            audited.as_array().unwrap().iter().filter_map(|record| record["activityDisplayName"].as_str()).collect();
        let sets = told.iter().filter(|activity| **activity == "Set tenant schemas").count();
        assert_eq!((sets, told.contains(&"Clear tenant schemas")), (2, true), "{told:?}");
        installation.json(&["tenant", "remove", "fabrikam", "--yes"]);
    }
}
