//! What of an object mapping could not be read. The rest is validated as well, and nothing is told that only seems so because of what is
//! not there: the value of a mapping that cannot be read may be any, and a filter without one of its clauses is not empty.

use std::collections::{BTreeMap, BTreeSet};

use super::known::Subject;
use super::path::TargetName;
use super::{Finding, Rule, Severity};
use crate::object_mapping::{FilterKind, ObjectType, Problem};

/// What of an object mapping could not be read, and so is not in it. Target attributes are named without blanks and in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    sources: BTreeSet<String>,
    mappings: BTreeSet<String>,
    filters: BTreeSet<(FilterKind, String)>,
    definitions: BTreeSet<String>,
    /// There are more attribute mappings, and nobody knows of what.
    pub more_mappings: bool,
    /// There are more filters of these kinds.
    pub more_filters: BTreeSet<FilterKind>,
    /// There are more entries of the attribute list, and nobody knows of what.
    pub more_definitions: bool,
    /// Its own settings, such as `flowTypes`, are not all there.
    pub settings: bool,
}

/// What could not be read of the object mappings of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnreadMappings {
    /// Of those that are there.
    pub objects: BTreeMap<ObjectType, Unread>,
    /// There are more, and nobody knows of what.
    pub more: bool,
}

impl UnreadMappings {
    /// Adds what could not be read of the mapping of an object type.
    pub fn add(&mut self, object: ObjectType, unread: Unread) {
        let of_object = self.objects.entry(object).or_default();
        of_object.sources.extend(unread.sources);
        of_object.mappings.extend(unread.mappings);
        of_object.filters.extend(unread.filters);
        of_object.definitions.extend(unread.definitions);
        of_object.more_filters.extend(unread.more_filters);
        of_object.more_mappings |= unread.more_mappings;
        of_object.more_definitions |= unread.more_definitions;
        of_object.settings |= unread.settings;
    }
}

fn key(target: &str) -> String {
    target.trim().to_ascii_lowercase()
}

impl Unread {
    /// The source of this attribute's mapping could not be read; the mapping is there without one.
    pub fn add_source(&mut self, target: &str) {
        self.sources.insert(key(target));
    }

    /// Something else of this attribute's mapping could not be read; the mapping is there without it.
    pub fn add_mapping(&mut self, target: &str) {
        self.mappings.insert(key(target));
    }

    /// A clause of this filter could not be read; the filter is there without it.
    pub fn add_filter(&mut self, kind: FilterKind, title: &str) {
        self.filters.insert((kind, title.to_owned()));
    }

    /// The attribute list's entry of this attribute could not be read, and is not there.
    pub fn add_definition(&mut self, target: &str) {
        self.definitions.insert(key(target));
    }

    /// Whether everything could be read.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn lacks_source(&self, target: &str) -> bool {
        self.sources.contains(&key(target))
    }

    pub(super) fn lacks_more(&self, target: &str) -> bool {
        self.mappings.contains(&key(target))
    }

    /// Whether the mapping of a target attribute is not all there.
    pub fn lacks_of(&self, target: &str) -> bool {
        self.lacks_source(target) || self.lacks_more(target)
    }

    pub(super) fn lacks_filter(&self, kind: FilterKind) -> bool {
        self.more_filters.contains(&kind)
    }

    /// Whether a problem may come of what could not be read alone.
    pub(crate) fn explains(&self, problem: &Problem) -> bool {
        match problem {
            Problem::NoMatchingAttribute => self.more_mappings || !self.mappings.is_empty(),
            Problem::MatchingWithoutSource(target) => self.lacks_of(target),
            Problem::UniqueAfterCreation(target) => self.lacks_more(target),
            Problem::EmptyFilter { kind, filter } => self.filters.contains(&(*kind, filter.clone())),
            _ => false,
        }
    }

    /// The same of a finding: what is said by an attribute list that is not all there. Of what need not be mended at once there is time to
    /// tell when everything can be read.
    pub(super) fn explains_finding(&self, finding: &Finding, subject: &Subject<'_>) -> bool {
        if self.is_nothing() {
            return false;
        }
        let by_list = match finding.rule {
            Rule::RequiredAttribute if self.settings => return true,
            Rule::RequiredAttribute
            | Rule::UnknownAttribute
            | Rule::Mutability
            | Rule::Type
            | Rule::Matching
            | Rule::References => true,
            Rule::Mapping | Rule::ObjectMappings | Rule::SameTarget | Rule::Expression | Rule::Filter => false,
        };
        let name =
            |text: &str| TargetName::read(text, subject.known.core_schema).in_extension(text, subject.known.extension);
        let is_of_unread = |target: &String| self.definitions.iter().any(|one| name(one).is_of(&name(target)));
        finding.severity == Severity::Warning
            || by_list && (self.more_definitions || finding.place.target.as_ref().is_some_and(is_of_unread))
    }
}
