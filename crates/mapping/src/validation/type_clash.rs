//! Whether what a mapping yields can be a value of its target: booleans, numbers, instants, lists and objects. Texts are judged as the
//! provisioning engine turns them into JSON.

use super::known::{Mapped, Subject, Target};
use super::{Findings, Rule, Severity};
use crate::attribute_mapping::FlowType;
use crate::expression::analysis::{Possible, Shape, Texts, one_of};
use crate::schema::{AttributeType, Mutability};

/// The most characters of a text that a message shows.
const SHOWN_MAX: usize = 40;
/// The source attribute that refers to one object.
const MANAGER: &str = "manager";

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for mapped in &subject.mapped {
        let possible = &mapped.source.possible;
        let part = match &mapped.target {
            Some(target) => target.part.filter(|_| is_object(target)),
            // A list need not name the object itself.
            None => subject.part_of(&mapped.name).filter(|_| mapped.name.is_whole()),
        };
        if let Some(part) = part {
            whole_object(subject, mapped, part, findings);
        }
        let Some(target) = &mapped.target else { continue };
        if part.is_none() {
            source(subject, mapped, target, findings);
        }
        if !target.definition.multivalued && is_several(subject, mapped) {
            let what = "it holds a single value and its source has several, so objects with more than one fail; \
                take one with `Item(…, 1)` or put them together with `Join`";
            findings.warning(Rule::Type, subject.at(mapped), what);
        }
        if let Some(what) = reference(mapped, target) {
            findings.warning(Rule::Type, subject.at(mapped), what);
        }
        let only_adds = mapped.mapping.flow_type == FlowType::MultiValueAddOnly;
        if only_adds && !target.definition.multivalued && !possible.list {
            let what = "`flowType` `MultiValueAddOnly` is for attributes with several values, and this one holds one; \
                `AttributeAddOnly` writes it only where there is none";
            findings.warning(Rule::Type, subject.at(mapped), what);
        }
    }
}

/// A single object, made of parts. A reference stands for its own.
fn is_object(target: &Target<'_>) -> bool {
    target.part.is_some() && !target.definition.multivalued && target.definition.kind == AttributeType::String
}

fn whole_object(subject: &Subject<'_>, mapped: &Mapped<'_>, part: &str, findings: &mut Findings) {
    let is_text =
        matches!(&mapped.source.possible.texts, Texts::Few(few) if few.iter().any(|text| text.starts_with('{')));
    if !mapped.flows() || is_text || mapped.direct().is_none() && !mapped.source.possible.may_be_value() {
        return;
    }
    let what = format!("it is made of parts and takes no text; map its parts, such as `{part}`");
    // A text that nobody knows yet may be an object in JSON.
    let severity = match (&mapped.source.possible.texts, &mapped.target) {
        (Texts::Few(few), Some(target)) if !few.is_empty() => target.severity,
        (Texts::Few(few), None) if !few.is_empty() => Severity::Problem,
        _ => Severity::Warning,
    };
    findings.tell(severity, Rule::Type, subject.at(mapped), what);
}

/// What the provisioning engine writes as the id that the target gave the object is the source attribute itself, and nothing made of it.
fn reference(mapped: &Mapped<'_>, target: &Target<'_>) -> Option<String> {
    let (definition, possible) = (target.definition, &mapped.source.possible);
    if !mapped.name.is_whole() || definition.mutability == Mutability::ReadOnly {
        return None;
    }
    let is_reference = definition.kind == AttributeType::Reference && !definition.referenced_objects.is_empty();
    // A few given texts may be ids of the target.
    let is_other = !possible.list
        && matches!(possible.texts, Texts::Many { shape: Shape::Text | Shape::Integer | Shape::Instant, .. });
    if is_reference && is_other {
        let names = definition.referenced_objects.iter().map(|object| object.referenced_object_name.as_str());
        return Some(format!(
            "it refers to {}, and its source gives {}, which is written as it is; \
             map a source attribute that refers to objects, as `[manager]` or `[members]` does",
            one_of(names),
            given(possible)
        ));
    }
    // What the target alone says may be a part of the truth.
    let is_text = definition.kind == AttributeType::String && target.part.is_none();
    (is_text && mapped.direct() == Some(MANAGER) && target.severity == Severity::Problem).then(|| {
        "it holds a text, and its source refers to the manager, whose id at the target would be written; \
         take an attribute of the manager, such as `[manager.displayName]`, or say in the attribute list that it is a `Reference`"
            .to_owned()
    })
}

fn is_several(subject: &Subject<'_>, mapped: &Mapped<'_>) -> bool {
    match mapped.direct() {
        Some(name) => (subject.known.source)(name).is_some_and(|attribute| attribute.multivalued),
        // Of what an unknown attribute may be nothing is said.
        None => {
            mapped.source.possible.list && matches!(&mapped.source.possible.texts, Texts::Few(few) if few.is_empty())
        }
    }
}

