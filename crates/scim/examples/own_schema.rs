//! A resource type of one's own, given as the JSON of RFC 7643 §7: devices, with an extension for those that are leased.

use scim::{ResourceType, Schema};
use serde_json::json;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Schema::read(&json!({
        "id": "urn:example:params:scim:schemas:core:2.0:Device",
        "name": "Device",
        "attributes": [
            { "name": "serialNumber", "type": "string", "required": true, "mutability": "immutable", "uniqueness": "server" },
            { "name": "ports", "type": "integer" },
            { "name": "owners", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "value", "type": "string" },
                { "name": "primary", "type": "boolean" },
            ] },
        ],
    }))?;
    let lease = Schema::read(&json!({
        "id": "urn:example:params:scim:schemas:extension:2.0:Lease",
        "name": "Lease",
        "attributes": [{ "name": "until", "type": "dateTime" }],
    }))?;
    let devices = ResourceType::new("Device", "/Devices", "What people carry", device).with_extension(lease, false);

    let read = devices.read(json!({
        "schemas": ["urn:example:params:scim:schemas:core:2.0:Device"],
        "serialNumber": "C02-17",
        "ports": 4,
        "urn:example:params:scim:schemas:extension:2.0:Lease": { "until": "2027-01-01T00:00:00Z" },
    }))?;
    println!("{}", serde_json::to_string_pretty(&read)?);

    for (what, body) in [
        ("a text for an integer", json!({ "serialNumber": "x", "ports": "four" })),
        ("no serial number", json!({ "ports": 4 })),
        (
            "no moment",
            json!({ "serialNumber": "x", "urn:example:params:scim:schemas:extension:2.0:Lease": { "until": "soon" } }),
        ),
    ] {
        let mut body = body;
        body["schemas"] = json!(["urn:example:params:scim:schemas:core:2.0:Device"]);
        let refused = devices.read(body).expect_err("the schema forbids it");
        println!("{what}: {} ({})", refused.detail, refused.scim_type);
    }
    Ok(())
}
