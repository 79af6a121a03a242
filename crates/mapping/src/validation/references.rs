//! References that are needed when an object is created: where they lead round in a circle, no object can be the first.

use std::collections::BTreeMap;

use super::known::{Mapped, Subject};
use super::{Findings, Place, Rule};
use crate::object_mapping::ObjectType;
use crate::schema::{AttributeType, Mutability};

/// A reference that an object cannot be created without.
struct Needed<'s> {
    from: ObjectType,
    attribute: &'s str,
    to: Vec<ObjectType>,
}

/// The types of objects that are created by a job are few, so that walking every path between them ends.
pub(super) fn check(subjects: &[Subject<'_>], findings: &mut Findings) {
    let mut needed = Vec::new();
    for subject in subjects.iter().filter(|subject| subject.mapping.enabled && subject.mapping.flow_types.create) {
        for mapped in &subject.mapped {
            let Some(to) = references(mapped) else { continue };
            let provisioned: Vec<ObjectType> = to.iter().filter_map(|name| of_name(name)).collect();
            let is_here = |to: &ObjectType| subjects.iter().any(|other| other.mapping.enabled && other.object() == *to);
            if !provisioned.iter().any(is_here) {
                let what = format!(
                    "it refers to {}, which this job does not provision, so nothing can be written there; remove the mapping",
                    crate::expression::analysis::one_of(to.iter().copied())
                );
                findings.warning(Rule::References, subject.at(mapped), what);
            }
            if let Some(what) = is_too_late(mapped) {
                findings.warning(Rule::References, subject.at(mapped), what);
            }
            if is_needed(mapped)
                && !mapped.has_default()
                && !mapped.is_part
                && !subject.known.unread.settings
                && !provisioned.is_empty()
            {
                needed.push(Needed {
                    from: subject.object(),
                    attribute: mapped.mapping.target.trim(),
                    to: provisioned,
                });
            }
        }
    }
    circles(&needed, findings);
}

/// The names of what a reference attribute refers to.
fn references<'m>(mapped: &'m Mapped<'_>) -> Option<Vec<&'m str>> {
    let definition = mapped.target.as_ref()?.definition;
    let is_reference = definition.kind == AttributeType::Reference && mapped.flows();
    let names: Vec<&str> =
        definition.referenced_objects.iter().map(|object| object.referenced_object_name.as_str()).collect();
    (is_reference && !names.is_empty()).then_some(names)
}

fn is_needed(mapped: &Mapped<'_>) -> bool {
    mapped.mapping.required || mapped.target.as_ref().is_some_and(|target| target.definition.required)
}

/// References are written in a later pass than objects.
fn is_too_late(mapped: &Mapped<'_>) -> Option<&'static str> {
    let is_immutable =
        mapped.target.as_ref().is_some_and(|target| target.definition.mutability == Mutability::Immutable);
    if is_immutable {
        Some(
            "it is a reference, which is written when both objects are there, and it never changes once its own is (`Immutable`), \
             so it is never written; remove the mapping",
        )
    } else if is_needed(mapped) {
        Some(
            "it is a reference, which is written when both objects are there, and the target requires it before; \
             where it refuses objects without it, make it optional there",
        )
    } else {
        None
    }
}

/// `User`, or a URN that ends so.
fn of_name(name: &str) -> Option<ObjectType> {
    let last = name.rsplit(':').next().unwrap_or(name);
    [("User", ObjectType::User), ("Group", ObjectType::Group)]
        .into_iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(last))
        .map(|(_, object)| object)
}

/// An object of a type can be created when each of its needed references can lead to an object that can be: a fixed point.
fn circles(needed: &[Needed<'_>], findings: &mut Findings) {
    let types = [ObjectType::User, ObjectType::Group];
    let mut possible: BTreeMap<ObjectType, bool> = types.into_iter().map(|object| (object, false)).collect();
    for _ in types {
        for object in types {
            let mut of_object = needed.iter().filter(|reference| reference.from == object);
            let all = of_object.all(|reference| reference.to.iter().any(|to| possible[to]));
            possible.insert(object, all);
        }
    }
    for object in types.into_iter().filter(|object| !possible[object]) {
        let circle = circle(object, needed, &possible);
        let place = Place { object: Some(object), ..Place::default() };
        let what = format!(
            "no object can be created, because each needs another one first: {circle}; \
             references are written when both objects are there, so make one of these attributes optional"
        );
        findings.problem(Rule::References, place, what);
    }
}

/// The way from a type that cannot be created through what it needs, until it comes round.
fn circle(begin: ObjectType, needed: &[Needed<'_>], possible: &BTreeMap<ObjectType, bool>) -> String {
    let (mut at, mut seen, mut told) = (begin, Vec::new(), vec![format!("{begin:?}")]);
    while !seen.contains(&at) {
        seen.push(at);
        let blocked = |reference: &&Needed<'_>| reference.from == at && !reference.to.iter().any(|to| possible[to]);
        let Some(reference) = needed.iter().find(blocked) else { break };
        at = reference.to[0];
        told.push(format!(".`{}` → {at:?}", reference.attribute));
    }
    told.concat()
}
