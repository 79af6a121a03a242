//! One object mapping of a document, with the definitions that belong to it.

use std::collections::BTreeSet;

use super::super::definition::{AttributeDefinition, ReferencedObject};
use super::super::definitions;
use super::super::document::{Member, ObjectDefinition, ObjectMappingEntry, Rule, Schema};
use super::super::finding::Finding;
use super::super::standard::{self, TARGET_ANCHOR};
use super::attributes::{Attributes, FLOW_NULL_VALUES};
use super::{Refusal, filters, notes, select};
use crate::attribute_mapping::AttributeMapping;
use crate::object_mapping::{CLAUSES_MAX, FilterKind, FlowTypes, ObjectMapping, ObjectType, Problem};
use crate::scoping::ScopingFilters;
use crate::validation::Unread;

/// What one object mapping means.
pub(super) struct Read {
    pub(super) mapping: ObjectMapping,
    /// For each attribute mapping, in order, which entry it was read from.
    pub(super) positions: Vec<usize>,
    /// Nothing is left out that decides who is provisioned.
    pub(super) is_whole: bool,
    /// What is left out.
    pub(super) unread: Unread,
    /// The attribute mappings that are left out, without their sources.
    pub(super) left_out: Vec<AttributeMapping>,
}

/// The reading of one object mapping.
pub(super) struct Reading<'a> {
    pub(super) schema: &'a Schema,
    pub(super) rule: &'a Rule,
    pub(super) entry: &'a ObjectMappingEntry,
    pub(super) object: ObjectType,
    pub(super) place: String,
    pub(super) refusal: Refusal<'a>,
    pub(super) findings: &'a mut Vec<Finding>,
    /// What is left out so far.
    pub(super) unread: Unread,
}

impl Reading<'_> {
    /// What the object mapping means. It is not whole where its filters or target object actions cannot be read, without which others would be
    /// provisioned, or in another way, or where it has too many mappings.
    pub(super) fn mapping(&mut self) -> Read {
        self.rule_filters();
        self.metadata();
        let filters = self.filters();
        let are_whole = self.unread.is_nothing();
        let flow_types = flow_types(&self.entry.flow_types).map_err(|reason| {
            self.findings.push(Finding::not_supported(self.place.clone(), reason).blocking());
        });
        let Attributes { mut mappings, positions, mut left_out, is_too_much } = self.attributes();
        self.unread.settings |= flow_types.is_err();
        self.unread.more_mappings |= is_too_much;
        let (rule, entry) = (self.rule, self.entry);
        let definition = |directory: &Member<String>, object: &Member<String>| {
            definitions::object(self.schema, directory.text(), object.text())
        };
        let target = definition(&rule.target_directory_name, &entry.target_object_name);
        let source = definition(&rule.source_directory_name, &entry.source_object_name);
        self.directories();
        if let Some(target) = target {
            self.apply(target, &mut mappings);
            self.apply(target, &mut left_out);
        }
        let target_attributes = target.map_or_else(Vec::new, |target| self.attribute_list(target, &mappings));
        let is_whole = are_whole && flow_types.is_ok() && !is_too_much;
        let [scoping, input_filters, category_filters] = filters;
        let mapping = ObjectMapping {
            source_object: self.object,
            target_object: self.object,
            enabled: select::is_enabled(self.entry),
            flow_types: flow_types.unwrap_or_default(),
            scoping,
            input_filters,
            category_filters,
            target_attributes,
            flow_null_values: source.map(flowing_null).unwrap_or_default(),
            extensions: mappings.iter().any(|mapping| mapping.source.extension().is_some()),
            attributes: mappings,
        };
        let unread = std::mem::take(&mut self.unread);
        // That a mapping is left out which matches objects is told where that is so.
        let is_told = |problem: &Problem| {
            *problem == Problem::NoMatchingAttribute && left_out.iter().any(AttributeMapping::is_matching)
        };
        let problems = mapping.check().into_iter().filter(|problem| !unread.explains(problem) && !is_told(problem));
        self.findings
            .extend(problems.map(|problem| Finding::not_supported(self.place.clone(), problem.to_string()).blocking()));
        notes::tell(&mapping, &self.place, self.findings);
        Read { mapping, positions, is_whole, unread, left_out }
    }

    fn rule_filters(&mut self) {
        for (name, filter) in
            [("groupFilter", &self.rule.group_filter), ("containerFilter", &self.rule.container_filter)]
        {
            if !select::is_blank(filter) {
                let reason = format!(
                    "the rule's `{name}` lets only some objects through, and is not supported; assign the groups to the application instead, and set it to null"
                );
                self.findings.push(Finding::not_supported(self.place.clone(), reason).blocking());
            }
        }
    }

    fn metadata(&mut self) {
        if self.entry.metadata.items().iter().any(select::is_unsynchronized) {
            let reason =
                "Entra passes it over (`Unsynchronized` is true in its metadata), so it is read as switched off";
            self.findings.push(Finding::note(self.place.clone(), reason));
        }
    }

    /// Scoping, input and category filters.
    fn filters(&mut self) -> [ScopingFilters; 3] {
        let Some(scope) = self.entry.scope.given() else { return Default::default() };
        let kinds = [
            (FilterKind::Scoping, scope.groups.items()),
            (FilterKind::Input, scope.input_filter_groups.items()),
            (FilterKind::Category, scope.category_filter_groups.items()),
        ];
        let clauses: usize =
            kinds.iter().flat_map(|(_, groups)| *groups).map(|group| group.clauses.items().len()).sum();
        if clauses > CLAUSES_MAX {
            let reason = format!("the filters have {clauses} clauses, at most {CLAUSES_MAX} are allowed");
            self.findings.push(Finding::not_supported(self.place.clone(), reason).blocking());
            self.unread.more_filters.extend(kinds.map(|(kind, _)| kind));
            return Default::default();
        }
        kinds.map(|(kind, groups)| filters::read(groups, &self.place, kind, self.findings, &mut self.unread))
    }

    /// What the target's definition says about each mapping.
    fn apply(&mut self, target: &ObjectDefinition, attributes: &mut [AttributeMapping]) {
        let entries = target.attributes.items();
        let is = |flag: &Member<bool>| flag.given().copied().unwrap_or_default();
        for mapping in attributes {
            let Some(index) = definitions::attribute_index(entries, &mapping.target) else { continue };
            mapping.required = is(&entries[index].required);
            if self.has_own_flag(&mapping.target) {
                continue;
            }
            let flows = is(&entries[index].flow_null_values);
            mapping.flow_null_values = flows && !mapping.is_matching() && !mapping.required;
            if flows && !mapping.flow_null_values {
                let place = format!("{}, target attribute {}", self.place, mapping.target);
                let reason = "`flowNullValues` of its definition is passed over: what is required, or matched by, is never cleared";
                self.findings.push(Finding::note(place, reason));
            }
        }
    }

    fn has_own_flag(&self, target: &str) -> bool {
        let mut entries = self.entry.attribute_mappings.items().iter();
        entries.any(|entry| {
            entry.target_attribute_name.text().trim() == target && entry.other.contains_key(FLOW_NULL_VALUES)
        })
    }

    /// The entries of the attribute list that say more or other than the RFC. `required` of what is mapped stands in the mapping.
    fn attribute_list(
        &mut self,
        target: &ObjectDefinition,
        attributes: &[AttributeMapping],
    ) -> Vec<AttributeDefinition> {
        let mut seen = BTreeSet::new();
        let mut list = Vec::new();
        let mapped: BTreeSet<String> = attributes.iter().map(|mapping| mapping.target.to_ascii_lowercase()).collect();
        for entry in target.attributes.items() {
            let (definition, odd) = definitions::read(entry);
            let place = format!("{}, attribute list, {}", self.place, definition.name);
            self.findings.extend(odd.into_iter().map(|odd| Finding::different(place.clone(), odd)));
            let key = definition.name.to_ascii_lowercase();
            if key.is_empty() || key == TARGET_ANCHOR {
                continue;
            }
            let is_mapped = mapped.contains(&key);
            if !seen.insert(key) {
                self.findings.push(Finding::note(place, "it is there twice; the first entry counts"));
            } else if !says_nothing(self.object, &definition, is_mapped) {
                list.push(definition);
            }
        }
        list
    }
}

