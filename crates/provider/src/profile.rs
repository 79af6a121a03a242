//! Application profiles as data: which attributes an application knows, requires and finds resources by.
//!
//! A profile is a JSON file beside this module, read once. What the rules mean for a request is decided in `document` and `query`.

use std::sync::{Arc, LazyLock};

use scim::{Attribute, Attributes, Projection, ResourceType, Returned, Schema, ScimError};
use serde_json::{Map, Value};
use store::resources::{CustomKind, IndexKey, ResourceKind};

/// Longest key in the index of values, in bytes. Longer values share the key of their beginning and are told apart when the resource
/// is looked at; a database refuses index entries of a few kilobytes.
pub const INDEX_KEY_BYTES_MAX: usize = 512;

/// What one application knows of SCIM.
#[derive(Debug)]
pub struct Profile {
    /// Its name in settings and commands, such as `netskope`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Whether a group may be a member of a group.
    pub nested_groups: bool,
    /// Whether no two groups may have the same `displayName`, unless the tenant's settings say otherwise.
    pub unique_group_names: bool,
    user: Rules,
    group: Option<Rules>,
    custom: Vec<(CustomKind, Rules)>,
}

/// What an application knows of one kind of resource.
#[derive(Debug)]
pub struct Rules {
    /// The attributes there are, with their characteristics.
    pub resource_type: ResourceType,
    /// The paths a filter may use beside `id`; `None` means every attribute.
    pub filterable: Option<Vec<String>>,
    /// Where its resources live, between slashes.
    pub(crate) path: String,
    pub(crate) indexed: Vec<IndexedPath>,
    /// What clients may send and nobody is answered.
    forgotten: Vec<IndexedPath>,
    only_on_request: bool,
    pub(crate) shows_groups: bool,
}

/// A path whose values are looked at without the schema.
#[derive(Debug)]
pub(crate) struct IndexedPath {
    pub(crate) path: Arc<str>,
    extension: Option<String>,
    attribute: String,
    sub_attribute: Option<String>,
    case_exact: bool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProfileFile {
    name: String,
    title: String,
    #[serde(default)]
    extensions: Vec<Schema>,
    user: RulesFile,
    group: Option<RulesFile>,
    nested_groups: bool,
    unique_group_names: bool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RulesFile {
    /// Absent: the whole core schema with its extensions.
    attributes: Option<Vec<String>>,
    #[serde(default)]
    required: Vec<String>,
    /// Absent: every attribute.
    filterable: Option<Vec<String>>,
    /// Paths with an index of their own, beside the unique one.
    #[serde(default)]
    indexed: Vec<String>,
}

const FILES: [&str; 5] = [
    include_str!("profiles/generic.json"),
    include_str!("profiles/forcepoint-csg.json"),
    include_str!("profiles/netskope.json"),
    include_str!("profiles/palo-alto-cie.json"),
    include_str!("profiles/storegate.json"),
];

static PROFILES: LazyLock<Vec<Arc<Profile>>> = LazyLock::new(|| {
    FILES.iter().map(|file| Arc::new(Profile::read(file).expect("the built-in profiles are read by a test"))).collect()
});

impl Profile {
    /// The built-in profile of that name.
    pub fn by_name(name: &str) -> Option<&'static Arc<Self>> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// All built-in profiles, the generic one first.
    pub fn all() -> &'static [Arc<Self>] {
        &PROFILES
    }

    pub(crate) fn names() -> Vec<&'static str> {
        PROFILES.iter().map(|profile| profile.name.as_str()).collect()
    }

    /// The profile that knows the whole of the core schemas.
    pub fn generic() -> &'static Self {
        &PROFILES[0]
    }

    /// Whether an answer about a group would hold its members, which may be many.
    pub fn wants_members(&self, projection: &Projection) -> bool {
        self.group.as_ref().is_some_and(|rules| projection.wants_members(&rules.resource_type))
    }

    /// What the application knows of a kind of resource; `None` when it has none of that kind.
    pub fn rules(&self, kind: ResourceKind) -> Option<&Rules> {
        match kind {
            ResourceKind::User => Some(&self.user),
            ResourceKind::Group => self.group.as_ref(),
            ResourceKind::Custom(kind) => self.custom.iter().find(|(known, _)| *known == kind).map(|(_, rules)| rules),
        }
    }

    /// The kinds of resources the application has: users, groups, and those that the tenant defined, in their order.
    pub fn kinds(&self) -> impl Iterator<Item = ResourceKind> {
        let group = self.group.as_ref().map(|_| ResourceKind::Group);
        let custom = self.custom.iter().map(|(kind, _)| ResourceKind::Custom(*kind));
        std::iter::once(ResourceKind::User).chain(group).chain(custom)
    }

    /// The resource types the application has, in the order of [`Self::kinds`].
    pub fn resource_types(&self) -> impl Iterator<Item = &ResourceType> {
        self.kinds().filter_map(|kind| self.rules(kind)).map(|rules| &rules.resource_type)
    }

    /// The kind of resource that lives at an endpoint, such as `Users`.
    pub fn kind_at(&self, endpoint: &str) -> Option<ResourceKind> {
        self.kinds().find(|kind| {
            let path = self.rules(*kind).map(|rules| rules.path.trim_matches('/'));
            path == Some(endpoint)
        })
    }

    fn read(text: &str) -> Result<Self, ScimError> {
        let file: ProfileFile =
            serde_json::from_str(text).map_err(|error| ScimError::invalid_value(error.to_string()))?;
        let mut user = ResourceType::user();
        for extension in file.extensions {
            extension.check()?;
            user = user.with_extension(extension, false);
        }
        Ok(Self {
            name: file.name,
            title: file.title,
            nested_groups: file.nested_groups,
            unique_group_names: file.unique_group_names,
            user: Rules::new(user, file.user)?,
            group: file.group.map(|rules| Rules::new(ResourceType::group(), rules)).transpose()?,
            custom: Vec::new(),
        })
    }
}

