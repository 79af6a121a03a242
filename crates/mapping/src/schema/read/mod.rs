//! What a document means here: its object mappings, and all that an administrator should know before they are used.

mod attributes;
mod directories;
mod filters;
mod notes;
mod object;
mod protocol;
mod select;
#[cfg(test)]
mod tests;

use super::document::{Document, ObjectMappingEntry, Schema};
use super::finding::{Finding, Severity};
use crate::attribute_mapping::AttributeMapping;
use crate::object_mapping::{ObjectMapping, ObjectType};
use crate::validation::Unread;

pub(super) use attributes::{FLOW_BEHAVIORS, FLOW_NULL_VALUES, FLOW_TYPES, lacking};
pub(super) use filters::clause;
pub(super) use select::{candidates, is_enabled, is_outbound, is_unsynchronized};

/// What was read from a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The mapping of users and that of groups, those of them that can be read.
    pub objects: Vec<ObjectMapping>,
    /// All that is to be told, at once.
    pub findings: Vec<Finding>,
    /// Everything that can be read, with what could not be: also what is left out of `objects`, and mappings without their sources. It is to
    /// be validated while something is left out, and not to be used.
    pub parts: Vec<(ObjectMapping, Unread)>,
}

impl Imported {
    /// Whether the mappings may take the place of a job's: nothing blocks, and nothing is left out that the administrator has not agreed to
    /// leave out.
    pub fn may_be_carried_out(&self, leave_out: bool) -> bool {
        let allows = |finding: &Finding| !finding.blocks && (leave_out || finding.severity != Severity::NotSupported);
        !self.objects.is_empty() && self.findings.iter().all(allows)
    }
}

/// Why those who carry mappings out cannot use one of them, as a sentence: it reads what their directory does not have, or writes where
/// nothing can be written.
pub type Refusal<'r> = &'r dyn Fn(ObjectType, &AttributeMapping) -> Option<String>;

/// Reads the object mappings of users and groups. What cannot be read is left out and told; it stays in the document, and
/// [`write`](super::write()) keeps it.
pub fn read(document: &Document) -> Imported {
    read_for(document, &|_, _| None)
}

/// The same, where attribute mappings that are refused are left out as those are that cannot be read.
/// [`write_for`](super::write_for()) keeps them.
pub fn read_for(document: &Document, refusal: Refusal<'_>) -> Imported {
    let mut findings = misspellings(document);
    let located = located(&document.schema, refusal, &mut findings);
    if let Some(finding) = protocol::tell(&document.schema, &located) {
        findings.insert(0, finding);
    }
    if !located.iter().any(|one| one.is_whole) {
        let reason = "there is no object mapping of users or groups that can be read";
        findings.push(Finding::not_supported("the document", reason).blocking());
    }
    let (mut objects, mut parts) = (Vec::new(), Vec::new());
    for one in located {
        parts.push((one.with_left_out(), one.unread));
        objects.extend(one.is_whole.then_some(one.mapping));
    }
    Imported { objects, findings, parts }
}

/// An object mapping with its place in the document.
pub(super) struct Located {
    /// Which rule.
    pub(super) rule: usize,
    /// Which of its object mappings.
    pub(super) index: usize,
    /// What it means.
    pub(super) mapping: ObjectMapping,
    /// For each attribute mapping, in order, which entry it was read from.
    pub(super) positions: Vec<usize>,
    /// It can be used: nothing is left out that decides who is provisioned.
    pub(super) is_whole: bool,
    /// What is left out of it.
    pub(super) unread: Unread,
    /// The attribute mappings that are left out, without their sources.
    pub(super) left_out: Vec<AttributeMapping>,
}

impl Located {
    fn with_left_out(&self) -> ObjectMapping {
        let attributes = self.mapping.attributes.iter().chain(&self.left_out).cloned().collect();
        ObjectMapping { attributes, ..self.mapping.clone() }
    }
}

/// The object mappings that count, in the order of the document.
pub(super) fn located(schema: &Schema, refusal: Refusal<'_>, findings: &mut Vec<Finding>) -> Vec<Located> {
    let mut located = Vec::new();
    for chosen in select::chosen(schema, findings) {
        let rule = &schema.synchronization_rules.items()[chosen.rule];
        let entry = &rule.object_mappings.items()[chosen.index];
        let (place, before) = (place(rule.name.text(), entry), findings.len());
        let mut reading = object::Reading {
            schema,
            rule,
            entry,
            object: chosen.object,
            place: place.clone(),
            refusal,
            findings,
            unread: Unread::default(),
        };
        let object::Read { mapping, positions, is_whole, unread, left_out } = reading.mapping();
        // One mapping of an object type counts, so that its type is enough to know it by.
        for finding in &mut findings[before..] {
            finding.shorten(&place, chosen.object.plural());
        }
        let (rule, index) = (chosen.rule, chosen.index);
        located.push(Located { rule, index, mapping, positions, is_whole, unread, left_out });
    }
    located
}

/// Where an object mapping stands, for people.
fn place(rule: &str, entry: &ObjectMappingEntry) -> String {
    let name = match entry.name.text() {
        "" => format!("{} to {}", entry.source_object_name.text(), entry.target_object_name.text()),
        name => name.to_owned(),
    };
    format!("rule {rule}, object mapping {name}")
}

/// A name in another case would silently have no effect: a filter that is not read lets everyone in.
fn misspellings(document: &Document) -> Vec<Finding> {
    let told = document.misspellings().iter().map(|one| {
        let (written, meant) = (&one.written, one.meant);
        let reason = format!("nothing reads `{written}`; it is probably meant to be `{meant}`: correct the name");
        let finding = Finding::not_supported(one.place.clone(), reason);
        if one.place.starts_with("directories") { finding } else { finding.blocking() }
    });
    told.collect()
}
