//! What an application does with a request that reaches it: SCIM over two maps, strict about types and paths. Every
//! object that ever broke a promise (two of one name, a create without intent) is noted as a violation.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use provisioning::target::{Method, Request, Response};
use scim::{Attribute, Attributes, Filter, Kind, MemberChange, PatchOp, ResourceType, Schema};
use serde_json::{Value, json};

use super::Nature;

/// The extension that one template of the gallery writes.
const FORCEPOINT_URN: &str = "urn:ietf:params:scim:schemas:extension:forcepoint:2.0:User";

/// One user or group.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its attributes, `members` and `id` not among them.
    pub attributes: Attributes,
    visible_from: Timestamp,
}

/// What the application holds.
pub struct Application {
    /// What it is like.
    pub nature: Nature,
    /// Users by id.
    pub users: BTreeMap<String, Object>,
    /// Groups by id.
    pub groups: BTreeMap<String, Object>,
    /// The members of groups, by the groups' ids.
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// Promises that were broken.
    pub violations: Vec<String>,
    /// What `/Schemas` answers; nothing where it is null.
    pub schemas: Value,
    user: ResourceType,
    group: ResourceType,
    number: u32,
}

type Refusal = (u16, String);

impl Application {
    pub(super) fn new(nature: Nature) -> Self {
        let forcepoint = Schema {
            id: FORCEPOINT_URN.to_owned(),
            name: "Forcepoint".to_owned(),
            description: String::new(),
            attributes: vec![Attribute::new("ntlmId", Kind::String)],
        };
        Self {
            nature,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            members: BTreeMap::new(),
            violations: Vec::new(),
            schemas: Value::Null,
            user: ResourceType::user().with_extension(forcepoint, false),
            group: ResourceType::group(),
            number: 0,
        }
    }

    /// Lets users have further attributes.
    pub fn define(&mut self, schema: Schema) {
        self.user = self.user.clone().with_extension(schema, false);
    }

    /// Puts a user there that the engine did not make; gives its id.
    pub fn add_user(&mut self, attributes: &Value) -> String {
        self.number += 1;
        let id = format!("u{}", self.number);
        let attributes = attributes.as_object().cloned().unwrap_or_default();
        self.users.insert(id.clone(), Object { attributes, visible_from: Timestamp::UNIX_EPOCH });
        id
    }

    /// Puts a group there that the engine did not make; gives its id.
    pub fn add_group(&mut self, display_name: &str) -> String {
        self.number += 1;
        let id = format!("g{}", self.number);
        let attributes = Attributes::from_iter([("displayName".to_owned(), display_name.into())]);
        self.groups.insert(id.clone(), Object { attributes, visible_from: Timestamp::UNIX_EPOCH });
        id
    }

    /// The id of the user of that name.
    pub fn user_id(&self, user_name: &str) -> Option<String> {
        let named = |object: &&Object| object.attributes.get("userName").is_some_and(|name| name == user_name);
        self.users.iter().find(|(_, object)| named(object)).map(|(id, _)| id.clone())
    }

    /// The id of the group of that name.
    pub fn group_id(&self, display_name: &str) -> Option<String> {
        let named = |object: &&Object| object.attributes.get("displayName").is_some_and(|name| name == display_name);
        self.groups.iter().find(|(_, object)| named(object)).map(|(id, _)| id.clone())
    }

    /// An attribute of the user of that name; null where there is none.
    pub fn user_attribute(&self, user_name: &str, attribute: &str) -> Value {
        let object = self.user_id(user_name).and_then(|id| self.users.get(&id));
        object.and_then(|object| object.attributes.get(attribute)).cloned().unwrap_or_default()
    }

    /// The names of a group's members.
    pub fn member_names(&self, display_name: &str) -> Vec<String> {
        let ids = self.group_id(display_name).and_then(|id| self.members.get(&id)).cloned().unwrap_or_default();
        let name = |id: String| self.users.get(&id).map_or(id, |user| text(&user.attributes, "userName"));
        let mut names: Vec<String> = ids.into_iter().map(name).collect();
        names.sort();
        names
    }

    pub(super) fn serve(&mut self, request: &Request, now: Timestamp) -> Response {
        match self.answer(request, now) {
            Ok((status, body)) => answer(status, body.as_ref()),
            Err((status, detail)) => refusal(status, &detail),
        }
    }

