//! The mapping of one object type: what may happen to target objects, who is in scope, and how each attribute is made.
//! Carrying it out is the provisioning engine's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::attribute_mapping::{self, AttributeMapping, FlowType, MappingSource};
use crate::expression::extension_is_off;
use crate::schema::AttributeDefinition;
use crate::scoping::{Clause, FilterGroup, MANAGER_PREFIX, ScopingFilters};
use crate::validation::Place;
use crate::value::Source;

/// Attribute mappings of one object mapping.
pub const ATTRIBUTE_MAPPINGS_MAX: usize = 500;

/// Clauses of all scoping filters of one object mapping together.
pub const CLAUSES_MAX: usize = 500;

/// Functions whose result is another each time: nothing can be found by it.
const RANDOM_FUNCTIONS: [&str; 3] = ["Guid", "RandomString", "Now"];

/// The function whose value is looked up at the target.
const SELECT_UNIQUE_VALUE: &str = "SelectUniqueValue";

/// The attribute that flows only through the functions made for it.
const APP_ROLE_ASSIGNMENTS: &str = "appRoleAssignments";

/// Source attributes that Entra's operators cannot use: multi-valued ones, references, and dates.
const NOT_FILTERABLE: [&[&str]; 3] = [
    &["members", "manager"],
    &[APP_ROLE_ASSIGNMENTS, "userType", "otherMails", "proxyAddresses", "groupTypes"],
    &[
        "StatusHireDate",
        "startDate",
        "endDate",
        "StatusTerminationDate",
        "accountExpires",
        "employeeHireDate",
        "employeeLeaveDateTime",
        "createdDateTime",
    ],
];

/// The attribute that tells the groups of an object, and is asked by operators of its own.
const MEMBER_OF: &str = "memberOf";

/// The kinds of object that are provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ObjectType {
    /// A person's account.
    User,
    /// A group.
    Group,
}

impl ObjectType {
    /// The word for several of them, as messages and keys have it.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Group => "groups",
        }
    }
}

/// The kinds of filters of an object mapping. `Display` is what they are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FilterKind {
    /// Who is in scope.
    Scoping,
    /// What is looked at, before it is asked who is in scope.
    Input,
    /// Which of them this object mapping is for.
    Category,
}

impl fmt::Display for FilterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scoping => "scoping filter",
            Self::Input => "input filter",
            Self::Category => "category filter",
        })
    }
}

/// "Target object actions": which writes the engine may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<FlowAction>", into = "Vec<FlowAction>")]
pub struct FlowTypes {
    /// New objects are created.
    pub create: bool,
    /// Linked objects are updated, and disabled: that is an update too.
    pub update: bool,
    /// Linked objects are deleted.
    pub delete: bool,
}

impl Default for FlowTypes {
    fn default() -> Self {
        Self { create: true, update: true, delete: true }
    }
}

/// Graph's words for [`FlowTypes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum FlowAction {
    #[serde(alias = "Create")]
    Add,
    Update,
    Delete,
}

impl From<Vec<FlowAction>> for FlowTypes {
    fn from(actions: Vec<FlowAction>) -> Self {
        let has = |action| actions.contains(&action);
        Self { create: has(FlowAction::Add), update: has(FlowAction::Update), delete: has(FlowAction::Delete) }
    }
}

impl From<FlowTypes> for Vec<FlowAction> {
    fn from(types: FlowTypes) -> Self {
        let flags =
            [(types.create, FlowAction::Add), (types.update, FlowAction::Update), (types.delete, FlowAction::Delete)];
        flags.into_iter().filter(|(set, _)| *set).map(|(_, action)| action).collect()
    }
}

