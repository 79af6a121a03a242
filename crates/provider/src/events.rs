//! A tenant's changes as events, for the vendor's own application: who is new, changed, switched off, gone.
//!
//! An event has the form of a SCIM event of RFC 9967: the claims of a security event token (RFC 8417), unsigned here, because how it
//! travels decides who vouches for it. An event tells what happened then; the resource that may come with it is as it is now.

use jiff::Timestamp;
use scim::{Attributes, Projection};
use serde_json::{Map, Value, json};
use store::resources::{self, ResourceKind, ResourceRecord};
use store::{Action, Change, Occurrence, ReadTx, ResourceId, occurrences_after};

use crate::document;
use crate::representation::View;
use crate::resource::shown;
use crate::{Caller, ProviderError, users};

/// Most events that are read at a time.
pub const EVENTS_MAX: u32 = 100;
/// Prefix of the names of provisioning events (RFC 9967 §2.4).
const PROV: &str = "urn:ietf:params:scim:event:prov";
/// The names of all events that a tenant may tell (RFC 9967 §4, `eventUris`).
pub const EVENT_URIS: [&str; 8] = [
    "urn:ietf:params:scim:event:prov:create:notice",
    "urn:ietf:params:scim:event:prov:create:full",
    "urn:ietf:params:scim:event:prov:patch:notice",
    "urn:ietf:params:scim:event:prov:put:notice",
    "urn:ietf:params:scim:event:prov:put:full",
    "urn:ietf:params:scim:event:prov:delete",
    "urn:ietf:params:scim:event:prov:activate",
    "urn:ietf:params:scim:event:prov:deactivate",
];

/// How much an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// The names of the attributes that changed.
    Notice,
    /// The resource as it is now, a group without its members.
    Full,
}

/// One change of one resource of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The number of the change in the tenant's feed, in the order of commits.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// The path of the resource below the tenant's endpoint, such as `/Users/…`.
    pub uri: String,
    /// The name of its resource type, such as `User`.
    pub resource_type: String,
    /// What was done to it.
    pub action: Action,
    /// Whether it became active (`true`) or inactive (`false`) by that.
    pub switched: Option<bool>,
    /// The attributes that were set, changed or removed, as paths.
    pub attributes: Vec<String>,
    /// Its `externalId`, where it has one.
    pub external_id: Option<String>,
    /// Its `userName` or `displayName` now, for people; where it still exists and has one.
    pub name: Option<String>,
    /// Its version after that.
    pub version: i64,
    /// The resource as it is now, where that was asked for and it still exists.
    pub resource: Option<Value>,
    /// Unique among all events of the server.
    pub id: String,
}

/// The events of the caller's tenant after number `after`, in order, and the number up to which the feed has been read. At most
/// `limit` changes are looked at, and [`EVENTS_MAX`]. A reader that was away for longer than changes are kept gets [`store::StoreError::FeedTrimmed`].
pub fn events_after(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    base: &str,
    after: i64,
    detail: Detail,
    limit: u32,
) -> Result<(Vec<Event>, i64), ProviderError> {
    let changes = occurrences_after(tx, caller.tenant(), after, limit.min(EVENTS_MAX))?;
    let read_to = changes.last().map_or(after, |(change, _)| change.seq);
    let mut events = Vec::with_capacity(changes.len());
    for (change, occurrence) in changes {
        let Some(kind) = change.object.resource_kind() else { continue };
        if caller.rules(kind).is_err() {
            continue;
        }
        let record = resources::by_id(tx, caller.tenant(), kind, ResourceId::from(change.id.uuid()))?;
        let tells_whole =
            detail == Detail::Full && !matches!(&occurrence, Some(told) if told.action == Action::Deleted);
        let resource = match &record {
            Some(record) if tells_whole => whole(tx, caller, kind, record, base)?,
            Some(_) | None => None,
        };
        events.push(event(caller, (&change, kind), occurrence, record.as_ref(), resource)?);
    }
    Ok((events, read_to))
}

/// A change from before occurrences were kept says only that there was one: what is there now was replaced, what is not was deleted.
fn unknown(record: Option<&ResourceRecord>) -> Occurrence {
    let action = if record.is_some() { Action::Replaced } else { Action::Deleted };
    let version = record.map_or(0, |record| record.version);
    Occurrence { action, switched: None, version, attributes: String::new(), external_id: None }
}

/// A resource as a GET shows it, a group without its members.
fn whole(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    record: &ResourceRecord,
    base: &str,
) -> Result<Option<Value>, ProviderError> {
    let projection = Projection::default();
    let view = View { base, projection: &projection };
    let shows_groups = kind == ResourceKind::User && users::shows_groups(caller, view)?;
    Ok(serde_json::from_str(&shown(tx, caller, kind, record, view, shows_groups)?).ok())
}