/// Whether an entry repeats what counts without it. References name the objects of the document, whose names end in ours.
fn says_nothing(object: ObjectType, definition: &AttributeDefinition, is_mapped: bool) -> bool {
    standard::of_target(object, &definition.name).is_some_and(|standard| {
        let required = if is_mapped { definition.required } else { standard.required };
        let (name, referenced_objects) = (definition.name.clone(), definition.referenced_objects.clone());
        referenced(definition) == referenced(&standard)
            && *definition == AttributeDefinition { name, required, referenced_objects, ..standard }
    })
}

/// The objects that an attribute points at by their primary key, without what stands before their names; none where it points elsewhere.
fn referenced(definition: &AttributeDefinition) -> Option<BTreeSet<&str>> {
    let is_whole = |object: &ReferencedObject| object.referenced_property.is_none();
    definition.referenced_objects.iter().all(is_whole).then(|| {
        let names = definition.referenced_objects.iter().map(|object| object.referenced_object_name.as_str());
        names.map(|name| name.rsplit(':').next().unwrap_or(name)).collect()
    })
}

fn flowing_null(source: &ObjectDefinition) -> BTreeSet<String> {
    let flows = source.attributes.items().iter().filter(|entry| entry.flow_null_values == Member::Given(true));
    flows.map(|entry| entry.name.text().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// `Add, Update, Delete` in any order; all of them where nothing is said, as Microsoft's clients lose the member.
fn flow_types(member: &Member<String>) -> Result<FlowTypes, String> {
    let words: Vec<&str> = member.text().split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Ok(FlowTypes::default());
    }
    let mut types = FlowTypes { create: false, update: false, delete: false };
    for word in words {
        match word.to_ascii_lowercase().as_str() {
            "add" | "create" => types.create = true,
            "update" => types.update = true,
            "delete" => types.delete = true,
            "none" => {}
            _ => return Err(format!("its `flowTypes` has `{word}`, which is none of Add, Update, Delete and None")),
        }
    }
    Ok(types)
}