fn source(subject: &Subject<'_>, mapped: &Mapped<'_>, target: &Target<'_>, findings: &mut Findings) {
    let (kind, possible) = (target.definition.kind, &mapped.source.possible);
    let subject_of = |text: Option<&str>| match text {
        Some(text) => format!("`{}` is not {}", shown(text), wanted(kind)),
        None => format!("its source gives {}, which is not {}", given(possible), wanted(kind)),
    };
    let told = match &possible.texts {
        // A list is judged by its elements, which nobody knows.
        Texts::Few(few) => {
            let wrong: Vec<&str> =
                few.iter().map(String::as_str).filter(|text| !text.is_empty() && !fits(kind, text)).collect();
            let is_all = !possible.list && few.iter().all(|text| text.is_empty() || wrong.contains(&text.as_str()));
            let severity = if is_all { Severity::Problem } else { Severity::Warning };
            wrong.first().map(|text| (severity, subject_of(Some(text))))
        }
        Texts::Many { shape, .. } => {
            let severity = if possible.list { Severity::Warning } else { Severity::Problem };
            (!may_fit(kind, *shape)).then(|| (severity, subject_of(None)))
        }
    };
    if let Some((severity, what)) = told {
        // What the target alone says forbids nothing.
        findings.tell(
            severity.max(target.severity),
            Rule::Type,
            subject.at(mapped),
            format!("{what}; {}", cure(kind, possible)),
        );
    }
    let default = mapped.mapping.default_value.as_deref().filter(|text| !text.is_empty() && !fits(kind, text));
    if let Some(text) = default {
        let what = format!("the default value `{}` is not {}; write another", shown(text), wanted(kind));
        findings.tell(target.severity, Rule::Type, subject.at(mapped), what);
    }
}

fn shown(text: &str) -> String {
    let cut: String = text.chars().take(SHOWN_MAX).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

/// Whether a text can be written to an attribute of a type.
fn fits(kind: AttributeType, text: &str) -> bool {
    let text = text.trim();
    match kind {
        AttributeType::Boolean => ["true", "false", "1", "0"].iter().any(|flag| flag.eq_ignore_ascii_case(text)),
        AttributeType::Integer => text.parse::<i64>().is_ok(),
        AttributeType::DateTime => {
            text.parse::<jiff::Timestamp>().is_ok()
                || text.contains(['T', 't']) && text.parse::<jiff::civil::DateTime>().is_ok()
        }
        AttributeType::Binary => {
            let digits = text.trim_end_matches('=');
            digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte)) && digits.len() % 4 != 1
        }
        AttributeType::Reference => !text.contains(char::is_whitespace),
        AttributeType::String => true,
    }
}

/// Whether a text of a shape may fit.
fn may_fit(kind: AttributeType, shape: Shape) -> bool {
    match (kind, shape) {
        (AttributeType::String, _) | (_, Shape::Text) => true,
        (AttributeType::DateTime, shape) => shape == Shape::Instant,
        (AttributeType::Boolean | AttributeType::Integer, shape) => shape == Shape::Integer,
        (AttributeType::Binary, shape) => matches!(shape, Shape::Integer | Shape::Guid),
        (AttributeType::Reference, shape) => shape != Shape::Date,
    }
}

fn wanted(kind: AttributeType) -> &'static str {
    match kind {
        AttributeType::Boolean => "true or false",
        AttributeType::Integer => "a whole number",
        AttributeType::DateTime => "an instant such as 2026-03-02T08:00:00Z",
        AttributeType::Binary => "base64",
        AttributeType::Reference => "a reference: an id or an address without blanks",
        AttributeType::String => "a text",
    }
}

fn given(possible: &Possible) -> &'static str {
    match &possible.texts {
        Texts::Many { shape: Shape::Integer, .. } => "a whole number",
        Texts::Many { shape: Shape::Date, .. } => "a date such as `3/2/2026 8:00:00 AM`",
        Texts::Many { shape: Shape::Instant, .. } => "an instant",
        Texts::Many { shape: Shape::Guid, .. } => "an id",
        Texts::Many { shape: Shape::Text, .. } | Texts::Few(_) => "a text",
    }
}

fn cure(kind: AttributeType, possible: &Possible) -> &'static str {
    match (kind, &possible.texts) {
        (AttributeType::DateTime, Texts::Many { shape: Shape::Date, .. }) => {
            "write it as one with `FormatDateTime(…, , \"M/d/yyyy h:mm:ss tt\", \"yyyy-MM-ddTHH:mm:ssZ\")`"
        }
        (AttributeType::Boolean, _) => "write True or False, or make it of the source with `Switch`",
        _ => "map another source, or correct the type in the attribute list",
    }
}
