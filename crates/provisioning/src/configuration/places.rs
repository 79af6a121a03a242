//! Where things stand in a file that can only be checked against a job, and what of it could not be read.

use std::collections::{BTreeMap, BTreeSet};

use mapping::validation::{self, UnreadMappings};
use mapping::{FilterGroup, FilterKind, ObjectMapping, ObjectType};

use super::Place;

/// Where things stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Places {
    pub(super) name: Place,
    pub(super) template: Place,
    /// By their names in files; also that of the Tenant URL.
    pub(super) settings: BTreeMap<&'static str, Place>,
    pub(super) roles: Option<Place>,
    pub(super) objects: Vec<ObjectPlaces>,
    pub(super) users: Vec<Place>,
    pub(super) groups: Vec<Place>,
}

/// Parts that are not whole, because something in them could not be read: what they lack may be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps {
    pub(super) roles: bool,
    pub(super) mappings: UnreadMappings,
    /// By their names in files.
    pub(super) settings: BTreeSet<&'static str>,
}

/// Where the parts of an object mapping stand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectPlaces {
    pub(super) place: Place,
    object: ObjectType,
    /// By target attribute.
    attributes: Vec<(String, Place)>,
    /// By target attribute: the entries of the attribute list.
    definitions: Vec<(String, Place)>,
    /// Of all three kinds.
    filters: Vec<FilterPlaces>,
}

#[derive(Clone, Debug, PartialEq)]
struct FilterPlaces {
    kind: FilterKind,
    name: String,
    place: Place,
    /// By the clause as it is printed.
    clauses: Vec<(String, Place)>,
}

impl ObjectPlaces {
    pub(super) fn new(
        object: &ObjectMapping,
        place: Place,
        (attributes, definitions): (&[Place], &[Place]),
        filters: Vec<(FilterKind, &FilterGroup, Place, Vec<Place>)>,
    ) -> Self {
        let targets = object.attributes.iter().map(|mapping| mapping.target.clone());
        let defined = object.target_attributes.iter().map(|entry| entry.name.clone());
        let filter = |(kind, group, place, clauses): (_, &FilterGroup, Place, Vec<Place>)| FilterPlaces {
            kind,
            name: group.name.clone(),
            place,
            clauses: group.clauses.iter().map(ToString::to_string).zip(clauses).collect(),
        };
        Self {
            place,
            object: object.target_object,
            attributes: targets.zip(attributes.iter().copied()).collect(),
            definitions: defined.zip(definitions.iter().copied()).collect(),
            filters: filters.into_iter().map(filter).collect(),
        }
    }
}

impl Places {
    /// Where that stands which a problem of mappings is about.
    pub(super) fn of(&self, wanted: &validation::Place) -> Option<Place> {
        let object = self.objects.iter().find(|object| wanted.object == Some(object.object))?;
        if let Some(target) = &wanted.target {
            // The last one is what makes two of it.
            let mapped = object.attributes.iter().rev();
            let mut same =
                mapped.chain(&object.definitions).filter(|(name, _)| name.trim().eq_ignore_ascii_case(target.trim()));
            return Some(same.next().map_or(object.place, |(_, place)| *place));
        }
        let Some((kind, name)) = &wanted.filter else { return Some(object.place) };
        // Several may have one name.
        let same = || object.filters.iter().filter(|filter| filter.kind == *kind && filter.name == *name);
        let mut clauses = same().flat_map(|filter| &filter.clauses);
        let clause = wanted.clause.as_ref().and_then(|wanted| clauses.find(|(clause, _)| clause == wanted));
        clause.map(|(_, place)| *place).or_else(|| same().next().map(|filter| filter.place))
    }
}
