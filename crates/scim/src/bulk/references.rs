//! What `bulkId:` stands for (RFC 7644 §3.7.2). The ids of what is to be made are chosen before anything is made, so each place can be
//! filled at once, wherever in the request the other operation is.

use std::collections::HashMap;

use serde_json::Value;

use super::places::Place;
use super::{BulkEntry, BulkId, BulkMethod, BulkOperation};
use crate::error::echo;
use crate::{ResourceType, ScimError};

const PREFIX: &str = "bulkId:";

/// The operations that make resources, by their `bulkId`: their number and the id that is chosen.
type Made = HashMap<String, (usize, String)>;

/// Chooses an id for each operation that makes a resource, and fills in what speaks of it.
pub(super) fn resolve<'t>(
    entries: &mut [BulkEntry],
    types: impl Fn(&str) -> Option<&'t ResourceType>,
    mut ids: impl FnMut() -> String,
) {
    let mut made = Made::new();
    for (number, entry) in entries.iter_mut().enumerate() {
        let (Some(bulk_id), Ok(operation)) = (&entry.bulk_id, &mut entry.operation) else { continue };
        if operation.method != BulkMethod::Post {
            continue;
        }
        if made.contains_key(bulk_id) {
            entry.operation = Err(ScimError::invalid_value(format!("the bulkId '{}' is used twice", echo(bulk_id))));
            continue;
        }
        let id = ids();
        operation.chosen = Some(id.clone());
        made.insert(bulk_id.clone(), (number, id));
    }
    for (number, entry) in entries.iter_mut().enumerate() {
        if let Ok(operation) = &mut entry.operation
            && let Err(error) = fill(operation, types(&operation.endpoint), number, &made)
        {
            entry.operation = Err(error);
        }
    }
}

fn fill(
    operation: &mut BulkOperation,
    resource_type: Option<&ResourceType>,
    number: usize,
    made: &Made,
) -> Result<(), ScimError> {
    let mut needs = Vec::new();
    if let Some(BulkId::Known(text)) = &operation.target
        && let Some(bulk_id) = after_prefix(text)
    {
        let (by, _) = find(made, bulk_id)?;
        needs.push(*by);
        operation.target = Some(BulkId::Made(*by));
    }
    let mut pending = vec![(Place::of(operation.method, resource_type), "", &mut operation.data)];
    while let Some((place, name, value)) = pending.pop() {
        match value {
            Value::String(text) if place.takes_reference() => {
                if let Some(filled) = fill_text(name, text, made, &mut needs)? {
                    *text = filled;
                }
            }
            Value::Array(elements) => pending.extend(elements.iter_mut().map(|element| (place, name, element))),
            Value::Object(object) => {
                let place = place.inside(object);
                pending.extend(object.iter_mut().map(|(name, value)| (place.at(name), name.as_str(), value)));
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    if needs.contains(&number) {
        return Err(ScimError::invalid_value("an operation cannot speak of its own bulkId"));
    }
    needs.sort_unstable();
    needs.dedup();
    operation.needs = needs;
    Ok(())
}

/// The text with ids in place of each `bulkId:`; `None` where it holds none.
fn fill_text(name: &str, text: &str, made: &Made, needs: &mut Vec<usize>) -> Result<Option<String>, ScimError> {
    let mut known = |bulk_id: &str| {
        let (by, id) = find(made, bulk_id)?;
        needs.push(*by);
        Ok::<_, ScimError>(id.as_str())
    };
    if let Some(bulk_id) = after_prefix(text) {
        return Ok(Some(known(bulk_id)?.to_owned()));
    }
    if name.eq_ignore_ascii_case("$ref") {
        // A bulkId may have slashes of its own.
        let named = text.match_indices('/').find_map(|(at, _)| Some((&text[..at], after_prefix(&text[at + 1..])?)));
        return named.map(|(address, bulk_id)| Ok(format!("{address}/{}", known(bulk_id)?))).transpose();
    }
    if !name.eq_ignore_ascii_case("path") || !text.contains('"') {
        return Ok(None);
    }
    // Every second part is between quotation marks; a bulkId with such a mark in it cannot be written there.
    let mut filled = String::with_capacity(text.len());
    let mut is_filled = false;
    for (part_number, part) in text.split('"').enumerate() {
        if part_number > 0 {
            filled.push('"');
        }
        match after_prefix(part).filter(|_| part_number % 2 == 1) {
            Some(bulk_id) => {
                filled.push_str(known(bulk_id)?);
                is_filled = true;
            }
            None => filled.push_str(part),
        }
    }
    Ok(is_filled.then_some(filled))
}

/// The `bulkId` that a text names.
pub(super) fn after_prefix(text: &str) -> Option<&str> {
    let (prefix, bulk_id) = text.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(bulk_id)
}

fn find<'m>(made: &'m Made, bulk_id: &str) -> Result<&'m (usize, String), ScimError> {
    made.get(bulk_id)
        .ok_or_else(|| ScimError::invalid_value(format!("no POST of the request has the bulkId '{}'", echo(bulk_id))))
}