fn event(
    caller: &Caller,
    (change, kind): (&Change, ResourceKind),
    occurrence: Option<Occurrence>,
    record: Option<&ResourceRecord>,
    resource: Option<Value>,
) -> Result<Event, ProviderError> {
    let occurrence = occurrence.unwrap_or_else(|| unknown(record));
    let document = record.map(|record| document::read(&record.doc)).transpose()?;
    let text = |name: &str| document.as_ref().and_then(|document| document.get(name)?.as_str()).map(str::to_owned);
    let held_id = text("externalId");
    let name = text("userName").or_else(|| text("displayName"));
    let attributes = match (&document, occurrence.action) {
        (Some(document), Action::Created) => paths_of(document),
        _ => occurrence.attributes.split_ascii_whitespace().map(str::to_owned).collect(),
    };
    Ok(Event {
        number: change.seq,
        at: change.at,
        uri: format!("{}{}", caller.endpoint(kind), change.id.uuid()),
        resource_type: caller.kind_name(kind).to_owned(),
        action: occurrence.action,
        switched: occurrence.switched,
        attributes,
        name,
        external_id: held_id.or(occurrence.external_id),
        version: occurrence.version,
        resource,
        id: format!("{}-{}-{}", caller.tenant_name(), change.seq, change.at.as_millisecond()),
    })
}

/// The names of what a document holds; those of an extension with its URN before them.
fn paths_of(document: &Attributes) -> Vec<String> {
    document.iter().flat_map(|(name, value)| paths_at(name, value)).collect()
}

fn paths_at(name: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Object(extension) if name.contains(':') => {
            extension.keys().map(|part| format!("{name}:{part}")).collect()
        }
        _ => vec![name.to_owned()],
    }
}

/// The paths at which two documents differ, separated by blanks: at the level of whole attributes.
pub(crate) fn changed_paths(old: &Attributes, new: &Attributes) -> String {
    let mut paths = Vec::new();
    differing(Some(old), Some(new), "", &mut paths);
    paths.join(" ")
}

fn differing(old: Option<&Attributes>, new: Option<&Attributes>, prefix: &str, paths: &mut Vec<String>) {
    let gone = old.into_iter().flat_map(Map::keys).filter(|name| new.is_none_or(|new| !new.contains_key(*name)));
    for name in new.into_iter().flat_map(Map::keys).chain(gone) {
        let (before, after) = (old.and_then(|level| level.get(name)), new.and_then(|level| level.get(name)));
        if before == after {
            continue;
        }
        if prefix.is_empty() && name.contains(':') {
            let (before, after) = (before.and_then(Value::as_object), after.and_then(Value::as_object));
            differing(before, after, &format!("{name}:"), paths);
        } else {
            paths.push(format!("{prefix}{name}"));
        }
    }
}

impl Event {
    /// The claims of the event (RFC 8417 §2.2, RFC 9967 §2.1): `issuer` is the address of the tenant's endpoint, `audience` who it is
    /// meant for.
    pub fn claims(&self, issuer: &str, audience: Option<&str>) -> Value {
        let mut subject = json!({ "format": "scim", "uri": self.uri });
        if let Some(external_id) = &self.external_id {
            subject["externalId"] = external_id.as_str().into();
        }
        let mut claims = json!({
            "iss": issuer,
            "iat": self.at.as_second(),
            "jti": self.id,
            "txn": self.id,
            "sub_id": subject,
            "events": self.events(),
        });
        if let Some(audience) = audience {
            claims["aud"] = audience.into();
        }
        claims
    }

    fn events(&self) -> Value {
        let mut events = Map::new();
        let (name, mut payload) = self.main_event();
        if self.action != Action::Deleted {
            payload.insert("version".to_owned(), format!("W/\"{}\"", self.version).into());
        }
        events.insert(format!("{PROV}:{name}"), payload.into());
        if let Some(active) = self.switched {
            let name = if active { "activate" } else { "deactivate" };
            events.insert(format!("{PROV}:{name}"), json!({}));
        }
        events.into()
    }

    /// RFC 9967 §2.4: "full" events tell the resource as it came to be, "notice" events the attributes. What a PATCH led to is told in
    /// full as what a PUT of the same would have.
    fn main_event(&self) -> (&'static str, Map<String, Value>) {
        let notice = || Map::from_iter([("attributes".to_owned(), self.attributes.clone().into())]);
        let full = |resource: &Value| Map::from_iter([("data".to_owned(), resource.clone())]);
        match (self.action, &self.resource) {
            (Action::Deleted, _) => ("delete", Map::new()),
            (Action::Created, Some(resource)) => ("create:full", full(resource)),
            (Action::Created, None) => ("create:notice", notice()),
            (Action::Patched | Action::Replaced, Some(resource)) => ("put:full", full(resource)),
            (Action::Patched, None) => ("patch:notice", notice()),
            (Action::Replaced, None) => ("put:notice", notice()),
        }
    }
}
