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

/// The names of the arguments behind the source.
const NAMES: [(usize, &str); 6] = [
    (OLD_VALUE, "oldValue"),
    (PATTERN, "regexPattern"),
    (GROUP, "regexGroupName"),
    (REPLACEMENT, "replacementValue"),
    (OTHER_ATTRIBUTE, "replacementAttributeName"),
    (TEMPLATE, "template"),
];
const COMBINATIONS: &str = "`Replace` takes `oldValue` with `replacementValue` or `template`, or `regexPattern` with `replacementValue`, with \
     `regexGroupName` and `replacementValue`, or with `regexGroupName` and `replacementAttributeName`";
/// Characters of a call that a suggestion writes out.
const SUGGESTED_MAX: usize = 100;
/// Arguments that count as left out where they are `""` and no form has all that are given, in steps: published mappings fill every place. Of
/// a replacement `""` says to remove what is found, so that it is the last to be passed over.
static EMPTY_ONES: [&[usize]; 3] = [
    &[PATTERN, GROUP, OTHER_ATTRIBUTE, TEMPLATE],
    &[OLD_VALUE, PATTERN, GROUP, OTHER_ATTRIBUTE, TEMPLATE],
    &[OLD_VALUE, PATTERN, GROUP, REPLACEMENT, OTHER_ATTRIBUTE, TEMPLATE],
];

/// Leaves out empty arguments that no form has, where one has all others.
fn leave_out_empty(arguments: &mut [Option<Node>]) {
    let is_empty = |index: usize| matches!(arguments.get(index), Some(Some(Node::Text(text))) if text.is_empty());
    let is_given = |index: usize| matches!(arguments.get(index), Some(Some(_)));
    if form(is_given).is_some() {
        return;
    }
    let fits =
        |empty: &&&[usize]| form(|index| is_given(index) && !(empty.contains(&index) && is_empty(index))).is_some();
    let Some(empty) = EMPTY_ONES.iter().find(fits) else { return };
    let left_out: Vec<usize> = empty.iter().copied().filter(|index| is_empty(*index)).collect();
    for index in left_out {
        arguments[index] = None;
    }
}

/// What is wrong with arguments that are of no form: what is too much for the form that is nearest to them, if anything.
fn refused(arguments: &[Option<Node>]) -> Refusal {
    let is_given =
        |index: usize| matches!(arguments.get(index), Some(Some(node)) if *node != Node::Text(String::new()));
    let differs =
        |wanted: &[usize]| NAMES.iter().filter(|(index, _)| is_given(*index) != wanted.contains(index)).count();
    let nearest = FORMS.iter().map(|(_, wanted)| *wanted).min_by_key(|wanted| differs(wanted)).unwrap_or_default();
    let surplus = NAMES.iter().find(|(index, _)| is_given(*index) && !nearest.contains(index));
    let suggestion = with_places(arguments);
    let Some((index, name)) = surplus else {
        return Refusal { argument: None, message: COMBINATIONS.to_owned(), suggestion };
    };
    let beside = NAMES.iter().find(|(index, _)| is_given(*index) && nearest.contains(index));
    let beside = beside.map_or_else(String::new, |(_, name)| format!(" beside `{name}`"));
    let refusal = Refusal::of_argument(*index, format!("`{name}` is too much{beside}: {COMBINATIONS}"));
    Refusal { suggestion, ..refusal }
}

/// The call that three arguments mean to whoever knows the function of this name from elsewhere: source, old value and new one.
fn with_places(arguments: &[Option<Node>]) -> Option<String> {
    let [Some(source), Some(old), Some(new)] = arguments else { return None };
    let meant = format!("Replace({source}, {old}, , , {new}, , )");
    (meant.chars().count() <= SUGGESTED_MAX).then_some(meant)
}

/// Refuses the combinations that mean nothing; compiles the pattern where it is written out.
pub(super) fn check(arguments: &mut [Option<Node>]) -> Result<(), Refusal> {
    leave_out_empty(arguments);
    if form(|index| matches!(arguments.get(index), Some(Some(_)))).is_none() {
        return Err(refused(arguments));
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
