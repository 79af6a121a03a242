//! What a tenant's endpoint says about itself (RFC 7644 §4, RFC 7643 §5 to §7): schemas, resource types, capabilities.

use std::sync::LazyLock;

use scim::{
    Attribute, GROUP_URN, LIST_RESPONSE_URN, RESOURCE_TYPE_URN, ResourceType, SCHEMA_URN, SERVICE_PROVIDER_CONFIG_URN,
    Schema, USER_URN,
};
use serde_json::{Value, json};
use store::resources::ResourceKind;

use crate::{COUNT_DEFAULT, COUNT_MAX, CURSOR_SECONDS, Caller, ProviderError};

/// The schemas of what is answered here. They are not listed: a list tells the schemas of resources (RFC 7644 §4), and some clients
/// make a resource of each.
static OWN: LazyLock<[Schema; 3]> = LazyLock::new(scim::service_provider_schemas);

/// All schemas of the caller's application, as a ListResponse.
pub fn schemas(caller: &Caller, base: &str) -> String {
    let mut found: Vec<&Schema> = Vec::new();
    for schema in caller.profile().resource_types().flat_map(ResourceType::schemas) {
        // Several resource types may have the same extension.
        if found.iter().all(|known| known.id != schema.id) {
            found.push(schema);
        }
    }
    listed(&found.into_iter().map(|schema| schema_body(caller, schema, base)).collect::<Vec<_>>())
}

/// One schema or resource type.
#[derive(Debug)]
pub struct Described {
    /// The end of its `meta.location`: its id as it is defined, whatever the client wrote, percent-encoded.
    pub segment: String,
    /// The answer's body.
    pub text: String,
}

/// The schema of that URN, in any case: of the caller's application, or of what discovery itself answers (RFC 7643 §7: there is one for
/// every URN in `schemas` of a resource).
pub fn schema(caller: &Caller, base: &str, urn: &str) -> Result<Described, ProviderError> {
    caller
        .profile()
        .resource_types()
        .flat_map(ResourceType::schemas)
        .chain(&*OWN)
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .map(|schema| Described { segment: segment(&schema.id), text: schema_body(caller, schema, base).to_string() })
        .ok_or(ProviderError::NotFound { kind: "Schema".to_owned() })
}

/// All resource types of the caller's application, as a ListResponse.
pub fn resource_types(caller: &Caller, base: &str) -> String {
    let found: Vec<Value> = caller.profile().resource_types().map(|found| resource_type_body(found, base)).collect();
    listed(&found)
}

/// The resource type of that name, in any case.
pub fn resource_type(caller: &Caller, base: &str, name: &str) -> Result<Described, ProviderError> {
    let types = || caller.profile().resource_types();
    types()
        .find(|found| found.name == name)
        .or_else(|| types().find(|found| found.name.eq_ignore_ascii_case(name)))
        .map(|found| Described { segment: found.name.clone(), text: resource_type_body(found, base).to_string() })
        .ok_or(ProviderError::NotFound { kind: "ResourceType".to_owned() })
}

/// What the endpoint can do.
pub fn service_provider_config(base: &str) -> String {
    json!({
        "schemas": [SERVICE_PROVIDER_CONFIG_URN],
        "patch": { "supported": true },
        "bulk": {
            "supported": true,
            "maxOperations": scim::limits::BULK_OPERATIONS_MAX,
            "maxPayloadSize": crate::BULK_BYTES_MAX,
        },
        "filter": { "supported": true, "maxResults": COUNT_MAX },
        "changePassword": { "supported": false },
        "sort": { "supported": true },
        "etag": { "supported": true },
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": COUNT_DEFAULT,
            "maxPageSize": COUNT_MAX,
            "cursorTimeout": CURSOR_SECONDS,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A secret token or an access token of the tenant in the Authorization header",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
            "primary": true,
        }, {
            "type": "oauth2",
            "name": "OAuth 2.0 Client Credentials",
            "description": "An access token for a client's secret, or for the assertion of its identity provider",
            "specUri": "https://www.rfc-editor.org/rfc/rfc6749#section-4.4",
            "primary": false,
        }],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": format!("{base}/ServiceProviderConfig"),
        },
    })
    .to_string()
}

fn schema_body(caller: &Caller, schema: &Schema, base: &str) -> Value {
    let mut body = serde_json::to_value(schema).expect("a schema has only string keys");
    let unique = if schema.id == GROUP_URN { caller.unique_attribute(ResourceKind::Group) } else { None };
    for attribute in body["attributes"].as_array_mut().into_iter().flatten() {
        // Whether the names of groups are unique is a setting of the tenant.
        if unique.is_some_and(|name| attribute["name"] == name) {
            attribute["uniqueness"] = json!("server");
        }
    }
    if let (Some(shared), Some(listed)) = (listed_external_id(caller, schema), body["attributes"].as_array_mut()) {
        listed.push(serde_json::to_value(shared).expect("an attribute has only string keys"));
    }
    body["schemas"] = json!([SCHEMA_URN]);
    body["meta"] = json!({ "resourceType": "Schema", "location": format!("{base}/Schemas/{}", segment(&schema.id)) });
    body
}

/// The `externalId` of users and groups, and of what must have one. Every resource has the attribute, so no schema need list it; but one may
/// (RFC 7643 §3.1), that it is required can be told nowhere else, and Entra's tests look for each attribute that they map among those listed.
fn listed_external_id<'c>(caller: &'c Caller, schema: &Schema) -> Option<&'c Attribute> {
    let of = caller.profile().resource_types().find(|known| known.schema.id == schema.id)?;
    let is_listed = |attribute: &&Attribute| attribute.required || [USER_URN, GROUP_URN].contains(&schema.id.as_str());
    of.find("externalId").filter(is_listed).filter(|attribute| schema.attribute(&attribute.name).is_none())
}

/// The URN of a schema as the last part of an address, percent-encoded: of what a URN may hold (RFC 8141 §2) two characters would mean
/// something else there.
fn segment(urn: &str) -> String {
    urn.replace('%', "%25").replace('/', "%2F")
}

fn resource_type_body(resource_type: &ResourceType, base: &str) -> Value {
    let extensions: Vec<Value> = resource_type
        .extensions
        .iter()
        .map(|(schema, required)| json!({ "schema": schema.id, "required": required }))
        .collect();
    json!({
        "schemas": [RESOURCE_TYPE_URN],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
        "schemaExtensions": extensions,
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base}/ResourceTypes/{}", resource_type.name),
        },
    })
}

fn listed(found: &[Value]) -> String {
    json!({
        "schemas": [LIST_RESPONSE_URN],
        "totalResults": found.len(),
        "startIndex": 1,
        "itemsPerPage": found.len(),
        "Resources": found,
    })
    .to_string()
}
