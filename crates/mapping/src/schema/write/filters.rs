//! The filters of an object mapping, on top of those that a document has.

use super::super::document::{ClauseEntry, GroupEntry, Member, ObjectMappingEntry};
use super::super::read::{self, Located};
use super::new;
use crate::net_regex::WEIGHT_MAX;
use crate::object_mapping::ObjectMapping;
use crate::scoping::{Clause, FilterGroup, ScopingFilters};

pub(super) fn edit(entry: &mut ObjectMappingEntry, old: &Located, new: &ObjectMapping) {
    let differs = |old_filters: &ScopingFilters, filters: &ScopingFilters| !old.is_whole || old_filters != filters;
    let mut scope = entry.scope.given().cloned().unwrap_or_else(new::no_scope);
    if differs(&old.mapping.scoping, &new.scoping) {
        groups(&mut scope.groups, &new.scoping, &mut reading);
    }
    if differs(&old.mapping.input_filters, &new.input_filters) {
        groups(&mut scope.input_filter_groups, &new.input_filters, &mut reading);
    }
    if differs(&old.mapping.category_filters, &new.category_filters) {
        groups(&mut scope.category_filter_groups, &new.category_filters, &mut reading);
    }
    if entry.scope.given().unwrap_or(&new::no_scope()) != &scope {
        entry.scope = scope.into();
    }
}

/// An entry, and the clauses that it means where they can be read.
type Known = (GroupEntry, Vec<Option<Clause>>);

/// Groups that are the same stay, those of the same title are changed, and all others are new. Reading a clause compiles its regular
/// expression, so each is read once, and none any more where they are too large together.
fn groups(
    entries: &mut Member<Vec<GroupEntry>>,
    filters: &ScopingFilters,
    read: &mut impl FnMut(&ClauseEntry) -> Option<Clause>,
) {
    let mut weight = 0;
    let mut read = |entry: &ClauseEntry| {
        let clause = if weight > WEIGHT_MAX { None } else { read(entry) };
        weight += clause.as_ref().map_or(0, Clause::weight);
        clause
    };
    let known = |entry: &GroupEntry| (entry.clone(), entry.clauses.items().iter().map(&mut read).collect());
    let mut left: Vec<Known> = entries.items().iter().map(known).collect();
    let mut written = Vec::with_capacity(filters.0.len());
    for group in &filters.0 {
        let same = left.iter().position(|known| is_same(known, group));
        let found = same.or_else(|| left.iter().position(|(entry, _)| entry.name.text() == group.name));
        written.push(match found.map(|index| left.remove(index)) {
            Some((entry, _)) if same.is_some() => entry,
            Some(known) => changed(known, group),
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

fn is_same((entry, clauses): &Known, group: &FilterGroup) -> bool {
    entry.name.text() == group.name
        && clauses.len() == group.clauses.len()
        && clauses.iter().zip(&group.clauses).all(|(read, clause)| read.as_ref() == Some(clause))
}

fn changed((mut entry, clauses): Known, group: &FilterGroup) -> GroupEntry {
    let mut left: Vec<(ClauseEntry, Option<Clause>)> = entry.clauses.items().iter().cloned().zip(clauses).collect();
    let mut clause = |clause: &Clause| {
        let found = left.iter().position(|(_, read)| read.as_ref() == Some(clause));
        found.map_or_else(|| new::clause(clause), |index| left.remove(index).0)
    };
    entry.clauses = group.clauses.iter().map(&mut clause).collect::<Vec<_>>().into();
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoping::{FilterOperator, RegexMode};

    #[test]
    fn each_clause_of_the_document_is_read_once() {
        let group = |name: &str, value: String| {
            let clause = Clause::new("mail", FilterOperator::RegexMatch, Some(value), RegexMode::Search).unwrap();
            FilterGroup { name: name.to_owned(), clauses: vec![clause.clone(), clause] }
        };
        let groups_of = |suffix: &str| -> Vec<FilterGroup> {
            (0..20).map(|index| group("same title", format!("{index}{suffix}"))).collect()
        };
        let mut entries = Member::Given(groups_of("").iter().map(new::group).collect());
        let mut count = 0;
        let mut read = |entry: &ClauseEntry| {
            count += 1;
            reading(entry)
        };
        groups(&mut entries, &ScopingFilters(groups_of("$")), &mut read);
        assert_eq!(count, 40);
        assert_eq!(entries.items().to_vec(), groups_of("$").iter().map(new::group).collect::<Vec<_>>());
    }

    #[test]
    fn clauses_that_are_too_large_together_are_not_all_read() {
        let value = |index: usize| format!("{index}{}", "x".repeat(9_000));
        let clause = |index| {
            new::clause(
                &Clause::new("mail", FilterOperator::RegexMatch, Some(value(index)), RegexMode::Search).unwrap(),
            )
        };
        let clauses: Vec<ClauseEntry> = (0..9).map(clause).collect();
        let mut entries = Member::Given(vec![GroupEntry { clauses: clauses.into(), ..GroupEntry::default() }]);
        let mut count = 0;
        groups(&mut entries, &ScopingFilters::default(), &mut |entry| {
            count += 1;
            reading(entry)
        });
        assert!(count < 9 && entries.items().is_empty(), "{count} were read");
    }
}
