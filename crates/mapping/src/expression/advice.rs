//! What is told about parts of other languages in an expression: what to write in their place.

use super::dates::calendar::Interval;
use super::{ParseError, quoted};

/// Signs that begin or end a text elsewhere.
const QUOTES: [char; 11] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}', '\'', '`', '\u{b4}'];
/// Characters of a part of the expression that a suggestion repeats.
const REPEATED_MAX: usize = 60;
/// What null is called elsewhere.
const NULLS: [&str; 4] = ["null", "nothing", "nil", "undefined"];
/// Units of time as people write them, with what the language has.
const UNITS: [(&str, &str); 11] = [
    ("year", "yyyy"),
    ("yy", "yyyy"),
    ("month", "m"),
    ("mm", "m"),
    ("week", "ww"),
    ("day", "d"),
    ("dd", "d"),
    ("hour", "h"),
    ("hh", "h"),
    ("minute", "n"),
    ("second", "s"),
];
const BOTH: &str = "for both of two conditions write `IIF(first, IIF(second, yes, no), no)`";
const ONE: &str = "for one of two conditions write `IIF(first, yes, IIF(second, yes, no))`";

/// For a character that begins no token, at a position.
pub(super) fn of_character(characters: &[char], position: usize) -> ParseError {
    let character = characters.get(position).copied().unwrap_or_default();
    let is_double = characters.get(position + 1) == Some(&character);
    let told = |message: String| ParseError::new(position, message);
    let no_operator = |what: &str| {
        let written = String::from(character).repeat(if is_double { 2 } else { 1 });
        told(format!("there is no operator `{written}`{what}"))
    };
    match character {
        _ if QUOTES.contains(&character) => {
            let error = told(format!("a string begins with a straight double quote, not with `{character}`"));
            match text_in_quotes(&characters[position + 1..]) {
                Some(text) => error.suggesting(quoted(&text)),
                None => error,
            }
        }
        '&' if is_double => no_operator(&format!("; {BOTH}")),
        '|' => no_operator(&format!("; {ONE}")),
        '&' | '+' => no_operator("; texts are put together by a function").suggesting("Join(\"\", …)"),
        '!' => told("there is no operator `!`; inequality is `<>`, and `Not` turns a condition round".to_owned()),
        '/' if is_double || characters.get(position + 1) == Some(&'*') => {
            told("there are no comments in an expression; remove this one".to_owned())
        }
        '-' | '*' | '/' | '%' | '^' => no_operator(": the language has no arithmetic"),
        ';' => told("arguments are separated by `,`, not by `;`".to_owned()),
        ']' => told("this `]` closes no attribute name".to_owned()),
        other => {
            told(format!("`{}` has no place in an expression outside of strings and brackets", other.escape_debug()))
        }
    }
}

/// The operator that two signs mean which other languages join, or write the other way round.
pub(super) fn of_two_comparators(first: &str, second: &str) -> Option<&'static str> {
    match (first, second) {
        ("=", ">") | (">", "=") => Some(">="),
        ("=", "<") | ("<", "=") => Some("<="),
        ("<", ">") | (">", "<") => Some("<>"),
        ("=", "=") => Some("="),
        _ => None,
    }
}

/// What stands before the next quote, of whatever kind.
fn text_in_quotes(behind: &[char]) -> Option<String> {
    let is_quote = |letter: &char| *letter == '"' || QUOTES.contains(letter);
    let length = behind.iter().take(REPEATED_MAX + 1).position(is_quote)?;
    Some(behind[..length].iter().collect())
}

/// For a name behind an operand that is an operator elsewhere.
pub(super) fn of_operator(name: &str, position: usize) -> Option<ParseError> {
    let cure = match name.to_ascii_lowercase().as_str() {
        "and" => BOTH,
        "or" | "xor" => ONE,
        "not" => "`Not(…)` turns a condition round",
        "is" => "`IsNull(…)` and `IsPresent(…)` ask whether there is a value",
        "in" => "`Switch(…)` compares with several values",
        "like" | "contains" => "`InStr(…)` finds a text in another",
        _ => return None,
    };
    Some(ParseError::new(position, format!("there is no operator `{name}`; {cure}")))
}

/// For a bare word that means null elsewhere.
pub(super) fn of_null(name: &str, position: usize) -> Option<ParseError> {
    let message = || {
        format!(
            "there is no word `{name}`; an argument that is left out is null, and `IsNull(…)` and `IsNullOrEmpty(…)` ask for it"
        )
    };
    NULLS.iter().any(|null| null.eq_ignore_ascii_case(name)).then(|| ParseError::new(position, message()))
}

/// For a comparison with what means null elsewhere: the function that asks the same.
pub(super) fn of_comparison_with_null(left: &str, operator: &str) -> Option<String> {
    let is_short = left.chars().count() <= REPEATED_MAX;
    match operator {
        "=" if is_short => Some(format!("IsNull({left})")),
        "<>" if is_short => Some(format!("IsPresent({left})")),
        _ => None,
    }
}

/// The unit of time, in quotes, that a bare word means.
pub(super) fn of_interval(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let is_unit = |unit: &str| name == unit || name.strip_suffix('s') == Some(unit);
    let unit = if name.parse::<Interval>().is_ok() {
        name.as_str()
    } else {
        UNITS.iter().find(|(unit, _)| is_unit(unit)).map(|(_, ours)| *ours)?
    };
    Some(quoted(unit))
}
