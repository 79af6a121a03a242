//! Two tables of expressions with their inputs and outcomes: what the language means, row by row. `expression_cases.tsv` holds what is
//! published and what follows from it, `expression_cases_more.tsv` the corners of each function.
//! Columns: `expression`, `input_json` (source attributes; `$now`, `$defaultDomain` set the world, `$taken` is what the
//! target holds), `expected_json` (a value, or `$drop`, `$error`, `$regex`, `$random`), `origin` (documented, derived, or a
//! choice of this project). How a row is judged is in `mapping::cases`.

use std::cell::Cell;

use mapping::cases::{Columns, Judgement, Row};
use mapping::{Expression, Language};

/// Each table with the number of its rows; a row that gets lost must be noticed.
const TABLES: [(&str, usize); 2] =
    [(include_str!("expression_cases.tsv"), 191), (include_str!("expression_cases_more.tsv"), 253)];

fn rows(table: &str) -> impl Iterator<Item = (usize, Row<'_>)> {
    let (names, rows) = table.split_once('\n').expect("the table has rows");
    let columns = Columns::of(names).expect("all columns are named").expect("the columns are named");
    let read = move |line| Row::read(line, columns).expect("a row has its fields");
    rows.lines().enumerate().map(move |(index, line)| (index + 2, read(line)))
}

#[test]
fn every_row_of_the_tables_holds() {
    let state = Cell::new(7_u8);
    let random = |bytes: &mut [u8]| {
        for byte in bytes {
            state.set(state.get().wrapping_mul(37).wrapping_add(11));
            *byte = state.get();
        }
    };
    let mut failures = Vec::new();
    for (table, count) in TABLES {
        let judged = rows(table).map(|(line, row)| (line, row, row.judge(Language::ENTRA, &random)));
        failures.extend(judged.filter(|(.., judgement)| *judgement != Judgement::Passed));
        assert_eq!(rows(table).count(), count);
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_expression_of_the_tables_prints_and_parses_to_itself() {
    for (line, row) in TABLES.into_iter().flat_map(|(table, _)| rows(table)) {
        if let Ok(expression) = row.expression.parse::<Expression>() {
            assert_eq!(expression.to_string().parse().as_ref(), Ok(&expression), "line {line}");
        }
    }
}
