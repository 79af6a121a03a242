//! Sources of attribute mappings: Graph's expression and tree, and back. Where both are there the expression counts, as it does in Entra.

use super::document::{Member, ParameterEntry, SourceEntry};
use crate::attribute_mapping::MappingSource;
use crate::expression::{self, EXPRESSION_CHARS_MAX, Expression, Language, Part, PartKind};

const ATTRIBUTE: &str = "Attribute";
const CONSTANT: &str = "Constant";
const FUNCTION: &str = "Function";
/// Comparisons have no documented tree; here they are functions of this name with a left and a right side.
const COMPARATORS: [&str; 6] = ["=", "<>", "<", "<=", ">", ">="];
/// Characters of an expression that a finding quotes.
const SHOWN_CHARS_MAX: usize = 200;

/// The source, and what is odd about how it is written.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn read(entry: &SourceEntry) -> Result<(MappingSource, Vec<String>), String> {
    if entry == &SourceEntry::default() {
        return Ok((MappingSource::None, vec!["the source says nothing, so there is none".to_owned()]));
    }
    is_known_type(entry)?;
    let mut odd = Vec::new();
    let given = entry.expression.text();
    let text = text_of(entry, &mut odd)?;
    let is_constant = entry.kind.text().eq_ignore_ascii_case(CONSTANT) && !given.trim().is_empty();
    let expression = Expression::parse_with(&text, Language::EXTENDED).map_err(|mut error| {
        // A word that is meant as a text is no attribute.
        if is_constant {
            error.suggestion = Some(expression::quoted(given.trim()));
        }
        format!("the expression `{}` cannot be read: {error}", shown(&text))
    })?;
    if !given.trim().is_empty() && !agrees(&expression.part(), entry) {
        odd.push(format!(
            "`expression` and the tree beside it (`type`, `name`, `parameters`) disagree; `{}` counts",
            shown(&text)
        ));
    }
    Ok((expression.into(), odd))
}

fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn is_known_type(entry: &SourceEntry) -> Result<(), String> {
    let kind = entry.kind.text();
    if kind.is_empty() || [ATTRIBUTE, CONSTANT, FUNCTION].iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    Err(format!(
        "the source is of the type `{kind}`, such as a workflow outside of the service; attributes, constants and functions are supported"
    ))
}

/// The expression that a tree stands for. Without a type it is what Graph takes by default, an attribute, unless it has arguments.
fn structure(entry: &SourceEntry, odd: &mut Vec<String>) -> Result<String, String> {
    is_known_type(entry)?;
    let (kind, name, parameters) = (entry.kind.text(), entry.name.text(), entry.parameters.items());
    let is_kind = |known: &str| kind.eq_ignore_ascii_case(known);
    if is_kind(ATTRIBUTE) || (kind.is_empty() && parameters.is_empty() && !name.is_empty()) {
        return Ok(format!("[{name}]"));
    }
    if is_kind(CONSTANT) {
        // Trees have no other form for a bare word.
        if expression::is_word(name) {
            return Ok(name.to_owned());
        }
        return Ok(expression::quoted(name));
    }
    if kind.is_empty() && parameters.is_empty() {
        return Err("the source has neither an `expression` nor a `name`".to_owned());
    }
    let mut arguments = Vec::with_capacity(parameters.len());
    let mut length = 0;
    for parameter in parameters {
        let argument = match parameter.value.given() {
            Some(value) => text_of(value, odd)?,
            None => String::new(),
        };
        length += argument.len();
        if length > EXPRESSION_CHARS_MAX * 4 {
            return Err(format!("the tree stands for more than {EXPRESSION_CHARS_MAX} characters"));
        }
        arguments.push(argument);
    }
    if COMPARATORS.contains(&name) && arguments.len() == 2 {
        return Ok(format!("{} {name} {}", arguments[0], arguments[1]));
    }
    Ok(format!("{name}({})", placed(name, parameters, arguments, odd)?.join(", ")))
}

/// The arguments where their keys say. Graph documents the keys of few functions, so arguments of others whose keys are not known here take
/// the places that are left, unless there may be any number of them.
fn placed(
    name: &str,
    parameters: &[ParameterEntry],
    arguments: Vec<String>,
    odd: &mut Vec<String>,
) -> Result<Vec<String>, String> {
    let keys: Vec<&str> = parameters.iter().map(|parameter| parameter.key.text()).collect();
    let positions = match expression::positions(name, &keys) {
        None => return Ok(arguments),
        Some(Ok(positions)) => positions,
        Some(Err(misplaced)) => {
            let Some(positions) = misplaced.instead else { return Err(misplaced.reason) };
            let reason = misplaced.reason;
            odd.push(format!(
                "{reason}; arguments whose keys are unknown take the places that are left, in their order"
            ));
            positions
        }
    };
    let mut placed = vec![String::new(); positions.iter().max().map_or(0, |last| last + 1)];
    for (position, argument) in positions.into_iter().zip(arguments) {
        placed[position] = argument;
    }
    Ok(placed)
}

