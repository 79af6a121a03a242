//! Mappings that never give a value, and expressions whose parts are most likely not meant so.

use super::known::{Mapped, Subject};
use super::{Findings, Place, Rule, Severity};
use crate::attribute_mapping::{FlowType, MappingSource};
use crate::expression::analysis::Note;
use crate::expression::ignored_by;

/// Functions with another result each time.
const CHANGING: [&str; 3] = ["Guid", "RandomString", "Now"];
/// The function that asks for the default domain.
const DEFAULT_DOMAIN: &str = "DefaultDomain";

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for mapped in &subject.mapped {
        if mapped.source.possible.may_be_value() {
            mapped.source.notes.iter().for_each(|note| part(subject, mapped, note, findings));
            changing(subject, mapped, findings);
        } else if !mapped.lacks_more {
            // A default value may be among what could not be read.
            never(subject, mapped, findings);
        }
        let no_domain = subject.known.no_default_domain.filter(|_| mapped.mapping.source.uses_function(DEFAULT_DOMAIN));
        if let Some(cure) = no_domain {
            let what = format!("`DefaultDomain` fails, because there is no default domain; {cure}");
            findings.problem(Rule::Expression, subject.at(mapped), what);
        }
        quoted_words(subject, mapped, findings);
        clearing(subject, mapped, findings);
    }
}

/// Nothing is said of what is left empty on purpose: a mapping without source.
fn never(subject: &Subject<'_>, mapped: &Mapped<'_>, findings: &mut Findings) {
    let (ends, culprit) = match &mapped.mapping.source {
        MappingSource::None => return,
        MappingSource::Constant(_) => ("it is empty".to_owned(), None),
        MappingSource::Attribute(name) => (format!("`{name}` never has one"), None),
        MappingSource::Expression(expression) => {
            (expression.ends(), mapped.source.notes.iter().find(|note| note.is_never))
        }
    };
    let by =
        culprit.map_or_else(String::new, |note| format!(", by `{}` at character {}", note.part, note.position + 1));
    let position = culprit.map(|note| note.position);
    let place = Place { position, ..subject.at(mapped) };
    // A default value takes the place of what is empty, and of nothing else.
    let has_default = mapped.has_default() && !mapped.source.possible.is_nothing();
    let (severity, what) = match &mapped.mapping.source {
        _ if has_default => (Severity::Warning, "only its default value ever flows; remove the source"),
        MappingSource::Constant(_) => (Severity::Warning, "write a value, or remove the source"),
        _ => (Severity::Problem, "correct it, or remove the mapping"),
    };
    findings.tell(severity, Rule::Expression, place, format!("its source never gives a value: {ends}{by}; {what}"));
}

fn part(subject: &Subject<'_>, mapped: &Mapped<'_>, note: &Note, findings: &mut Findings) {
    let place = Place { position: Some(note.position), ..subject.at(mapped) };
    let what = format!("`{}`, at character {}, {}", note.part, note.position + 1, note.message);
    findings.warning(Rule::Expression, place, what);
}

fn changing(subject: &Subject<'_>, mapped: &Mapped<'_>, findings: &mut Findings) {
    let is_once = matches!(mapped.mapping.flow_type, FlowType::ObjectAddOnly | FlowType::AttributeAddOnly);
    let Some(function) = CHANGING.into_iter().find(|name| mapped.mapping.source.uses_function(name)) else { return };
    // A date of today that is only compared is no value that changes.
    if is_once || function == "Now" && !is_outermost(mapped, function) || !subject.mapping.flow_types.update {
        return;
    }
    let what = format!(
        "`{function}` gives another value each time, so every cycle writes it anew; set `flowType` to `ObjectAddOnly`"
    );
    findings.warning(Rule::Expression, subject.at(mapped), what);
}

fn is_outermost(mapped: &Mapped<'_>, function: &str) -> bool {
    mapped.mapping.source.to_string().starts_with(&format!("{function}("))
}

/// A word of the language that is a text, and would be written to accounts. Those inside of expressions are told with their places.
fn quoted_words(subject: &Subject<'_>, mapped: &Mapped<'_>, findings: &mut Findings) {
    let constant = if let MappingSource::Constant(text) = &mapped.mapping.source { Some(text) } else { None };
    let source = constant.map(|text| ("source", text, "write the source without quotes"));
    let default = mapped.mapping.default_value.as_ref().map(|text| ("default value", text, "remove it"));
    for (what, text, cure) in source.into_iter().chain(default) {
        if let Some(does) = ignored_by(text) {
            let what = format!("its {what} is the text `{text}`, and not the word that {does}; {cure}");
            findings.warning(Rule::Expression, subject.at(mapped), what);
        }
    }
}

/// Both the mapping and its attributes have to say that null flows.
fn clearing(subject: &Subject<'_>, mapped: &Mapped<'_>, findings: &mut Findings) {
    let read = mapped.mapping.source.attributes();
    let lacking: Vec<&str> =
        read.iter().copied().filter(|name| !subject.mapping.flow_null_values.contains(*name)).collect();
    if !mapped.mapping.flow_null_values {
        return;
    }
    let what = match lacking.first() {
        Some(name) => format!(
            "`flowNullValues` of the mapping does nothing while `{name}` may not flow null; add it to `flowNullValues` of the object mapping"
        ),
        None if read.is_empty() => {
            "`flowNullValues` does nothing where no source attribute is read; leave it out".to_owned()
        }
        None => return,
    };
    findings.warning(Rule::Expression, subject.at(mapped), what);
}
