//! The attribute definitions of both directories, on top of those that a document has.

use std::collections::BTreeSet;

use super::super::definition::AttributeDefinition;
use super::super::definitions::{self, attribute_index};
use super::super::document::{AttributeEntry, ObjectMappingEntry, Rule, Schema};
use super::super::read::FLOW_NULL_VALUES;
use super::super::standard;
use super::attributes::pairs;
use super::new::{self, Names};
use crate::attribute_mapping::AttributeMapping;
use crate::object_mapping::{ObjectMapping, ObjectType};

/// Which object mapping of which rule.
type Place = (usize, usize);

/// Makes the definitions say what the mapping says: its attribute list, which attributes are required, which may flow null, and that
/// everything that it reads and writes is there.
pub(super) fn edit(schema: &mut Schema, place: Place, old: Option<&ObjectMapping>, new: &ObjectMapping, names: &Names) {
    target(schema, place, old, new, names);
    source(schema, place, old, new, names);
}

/// One new attribute mapping with the old one for the same target.
type Pair<'a> = (&'a AttributeMapping, Option<&'a AttributeMapping>);

fn paired<'a>(old: Option<&'a ObjectMapping>, new: &'a ObjectMapping) -> impl Iterator<Item = Pair<'a>> {
    let old = old.map_or(&[][..], |mapping| &mapping.attributes);
    let before = pairs(old, &new.attributes);
    new.attributes.iter().zip(before).map(|(mapping, index)| (mapping, index.map(|index| &old[index])))
}

fn target(schema: &mut Schema, place: Place, old: Option<&ObjectMapping>, new: &ObjectMapping, names: &Names) {
    let list = old.map_or(&[][..], |mapping| &mapping.target_attributes);
    let is_flag_new = |(mapping, before): &Pair<'_>| {
        before.is_none_or(|before| {
            (before.required, before.flow_null_values) != (mapping.required, mapping.flow_null_values)
                // What the definition says of null was passed over while it was matched by.
                || (before.is_matching() && !mapping.is_matching())
        })
    };
    let changed: Vec<&AttributeMapping> = paired(old, new).filter(is_flag_new).map(|(mapping, _)| mapping).collect();
    let unmapped = unmapped(old, new);
    if list == new.target_attributes && changed.is_empty() && unmapped.is_empty() {
        return;
    }
    let (rule, entry) = rule_and_entry(schema, place);
    let own_flags: BTreeSet<String> = entry
        .attribute_mappings
        .items()
        .iter()
        .filter(|entry| entry.other.contains_key(FLOW_NULL_VALUES))
        .map(|entry| entry.target_attribute_name.text().to_owned())
        .collect();
    let (directory, object) =
        (rule.target_directory_name.text().to_owned(), entry.target_object_name.text().to_owned());
    let entries = attributes_of(schema, &directory, &object, new.source_object, false, names);
    let gone = list.iter().filter(|old| !new.target_attributes.iter().any(|one| is_named(one, &old.name)));
    gone.for_each(|definition| take_out(entries, &definition.name, new));
    for name in unmapped {
        if let Some(index) = attribute_index(entries, name) {
            let is_required = standard::or_text(new.source_object, name).required;
            definitions::set(&mut entries[index].required, is_required);
            definitions::set(&mut entries[index].flow_null_values, false);
        }
    }
    for definition in &new.target_attributes {
        if !list.contains(definition) {
            put(entries, definition);
        }
    }
    for mapping in changed {
        let index = attribute_index(entries, &mapping.target).unwrap_or_else(|| {
            entries.push(definitions::entry_of(&standard::or_text(new.source_object, &mapping.target)));
            entries.len() - 1
        });
        definitions::set(&mut entries[index].required, mapping.required);
        if !own_flags.contains(&mapping.target) {
            definitions::set(&mut entries[index].flow_null_values, mapping.flow_null_values);
        }
    }
}

/// Targets whose mapping is gone, and with it what only mappings say. What the attribute list says stays.
fn unmapped<'a>(old: Option<&'a ObjectMapping>, new: &ObjectMapping) -> Vec<&'a str> {
    let said = old.into_iter().flat_map(|old| &old.attributes).filter(|one| one.required || one.flow_null_values);
    let is_mapped = |name: &str| new.attributes.iter().any(|mapping| mapping.target.eq_ignore_ascii_case(name));
    let is_listed = |name: &str| new.target_attributes.iter().any(|one| is_named(one, name));
    said.map(|one| one.target.as_str()).filter(|name| !is_mapped(name) && !is_listed(name)).collect()
}

