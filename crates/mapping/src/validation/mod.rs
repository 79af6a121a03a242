//! What is wrong with the mappings of a job, all of it at once: problems that forbid saving, and warnings that are told. A problem is
//! what fails for every object, or does nothing for any; a warning is what fails for some, or is most likely not meant.
//!
//! What a mapping must be by itself is [`ObjectMapping::check`](crate::ObjectMapping)'s and comes with it. Here are the checks that
//! need to know the attributes on both sides, which come as arguments, and those of expressions and filters. The work is
//! bounded by the limits of mappings, clauses and expressions.

mod expressions;
mod filters;
mod known;
mod matching;
mod path;
mod references;
mod switching_off;
mod targets;
#[cfg(test)]
mod tests;
mod type_clash;
mod unread;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::object_mapping::{FilterKind, ObjectMapping, ObjectType, Problem};
use known::Subject;
pub use known::{Known, SourceAttribute};
pub use unread::{Unread, UnreadMappings};

/// What a finding means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The mappings cannot be saved while it stands.
    Problem,
    /// They can; an administrator should know all the same.
    Warning,
}

/// Which check found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// What [`ObjectMapping::check`] tells.
    Mapping,
    /// The object mappings of the job do not go together.
    ObjectMappings,
    /// An attribute that there is not.
    UnknownAttribute,
    /// One attribute that several mappings write.
    SameTarget,
    /// An attribute that is not written like this, by who may write it.
    Mutability,
    /// A required attribute that nothing writes.
    RequiredAttribute,
    /// A value that is none of the attribute's type.
    Type,
    /// A matching attribute that finds nothing, or too much.
    Matching,
    /// References that wait for one another.
    References,
    /// A value that never comes, or is not what was meant.
    Expression,
    /// A filter that lets nobody through, or is not what was meant.
    Filter,
}

/// Where something was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The object mapping, by what it provisions; none where it is about all of them.
    pub object: Option<ObjectType>,
    /// The target attribute whose mapping it is about.
    pub target: Option<String>,
    /// The filter that it is about: its kind and its title.
    pub filter: Option<(FilterKind, String)>,
    /// The clause of the filter, as it is printed.
    pub clause: Option<String>,
    /// The character of the expression, as it is printed, from 0.
    pub position: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(object) = self.object else { return f.write_str("the job") };
        let of = object.plural();
        match (&self.target, &self.filter) {
            (Some(target), _) => write!(f, "`{target}` of {of}"),
            (None, Some((kind, name))) => write!(f, "the {kind} `{name}` of {of}"),
            (None, None) => write!(f, "the mapping of {of}"),
        }
    }
}

/// One thing that is wrong. `Display` is one sentence, with its place and its cure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it means.
    pub severity: Severity,
    /// Which check found it.
    pub rule: Rule,
    /// Where.
    pub place: Place,
    /// The sentence.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The findings so far.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn tell(&mut self, severity: Severity, rule: Rule, place: Place, what: impl fmt::Display) {
        let message = format!("{place}: {what}");
        self.0.push(Finding { severity, rule, place, message });
    }

    fn problem(&mut self, rule: Rule, place: Place, what: impl fmt::Display) {
        self.tell(Severity::Problem, rule, place, what);
    }

    fn warning(&mut self, rule: Rule, place: Place, what: impl fmt::Display) {
        self.tell(Severity::Warning, rule, place, what);
    }
}

/// Checks the object mappings of a job, each with what is known of its attributes. Problems come before warnings, and else all is in the
/// order of the mappings: the same mappings always give the same findings.
pub fn validate(objects: &[(&ObjectMapping, Known<'_>)]) -> Vec<Finding> {
    let mut findings = Findings::default();
    check_together(objects, &mut findings);
    let subjects: Vec<Subject<'_>> = objects.iter().map(|(mapping, known)| Subject::new(mapping, known)).collect();
    for subject in &subjects {
        check_itself(subject, &mut findings);
        targets::check(subject, &mut findings);
        type_clash::check(subject, &mut findings);
        matching::check(subject, &mut findings);
        expressions::check(subject, &mut findings);
        switching_off::check(subject, &mut findings);
        filters::check(subject, &mut findings);
    }
    references::check(&subjects, &mut findings);
    let subject_of = |finding: &Finding| subjects.iter().find(|subject| finding.place.object == Some(subject.object()));
    let is_true = |finding: &Finding| {
        subject_of(finding).is_none_or(|subject| !subject.known.unread.explains_finding(finding, subject))
    };
    findings.0.retain(is_true);
    findings.0.sort_by_key(|finding| finding.severity);
    findings.0
}

/// What a mapping must be by itself.
fn check_itself(subject: &Subject<'_>, findings: &mut Findings) {
    let place = || Place { object: Some(subject.object()), ..Place::default() };
    for problem in subject.mapping.check().into_iter().filter(|problem| !subject.known.unread.explains(problem)) {
        let filter = problem.filter().map(|(kind, name)| (kind, name.to_owned()));
        let place = Place { target: problem.target().map(str::to_owned), filter, ..place() };
        let message = match problem {
            Problem::TooManyMappings(_) | Problem::NoTarget | Problem::NoMatchingAttribute => {
                format!("{place}: {problem}")
            }
            problem => problem.to_string(),
        };
        findings.0.push(Finding { severity: Severity::Problem, rule: Rule::Mapping, place, message });
    }
}

/// What is wrong with the object mappings beside one another.
fn check_together(objects: &[(&ObjectMapping, Known<'_>)], findings: &mut Findings) {
    let job = Place::default;
    let mut times: BTreeMap<ObjectType, usize> = BTreeMap::new();
    for (mapping, _) in objects {
        let place = Place { object: Some(mapping.target_object), ..Place::default() };
        *times.entry(mapping.target_object).or_default() += 1;
        if times[&mapping.target_object] == 2 {
            findings.problem(Rule::ObjectMappings, place.clone(), "there is more than one; keep one of them");
        }
        if mapping.source_object != mapping.target_object {
            findings.problem(
                Rule::ObjectMappings,
                place.clone(),
                "what is read and what is written must be of one type; set `sourceObject` and `targetObject` alike",
            );
        }
        if mapping.enabled {
            check_flow_types(mapping, place, findings);
        }
    }
    if !times.contains_key(&ObjectType::User) {
        findings.problem(Rule::ObjectMappings, job(), "it has no mapping of users; add one");
    }
}

fn check_flow_types(mapping: &ObjectMapping, place: Place, findings: &mut Findings) {
    let types = mapping.flow_types;
    let what = match (types.create, types.update, types.delete) {
        (false, false, false) => {
            "`flowTypes` is empty, so nothing is ever written; allow Add, Update and Delete, or switch the mapping off"
        }
        (_, false, _) => {
            "`flowTypes` lacks Update, so who leaves the scope is not switched off at the target either; allow Update"
        }
        _ => return,
    };
    findings.warning(Rule::ObjectMappings, place, what);
}