/// The rule for one pair of object types.
///
/// In data files, keys in camel case; `enabled` is true, `flowTypes` is `["Add","Update","Delete"]` and `scoping` is empty
/// when left out. Unknown keys are refused, and so are functions that only this project has, unless `extensions` is true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, remote = "Self")]
pub struct ObjectMapping {
    /// What is read from the source.
    pub source_object: ObjectType,
    /// What is written to the target.
    pub target_object: ObjectType,
    /// Off: objects of this type are not provisioned. Users cannot be switched off.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// Which writes may be made.
    #[serde(default)]
    pub flow_types: FlowTypes,
    /// Who is in scope by attributes.
    #[serde(default)]
    pub scoping: ScopingFilters,
    /// Who is read at all: others are passed over and never deprovisioned (Graph `inputFilterGroups`).
    #[serde(default, skip_serializing_if = "ScopingFilters::is_empty")]
    pub input_filters: ScopingFilters,
    /// Which objects this mapping is for: others are none of its business (Graph `categoryFilterGroups`).
    #[serde(default, skip_serializing_if = "ScopingFilters::is_empty")]
    pub category_filters: ScopingFilters,
    /// The attribute list of the target, where it says more or other than RFC 7643.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_attributes: Vec<AttributeDefinition>,
    /// The source attributes whose absence may remove values at the target ("flow null values" of the attribute). Without them no mapping
    /// removes any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub flow_null_values: BTreeSet<String>,
    /// The mappings may call the functions that only this project has ([`Language::EXTENDED`](crate::Language)); Entra refuses those.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub extensions: bool,
    /// One mapping per target attribute.
    #[serde(deserialize_with = "attribute_mapping::read_extended")]
    pub attributes: Vec<AttributeMapping>,
}

fn enabled() -> bool {
    true
}

impl<'de> Deserialize<'de> for ObjectMapping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mapping = Self::deserialize(deserializer)?;
        // The switch may stand behind the mappings that need it, so it is looked at when all is read.
        let called = mapping.attributes.iter().find_map(|mapping| Some((&mapping.target, mapping.source.extension()?)));
        match called {
            Some((target, function)) if !mapping.extensions => {
                Err(D::Error::custom(format!("source of `{target}`: {}", extension_is_off(function))))
            }
            _ => Ok(mapping),
        }
    }
}

impl Serialize for ObjectMapping {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// What is wrong with an object mapping. `Display` is one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// More than [`ATTRIBUTE_MAPPINGS_MAX`] mappings.
    #[error("there are {0} attribute mappings, at most {ATTRIBUTE_MAPPINGS_MAX} are allowed")]
    TooManyMappings(usize),
    /// More than [`CLAUSES_MAX`] clauses.
    #[error("the scoping filters have {0} clauses, at most {CLAUSES_MAX} are allowed")]
    TooManyClauses(usize),
    /// The user mapping is switched off.
    #[error(
        "the mapping of users cannot be disabled; set `enabled` to true, and switch the job off where nobody is to be provisioned"
    )]
    UserMappingDisabled,
    /// A mapping has an empty target.
    #[error("an attribute mapping has no target attribute")]
    NoTarget,
    /// Two mappings write the same attribute.
    #[error("`{0}` is the target of more than one attribute mapping")]
    DuplicateTarget(String),
    /// `id` is the target's own.
    #[error("`{0}` is the primary key of the target and cannot be mapped")]
    PrimaryKeyMapped(String),
    /// Nothing to find existing objects by.
    #[error("no attribute mapping matches objects; give one a matching priority of 1")]
    NoMatchingAttribute,
    /// Two matching attributes have the same priority.
    #[error("`{first}` and `{second}` have the same matching priority {priority}; give each a number of its own")]
    DuplicatePriority {
        /// The number.
        priority: u32,
        /// The target of the earlier mapping.
        first: String,
        /// The target of the later mapping.
        second: String,
    },
    /// A matching attribute with a constant or without source would match every object with the same one.
    #[error("`{0}` matches objects, so its value must come from the source object")]
    MatchingWithoutSource(String),
    /// What accounts are found by, or cannot be without, cannot be removed.
    #[error("`{0}` is a matching or required attribute, so its value cannot be cleared when the source has none")]
    CannotBeCleared(String),
    /// What is unique when an account is made must not change with each update.
    #[error(
        "`{0}` uses SelectUniqueValue, so it applies at creation only (`flowType` `ObjectAddOnly`) and matches no objects"
    )]
    UniqueAfterCreation(String),
    /// A matching attribute with a random value matches nothing.
    #[error("`{target}` matches objects, so it cannot use `{function}`")]
    MatchingIsRandom {
        /// The target attribute.
        target: String,
        /// The function.
        function: &'static str,
    },
    /// `appRoleAssignments` without one of its functions.
    #[error(
        "`{0}`: appRoleAssignments flows only through SingleAppRoleAssignment, AppRoleAssignmentsComplex or AssertiveAppRoleAssignmentsComplex"
    )]
    RolesMappedDirectly(String),
    /// A filter without clauses would let everyone pass.
    #[error("the {kind} `{filter}` has no clause, so everyone would pass it; give it a clause, or remove it")]
    EmptyFilter {
        /// Its kind.
        kind: FilterKind,
        /// Its title.
        filter: String,
    },
    /// An attribute that Entra's operators cannot use.
    #[error("the {kind} `{filter}` uses `{attribute}`, which Entra's operators cannot use; {}", instead_of(attribute))]
    NotFilterable {
        /// The kind of the filter.
        kind: FilterKind,
        /// The title of the filter.
        filter: String,
        /// The attribute.
        attribute: String,
    },
}

