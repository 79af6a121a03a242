//! `Replace`, which is five functions under one name: which one is meant shows in the arguments that are given.

use super::super::OUTPUT_BYTES_MAX;
use super::super::ast::Node;
use super::super::evaluate::{Arguments, Evaluated, EvaluationError, Interrupt};
use super::Refusal;
use crate::net_regex::{NetRegex, Unreplaced};
use crate::value::Value;

const SOURCE: usize = 0;
const OLD_VALUE: usize = 1;
const PATTERN: usize = 2;
const GROUP: usize = 3;
const REPLACEMENT: usize = 4;
const OTHER_ATTRIBUTE: usize = 5;
const TEMPLATE: usize = 6;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// Every old value in the source becomes the replacement.
    OldValue,
    /// Every old value in the template becomes the source.
    Template,
    /// Every match in the source becomes the replacement.
    Pattern,
    /// In every match what the group holds becomes the replacement.
    Group,
    /// An empty source becomes what the group holds in another attribute.
    OtherAttribute,
}

/// The arguments behind the source that each form has.
static FORMS: [(Form, &[usize]); 5] = [
    (Form::OldValue, &[OLD_VALUE, REPLACEMENT]),
    (Form::Template, &[OLD_VALUE, TEMPLATE]),
    (Form::Pattern, &[PATTERN, REPLACEMENT]),
    (Form::Group, &[PATTERN, GROUP, REPLACEMENT]),
    (Form::OtherAttribute, &[PATTERN, GROUP, OTHER_ATTRIBUTE]),
];

fn form(is_given: impl Fn(usize) -> bool) -> Option<Form> {
    let fits = |wanted: &[usize]| (OLD_VALUE..=TEMPLATE).all(|index| is_given(index) == wanted.contains(&index));
    FORMS.iter().find(|(_, wanted)| fits(wanted)).map(|(form, _)| *form)
}

/// Refuses the combinations that mean nothing; compiles the pattern where it is written out.
pub(super) fn check(arguments: &mut [Option<Node>]) -> Result<(), Refusal> {
    if form(|index| matches!(arguments.get(index), Some(Some(_)))).is_none() {
        return Err(
            "`Replace` takes `oldValue` with `replacementValue` or `template`, or `regexPattern` with `replacementValue`, with \
             `regexGroupName` and `replacementValue`, or with `regexGroupName` and `replacementAttributeName`"
                .to_owned()
                .into(),
        );
    }
    if let Some(Some(node)) = arguments.get_mut(PATTERN)
        && let Node::Text(text) = node
    {
        let refused = |why| Refusal::of_argument(PATTERN, format!("the `regexPattern` of `Replace` {why}"));
        let pattern = NetRegex::new(text).map_err(refused)?;
        *node = Node::Pattern(pattern);
    }
    if let (Some(Some(Node::Pattern(pattern))), Some(Some(Node::Text(group)))) =
        (arguments.get(PATTERN), arguments.get(GROUP))
        && !pattern.has_group(group)
    {
        let message = format!("the `regexPattern` of `Replace` has no group `{group}`");
        return Err(Refusal::of_argument(GROUP, message));
    }
    // Graph calls it the name of a property; the pages of the portal write the attribute itself.
    if let Some(Some(node)) = arguments.get_mut(OTHER_ATTRIBUTE)
        && let Node::Text(name) = node
        && is_attribute_name(name)
    {
        *node = Node::Attribute(std::mem::take(name));
    }
    Ok(())
}

/// Names that are printed in brackets and read again as they are.
fn is_attribute_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || "_-.:".contains(letter))
}

pub(super) fn replace(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let form = form(|index| arguments.is_given(index));
    let source = arguments.text(SOURCE)?;
    if form == Some(Form::OtherAttribute) {
        return match source.filter(|source| !source.is_empty()) {
            Some(source) => Ok(source.into_owned().into()),
            None => from_other_attribute(arguments),
        };
    }
    let Some(source) = source else {
        return Ok(Value::Null);
    };
    match form {
        Some(Form::OldValue) => {
            let (old, new) = (arguments.text(OLD_VALUE)?, arguments.text(REPLACEMENT)?);
            replaced(&source, &old.unwrap_or_default(), &new.unwrap_or_default())
        }
        Some(Form::Template) => {
            let (old, template) = (arguments.text(OLD_VALUE)?, arguments.text(TEMPLATE)?);
            replaced(&template.unwrap_or_default(), &old.unwrap_or_default(), &source)
        }
        Some(Form::Pattern) => {
            let (pattern, new) = (pattern(arguments)?, arguments.text(REPLACEMENT)?.unwrap_or_default());
            let replaced = pattern.replace(&source, &new, OUTPUT_BYTES_MAX, arguments.effort());
            replaced.map(Value::Text).map_err(|why| unreplaced(arguments, why))
        }
        Some(Form::Group) => {
            let pattern = pattern(arguments)?;
            let group = group(arguments, &pattern)?;
            let new = arguments.text(REPLACEMENT)?.unwrap_or_default();
            let replaced = pattern.replace_group(&source, &group, &new, OUTPUT_BYTES_MAX, arguments.effort());
            replaced.map(Value::Text).map_err(|why| unreplaced(arguments, why))
        }
        Some(Form::OtherAttribute) | None => Err(arguments.refuse("the arguments do not go together")),
    }
}

fn from_other_attribute(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let pattern = pattern(arguments)?;
    let group = group(arguments, &pattern)?;
    let Some(other) = arguments.text(OTHER_ATTRIBUTE)? else {
        return Ok(Value::Null);
    };
    match pattern.first_group(&other, &group, arguments.effort()) {
        Ok(found) => Ok(found.map(str::to_owned).into()),
        Err(why) => Err(arguments.refuse(why.to_string())),
    }
}

fn pattern(arguments: &mut Arguments<'_, '_, '_>) -> Result<NetRegex, Interrupt> {
    match arguments.pattern(PATTERN, "regexPattern")? {
        Some(pattern) => Ok(pattern),
        None => Err(arguments.refuse("`regexPattern` has no value")),
    }
}

/// The name of a group that the pattern has.
fn group(arguments: &mut Arguments<'_, '_, '_>, pattern: &NetRegex) -> Result<String, Interrupt> {
    let name = arguments.text(GROUP)?.unwrap_or_default().into_owned();
    if pattern.has_group(&name) {
        Ok(name)
    } else {
        Err(arguments.refuse("`regexPattern` has no group `regexGroupName`"))
    }
}

fn unreplaced(arguments: &Arguments<'_, '_, '_>, why: Unreplaced) -> Interrupt {
    match why {
        Unreplaced::Exhausted(why) => arguments.refuse(why.to_string()),
        Unreplaced::TooLong => EvaluationError::ValueTooLarge.into(),
    }
}

/// The size is known before a byte is written, so that a short expression cannot ask for gigabytes.
fn replaced(text: &str, old: &str, new: &str) -> Evaluated {
    if old.is_empty() {
        return Ok(text.into());
    }
    let size = text.len() + text.matches(old).count() * new.len().saturating_sub(old.len());
    if size > OUTPUT_BYTES_MAX { Err(EvaluationError::ValueTooLarge.into()) } else { Ok(text.replace(old, new).into()) }
}
