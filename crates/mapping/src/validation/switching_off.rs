//! Whether `active` switches off who leaves the scope: it has to become False where `IsSoftDeleted` is True.

use super::known::{Mapped, Subject, analysed};
use super::{Findings, Rule};
use crate::attribute_mapping::FlowType;
use crate::expression::analysis::{Possible, Texts};
use crate::schema::AttributeType;

/// The virtual attribute from which accounts are switched off, and where that is written.
const IS_SOFT_DELETED: &str = "IsSoftDeleted";
const ACTIVE: &str = "active";
/// What does it.
const CURE: &str = "map `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")`";

/// The texts that are written as true, and as false.
const ON: [&str; 2] = ["true", "1"];
const OFF: [&str; 2] = ["false", "0"];

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let is_active = |mapped: &&Mapped<'_>| {
        mapped.name.attribute == ACTIVE && mapped.name.is_whole() && mapped.name.schema.is_empty()
    };
    for mapped in subject.mapped.iter().filter(is_active).filter(|mapped| mapped.flows()) {
        let mut others = subject.mapped.iter().filter(|other| !std::ptr::eq(*other, mapped));
        let is_done_elsewhere = others.any(|other| reads(other) && other.mapping.flow_type != FlowType::ObjectAddOnly);
        let what = if reads(mapped) {
            reversed(subject, mapped).or_else(|| cannot(subject, mapped).filter(|_| !is_done_elsewhere))
        } else {
            let what = "it does not read `IsSoftDeleted`, so who leaves the scope is not switched off at the target";
            (!is_done_elsewhere).then(|| format!("{what}; {CURE}"))
        };
        if let Some(what) = what {
            findings.warning(Rule::Expression, subject.at(mapped), what);
        }
    }
}

fn reads(mapped: &Mapped<'_>) -> bool {
    mapped.mapping.source.attributes().contains(IS_SOFT_DELETED)
}

/// Only of what is true or false, and is written, there is anything to say.
fn is_judged(subject: &Subject<'_>, mapped: &Mapped<'_>) -> bool {
    let is_flag = mapped.target.as_ref().is_some_and(|target| target.definition.kind == AttributeType::Boolean);
    is_flag && subject.mapping.enabled && subject.mapping.flow_types.update && mapped.source.possible.may_be_value()
}

fn reversed(subject: &Subject<'_>, mapped: &Mapped<'_>) -> Option<String> {
    let is_all = |possible: &Possible, flags: [&str; 2]| possible.may_be_value() && is_none_but(possible, flags);
    let is_reversed = is_judged(subject, mapped)
        && mapped.mapping.flow_type != FlowType::ObjectAddOnly
        && is_all(&when(subject, mapped, true), ON)
        && is_all(&when(subject, mapped, false), OFF);
    is_reversed.then(|| {
        format!(
            "it is the reverse of what is meant: who leaves the scope is switched on, and everybody else off; {CURE}"
        )
    })
}

fn cannot(subject: &Subject<'_>, mapped: &Mapped<'_>) -> Option<String> {
    if !is_judged(subject, mapped) {
        return None;
    }
    let flow_type = mapped.mapping.flow_type;
    let only = match flow_type {
        FlowType::ObjectAddOnly => Some("when an account is created"),
        FlowType::AttributeAddOnly | FlowType::ValueAddOnly => Some("where the account has no value"),
        FlowType::Always | FlowType::MultiValueAddOnly => None,
    };
    if let Some(only) = only {
        return Some(format!(
            "`flowType` `{flow_type:?}` writes it only {only}, so who leaves the scope is not switched off at the target; \
             set `flowType` to `Always`"
        ));
    }
    let who_leaves = when(subject, mapped, true);
    // Taking the value away may be how the application is told.
    let is_cleared = who_leaves.may_be_empty() && subject.mapping.clears(mapped.mapping);
    (is_none_but(&who_leaves, ON) && !is_cleared).then(|| {
        format!(
            "it is never False where `IsSoftDeleted` is True, so who leaves the scope is not switched off at the target; {CURE}"
        )
    })
}

/// What it may be for who leaves the scope, or for who is in it.
fn when(subject: &Subject<'_>, mapped: &Mapped<'_>, leaves: bool) -> Possible {
    let known = |name: &str| match name {
        IS_SOFT_DELETED => Possible::booleans(leaves, !leaves),
        name => subject.of_source(name),
    };
    analysed(&mapped.mapping.source, &known).possible
}

/// Whether all that it may be is empty, or one of these. What is no flag at all is told of elsewhere.
fn is_none_but(possible: &Possible, flags: [&str; 2]) -> bool {
    let is_one = |text: &String| text.is_empty() || flags.iter().any(|flag| flag.eq_ignore_ascii_case(text.trim()));
    !possible.list && matches!(&possible.texts, Texts::Few(few) if few.iter().all(is_one))
}