impl Problem {
    /// The target attribute whose mapping it is about, if it is about one.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::TooManyMappings(_)
            | Self::TooManyClauses(_)
            | Self::UserMappingDisabled
            | Self::NoTarget
            | Self::NoMatchingAttribute
            | Self::EmptyFilter { .. }
            | Self::NotFilterable { .. } => None,
            Self::DuplicateTarget(target)
            | Self::PrimaryKeyMapped(target)
            | Self::MatchingWithoutSource(target)
            | Self::CannotBeCleared(target)
            | Self::UniqueAfterCreation(target)
            | Self::RolesMappedDirectly(target)
            | Self::DuplicatePriority { second: target, .. }
            | Self::MatchingIsRandom { target, .. } => Some(target),
        }
    }

    /// Kind and title of the filter that it is about, if it is about one.
    pub fn filter(&self) -> Option<(FilterKind, &str)> {
        match self {
            Self::EmptyFilter { kind, filter } | Self::NotFilterable { kind, filter, .. } => Some((*kind, filter)),
            _ => None,
        }
    }
}

impl ObjectMapping {
    /// All that is wrong, at once; empty when the mapping can be used.
    pub fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.attributes.len() > ATTRIBUTE_MAPPINGS_MAX {
            problems.push(Problem::TooManyMappings(self.attributes.len()));
        }
        if self.source_object == ObjectType::User && !self.enabled {
            problems.push(Problem::UserMappingDisabled);
        }
        self.check_targets(&mut problems);
        self.check_matching(&mut problems);
        self.check_filters(&mut problems);
        problems
    }

    /// The source attributes that are read, each with the place.
    pub fn reads(&self) -> impl Iterator<Item = (Place, &str)> {
        let of = Place { object: Some(self.target_object), ..Place::default() };
        let of_filters = of.clone();
        let mapped = self.attributes.iter().flat_map(move |mapping| {
            let place = Place { target: Some(mapping.target.clone()), ..of.clone() };
            mapping.source.attributes().into_iter().map(move |name| (place.clone(), name))
        });
        let filtered = self.named_filter_groups().flat_map(move |(kind, group)| {
            let place = Place { filter: Some((kind, group.name.clone())), ..of_filters.clone() };
            // That filters cannot use an attribute is told of already, and so is that there is none.
            let others = group.clauses.iter().filter(|clause| !clause.attribute().is_empty() && is_filterable(clause));
            others.map(move |clause| (Place { clause: Some(clause.to_string()), ..place.clone() }, clause.reads()))
        });
        mapped.chain(filtered)
    }

    /// The filters of all three kinds.
    pub fn filter_groups(&self) -> impl Iterator<Item = &FilterGroup> {
        self.named_filter_groups().map(|(_, group)| group)
    }

    /// The same, each with its kind.
    pub fn named_filter_groups(&self) -> impl Iterator<Item = (FilterKind, &FilterGroup)> {
        let kinds = [
            (FilterKind::Input, &self.input_filters),
            (FilterKind::Category, &self.category_filters),
            (FilterKind::Scoping, &self.scoping),
        ];
        kinds.into_iter().flat_map(|(kind, filters)| filters.0.iter().map(move |group| (kind, group)))
    }

    /// When time alone may next change what the filters of any kind make of an object; `None` where it never does.
    pub fn reconsider_at(&self, source: &dyn Source, now: Timestamp) -> Option<Timestamp> {
        let filters = [&self.input_filters, &self.category_filters, &self.scoping];
        filters.into_iter().filter_map(|filters| filters.reconsider_at(source, now)).min()
    }

    /// Whether a mapping that yields nothing removes the target's value: both it and all source attributes that it reads are to do so.
    pub fn clears(&self, mapping: &AttributeMapping) -> bool {
        let read = mapping.source.attributes();
        mapping.flow_null_values && !read.is_empty() && read.iter().all(|name| self.flow_null_values.contains(*name))
    }

    /// The matching attributes in the order in which they are tried.
    pub fn matching(&self) -> impl Iterator<Item = &AttributeMapping> {
        let mut matching: Vec<_> = self.attributes.iter().filter(|mapping| mapping.is_matching()).collect();
        matching.sort_by_key(|mapping| mapping.matching_priority);
        matching.into_iter()
    }

    /// Target names are compared without case, as SCIM's attribute names (RFC 7643 §2.1).
    fn check_targets(&self, problems: &mut Vec<Problem>) {
        let mut seen = BTreeMap::new();
        for mapping in &self.attributes {
            let target = mapping.target.trim();
            if target.is_empty() {
                problems.push(Problem::NoTarget);
                continue;
            }
            if target.eq_ignore_ascii_case("id") {
                problems.push(Problem::PrimaryKeyMapped(target.to_owned()));
            }
            let times = seen.entry(target.to_ascii_lowercase()).or_insert(0_usize);
            *times += 1;
            if *times == 2 {
                problems.push(Problem::DuplicateTarget(target.to_owned()));
            }
            if mapping.flow_null_values && (mapping.is_matching() || mapping.required) {
                problems.push(Problem::CannotBeCleared(target.to_owned()));
            }
            let is_unique = mapping.source.uses_function(SELECT_UNIQUE_VALUE);
            if is_unique && (mapping.flow_type != FlowType::ObjectAddOnly || mapping.is_matching()) {
                problems.push(Problem::UniqueAfterCreation(target.to_owned()));
            }
            if mapping.source == MappingSource::Attribute(APP_ROLE_ASSIGNMENTS.to_owned()) {
                problems.push(Problem::RolesMappedDirectly(target.to_owned()));
            }
        }
    }

    fn check_matching(&self, problems: &mut Vec<Problem>) {
        let matching: Vec<_> = self.matching().collect();
        if matching.is_empty() {
            problems.push(Problem::NoMatchingAttribute);
        }
        for pair in matching.windows(2).filter(|pair| pair[0].matching_priority == pair[1].matching_priority) {
            let (first, second) = (pair[0].target.clone(), pair[1].target.clone());
            problems.push(Problem::DuplicatePriority { priority: pair[0].matching_priority, first, second });
        }
        for mapping in matching {
            let random = RANDOM_FUNCTIONS.into_iter().find(|function| mapping.source.uses_function(function));
            if let Some(function) = random {
                problems.push(Problem::MatchingIsRandom { target: mapping.target.clone(), function });
            } else if mapping.source.attributes().is_empty() {
                problems.push(Problem::MatchingWithoutSource(mapping.target.clone()));
            }
        }
    }

    fn check_filters(&self, problems: &mut Vec<Problem>) {
        let clauses = self.filter_groups().map(|group| group.clauses.len()).sum();
        if clauses > CLAUSES_MAX {
            problems.push(Problem::TooManyClauses(clauses));
        }
        for (kind, group) in self.named_filter_groups() {
            if group.clauses.is_empty() {
                problems.push(Problem::EmptyFilter { kind, filter: group.name.clone() });
            }
            for clause in group.clauses.iter().filter(|clause| !is_filterable(clause)) {
                let (filter, attribute) = (group.name.clone(), clause.attribute().to_owned());
                problems.push(Problem::NotFilterable { kind, filter, attribute });
            }
        }
    }
}

