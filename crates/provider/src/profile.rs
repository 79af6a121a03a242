//! Application profiles as data: which attributes an application knows, requires and finds resources by.
//!
//! A profile is a JSON file beside this module, read once. What the rules mean for a request is decided in `document` and `query`.

use std::sync::{Arc, LazyLock};

use scim::{
    Attribute, AttributePath, Attributes, Kind, Mutability, Projection, ResourceType, Returned, Schema, ScimError,
    Uniqueness,
};
use store::resources::{CustomKind, ResourceKind};

use crate::paths::{IndexedPath, UniquePath, is_built_in, is_own_address, paths, unique_paths};

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
    /// Whether a stored document may hold what is not shown by default.
    hides: bool,
    /// What is shown on request only.
    pub(crate) on_request: Vec<AttributePath>,
    pub(crate) unique: Vec<UniquePath>,
    pub(crate) shows_groups: bool,
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
        let path = |kind: ResourceKind| self.rules(kind).map(|rules| rules.path.trim_matches('/'));
        let is_same = |kind: &ResourceKind| path(*kind).is_some_and(|path| path.eq_ignore_ascii_case(endpoint));
        self.kinds().find(|kind| path(*kind) == Some(endpoint)).or_else(|| self.kinds().find(is_same))
    }

    /// The whole definition of users or groups, to be added to.
    pub(crate) fn whole(&self, kind: ResourceKind) -> Option<ResourceType> {
        self.rules(kind).map(|rules| rules.resource_type.clone())
    }

    /// This profile with other resource types: those of users and groups with what a tenant added, and its own.
    pub(crate) fn with_types(
        &self,
        user: Option<ResourceType>,
        group: Option<ResourceType>,
        custom: Vec<(CustomKind, ResourceType)>,
    ) -> Result<Self, ScimError> {
        let user = user.unwrap_or_else(|| self.user.resource_type.clone());
        let own = |(kind, resource_type)| Ok((kind, Rules::defined(resource_type, None)?));
        Ok(Self {
            name: self.name.clone(),
            title: self.title.clone(),
            nested_groups: self.nested_groups,
            unique_group_names: self.unique_group_names,
            user: Rules::defined(user, Some(&self.user))?,
            group: group.map(|group| Rules::defined(group, self.group.as_ref())).transpose()?,
            custom: custom.into_iter().map(own).collect::<Result<_, ScimError>>()?,
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
            group: file.group.map(|rules| Rules::new(group_type(file.nested_groups), rules)).transpose()?,
            custom: Vec::new(),
        })
    }
}

/// Groups as an application knows them; their members are said to be users where nothing else can be one.
fn group_type(nested_groups: bool) -> ResourceType {
    let mut group = ResourceType::group();
    let members = group.schema.attributes.iter_mut().filter(|attribute| !nested_groups && attribute.name == "members");
    for sub in members.flat_map(|attribute| &mut attribute.sub_attributes) {
        sub.reference_types.retain(|kind| kind != "Group");
        sub.canonical_values.retain(|kind| kind != "Group");
    }
    group
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
        Ok(Self::with(resource_type, file.filterable, indexed))
    }

    /// The rules of a resource type that a tenant defined, or added to; `base` are those it had before.
    fn defined(resource_type: ResourceType, base: Option<&Self>) -> Result<Self, ScimError> {
        let mut indexed = match base {
            Some(base) => base.indexed.clone(),
            None => vec![IndexedPath::new(&resource_type, "externalId")?],
        };
        let is_new =
            |schema: &str| base.is_none_or(|base| base.resource_type.schemas().all(|known| known.id != schema));
        // Only texts have an index.
        let is_text = |attribute: &Attribute| matches!(attribute.kind, Kind::String | Kind::Reference | Kind::Binary);
        let is_found = |schema: &str, _: &Attribute, meant: &Attribute| {
            is_new(schema) && meant.uniqueness != Uniqueness::None && is_text(meant)
        };
        indexed.extend(paths(&resource_type, is_found).into_iter().map(|(place, _)| place));
        let mut filterable = base.and_then(|base| base.filterable.clone());
        if let Some(filterable) = &mut filterable {
            let added = paths(&resource_type, |schema, _, _| is_new(schema));
            filterable.extend(added.into_iter().map(|(place, _)| place.path.to_string()));
        }
        Ok(Self::with(resource_type, filterable, indexed))
    }

    fn with(resource_type: ResourceType, filterable: Option<Vec<String>>, indexed: Vec<IndexedPath>) -> Self {
        let is_forgotten = |schema: &str, attribute: &Attribute, meant: &Attribute| {
            let is_for_a_rule = is_needed(meant) || is_bound(attribute);
            meant.returned == Returned::Never && !is_for_a_rule || is_own_address(schema, meant)
        };
        let forgotten = paths(&resource_type, is_forgotten).into_iter().map(|(place, _)| place).collect();
        let is_hidden = |schema: &str, _: &Attribute, meant: &Attribute| match meant.returned {
            Returned::Request => true,
            Returned::Never => !is_built_in(schema),
            Returned::Always | Returned::Default => false,
        };
        // What the text of a document says of managers would be taken for that of the enterprise extension.
        let is_other_manager = |schema: &str, attribute: &Attribute, meant: &Attribute| {
            schema != scim::ENTERPRISE_USER_URN && attribute.name == "manager" && meant.name == "$ref"
        };
        let hides = [paths(&resource_type, is_hidden), paths(&resource_type, is_other_manager)]
            .iter()
            .any(|found| !found.is_empty());
        let requested = paths(&resource_type, |_, _, meant| meant.returned == Returned::Request);
        let on_request = requested.into_iter().filter_map(|(place, _)| place.path.parse().ok()).collect();
        let is_user = resource_type.schema.id == scim::USER_URN;
        let unique = unique_paths(&resource_type, is_user.then_some("userName"));
        let shows_groups = resource_type.schema.attribute("groups").is_some();
        let path = format!("/{}/", resource_type.endpoint.trim_matches('/'));
        Self { resource_type, filterable, path, indexed, forgotten, hides, on_request, unique, shows_groups }
    }

    /// Whether a stored document can be answered as it is.
    pub(crate) const fn answers_whole(&self) -> bool {
        !self.hides
    }

    /// Drops what is not kept: what is answered to nobody, and needed for no rule. Nothing in here signs in with a password. Where a user's manager is found is for the server to
    /// say (RFC 7643 §4.3); a client's word for it would be answered to others, who may follow it.
    pub(crate) fn forget(&self, attributes: &mut Attributes) {
        for path in &self.forgotten {
            path.remove(attributes);
        }
    }
}

/// Whether a value must be kept though nobody is answered it: a rule compares it, or asks whether it is there.
fn is_needed(attribute: &Attribute) -> bool {
    is_bound(attribute) || attribute.sub_attributes.iter().any(is_bound)
}

/// Whether a rule is about the whole of a value, with every part of it.
fn is_bound(attribute: &Attribute) -> bool {
    attribute.required || attribute.mutability == Mutability::Immutable || attribute.uniqueness != Uniqueness::None
}

#[cfg(test)]
mod tests;