impl Rules {
    fn new(whole: ResourceType, file: RulesFile) -> Result<Self, ScimError> {
        let mut resource_type = match &file.attributes {
            Some(paths) => whole.restrict(paths.iter().map(String::as_str))?,
            None => whole,
        };
        for path in &file.required {
            resource_type = resource_type.require(path)?;
        }
        let indexed =
            file.indexed.iter().map(|path| IndexedPath::new(&resource_type, path)).collect::<Result<_, _>>()?;
        let forgotten =
            paths(&resource_type, |attribute| attribute.returned == Returned::Never || is_own_address(attribute));
        let only_on_request = !paths(&resource_type, |attribute| attribute.returned == Returned::Request).is_empty();
        let shows_groups = resource_type.schema.attribute("groups").is_some();
        let path = format!("/{}/", resource_type.endpoint.trim_matches('/'));
        let filterable = file.filterable;
        Ok(Self { resource_type, filterable, path, indexed, forgotten, only_on_request, shows_groups })
    }

    /// Whether a stored document can be answered as it is.
    pub(crate) const fn answers_whole(&self) -> bool {
        !self.only_on_request
    }

    /// Drops what is not kept. Nothing in here signs in with a password. Where a user's manager is found is for the server to
    /// say (RFC 7643 §4.3); a client's word for it would be answered to others, who may follow it.
    pub(crate) fn forget(&self, attributes: &mut Attributes) {
        for path in &self.forgotten {
            path.remove(attributes);
        }
    }
}

impl IndexedPath {
    fn new(resource_type: &ResourceType, path: &str) -> Result<Self, ScimError> {
        let unknown = || ScimError::invalid_path(format!("{path} names no attribute"));
        let parsed = path.parse()?;
        let resolved = resource_type.resolve(&parsed).ok_or_else(unknown)?;
        Ok(Self {
            path: resolved.to_string().into(),
            extension: resolved.extension.map(str::to_owned),
            attribute: resolved.attribute.name.clone(),
            sub_attribute: resolved.sub_attribute.map(|sub| sub.name.clone()),
            case_exact: resolved.compared().is_some_and(|attribute| attribute.case_exact),
        })
    }

    /// The key under which a text is found.
    pub(crate) fn key(&self, text: &str) -> String {
        let mut key = if self.case_exact { text.to_owned() } else { scim::fold(text) };
        if key.len() > INDEX_KEY_BYTES_MAX {
            let end = (0..=INDEX_KEY_BYTES_MAX).rev().find(|at| key.is_char_boundary(*at));
            key.truncate(end.unwrap_or(0));
        }
        key
    }

    /// Adds the keys of all texts that a resource has at this path.
    pub(crate) fn collect(&self, attributes: &Attributes, keys: &mut Vec<IndexKey>) {
        let level = match &self.extension {
            None => Some(attributes),
            Some(urn) => attributes.get(urn).and_then(Value::as_object),
        };
        let Some(value) = level.and_then(|level| level.get(&self.attribute)) else { return };
        let elements = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for element in elements {
            let part = self.sub_attribute.as_ref().map_or(Some(element), |sub| element.get(sub));
            if let Some(text) = part.and_then(Value::as_str) {
                keys.push((Arc::clone(&self.path), self.key(text)));
            }
        }
    }

    /// Removes what is at this path, and what is empty without it.
    fn remove(&self, attributes: &mut Attributes) {
        match &self.extension {
            None => self.remove_from(attributes),
            Some(urn) => {
                let Some(level) = attributes.get_mut(urn).and_then(Value::as_object_mut) else { return };
                self.remove_from(level);
                if level.is_empty() {
                    attributes.remove(urn);
                }
            }
        }
    }

    fn remove_from(&self, level: &mut Map<String, Value>) {
        let Some(sub) = &self.sub_attribute else {
            level.remove(&self.attribute);
            return;
        };
        let Some(value) = level.get_mut(&self.attribute) else { return };
        each_object(value, |object| drop(object.remove(sub)));
        if value.as_object().is_some_and(Map::is_empty) {
            level.remove(&self.attribute);
        }
    }
}

fn each_object(value: &mut Value, mut change: impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => change(object),
        Value::Array(elements) => elements.iter_mut().filter_map(Value::as_object_mut).for_each(change),
        _ => {}
    }
}

/// Whether an attribute is the address of another resource of the same endpoint.
fn is_own_address(attribute: &Attribute) -> bool {
    attribute.reference_types.iter().any(|kind| kind == "User" || kind == "Group")
}

fn paths(resource_type: &ResourceType, wanted: impl Fn(&Attribute) -> bool) -> Vec<IndexedPath> {
    let mut paths = Vec::new();
    for (number, schema) in resource_type.schemas().enumerate() {
        let extension = (number > 0).then(|| schema.id.clone());
        let mut push = |attribute: &Attribute, sub_attribute: Option<&Attribute>| {
            paths.push(IndexedPath {
                path: attribute.name.as_str().into(),
                extension: extension.clone(),
                attribute: attribute.name.clone(),
                sub_attribute: sub_attribute.map(|sub| sub.name.clone()),
                case_exact: true,
            });
        };
        for attribute in &schema.attributes {
            if wanted(attribute) {
                push(attribute, None);
            }
            for sub in attribute.sub_attributes.iter().filter(|sub| wanted(sub)) {
                push(attribute, Some(sub));
            }
        }
    }
    paths
}

#[cfg(test)]
mod tests;
