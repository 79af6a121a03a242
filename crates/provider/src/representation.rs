//! The JSON text that answers show: the stored document with `schemas`, `id` and `meta` around it (RFC 7643 §3.1).
//!
//! A stored document is JSON of exactly the attributes an answer shows, so it is passed through as text wherever nothing is left out.

use std::fmt::Write as _;

use jiff::Timestamp;
use scim::{Attributes, Projection};
use serde_json::Value;
use store::ResourceId;
use store::resources::{ResourceKind, ResourceRecord};

use crate::version::{EntityTag, digest};
use crate::{Caller, ProviderError, document, manager};

/// How a resource is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The address of the tenant's SCIM endpoint, without a slash at its end.
    pub base: &'a str,
    /// Which attributes the client wants.
    pub projection: &'a Projection,
}

/// A resource as it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Representation {
    /// Its id.
    pub id: ResourceId,
    /// The entity tag of the answer, which is also its `meta.version`.
    pub tag: EntityTag,
    /// The JSON text.
    pub text: String,
}

/// A list that is not part of the stored document: a group's members, a user's groups. The text is a JSON array.
#[derive(Clone, Debug)]
pub(crate) struct Joined {
    pub(crate) attribute: &'static str,
    pub(crate) json: String,
    /// What the entity tag says of it, where it changes without the version of the resource.
    digest: Option<u64>,
}

impl Joined {
    /// The groups of a user: a membership is the group's, so that none of the members is written when the group changes.
    pub(crate) fn groups(json: String) -> Self {
        Self { attribute: "groups", digest: Some(digest(&json)), json }
    }

    /// The members of a group, whose version they change.
    pub(crate) const fn members(json: String) -> Self {
        Self { attribute: "members", json, digest: None }
    }
}

/// The entity tag of a resource with what is joined to it.
pub(crate) fn tag_of(record: &ResourceRecord, joined: Option<&Joined>) -> EntityTag {
    EntityTag::with(record.version, joined.and_then(|joined| joined.digest))
}

/// Writes a resource as the view wants it.
pub(crate) fn represent(
    caller: &Caller,
    kind: ResourceKind,
    record: &ResourceRecord,
    view: View<'_>,
    joined: Option<&Joined>,
) -> Result<String, ProviderError> {
    let rules = caller.rules(kind)?;
    if view.projection.is_all() && rules.answers_whole() {
        return splice(caller, kind, record, view.base, joined);
    }
    let mut resource = document::read(&record.doc)?;
    manager::make_whole(&mut resource, view.base);
    complete(caller, kind, record, view.base, &mut resource)?;
    let tag = tag_of(record, joined);
    if let Some(meta) = resource.get_mut("meta").filter(|_| tag != EntityTag::of(record.version)) {
        meta["version"] = tag.to_string().into();
    }
    view.projection.apply(&rules.resource_type, &mut resource);
    let mut text = Value::Object(resource).to_string();
    if let Some(Joined { attribute, json, .. }) = joined {
        text.pop();
        // `id` is always there, so there is always something before the comma.
        write_json(&mut text, format_args!(",\"{attribute}\":{json}}}"));
    }
    Ok(text)
}

fn splice(
    caller: &Caller,
    kind: ResourceKind,
    record: &ResourceRecord,
    base: &str,
    joined: Option<&Joined>,
) -> Result<String, ProviderError> {
    let more = joined.map_or(0, |joined| joined.json.len());
    let mut text = String::with_capacity(record.doc.len() + base.len() + more + 512);
    text.push_str("{\"schemas\":[");
    for (number, urn) in schemas(caller, kind, &record.doc)?.enumerate() {
        write_json(&mut text, format_args!("{}\"{urn}\"", if number == 0 { "" } else { "," }));
    }
    write_json(&mut text, format_args!("],\"id\":\"{}\"", record.id));
    let inner = record.doc.get(1..record.doc.len().saturating_sub(1)).unwrap_or_default();
    if !inner.is_empty() {
        text.push(',');
        manager::push_whole(&mut text, inner, base);
    }
    if let Some(Joined { attribute, json, .. }) = joined {
        write_json(&mut text, format_args!(",\"{attribute}\":{json}"));
    }
    write_meta(&mut text, caller, (kind, record), tag_of(record, joined), base);
    Ok(text)
}

fn write_meta(
    text: &mut String,
    caller: &Caller,
    (kind, record): (ResourceKind, &ResourceRecord),
    tag: EntityTag,
    base: &str,
) {
    let (name, endpoint, id, version) = (caller.kind_name(kind), caller.endpoint(kind), record.id, tag.opaque());
    let (created, modified) = (instant(record.created), instant(record.modified));
    write_json(
        text,
        format_args!(
            ",\"meta\":{{\"resourceType\":\"{name}\",\"created\":\"{created}\",\"lastModified\":\"{modified}\",\
             \"location\":\"{base}{endpoint}{id}\",\"version\":\"W/\\\"{version}\\\"\"}}}}"
        ),
    );
}

/// The URNs that the document makes use of: the core schema, and each extension it holds. Inside a JSON string a quotation mark is
/// escaped, so the URN between quotation marks before a colon is always a key.
fn schemas<'a>(
    caller: &'a Caller,
    kind: ResourceKind,
    doc: &'a str,
) -> Result<impl Iterator<Item = &'a str>, ProviderError> {
    let held = move |urn: &str| {
        doc.match_indices(urn).any(|(at, _)| {
            doc[..at].ends_with('"') && doc[at + urn.len()..].starts_with("\":") && !doc[..at].ends_with("\\\"")
        })
    };
    let urns = caller.resource_type(kind)?.schema_ids().enumerate();
    Ok(urns.filter(move |(number, urn)| *number == 0 || held(urn)).map(|(_, urn)| urn))
}

/// Adds `schemas`, `id` and `meta` to attributes.
pub(crate) fn complete(
    caller: &Caller,
    kind: ResourceKind,
    record: &ResourceRecord,
    base: &str,
    resource: &mut Attributes,
) -> Result<(), ProviderError> {
    let urns: Vec<Value> = caller
        .resource_type(kind)?
        .schema_ids()
        .enumerate()
        .filter(|(number, urn)| *number == 0 || resource.contains_key(*urn))
        .map(|(_, urn)| Value::from(urn))
        .collect();
    let id = record.id.to_string();
    let meta = serde_json::json!({
        "resourceType": caller.kind_name(kind),
        "created": instant(record.created),
        "lastModified": instant(record.modified),
        "location": format!("{base}{}{id}", caller.endpoint(kind)),
        "version": EntityTag::of(record.version).to_string(),
    });
    resource.extend([("schemas".to_owned(), urns.into()), ("id".to_owned(), id.into()), ("meta".to_owned(), meta)]);
    Ok(())
}

/// An instant as RFC 3339 with milliseconds, which is what the store keeps.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub(crate) fn write_json(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a string does not fail");
}
