//! Two tables of expressions with their inputs and outcomes: what the language means, row by row. `expression_cases.tsv` holds what is
//! published and what follows from it, `expression_cases_more.tsv` the corners of each function.
//! Columns: `expression`, `input_json` (source attributes; `$now`, `$defaultDomain` set the world, `$taken` is what the
//! target holds), `expected_json` (a
//! value, or `$drop`, `$error`, `$regex`, `$random`), `origin` (documented, derived, or a choice of this project).

use std::cell::Cell;

use mapping::{Expression, Outcome, Value, World};
use serde_json::{Map, Value as Json, json};

/// Each table with the number of its rows; a row that gets lost must be noticed.
const TABLES: [(&str, usize); 2] =
    [(include_str!("expression_cases.tsv"), 191), (include_str!("expression_cases_more.tsv"), 215)];

type Source = Map<String, Json>;

/// Evaluates as a job would: what cannot be parsed cannot be evaluated either.
fn outcome(expression: &str, input: &Source) -> Json {
    let Ok(expression) = expression.parse::<Expression>() else { return json!({"$error": "parse"}) };
    let now = input.get("$now").and_then(Json::as_str).unwrap_or("2025-07-30T00:00:00Z");
    let state = Cell::new(7_u8);
    let random = |bytes: &mut [u8]| {
        for byte in bytes {
            state.set(state.get().wrapping_mul(37).wrapping_add(11));
            *byte = state.get();
        }
    };
    let world = World {
        now: now.parse().expect("the table's clock is ISO-8601"),
        default_domain: input.get("$defaultDomain").and_then(Json::as_str),
        random: &random,
    };
    match expression.evaluate(input, &world) {
        Ok(Outcome::Value(Value::Null)) => Json::Null,
        Ok(Outcome::Value(Value::Text(text))) => json!(text),
        Ok(Outcome::Value(Value::List(values))) => json!(values),
        Ok(Outcome::Unique(candidates)) => {
            let taken: Vec<String> = input.get("$taken").map_or_else(Vec::new, |taken| {
                serde_json::from_value(taken.clone()).expect("what is taken is a list of texts")
            });
            let is_taken = |value: &str| taken.iter().any(|other| other.to_lowercase() == value.to_lowercase());
            candidates.first_free(is_taken).map_or_else(|| json!({"$error": "eval"}), |value| json!(value))
        }
        Ok(Outcome::DropAttribute) => json!({"$drop": "attribute"}),
        Ok(Outcome::DropObject) => json!({"$drop": "object"}),
        Err(_) => json!({"$error": "eval"}),
    }
}

/// The few patterns of the table: classes and characters, each with an optional `{n}`, between `^` and `$`.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut rest = text.chars().peekable();
    let mut pattern = pattern.trim_start_matches('^').trim_end_matches('$').chars().peekable();
    while let Some(first) = pattern.next() {
        let class: String =
            if first == '[' { pattern.by_ref().take_while(|c| *c != ']').collect() } else { first.to_string() };
        let count = if pattern.next_if_eq(&'{').is_some() {
            pattern.by_ref().take_while(|c| *c != '}').collect::<String>().parse().expect("the count is a number")
        } else {
            1
        };
        let letters: Vec<char> = class.chars().collect();
        let ranges: Vec<_> =
            letters.chunks(3).map(|range| range[0]..=*range.last().expect("a chunk is never empty")).collect();
        if (0..count).any(|_| !rest.next().is_some_and(|c| ranges.iter().any(|range| range.contains(&c)))) {
            return false;
        }
    }
    rest.next().is_none()
}

fn satisfies_random(rule: &Json, text: &str) -> bool {
    let count = |keep: fn(char) -> bool| text.chars().filter(|c| keep(*c)).count() as u64;
    let number = |key: &str| rule[key].as_u64().expect("a number");
    count(|_| true) == number("length")
        && count(|c| c.is_ascii_digit()) >= number("minDigits")
        && count(|c| c.is_ascii_punctuation()) >= number("minSpecial")
        && count(|c| c.is_ascii_uppercase()) >= number("minUpper")
        && count(|c| c.is_ascii_lowercase()) >= number("minLower")
        && !text.contains(|c| rule["avoid"].as_str().expect("a text").contains(c))
}

fn fits(expected: &Json, got: &Json) -> bool {
    if let Some(pattern) = expected["$regex"].as_str() {
        return got.as_str().is_some_and(|text| matches_pattern(pattern, text));
    }
    if let Some(rule) = expected.get("$random") {
        return got.as_str().is_some_and(|text| satisfies_random(rule, text));
    }
    // The table refuses unknown functions when they are evaluated; here that is known while parsing.
    expected == got || (*expected == json!({"$error": "eval"}) && *got == json!({"$error": "parse"}))
}

fn rows(table: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    table.lines().enumerate().skip(1).map(|(index, line)| (index + 1, line.split('\t').collect()))
}

#[test]
fn every_row_of_the_tables_holds() {
    let mut failures = Vec::new();
    for (table, count) in TABLES {
        assert_eq!(rows(table).count(), count);
        for (line, columns) in rows(table) {
            let [expression, input, expected, _origin] = columns[..] else {
                panic!("line {line} has {} columns", columns.len())
            };
            let input: Source = serde_json::from_str(input).unwrap();
            let expected: Json = serde_json::from_str(expected).unwrap();
            let got = outcome(expression, &input);
            if !fits(&expected, &got) {
                failures.push(format!("line {line}: {expression} with {input:?} gives {got}, not {expected}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_expression_of_the_tables_prints_and_parses_to_itself() {
    for (line, columns) in TABLES.into_iter().flat_map(|(table, _)| rows(table)) {
        if let Ok(expression) = columns[0].parse::<Expression>() {
            assert_eq!(expression.to_string().parse().as_ref(), Ok(&expression), "line {line}");
        }
    }
}