fn text_of(entry: &SourceEntry, odd: &mut Vec<String>) -> Result<String, String> {
    let given = entry.expression.text();
    if given.trim().is_empty() || is_bare_constant(entry, odd) { structure(entry, odd) } else { Ok(given.to_owned()) }
}

/// Whether the `expression` of a constant lacks its quotes, which is told: it is not readable, and just what the `name` beside it is.
fn is_bare_constant(entry: &SourceEntry, odd: &mut Vec<String>) -> bool {
    let (given, name) = (entry.expression.text(), entry.name.text());
    let is_bare = entry.kind.text().eq_ignore_ascii_case(CONSTANT)
        && given == name
        && Expression::parse_with(given, Language::EXTENDED).is_err();
    if is_bare {
        let told = shown(given);
        odd.push(format!("`{told}` has no quotes; its `type` says that it is a constant, so it is read as the text"));
    }
    is_bare
}

/// Whether a tree says the same as the expression. What it leaves out it does not deny.
fn agrees(part: &Part, entry: &SourceEntry) -> bool {
    let (kind, name) = (entry.kind.text(), entry.name.given());
    let is_kind = |known: &str| kind.is_empty() || kind.eq_ignore_ascii_case(known);
    let is_name = || name.is_none_or(|name| *name == part.name);
    match part.kind {
        PartKind::Other => true,
        PartKind::Attribute => is_kind(ATTRIBUTE) && is_name(),
        PartKind::Constant => is_kind(CONSTANT) && is_name(),
        PartKind::Function => {
            let is_named = name.is_none_or(|name| expression::is_same_function(name, &part.name));
            is_kind(FUNCTION) && is_named && arguments_agree(part, entry.parameters.items())
        }
    }
}

fn arguments_agree(part: &Part, parameters: &[ParameterEntry]) -> bool {
    if parameters.is_empty() {
        return true;
    }
    // Keys that are not known deny nothing: then the order counts, as in a tree without an expression.
    let order = |keys: Vec<&str>| -> Vec<usize> {
        let mut order: Vec<usize> = (0..keys.len()).collect();
        let placed = expression::positions(&part.name, &keys);
        if let Some(positions) = placed.and_then(|placed| placed.map_or_else(|other| other.instead, Some)) {
            order.sort_by_key(|index| positions[*index]);
        }
        order
    };
    let theirs = order(parameters.iter().map(|parameter| parameter.key.text()).collect());
    let ours = order(part.arguments.iter().map(|(key, _)| *key).collect());
    theirs.len() == ours.len()
        && theirs.into_iter().zip(ours).all(|(their, our)| {
            let argument = parameters[their].value.given();
            argument.is_none_or(|argument| agrees(&part.arguments[our].1, argument))
        })
}

/// The source with its tree; null where there is none.
pub(super) fn write(source: &MappingSource) -> Member<SourceEntry> {
    if *source == MappingSource::None {
        return Member::Null;
    }
    if let MappingSource::Expression(expression) = source {
        return Member::Given(entry_of(&expression.part()));
    }
    let text = source.to_string();
    let tree = Expression::parse_with(&text, Language::EXTENDED).map(|expression| entry_of(&expression.part()));
    let bare = |_| SourceEntry { expression: text.as_str().into(), ..SourceEntry::default() };
    Member::Given(tree.map_or_else(bare, |tree| SourceEntry { expression: text.as_str().into(), ..tree }))
}

fn entry_of(part: &Part) -> SourceEntry {
    let kind = match part.kind {
        PartKind::Attribute => ATTRIBUTE,
        PartKind::Constant => CONSTANT,
        PartKind::Other if part.arguments.is_empty() => CONSTANT,
        PartKind::Function | PartKind::Other => FUNCTION,
    };
    let parameter = |(key, argument): &(&'static str, Part)| ParameterEntry {
        key: (*key).into(),
        value: Member::Given(entry_of(argument)),
        ..ParameterEntry::default()
    };
    SourceEntry {
        kind: kind.into(),
        expression: part.expression.as_str().into(),
        name: part.name.as_str().into(),
        parameters: Member::Given(part.arguments.iter().map(parameter).collect()),
        ..SourceEntry::default()
    }
}

#[cfg(test)]
mod tests;
