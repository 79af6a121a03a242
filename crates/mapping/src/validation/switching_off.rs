//! Whether `active` switches off who leaves the scope: it has to become False where `IsSoftDeleted` is True.

use super::known::{Mapped, Subject, analysed};
use super::{Findings, Rule};
use crate::attribute_mapping::{FlowType, MappingSource};
use crate::expression::analysis::{Possible, Texts};
use crate::schema::AttributeType;

/// The virtual attribute from which accounts are switched off, and where that is written.
const IS_SOFT_DELETED: &str = "IsSoftDeleted";
const ACTIVE: &str = "active";
/// What does it.
const CURE: &str = "map `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")`";

/// What the words and functions begin with that leave an attribute out.
const LEAVING_OUT: &str = "Ignore";

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
        let switched_off = || match () {
            () if is_done_elsewhere => None,
            () if reads(mapped) => cannot(subject, mapped),
            () => {
                let what =
                    "it does not read `IsSoftDeleted`, so who leaves the scope is not switched off at the target";
                Some(format!("{what}; {CURE}"))
            }
        };
        let reversed = Some(mapped).filter(|mapped| reads(mapped)).and_then(|mapped| reversed(subject, mapped));
        let what = reversed.or_else(|| always_off(subject, mapped)).or_else(switched_off);
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

/// Nobody can use an account that is switched off from the beginning.
fn always_off(subject: &Subject<'_>, mapped: &Mapped<'_>) -> Option<String> {
    let is_flag = mapped.target.as_ref().is_some_and(|target| target.definition.kind == AttributeType::Boolean);
    let is_off = |text: &str| OFF.iter().any(|flag| flag.eq_ignore_ascii_case(text.trim()));
    let by_default = || mapped.mapping.default_value.as_deref().is_some_and(is_off);
    let is_always = match &mapped.mapping.source {
        _ if !is_flag || !subject.mapping.enabled => false,
        MappingSource::None => by_default(),
        MappingSource::Attribute(_) => false,
        MappingSource::Constant(text) => is_off(text),
        // One that leaves the attribute out for some is meant for others alone.
        MappingSource::Expression(expression) => {
            let in_scope = when(subject, mapped, false);
            let is_nothing_else = in_scope.may_be_value() && !in_scope.may_be_empty() && is_none_but(&in_scope, OFF);
            is_nothing_else && !expression.to_string().contains(LEAVING_OUT)
        }
    };
    let only = match mapped.mapping.flow_type {
        _ if mapped.mapping.source == MappingSource::None => Some("where the account has no value"),
        flow_type => only(flow_type),
    };
    is_always.then(|| match only {
        None => format!("it is always False, so everybody is switched off at the target, in scope or not; {CURE}"),
        Some(only) => format!("it writes False, and only {only}, so accounts begin switched off; {CURE}"),
    })
}

/// Where a flow type writes, if not always.
const fn only(flow_type: FlowType) -> Option<&'static str> {
    match flow_type {
        FlowType::ObjectAddOnly => Some("when an account is created"),
        FlowType::AttributeAddOnly | FlowType::ValueAddOnly => Some("where the account has no value"),
        FlowType::Always | FlowType::MultiValueAddOnly => None,
    }
}

fn cannot(subject: &Subject<'_>, mapped: &Mapped<'_>) -> Option<String> {
    if !is_judged(subject, mapped) {
        return None;
    }
    let flow_type = mapped.mapping.flow_type;
    if let Some(only) = only(flow_type) {
        return Some(format!(
            "`flowType` `{flow_type:?}` writes it only {only}, so who leaves the scope is not switched off at the target; \
             set `flowType` to `Always`"
        ));
    }
    let who_leaves = when(subject, mapped, true);
    // Taking the value away may be how the application is told.
    let is_cleared = who_leaves.may_be_empty() && subject.mapping.clears(mapped.mapping);
    let is_never_off = matches!(&who_leaves.texts, Texts::Few(few) if !few.iter().any(|text| is_one(text, OFF)));
    // Where nothing is true or false at all, that is told instead.
    let is_flag = |text: &String| is_one(text, ON) || is_one(text, OFF);
    let is_some_flag = |possible: &Possible| matches!(&possible.texts, Texts::Few(few) if few.iter().any(is_flag));
    let is_told = is_none_but(&who_leaves, ON) || is_some_flag(&when(subject, mapped, false));
    (is_never_off && is_told && !who_leaves.list && !is_cleared).then(|| {
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
    let is_empty_or_one = |text: &String| text.is_empty() || is_one(text, flags);
    !possible.list && matches!(&possible.texts, Texts::Few(few) if few.iter().all(is_empty_or_one))
}

fn is_one(text: &str, flags: [&str; 2]) -> bool {
    flags.iter().any(|flag| flag.eq_ignore_ascii_case(text.trim()))
}
