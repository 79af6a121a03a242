//! Where the resource is that an operation names which cannot be read: the location is told of all but a failed POST (RFC 7644 §3.7.3).

use std::collections::HashMap;

use scim::bulk::{BulkEntry, BulkId, BulkMethod, BulkRequest};
use scim::limits::BULK_OPERATIONS_MAX;
use serde_json::{Value, json};
use store::ResourceId;

/// An operation's `path` before the id, and the id.
pub(super) type Place = (String, String);

/// The `path`s of the operations that are to change a resource, in their order.
pub(super) fn paths(body: &Value) -> Vec<Option<String>> {
    let Some(Value::Array(operations)) = find(body, "Operations") else { return Vec::new() };
    let path = |operation: &Value| {
        let method: BulkMethod = find(operation, "method")?.as_str()?.parse().ok()?;
        let path = find(operation, "path")?.as_str()?;
        (method != BulkMethod::Post).then(|| path.to_owned())
    };
    operations.iter().take(BULK_OPERATIONS_MAX).map(path).collect()
}

fn find<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    object.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The endpoint and the id that refused operations name, by their number.
pub(super) fn of_refused(paths: &[Option<String>], entries: &[BulkEntry]) -> HashMap<usize, Place> {
    let refused = || entries.iter().enumerate().filter(|(_, entry)| entry.operation.is_err());
    if refused().next().is_none() {
        return HashMap::new();
    }
    let chosen = |entry: &BulkEntry| Some((entry.bulk_id.clone()?, entry.operation.as_ref().ok()?.chosen.clone()?));
    let chosen: HashMap<String, String> = entries.iter().filter_map(chosen).collect();
    let place = |(number, _): (usize, &BulkEntry)| Some((number, place(paths.get(number)?.as_deref()?, &chosen)?));
    refused().filter_map(place).collect()
}

/// Reads a path as that of an operation which needs nothing else.
fn place(path: &str, chosen: &HashMap<String, String>) -> Option<Place> {
    let path = match path.split_once("/bulkId:") {
        Some((endpoint, bulk_id)) => {
            format!("{endpoint}/{}", chosen.get(bulk_id.strip_suffix('/').unwrap_or(bulk_id))?)
        }
        None => path.to_owned(),
    };
    let operation = json!({ "method": "DELETE", "path": path });
    let body = json!({ "schemas": [scim::BULK_REQUEST_URN], "Operations": [operation] });
    let operation = BulkRequest::read(body, String::new).ok()?.entries.pop()?.operation.ok()?;
    match operation.target? {
        BulkId::Known(id) => ResourceId::exact(&id).map(|_| (operation.endpoint, id)),
        BulkId::Made(_) => None,
    }
}