    fn answer(&mut self, request: &Request, now: Timestamp) -> Result<(u16, Option<Value>), Refusal> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let mut segments = path.trim_start_matches('/').splitn(2, '/');
        let users = match segments.next() {
            Some("Users") => true,
            Some("Groups") => false,
            Some("Schemas") if !self.schemas.is_null() => return Ok((200, Some(listed(&self.schemas)))),
            _ => return Err((404, "no such endpoint".to_owned())),
        };
        let id = segments.next().map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned());
        if !users && self.nature.users_only && (id.is_some() || request.method != Method::Get) {
            return Err((404, "no groups here".to_owned()));
        }
        let body = || request.body.as_deref().and_then(|body| serde_json::from_slice::<Value>(body).ok());
        match (request.method, id) {
            (Method::Get, None) => self.list(users, query, now).map(|list| (200, Some(list))),
            (Method::Get, Some(id)) => self.read(users, &id, now).map(|object| (200, Some(object))),
            (Method::Post, None) => {
                self.create(users, body().unwrap_or_default(), now).map(|object| (201, Some(object)))
            }
            (Method::Patch, Some(id)) => self.patch(users, &id, body().unwrap_or_default()).map(|()| (204, None)),
            (Method::Delete, Some(id)) => self.delete(users, &id).map(|()| (204, None)),
            (Method::Post | Method::Patch | Method::Delete, _) => Err((405, "not here".to_owned())),
        }
    }

    const fn objects(&mut self, users: bool) -> &mut BTreeMap<String, Object> {
        if users { &mut self.users } else { &mut self.groups }
    }

    fn list(&mut self, users: bool, query: &str, now: Timestamp) -> Result<Value, Refusal> {
        let filter = query.split('&').find_map(|pair| pair.strip_prefix("filter=")).unwrap_or_default();
        let filter = percent_decode_str(&filter.replace('+', " ")).decode_utf8_lossy().into_owned();
        let filter: Filter = filter.parse().map_err(|error: scim::ScimError| (400, error.detail))?;
        let ignores = self.nature.ignores_filters;
        let resource_type = if users { self.user.clone() } else { self.group.clone() };
        filter.check(&resource_type).map_err(|error| (400, error.detail))?;
        let page = self.nature.page;
        let mut found: Vec<Value> = self
            .objects(users)
            .iter()
            .filter(|(_, object)| object.visible_from <= now)
            .map(|(id, object)| shown(users, id, object))
            .filter(|shown| ignores || shown.as_object().is_some_and(|shown| filter.matches(&resource_type, shown)))
            .collect();
        let total = found.len();
        found.truncate(page);
        Ok(json!({ "schemas": [scim::LIST_RESPONSE_URN], "totalResults": total, "Resources": found }))
    }

    fn read(&mut self, users: bool, id: &str, now: Timestamp) -> Result<Value, Refusal> {
        let object = self.objects(users).get(id).filter(|object| object.visible_from <= now);
        object.map(|object| shown(users, id, object)).ok_or_else(|| (404, "gone".to_owned()))
    }

    fn create(&mut self, users: bool, body: Value, now: Timestamp) -> Result<Value, Refusal> {
        let resource_type = if users { &self.user } else { &self.group };
        let mut attributes = resource_type.read(body).map_err(|error| (400, error.detail))?;
        attributes.remove("members");
        self.normalise(&mut attributes);
        self.check_names(users, None, &attributes)?;
        self.number += 1;
        let id = format!("{}{}", if users { 'u' } else { 'g' }, self.number);
        let object = Object { attributes, visible_from: now.saturating_add(self.nature.lag).unwrap_or(now) };
        let answer = shown(users, &id, &object);
        self.objects(users).insert(id, object);
        Ok(answer)
    }

    fn patch(&mut self, users: bool, id: &str, body: Value) -> Result<(), Refusal> {
        let patch = PatchOp::read(body).map_err(|error| (400, error.detail))?;
        let resource_type = if users { self.user.clone() } else { self.group.clone() };
        let (patch, changes) = if users {
            (patch, Vec::new())
        } else {
            patch.split_members(&resource_type).map_err(|error| (400, error.detail))?
        };
        let mut attributes = self
            .objects(users)
            .get(id)
            .map(|object| object.attributes.clone())
            .ok_or_else(|| (404, "gone".to_owned()))?;
        patch.apply(&resource_type, &mut attributes).map_err(|error| (400, error.detail))?;
        self.normalise(&mut attributes);
        self.check_names(users, Some(id), &attributes)?;
        self.change_members(id, changes)?;
        if let Some(object) = self.objects(users).get_mut(id) {
            object.attributes = attributes;
        }
        Ok(())
    }

    fn change_members(&mut self, group: &str, changes: Vec<MemberChange>) -> Result<(), Refusal> {
        let mut members = self.members.get(group).cloned().unwrap_or_default();
        for change in changes {
            match change {
                MemberChange::Add(added) => {
                    if let Some(unknown) = added.iter().find(|member| !self.users.contains_key(&member.value)) {
                        return Err((400, format!("no user has the id {}", unknown.value)));
                    }
                    members.extend(added.into_iter().map(|member| member.value));
                }
                MemberChange::Remove(ids) => members.retain(|member| !ids.contains(member)),
                MemberChange::Require(_)
                | MemberChange::RemoveWhere(_)
                | MemberChange::Clear
                | MemberChange::Replace(_) => {
                    return Err((501, "members are added and removed by id".to_owned()));
                }
            }
        }
        self.members.insert(group.to_owned(), members);
        Ok(())
    }

    fn delete(&mut self, users: bool, id: &str) -> Result<(), Refusal> {
        self.objects(users).remove(id).ok_or_else(|| (404, "gone".to_owned()))?;
        self.members.remove(id);
        for members in self.members.values_mut().filter(|_| !self.nature.keeps_members) {
            members.remove(id);
        }
        for user in self.users.values_mut() {
            if let Some(Value::Object(enterprise)) = user.attributes.get_mut(scim::ENTERPRISE_USER_URN)
                && enterprise.get("manager").is_some_and(|manager| manager["value"] == id)
            {
                enterprise.remove("manager");
            }
        }
        Ok(())
    }

    /// A name that is taken is refused, or noted.
    fn check_names(&mut self, users: bool, own: Option<&str>, attributes: &Attributes) -> Result<(), Refusal> {
        let keys: &[&str] = if users { &["userName", "externalId"] } else { &["displayName", "externalId"] };
        for key in keys {
            let name = scim::fold(&text(attributes, key));
            let same = |object: &Object| !name.is_empty() && scim::fold(&text(&object.attributes, key)) == name;
            if self.objects(users).iter().any(|(id, object)| Some(id.as_str()) != own && same(object)) {
                if self.nature.unique {
                    return Err((409, format!("{key} {name} is taken")));
                }
                self.violations.push(format!("two objects have the {key} {name}"));
            }
        }
        Ok(())
    }

    fn normalise(&self, attributes: &mut Attributes) {
        if self.nature.normalises
            && let Some(Value::String(name)) = attributes.get_mut("displayName")
        {
            *name = name.to_uppercase();
        }
    }
}