/// Whether the operator of a clause can be used with its attribute.
fn is_filterable(clause: &Clause) -> bool {
    clause.operator().is_extension() || {
        let name = clause.attribute();
        let attribute = name.strip_prefix(MANAGER_PREFIX).unwrap_or(name);
        !NOT_FILTERABLE.iter().any(|names| names.contains(&attribute)) && name != MEMBER_OF
    }
}

/// What does what was meant, as the end of a sentence.
fn instead_of(attribute: &str) -> &'static str {
    match attribute.strip_prefix(MANAGER_PREFIX).unwrap_or(attribute) {
        "manager" => {
            "write an attribute of the manager, such as `manager.objectId EQUALS` or `manager.department EQUALS`, or `manager HAS NO VALUE`"
        }
        "members" => "ask the members in place of the group: `memberOf IS MEMBER OF` with the object id of the group",
        MEMBER_OF => "write `IS MEMBER OF` or `IS NESTED MEMBER OF` with the object id of a group",
        several if NOT_FILTERABLE[1].contains(&several) => {
            "write `ANY`, `NONE` or `ALL` before the operator, as in `ANY EQUALS`, or use `HAS VALUE` or `HAS NO VALUE`"
        }
        _ => "write `IS BEFORE`, `IS AFTER`, `IS ON OR BEFORE`, `IS ON OR AFTER`, `HAS VALUE` or `HAS NO VALUE`",
    }
}

#[cfg(test)]
mod tests;
