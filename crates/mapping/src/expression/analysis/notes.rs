//! What is strange about one call: conditions and keys that are always or never met, date patterns that mean something else in .NET.

use super::super::ast::{Node, ignored_by};
use super::super::functions::casing::{has_language, is_culture};
use super::functions::{Given, may_equal};
use super::matches_nothing;
use super::possible::{Possible, Texts};

/// Functions that choose between what others made: that what they choose is never a value may be meant.
pub(super) fn is_choice(function: &str) -> bool {
    matches!(function, "Coalesce" | "IIF" | "IgnoreFlowIfNullOrEmpty" | "Redact" | "Switch")
}

/// A word in quotes is no word.
pub(super) fn of_text(text: &str) -> Option<String> {
    ignored_by(text).map(|does| format!("is a text like any other; the word without quotes {does}"))
}

pub(super) fn of_comparison(possible: &Possible) -> Option<String> {
    match possible.truth() {
        _ if possible.is_nothing() => None,
        (false, true) => Some("is always false; texts are compared with case, and null equals nothing".to_owned()),
        (true, false) => Some("is always true".to_owned()),
        _ => None,
    }
}

/// The notes about a call, each with the argument it is about.
pub(super) fn of_call(function: &str, given: &Given<'_>) -> Vec<(Option<usize>, String)> {
    match function {
        "IIF" => condition(given).into_iter().collect(),
        "Switch" => keys(given),
        "FormatDateTime" => patterns(given),
        "ToLower" | "ToUpper" => culture(given).into_iter().collect(),
        "Replace" => given.nodes.iter().enumerate().filter_map(regex).collect(),
        "SingleAppRoleAssignment" | "AppRoleAssignmentsComplex" | "AssertiveAppRoleAssignmentsComplex" => {
            let is_meant = matches!(given.nodes, [Some(Node::Attribute(name))] if name == "appRoleAssignments");
            let cure = "is no app role assignment; write [appRoleAssignments] there";
            if is_meant { Vec::new() } else { vec![(Some(0), cure.to_owned())] }
        }
        _ => Vec::new(),
    }
}

/// A comparison is told of by itself.
fn condition(given: &Given<'_>) -> Option<(Option<usize>, String)> {
    let value = given.values.first()?;
    if value.is_nothing() || matches!(given.nodes.first(), Some(Some(Node::Comparison { .. }))) {
        return None;
    }
    match value.truth() {
        (false, true) => Some((
            Some(0),
            "never counts as true; a condition is True, a number other than 0, or a comparison".to_owned(),
        )),
        (true, false) => Some((Some(0), "always counts as true".to_owned())),
        _ => None,
    }
}

fn keys(given: &Given<'_>) -> Vec<(Option<usize>, String)> {
    let source = given.value(0).or_empty();
    let Texts::Few(possible) = &source.texts else { return Vec::new() };
    if source.is_nothing() {
        return Vec::new();
    }
    let listed = one_of(possible.iter().map(String::as_str));
    let never =
        |index: &usize| !may_equal(&source, &given.value(*index).or_empty()) && !given.value(*index).is_nothing();
    let message =
        |index: usize| (Some(index), format!("is a key that the source of `Switch` never equals; it can be {listed}"));
    (2..given.values.len()).step_by(2).filter(never).map(message).collect()
}

fn regex((index, node): (usize, &Option<Node>)) -> Option<(Option<usize>, String)> {
    let pattern = node.as_ref()?.as_pattern()?;
    let message = "matches nothing: `^` stands at the beginning of a pattern, `$` at its end";
    matches_nothing(pattern.text()).then(|| (Some(index), message.to_owned()))
}

/// A name that .NET takes, and that is most likely meant to be another one.
fn culture(given: &Given<'_>) -> Option<(Option<usize>, String)> {
    let Some(Some(Node::Text(text))) = given.nodes.get(1) else { return None };
    let message = "names no culture that is known, so that letters change as without it; one is `tr-TR`";
    (is_culture(text) && !has_language(text)).then(|| (Some(1), message.to_owned()))
}

fn patterns(given: &Given<'_>) -> Vec<(Option<usize>, String)> {
    let first = if matches!(given.nodes.get(3), Some(Some(_))) { 2 } else { 1 };
    let trap = |index: usize| match given.nodes.get(index) {
        Some(Some(Node::Text(text))) => date_trap(text).map(|trap| (Some(index), trap.to_owned())),
        _ => None,
    };
    [first, first + 1].into_iter().filter_map(trap).collect()
}

/// What a date pattern most likely does not mean.
fn date_trap(pattern: &str) -> Option<&'static str> {
    // A letter alone is a pattern of .NET's own, `D` and `Y` among them.
    if pattern.chars().count() == 1 {
        return None;
    }
    let bare: String = pattern.split(['\'', '"']).step_by(2).collect();
    let (has, lacks) = (|part: &str| bare.contains(part), |part: &str| !bare.contains(part));
    let has_alone =
        |letter: char| bare.split(|other: char| !other.is_ascii_alphabetic()).any(|word| word == letter.to_string());
    if has("YY") || has_alone('Y') {
        Some("has `Y`, which .NET writes as it stands; a year is `yyyy`")
    } else if has("DD") || has_alone('D') {
        Some("has `D`, which .NET writes as it stands; a day is `dd`")
    } else if has("mm") && has("yy") && lacks("M") {
        Some("has `mm`, which is minutes, and no month; a month is `MM`")
    } else if has("MM") && has("ss") && lacks("m") && (has("H") || has("h")) && bare.matches("MM").count() > 1 {
        Some("has `MM` for minutes; minutes are `mm`")
    } else if has("h") && lacks("t") && lacks("H") {
        Some("has `h`, the hour of twelve, without `tt`; the hour of the day is `HH`")
    } else {
        None
    }
}

/// Texts as a sentence lists them.
pub(crate) fn one_of<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut shown: Vec<String> =
        texts.map(|text| if text.is_empty() { "empty".to_owned() } else { format!("`{text}`") }).collect();
    match (shown.pop(), shown.is_empty()) {
        (Some(last), false) => format!("{} or {last}", shown.join(", ")),
        (last, _) => last.unwrap_or_default(),
    }
}
