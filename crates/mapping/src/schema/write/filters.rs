//! The filters of an object mapping, on top of those that a document has.

use super::super::document::{ClauseEntry, GroupEntry, Member, ObjectMappingEntry};
use super::super::read::{self, Located};
use super::new;
use crate::object_mapping::ObjectMapping;
use crate::scoping::{Clause, FilterGroup, ScopingFilters};

pub(super) fn edit(entry: &mut ObjectMappingEntry, old: &Located, new: &ObjectMapping) {
    let differs = |old_filters: &ScopingFilters, filters: &ScopingFilters| !old.is_whole || old_filters != filters;
    let mut scope = entry.scope.given().cloned().unwrap_or_else(new::no_scope);
    if differs(&old.mapping.scoping, &new.scoping) {
        groups(&mut scope.groups, &new.scoping);
    }
    if differs(&old.mapping.input_filters, &new.input_filters) {
        groups(&mut scope.input_filter_groups, &new.input_filters);
    }
    if differs(&old.mapping.category_filters, &new.category_filters) {
        groups(&mut scope.category_filter_groups, &new.category_filters);
    }
    if entry.scope.given().unwrap_or(&new::no_scope()) != &scope {
        entry.scope = scope.into();
    }
}

/// Groups that are the same stay, those of the same title are changed, and all others are new.
fn groups(entries: &mut Member<Vec<GroupEntry>>, filters: &ScopingFilters) {
    let mut left: Vec<GroupEntry> = entries.items().to_vec();
    let mut written = Vec::with_capacity(filters.0.len());
    for group in &filters.0 {
        let same = left.iter().position(|entry| is_same(entry, group));
        let found = same.or_else(|| left.iter().position(|entry| entry.name.text() == group.name));
        written.push(match found.map(|index| left.remove(index)) {
            Some(entry) if same.is_some() => entry,
            Some(entry) => changed(entry, group),
            None => new::group(group),
        });
    }
    if entries.items() != written {
        *entries = written.into();
    }
}

fn reading(entry: &ClauseEntry) -> Option<Clause> {
    read::clause(entry, "", &mut Vec::new()).ok()
}

fn is_same(entry: &GroupEntry, group: &FilterGroup) -> bool {
    let clauses = entry.clauses.items();
    entry.name.text() == group.name
        && clauses.len() == group.clauses.len()
        && clauses.iter().zip(&group.clauses).all(|(entry, clause)| reading(entry).as_ref() == Some(clause))
}

fn changed(mut entry: GroupEntry, group: &FilterGroup) -> GroupEntry {
    let mut left: Vec<ClauseEntry> = entry.clauses.items().to_vec();
    let mut clause = |clause: &Clause| {
        let found = left.iter().position(|entry| reading(entry).as_ref() == Some(clause));
        found.map_or_else(|| new::clause(clause), |index| left.remove(index))
    };
    entry.clauses = group.clauses.iter().map(&mut clause).collect::<Vec<_>>().into();
    entry
}
