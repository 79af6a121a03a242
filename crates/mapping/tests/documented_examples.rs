//! Runs every example of `docs/expressions.md`: the rows of its tables that hold an expression, a source object, and what comes out.

use std::collections::BTreeSet;

use mapping::expression::{
    self, ARGUMENTS_MAX, DEPTH_MAX, EXPRESSION_CHARS_MAX, LIST_MAX, OUTPUT_BYTES_MAX, STEPS_MAX,
};
use mapping::{Expression, Language, Outcome, Value, World};
use serde_json::{Map, Value as Json};

const DOCUMENT: &str = include_str!("../../../docs/expressions.md");

struct Example {
    expression: &'static str,
    source: Map<String, Json>,
    result: &'static str,
    language: Language,
}

/// The text between backquotes, where the cell is nothing else.
fn code(cell: &'static str) -> Option<&'static str> {
    cell.strip_prefix('`')?.strip_suffix('`').filter(|text| !text.contains('`'))
}

fn examples() -> Vec<Example> {
    let mut language = Language::ENTRA;
    let mut examples = Vec::new();
    for line in DOCUMENT.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            language = Language { extensions: heading == "Extensions" };
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [expression, source, result] = cells[..] else { continue };
        if let (Some(expression), Some(source)) = (code(expression), code(source))
            && let Ok(source) = serde_json::from_str(source)
        {
            examples.push(Example { expression, source, result, language });
        }
    }
    examples
}

fn outcome(example: &Example) -> Result<Outcome, String> {
    let world = World {
        now: "2021-07-02T15:33:38Z".parse().expect("an instant"),
        default_domain: Some("contoso.com"),
        random: &|bytes| bytes.fill(0x5a),
    };
    let expression = Expression::parse_with(example.expression, example.language).map_err(|error| error.to_string())?;
    expression.evaluate(&example.source, &world).map_err(|error| error.to_string())
}

fn is_as_documented(result: &'static str, outcome: &Result<Outcome, String>) -> bool {
    match result {
        "an error" => outcome.is_err(),
        "the attribute is left out" => *outcome == Ok(Outcome::DropAttribute),
        "the object is passed over" => *outcome == Ok(Outcome::DropObject),
        "another one each time" => matches!(outcome, Ok(Outcome::Value(Value::Text(_)))),
        "the first that the target does not have" => matches!(outcome, Ok(Outcome::Unique(_))),
        value => {
            let value: Json =
                serde_json::from_str(code(value).expect("a result is code or known words")).expect("the code is JSON");
            *outcome == Ok(Outcome::Value(Value::from_json(&value)))
        }
    }
}

#[test]
fn every_example_gives_what_the_document_says() {
    let examples = examples();
    assert!(examples.len() > 90, "{}", examples.len());
    for example in &examples {
        let outcome = outcome(example);
        let Example { expression, source, result, .. } = example;
        assert!(is_as_documented(result, &outcome), "{expression} of {source:?} gives {outcome:?}, not {result}");
    }
}

#[test]
fn every_function_has_an_example_and_every_limit_is_told() {
    let examples = examples();
    for (language, language_name) in [(Language::ENTRA, "Entra"), (Language::EXTENDED, "the extensions")] {
        let called: BTreeSet<&str> = examples
            .iter()
            .filter(|example| language.extensions || !example.language.extensions)
            .flat_map(|example| example.expression.split(|letter: char| !letter.is_ascii_alphanumeric()))
            .collect();
        for signature in expression::signatures(language) {
            let name = signature.split('(').next().expect("a text has a first part");
            assert!(called.contains(name), "{name} of {language_name} has no example");
        }
    }
    for limit in [EXPRESSION_CHARS_MAX, DEPTH_MAX, ARGUMENTS_MAX, OUTPUT_BYTES_MAX, LIST_MAX, STEPS_MAX] {
        let shown = if limit < 1_000 { limit.to_string() } else { format!("{},{:03}", limit / 1_000, limit % 1_000) };
        assert!(DOCUMENT.contains(&format!("| {shown} |")), "{limit}");
    }
}

#[test]
fn the_error_is_the_one_that_is_shown() {
    let text = r#"Join(" ", ToUper([surname]), [givenName])"#;
    let error = text.parse::<Expression>().unwrap_err();
    let shown = format!("{error}\n{}", error.pointer(text));
    assert!(DOCUMENT.contains(&shown), "{shown}");
}
