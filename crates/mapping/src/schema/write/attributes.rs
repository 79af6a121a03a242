//! The attribute mappings of an object mapping, on top of those that a document has.

use std::collections::BTreeMap;

use super::super::document::{AttributeMappingEntry, Member, ObjectMappingEntry};
use super::super::finding::Finding;
use super::super::read::{FLOW_NULL_VALUES, Located};
use super::super::source;
use super::new;
use crate::attribute_mapping::AttributeMapping;
use crate::object_mapping::ObjectMapping;

/// The mappings in their order, each on top of the entry for the same target. An entry that could not be read stays behind the one it stood
/// behind, unless its target has got a mapping.
pub(super) fn edit(entry: &mut ObjectMappingEntry, old: &Located, new: &ObjectMapping, findings: &mut Vec<Finding>) {
    let entries = entry.attribute_mappings.items();
    let paired = pairs(&old.mapping.attributes, &new.attributes);
    let is_added = |target: &str| {
        let mut added = new.attributes.iter().zip(&paired).filter(|(_, old)| old.is_none());
        added.any(|(mapping, _)| mapping.target.eq_ignore_ascii_case(target))
    };
    let mut kept = kept(entries, old, &paired);
    for list in kept.values_mut() {
        list.retain(|entry| !is_added(entry.target_attribute_name.text()));
        findings.extend(list.iter().map(|kept| {
            let place = match kept.target_attribute_name.text() {
                "" => format!("object mapping {}, an attribute mapping without target", entry.name.text()),
                target => format!("object mapping {}, target attribute {target}", entry.name.text()),
            };
            Finding::note(place, "it was left out when the document was read, and stays as it is")
        }));
    }
    let mut written = kept.remove(&None).unwrap_or_default();
    for (mapping, before) in new.attributes.iter().zip(&paired) {
        written.push(match before {
            Some(index) => changed(&entries[old.positions[*index]], &old.mapping.attributes[*index], mapping),
            None => new::attribute(mapping),
        });
        written.extend(before.and_then(|index| kept.remove(&Some(index))).unwrap_or_default());
    }
    if entries != written {
        entry.attribute_mappings = written.into();
    }
}

/// For each new mapping, which old one has the same target: the second of a target with the second.
pub(super) fn pairs(old: &[AttributeMapping], new: &[AttributeMapping]) -> Vec<Option<usize>> {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, mapping) in old.iter().enumerate().rev() {
        places.entry(mapping.target.to_ascii_lowercase()).or_default().push(index);
    }
    new.iter().map(|mapping| places.get_mut(&mapping.target.to_ascii_lowercase())?.pop()).collect()
}

/// The entries that could not be read, by the mapping that they stand behind and that stays.
fn kept(
    entries: &[AttributeMappingEntry],
    old: &Located,
    paired: &[Option<usize>],
) -> BTreeMap<Option<usize>, Vec<AttributeMappingEntry>> {
    let mut kept: BTreeMap<Option<usize>, Vec<AttributeMappingEntry>> = BTreeMap::new();
    let mut behind = None;
    let mut readable = old.positions.iter().enumerate().peekable();
    for (position, entry) in entries.iter().enumerate() {
        match readable.next_if(|(_, read)| **read == position) {
            Some((index, _)) if paired.contains(&Some(index)) => behind = Some(index),
            Some(_) => {}
            None => kept.entry(behind).or_default().push(entry.clone()),
        }
    }
    kept
}

fn changed(entry: &AttributeMappingEntry, old: &AttributeMapping, new: &AttributeMapping) -> AttributeMappingEntry {
    let mut entry = entry.clone();
    if old.target != new.target {
        entry.target_attribute_name = new.target.as_str().into();
    }
    if old.source != new.source {
        let other = entry.source.given().map(|source| source.other.clone());
        entry.source = source::write(&new.source);
        if let (Some(source), Some(other)) = (entry.source.given_mut(), other) {
            source.other = other;
        }
    }
    if old.default_value != new.default_value {
        entry.default_value = new.default_value.clone().into();
    }
    if old.matching_priority != new.matching_priority {
        entry.matching_priority = Member::Given(new.matching_priority.into());
    }
    if old.flow_type != new.flow_type {
        entry.flow_type = new::flow_type(new.flow_type).into();
    }
    if old.flow_behavior != new.flow_behavior {
        entry.flow_behavior = new::flow_behavior(new.flow_behavior).into();
    }
    if old.flow_null_values != new.flow_null_values
        && let Some(flag) = entry.other.get_mut(FLOW_NULL_VALUES)
    {
        *flag = new.flow_null_values.into();
    }
    entry
}