fn listed(resources: &Value) -> Value {
    let total = resources.as_array().map_or(0, Vec::len);
    json!({ "schemas": [scim::LIST_RESPONSE_URN], "totalResults": total, "Resources": resources })
}

fn text(attributes: &Attributes, name: &str) -> String {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The representation of an object. Members are never shown: nobody asks for them.
fn shown(users: bool, id: &str, object: &Object) -> Value {
    let mut shown = object.attributes.clone();
    // Nobody is told a password (RFC 7643 §4.1.1).
    shown.remove("password");
    shown.insert("id".to_owned(), id.into());
    shown.insert("schemas".to_owned(), json!([if users { scim::USER_URN } else { scim::GROUP_URN }]));
    Value::Object(shown)
}

fn answer(status: u16, body: Option<&Value>) -> Response {
    Response {
        status,
        retry_after: None,
        content_type: Some("application/scim+json".to_owned()),
        body: body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())),
    }
}

/// A SCIM error.
pub(super) fn refusal(status: u16, detail: &str) -> Response {
    answer(status, Some(&json!({ "schemas": [scim::ERROR_URN], "status": status.to_string(), "detail": detail })))
}

/// A SCIM error about the way a request is written.
pub(super) fn malformed(kind: &str) -> Response {
    let body = json!({ "schemas": [scim::ERROR_URN], "status": "400", "scimType": kind, "detail": "not so" });
    answer(400, Some(&body))
}

/// A page for people where an answer of SCIM was awaited.
pub(super) fn page(status: u16) -> Response {
    let body = Bytes::from_static(b"<html>sign in</html>");
    Response { status, retry_after: None, content_type: Some("text/html".to_owned()), body }
}

/// The same answer about another object.
pub(super) fn with_other_id(mut response: Response) -> Response {
    if let Ok(mut body) = serde_json::from_slice::<Value>(&response.body)
        && body.get("id").is_some()
    {
        body["id"] = "another".into();
        response.body = Bytes::from(body.to_string());
    }
    response
}
