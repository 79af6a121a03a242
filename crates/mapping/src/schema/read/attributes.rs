//! Attribute mappings of a document, one by one: what cannot be read is left out and told, and the others are read.

use super::super::document::{AttributeMappingEntry, Member};
use super::super::finding::Finding;
use super::super::source;
use super::object::Reading;
use super::select;
use crate::attribute_mapping::{AttributeMapping, FlowBehavior, FlowType, MappingSource};
use crate::nearest::nearest;
use crate::net_regex::WEIGHT_MAX;
use crate::object_mapping::{ATTRIBUTE_MAPPINGS_MAX, ObjectType, Problem};

/// What the regular expressions of all attribute mappings of an object mapping weigh together: three times what one expression may hold.
pub(in crate::schema) const PATTERNS_WEIGHT_MAX: usize = 3 * WEIGHT_MAX;

/// The target attribute by which accounts are switched off.
const ACTIVE: [&str; 2] = ["active", "urn:ietf:params:scim:schemas:core:2.0:User:active"];

/// The words of Graph's `flowType`.
pub(in crate::schema) const FLOW_TYPES: [(&str, FlowType); 5] = [
    ("Always", FlowType::Always),
    ("ObjectAddOnly", FlowType::ObjectAddOnly),
    ("MultiValueAddOnly", FlowType::MultiValueAddOnly),
    ("ValueAddOnly", FlowType::ValueAddOnly),
    ("AttributeAddOnly", FlowType::AttributeAddOnly),
];

/// The words of Graph's `flowBehavior`.
pub(in crate::schema) const FLOW_BEHAVIORS: [(&str, FlowBehavior); 2] =
    [("FlowWhenChanged", FlowBehavior::FlowWhenChanged), ("FlowAlways", FlowBehavior::FlowAlways)];

/// The mapping's own flag for "flow null values". Graph's documentation has none, so the flag of the target's attribute definition stands
/// for it; where a mapping has this member it counts.
pub(in crate::schema) const FLOW_NULL_VALUES: &str = "flowNullValues";

/// The attribute mappings of an object mapping.
#[derive(Default)]
pub(super) struct Attributes {
    /// Those that can be read.
    pub(super) mappings: Vec<AttributeMapping>,
    /// The entries that they were read from.
    pub(super) positions: Vec<usize>,
    /// Those that cannot, without their sources.
    pub(super) left_out: Vec<AttributeMapping>,
    /// There is too much of them, so that the rest is not there; told, and blocks.
    pub(super) is_too_much: bool,
}

impl Reading<'_> {
    pub(super) fn attributes(&mut self) -> Attributes {
        let entries = self.entry.attribute_mappings.items();
        if entries.len() > ATTRIBUTE_MAPPINGS_MAX {
            let problem = Problem::TooManyMappings(entries.len());
            self.findings.push(Finding::not_supported(self.place.clone(), problem.to_string()).blocking());
            return Attributes { is_too_much: true, ..Attributes::default() };
        }
        let (mut read, mut weight, mut matching) = (Attributes::default(), 0, Vec::new());
        for (position, entry) in entries.iter().enumerate() {
            let place = match entry.target_attribute_name.text().trim() {
                "" => format!("{}, attribute mapping {}", self.place, position + 1),
                target => format!("{}, target attribute {target}", self.place),
            };
            match attribute(entry)
                .and_then(|(mapping, notes)| self.not_refused(mapping).map(|mapping| (mapping, notes)))
            {
                Ok((mapping, notes)) => {
                    if let MappingSource::Expression(expression) = &mapping.source {
                        weight += expression.pattern_weight();
                    }
                    if weight > PATTERNS_WEIGHT_MAX {
                        let reason = "the regular expressions of the attribute mappings are too large together: shorten this one";
                        self.findings.push(Finding::not_supported(place, reason).blocking());
                        return Attributes { is_too_much: true, ..read };
                    }
                    self.findings.extend(notes.into_iter().map(|note| Finding::note(place.clone(), note)));
                    read.mappings.push(mapping);
                    read.positions.push(position);
                }
                Err(reason) => {
                    let left_out = self.left_out(entry);
                    let is_matching = left_out.as_ref().is_some_and(AttributeMapping::is_matching);
                    if is_matching {
                        matching.push((self.findings.len(), reason.clone()));
                    }
                    read.left_out.extend(left_out);
                    self.findings.push(if self.switches_off(entry) {
                        let why = "nobody who leaves the scope is switched off";
                        Finding::not_supported(place, needed(&reason, why)).blocking()
                    } else {
                        let so = if is_matching { ", and no account is found by it" } else { "" };
                        Finding::not_supported(place, format!("{reason}; the mapping is left out{so}"))
                    });
                }
            }
        }
        if !read.mappings.iter().any(AttributeMapping::is_matching) {
            for (finding, reason) in matching {
                let place = self.findings[finding].place.clone();
                let why = "no account is found that is there already";
                self.findings[finding] = Finding::not_supported(place, needed(&reason, why)).blocking();
            }
        }
        read
    }

    /// What is known of a mapping that cannot be read.
    fn left_out(&mut self, entry: &AttributeMappingEntry) -> Option<AttributeMapping> {
        let target = entry.target_attribute_name.text().trim();
        let alone = AttributeMapping::new(target, MappingSource::None);
        if target.is_empty() || (self.refusal)(self.object, &alone).is_some() {
            self.unread.more_mappings = true;
            return None;
        }
        let priority = entry.matching_priority.given().copied().unwrap_or_default();
        let matching_priority = u32::try_from(priority);
        if matching_priority.is_err() || word(&FLOW_TYPES, &entry.flow_type, "flowType").is_err() {
            self.unread.add_mapping(target);
        }
        self.unread.add_source(target);
        let matching_priority = matching_priority.unwrap_or_default();
        Some(AttributeMapping { matching_priority, ..alone })
    }

    fn not_refused(&self, mapping: AttributeMapping) -> Result<AttributeMapping, String> {
        (self.refusal)(self.object, &mapping).map_or(Ok(mapping), Err)
    }

    /// Whether it is the mapping by which accounts are switched off.
    fn switches_off(&self, entry: &AttributeMappingEntry) -> bool {
        let target = entry.target_attribute_name.text().trim();
        let is_active = ACTIVE.iter().any(|active| active.eq_ignore_ascii_case(target));
        self.object == ObjectType::User && select::is_enabled(self.entry) && is_active
    }
}

