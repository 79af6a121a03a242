//! Where things stand in a file that can only be checked against a job, and what of it could not be read.

use mapping::validation;
use mapping::{FilterGroup, ObjectMapping, ObjectType};

use super::Place;

/// Where things stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Places {
    pub(super) name: Place,
    pub(super) template: Place,
    pub(super) tenant_url: Option<Place>,
    pub(super) roles: Option<Place>,
    pub(super) objects: Vec<ObjectPlaces>,
    pub(super) users: Vec<Place>,
    pub(super) groups: Vec<Place>,
}

/// Parts that are not whole, because something in them could not be read: what they lack may be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps {
    pub(super) roles: bool,
    pub(super) mappings: bool,
}

/// Where the parts of an object mapping stand.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectPlaces {
    pub(super) place: Place,
    object: ObjectType,
    /// By target attribute.
    attributes: Vec<(String, Place)>,
    /// Of all three kinds.
    filters: Vec<FilterPlaces>,
}

#[derive(Clone, Debug, PartialEq)]
struct FilterPlaces {
    name: String,
    place: Place,
    /// By the clause as it is printed.
    clauses: Vec<(String, Place)>,
}

impl ObjectPlaces {
    pub(super) fn new(
        object: &ObjectMapping,
        place: Place,
        attributes: &[Place],
        filters: Vec<(&FilterGroup, Place, Vec<Place>)>,
    ) -> Self {
        let targets = object.attributes.iter().map(|mapping| mapping.target.clone());
        let filter = |(group, place, clauses): (&FilterGroup, Place, Vec<Place>)| FilterPlaces {
            name: group.name.clone(),
            place,
            clauses: group.clauses.iter().map(ToString::to_string).zip(clauses).collect(),
        };
        Self {
            place,
            object: object.target_object,
            attributes: targets.zip(attributes.iter().copied()).collect(),
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
            let mut same =
                object.attributes.iter().rev().filter(|(name, _)| name.trim().eq_ignore_ascii_case(target.trim()));
            return Some(same.next().map_or(object.place, |(_, place)| *place));
        }
        let Some((_, name)) = &wanted.filter else { return Some(object.place) };
        let filter = object.filters.iter().find(|filter| filter.name == *name)?;
        let clause =
            wanted.clause.as_ref().and_then(|wanted| filter.clauses.iter().find(|(clause, _)| clause == wanted));
        Some(clause.map_or(filter.place, |(_, place)| *place))
    }

    /// Where the filter stands that a sentence begins with.
    pub(super) fn of_filter_in(&self, sentence: &str) -> Option<Place> {
        let mut filters = self.objects.iter().flat_map(|object| &object.filters);
        filters
            .find(|filter| sentence.starts_with(&format!("the scoping filter `{}` ", filter.name)))
            .map(|filter| filter.place)
    }
}
