//! Matching attributes that the target cannot be asked for, or that find the wrong objects.

use super::known::{Mapped, Subject};
use super::{Findings, Rule};
use crate::expression::analysis::{Texts, one_of};
use crate::schema::{AttributeType, Mutability};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for mapped in subject.mapped.iter().filter(|mapped| mapped.mapping.is_matching()) {
        if let Some(why) = cannot_be_asked(subject, mapped) {
            let what =
                format!("it matches objects, and the target cannot be asked for it: {why}; match by another attribute");
            findings.problem(Rule::Matching, subject.at(mapped), what);
        }
        strange(subject, mapped, findings);
    }
}

/// Why no filter of a target finds an object by it.
fn cannot_be_asked(subject: &Subject<'_>, mapped: &Mapped<'_>) -> Option<&'static str> {
    let is_object = || mapped.name.is_whole() && subject.part_of(&mapped.name).is_some();
    let Some(target) = &mapped.target else { return is_object().then_some("it is an object made of parts") };
    let definition = target.definition;
    match (definition.mutability, definition.kind) {
        (Mutability::WriteOnly, _) => Some("it is never told (`WriteOnly`)"),
        (_, AttributeType::Boolean) => Some("true or false is shared by most objects"),
        (_, AttributeType::Binary) => Some("it holds bytes, which filters do not compare"),
        (_, AttributeType::Reference) if !definition.referenced_objects.is_empty() => {
            Some("it is a reference, which is written when the objects are there already")
        }
        _ if target.part.is_some() && !definition.multivalued => Some("it is an object made of parts"),
        _ => None,
    }
}

fn strange(subject: &Subject<'_>, mapped: &Mapped<'_>, findings: &mut Findings) {
    let mut warn = |what: String| findings.warning(Rule::Matching, subject.at(mapped), what);
    let definition = mapped.target.as_ref().map(|target| target.definition);
    if let Some(definition) = definition.filter(|definition| definition.multivalued && mapped.name.is_whole()) {
        let name = &definition.name;
        warn(format!(
            "it matches objects and holds several values, which many targets do not filter by; \
             choose one, such as `{name}[type eq \"work\"].value`"
        ));
    }
    let has_several =
        mapped.direct().and_then(|name| (subject.known.source)(name)).is_some_and(|source| source.multivalued);
    if has_several {
        warn(
            "it matches objects, and who has more than one value is not found by it; take one with `Item(…, 1)`"
                .to_owned(),
        );
    }
    if mapped.mapping.source.is_redacted() {
        warn(
            "it matches objects, so the redacted value stands in the address of a request, which the target's own logs keep; \
             match by an attribute that is no secret"
                .to_owned(),
        );
    }
    if let Texts::Few(few) = &mapped.source.possible.texts
        && !mapped.source.possible.list
        && !mapped.mapping.source.attributes().is_empty()
        && few.iter().any(|text| !text.is_empty())
    {
        let values = one_of(few.iter().map(String::as_str).filter(|text| !text.is_empty()));
        warn(format!(
            "it matches objects, and its value can only be {values}, so different objects match the same one; \
             match by an attribute that each object has for itself"
        ));
    }
}