fn is_named(definition: &AttributeDefinition, name: &str) -> bool {
    definition.name.eq_ignore_ascii_case(name)
}

fn put(entries: &mut Vec<AttributeEntry>, definition: &AttributeDefinition) {
    match attribute_index(entries, &definition.name) {
        Some(index) => definitions::edit(&mut entries[index], definition),
        None => entries.push(definitions::entry_of(definition)),
    }
}

/// An entry that the list has no more: what is mapped keeps the one that says nothing.
fn take_out(entries: &mut Vec<AttributeEntry>, name: &str, new: &ObjectMapping) {
    match new.attributes.iter().find(|mapping| mapping.target.eq_ignore_ascii_case(name)) {
        Some(mapping) => {
            let standard = standard::or_text(new.source_object, name);
            put(entries, &AttributeDefinition { required: mapping.required, ..standard });
        }
        None => entries.retain(|entry| !entry.name.text().eq_ignore_ascii_case(name)),
    }
}

/// What the source attributes are has no effect here but for what may flow null; Entra wants them all defined.
fn source(schema: &mut Schema, place: Place, old: Option<&ObjectMapping>, new: &ObjectMapping, names: &Names) {
    let empty = BTreeSet::new();
    let nulls = old.map_or(&empty, |mapping| &mapping.flow_null_values);
    let before: BTreeSet<&str> = old.map(reads).unwrap_or_default();
    let added: BTreeSet<&str> = reads(new).difference(&before).copied().collect();
    if added.is_empty() && *nulls == new.flow_null_values {
        return;
    }
    let (rule, entry) = rule_and_entry(schema, place);
    let (directory, object) =
        (rule.source_directory_name.text().to_owned(), entry.source_object_name.text().to_owned());
    let entries = attributes_of(schema, &directory, &object, new.source_object, true, names);
    let flowing = new.flow_null_values.iter().map(String::as_str);
    for name in added.into_iter().chain(flowing) {
        if !entries.iter().any(|entry| entry.name.text() == name) {
            entries.push(definitions::entry_of(&standard::of_source(name)));
        }
    }
    for entry in entries {
        let name = entry.name.text().to_owned();
        if nulls.contains(&name) != new.flow_null_values.contains(&name) {
            definitions::set(&mut entry.flow_null_values, new.flow_null_values.contains(&name));
        }
    }
}

/// The source attributes that an object mapping reads.
fn reads(mapping: &ObjectMapping) -> BTreeSet<&str> {
    let filters = [&mapping.scoping, &mapping.input_filters, &mapping.category_filters];
    let clauses = filters.into_iter().flat_map(|filters| &filters.0).flat_map(|group| &group.clauses);
    let mapped = mapping.attributes.iter().flat_map(|mapping| mapping.source.attributes());
    clauses.map(crate::scoping::Clause::attribute).chain(mapped).filter(|name| !name.is_empty()).collect()
}

fn rule_and_entry(schema: &Schema, (rule, index): Place) -> (&Rule, &ObjectMappingEntry) {
    let rule = &schema.synchronization_rules.items()[rule];
    (rule, &rule.object_mappings.items()[index])
}

/// The attributes of an object definition, which is made where the document has none.
fn attributes_of<'a>(
    schema: &'a mut Schema,
    directory: &str,
    object_name: &str,
    object: ObjectType,
    is_source: bool,
    names: &Names,
) -> &'a mut Vec<AttributeEntry> {
    let (directory, object) = definitions::place_of(schema, directory, object_name).unwrap_or_else(|| {
        let index = definitions::directory_index(schema, directory).unwrap_or_else(|| {
            let id = if is_source { &names.source_directory_id } else { &names.target_directory_id };
            let directories = schema.directories.or_default();
            directories.push(new::directory(id, directory));
            directories.len() - 1
        });
        let objects = schema.directories.or_default()[index].objects.or_default();
        objects.push(new::object_definition(object_name, object, is_source));
        (index, objects.len() - 1)
    });
    schema.directories.or_default()[directory].objects.or_default()[object].attributes.or_default()
}
