//! Which target attributes are mapped: unknown ones, one attribute twice, those that nobody may write, and required ones that are not.

use std::collections::BTreeMap;

use super::known::{Mapped, Subject};
use super::path::TargetName;
use super::{Findings, Place, Rule};
use crate::attribute_mapping::FlowType;
use crate::nearest::nearest;
use crate::schema::{AttributeDefinition, Mutability};

/// The primary key is told of by the object mapping itself.
const PRIMARY_KEY: &str = "id";

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for mapped in &subject.mapped {
        unknown(subject, mapped, findings);
        mutability(subject, mapped, findings);
    }
    same(subject, findings);
    wholes_and_parts(subject, findings);
    required(subject, findings);
}

/// Only an attribute of a schema of which others are known is missed: applications have schemas of their own.
fn unknown(subject: &Subject<'_>, mapped: &Mapped<'_>, findings: &mut Findings) {
    let name = &mapped.name;
    if subject.targets.is_empty() || mapped.target.is_some() || !subject.schemas().contains(name.schema.as_str()) {
        return;
    }
    // Of an attribute that is known without parts, the parts are not known.
    if subject.knows_attribute(name) && (name.part.is_none() || subject.part_of(name).is_none()) {
        return;
    }
    let cure = match suggestion(subject, &mapped.mapping.target, name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "where the application has it, add it to the attribute list".to_owned(),
    };
    findings.warning(Rule::UnknownAttribute, subject.at(mapped), format!("no such target attribute is known; {cure}"));
}

/// The name that was meant, with the brackets that were written.
fn suggestion(subject: &Subject<'_>, written: &str, name: &TargetName) -> Option<String> {
    let near = |written: &str, others: &[&str]| nearest(written, others.iter().copied()).map(str::to_owned);
    let same_schema = || subject.targets.iter().filter(|(other, _)| other.schema == name.schema);
    let whole: Vec<&str> = same_schema().map(|(_, definition)| definition.name.as_str()).collect();
    let Some((open, close)) = written.find('[').zip(written.rfind(']')).filter(|(open, close)| open < close) else {
        return near(written, &whole);
    };
    let (head, brackets, part) = (&written[..open], &written[open..=close], &written[close + 1..]);
    let meant = near(&format!("{head}{part}"), &whole)?;
    let (head, part) = meant.rsplit_once('.').filter(|_| !part.is_empty()).unwrap_or((&meant, ""));
    let dot = if part.is_empty() { "" } else { "." };
    Some(format!("{head}{brackets}{dot}{part}"))
}

fn mutability(subject: &Subject<'_>, mapped: &Mapped<'_>, findings: &mut Findings) {
    let Some(target) = mapped.target.as_ref().filter(|_| mapped.flows()) else { return };
    let is_key = target.definition.anchor && mapped.name.attribute != PRIMARY_KEY;
    if is_key {
        let what = "it is the primary key of the target and cannot be mapped; remove the mapping";
        findings.tell(target.severity, Rule::Mutability, subject.at(mapped), what);
    } else if target.definition.mutability == Mutability::ReadOnly && mapped.name.attribute != PRIMARY_KEY {
        let what = "only the target itself writes it (`ReadOnly`); remove the mapping, or say in the attribute list that it is `ReadWrite`";
        findings.tell(target.severity, Rule::Mutability, subject.at(mapped), what);
    }
    let writes_later = !matches!(mapped.mapping.flow_type, FlowType::ObjectAddOnly | FlowType::AttributeAddOnly);
    let is_reference = !target.definition.referenced_objects.is_empty();
    let is_fixed = target.definition.mutability == Mutability::Immutable && !is_reference;
    if is_fixed && writes_later && subject.mapping.flow_types.update {
        let what = "it never changes once the object is there (`Immutable`), so updates of it fail; set `flowType` to `ObjectAddOnly`";
        findings.warning(Rule::Mutability, subject.at(mapped), what);
    }
}

/// One attribute in two spellings. The same spelling twice is told of by the object mapping itself.
fn same(subject: &Subject<'_>, findings: &mut Findings) {
    let mut seen: BTreeMap<&TargetName, &Mapped<'_>> = BTreeMap::new();
    for mapped in &subject.mapped {
        let Some(first) = seen.get(&mapped.name) else {
            seen.insert(&mapped.name, mapped);
            continue;
        };
        let (one, other) = (first.mapping.target.trim(), mapped.mapping.target.trim());
        if !one.eq_ignore_ascii_case(other) {
            let what = format!("it is the same attribute as `{one}`, which is mapped too; remove one of the mappings");
            findings.problem(Rule::SameTarget, subject.at(mapped), what);
        }
    }
}

fn wholes_and_parts(subject: &Subject<'_>, findings: &mut Findings) {
    let mut parts: BTreeMap<(&str, &str), &Mapped<'_>> = BTreeMap::new();
    for mapped in subject.mapped.iter().filter(|mapped| mapped.flows() && !mapped.name.is_whole()) {
        parts.entry((&mapped.name.schema, &mapped.name.attribute)).or_insert(mapped);
    }
    for whole in subject.mapped.iter().filter(|mapped| mapped.flows() && mapped.name.is_whole()) {
        let only_adds =
            whole.lacks_more || matches!(whole.mapping.flow_type, FlowType::MultiValueAddOnly | FlowType::ValueAddOnly);
        if let Some(part) = parts.get(&(whole.name.schema.as_str(), whole.name.attribute.as_str()))
            && !only_adds
        {
            let part = part.mapping.target.trim();
            let what = format!(
                "it is written whole, and so is `{part}`, a part of it: each write undoes the other; map the whole or its parts"
            );
            findings.problem(Rule::SameTarget, subject.at(whole), what);
        }
    }
}

/// A part is required only where its attribute is there.
fn required(subject: &Subject<'_>, findings: &mut Findings) {
    if !subject.mapping.enabled || !subject.mapping.flow_types.create {
        return;
    }
    let all = subject.targets.iter().enumerate();
    for (index, (name, definition)) in all.filter(|(_, (name, definition))| is_required(name, definition)) {
        let covers = |mapped: &&Mapped<'_>| {
            mapped.name == *name || mapped.name.is_of(name) && (name.is_whole() || mapped.name.is_whole())
        };
        // What is mapped without a source is told of where mappings are made ready.
        let mut covering = subject.mapped.iter().filter(covers).peekable();
        let place = Place { object: Some(subject.object()), target: Some(definition.name.clone()), ..Place::default() };
        if covering.peek().is_none() && subject.known.unread.more_mappings {
            continue;
        }
        if covering.peek().is_none() && definition.default_value.as_ref().is_some_and(|text| !text.is_empty()) {
            let what = "the target requires it, and its default value is written only where a mapping writes the attribute; map it, if objects cannot be created without it";
            findings.warning(Rule::RequiredAttribute, place, what);
        } else if covering.peek().is_none() {
            let what = "the target requires it and no mapping writes it; map a source attribute to it, or a constant";
            findings.tell(subject.severity(index), Rule::RequiredAttribute, place, what);
        } else if definition.default_value.is_none()
            && !covering.any(|mapped| mapped.flows() || mapped.mapping.required)
        {
            let what =
                "the target requires it and its mapping has no source; map a source attribute to it or set a default";
            findings.tell(subject.severity(index), Rule::RequiredAttribute, place, what);
        }
    }
}

fn is_required(name: &TargetName, definition: &AttributeDefinition) -> bool {
    definition.required
        && !definition.anchor
        && name.attribute != PRIMARY_KEY
        && (name.is_whole() || !name.terms.is_empty())
}