/// Why a mapping is not left out.
fn needed(reason: &str, why: &str) -> String {
    format!("{reason}; without this mapping {why}, so the import stops here: write it in another way")
}

/// Says that a function is this project's own. Of these, Microsoft's other product, cloud sync, documents `Trim`.
pub(in crate::schema) fn lacking(function: &str) -> String {
    let elsewhere = if function == "Trim" { " (that of cloud sync has it)" } else { "" };
    format!("`{function}` is not in Entra's list of functions for applications{elsewhere}")
}

fn attribute(entry: &AttributeMappingEntry) -> Result<(AttributeMapping, Vec<String>), String> {
    let given = entry.target_attribute_name.text();
    let target = given.trim();
    if target.is_empty() {
        return Err("it has no `targetAttributeName`".to_owned());
    }
    let priority = entry.matching_priority.given().copied().unwrap_or_default();
    let matching_priority = u32::try_from(priority)
        .map_err(|_| format!("its `matchingPriority` is {priority}; 0 or a small number above is expected"))?;
    let (source, mut notes) = match &entry.source {
        Member::Absent | Member::Null => (MappingSource::None, Vec::new()),
        Member::Given(given) => source::read(given)?,
    };
    if target.len() < given.len() {
        notes.push(format!("the blanks around `{target}` in its `targetAttributeName` are passed over"));
    }
    if let Some(function) = source.extension() {
        let lacking = lacking(function);
        notes.push(format!(
            "{lacking}; here it is an extension, and the import switches `extensions` on for the object mapping"
        ));
    }
    let mapping = AttributeMapping {
        target: target.to_owned(),
        source,
        default_value: entry.default_value.given().cloned(),
        matching_priority,
        flow_type: word(&FLOW_TYPES, &entry.flow_type, "flowType")?,
        flow_behavior: word(&FLOW_BEHAVIORS, &entry.flow_behavior, "flowBehavior")?,
        required: false,
        flow_null_values: entry.other.get(FLOW_NULL_VALUES).and_then(serde_json::Value::as_bool).unwrap_or_default(),
    };
    Ok((mapping, notes))
}

fn word<T: Copy + Default>(known: &[(&'static str, T)], member: &Member<String>, name: &str) -> Result<T, String> {
    let text = member.text();
    if text.is_empty() {
        return Ok(T::default());
    }
    if let Some((_, value)) = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return Ok(*value);
    }
    let words = known.iter().map(|(word, _)| *word);
    let meant = nearest(text, words.clone()).map(|word| format!("; did you mean `{word}`?")).unwrap_or_default();
    Err(format!("its `{name}` `{text}` is none of {}{meant}", words.collect::<Vec<_>>().join(", ")))
}
