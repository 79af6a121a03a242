//! Object mappings as a document that Entra takes. On top of the document that they once came from, only what has changed is written
//! anew; all else stays as it is.

mod attributes;
mod filters;
mod lists;
mod new;
mod notes;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::document::{Document, Member, ObjectMappingEntry, Schema};
use super::finding::Finding;
use super::read::{self, Located, Refusal};
use crate::object_mapping::{FlowTypes, ObjectMapping, ObjectType};

pub use new::{Names, SOURCE_DIRECTORY, TARGET_DIRECTORY};

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The document.
    pub document: Document,
    /// What Entra will not take, or not do the same way.
    pub findings: Vec<Finding>,
}

/// Writes object mappings: at most one of users and one of groups, of which the first counts.
///
/// With a `base`, everything in it that means what `objects` say stays equal JSON, and so does what cannot be read here. Without, the document is
/// whole: `names` are its ids and the names of its directories, which are also given to what a base lacks.
///
/// Reading the document gives the same object mappings, but for what a document has no place for: a full match of a regular expression becomes
/// `^(?:…)$`, targets that RFC 7643 does not define get an entry in the attribute list, and `required` is the same for a mapping and its entry.
pub fn write(base: Option<&Document>, objects: &[ObjectMapping], names: &Names) -> Exported {
    write_for(base, objects, names, &|_, _| None)
}

/// The same, where the attribute mappings of the base that are refused were left out of what [`read_for`](super::read_for()) gave.
pub fn write_for(base: Option<&Document>, objects: &[ObjectMapping], names: &Names, refusal: Refusal<'_>) -> Exported {
    let mut document = base.cloned().unwrap_or_else(|| Document::new(new::schema(names)));
    let mut findings = Vec::new();
    let located = read::located(&document.schema, refusal, &mut Vec::new());
    for object in [ObjectType::User, ObjectType::Group] {
        let old = located.iter().find(|one| one.mapping.source_object == object);
        let new = objects.iter().find(|mapping| mapping.source_object == object);
        match (old, new) {
            (Some(old), Some(new)) => edit(&mut document.schema, old, new, names, &mut findings),
            (None, Some(new)) => add(&mut document.schema, new, names),
            (_, None) => {}
        }
    }
    for object in [ObjectType::User, ObjectType::Group] {
        match objects.iter().find(|mapping| mapping.source_object == object) {
            None => remove(&mut document.schema, &located, object, &mut findings),
            Some(mapping) => {
                let base = located.iter().find(|one| one.mapping.source_object == object).map(|one| &one.mapping);
                notes::tell(mapping, base, &mut findings);
            }
        }
    }
    Exported { document, findings }
}

fn entry_mut(schema: &mut Schema, rule: usize, index: usize) -> &mut ObjectMappingEntry {
    &mut schema.synchronization_rules.or_default()[rule].object_mappings.or_default()[index]
}

/// Changes what differs.
fn edit(schema: &mut Schema, old: &Located, new: &ObjectMapping, names: &Names, findings: &mut Vec<Finding>) {
    let place = (old.rule, old.index);
    let entry = entry_mut(schema, old.rule, old.index);
    if old.mapping.enabled != new.enabled {
        switch(entry, new.enabled);
    }
    if !old.is_whole || old.mapping.flow_types != new.flow_types {
        entry.flow_types = flow_types(new.flow_types).into();
    }
    filters::edit(entry, old, new);
    attributes::edit(entry, old, new, findings);
    lists::edit(schema, place, Some(&old.mapping), new, names);
    give_way(schema, place, new.source_object);
}

/// Switches an object mapping on or off. What is on must not be passed over by its metadata.
fn switch(entry: &mut ObjectMappingEntry, enabled: bool) {
    if entry.enabled != Member::Given(enabled) {
        entry.enabled = enabled.into();
    }
    if enabled {
        let settings = entry.metadata.given_mut().into_iter().flatten();
        for setting in settings.filter(|setting| read::is_unsynchronized(setting)) {
            setting.value = Value::from("false").into();
        }
    }
}

/// Appends an object mapping to the first rule that starts at Entra's directory.
fn add(schema: &mut Schema, mapping: &ObjectMapping, names: &Names) {
    let rules = schema.synchronization_rules.or_default();
    let rule = rules.iter().position(read::is_outbound).unwrap_or_else(|| {
        rules.push(new::rule(names));
        rules.len() - 1
    });
    let entries = rules[rule].object_mappings.or_default();
    entries.push(new::object_mapping(mapping));
    let place = (rule, entries.len() - 1);
    lists::edit(schema, place, None, mapping, names);
}

/// Another object mapping of the type that is switched on would be read in the place of one that is off.
fn give_way(schema: &mut Schema, place: (usize, usize), object: ObjectType) {
    if read::is_enabled(entry_mut(schema, place.0, place.1)) {
        return;
    }
    for (rule, index) in read::candidates(schema, object) {
        let entry = entry_mut(schema, rule, index);
        if read::is_enabled(entry) {
            entry.enabled = false.into();
        }
    }
}

/// Takes all object mappings of a type away: the next one would be read in the place of the first. Where the first could not be read, it
/// is not gone, and all stay.
fn remove(schema: &mut Schema, located: &[Located], object: ObjectType, findings: &mut Vec<Finding>) {
    let Some(first) = located.iter().find(|one| one.mapping.source_object == object) else { return };
    if !first.is_whole {
        let place = format!("object mapping {}", entry_mut(schema, first.rule, first.index).name.text());
        findings.push(Finding::note(place, "it could not be read here, and stays as it is"));
        return;
    }
    for (rule, index) in read::candidates(schema, object).into_iter().rev() {
        schema.synchronization_rules.or_default()[rule].object_mappings.or_default().remove(index);
    }
}

/// `Add, Update, Delete`, or those of them that are on.
fn flow_types(types: FlowTypes) -> String {
    let words = [(types.create, "Add"), (types.update, "Update"), (types.delete, "Delete")];
    let on: Vec<&str> = words.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| *word).collect();
    if on.is_empty() { "None".to_owned() } else { on.join(", ") }
}
