//! The table of expressions with their inputs and outcomes (`expression_cases.tsv`): what the language means, row by row.
//! Columns: `expression`, `input_json` (source attributes; `$now`, `$defaultDomain` set the world, `$taken` is what the
//! target holds), `expected_json` (a value, or `$drop`, `$error`, `$regex`, `$random`), `origin` (documented, derived, or a
//! choice of this project). How a row is judged is in `mapping::cases`.

use std::cell::Cell;

use mapping::Expression;
use mapping::cases::{Columns, Judgement, Row};

const CASES: &str = include_str!("expression_cases.tsv");

/// Rows of the table; a row that gets lost must be noticed.
const CASE_COUNT: usize = 191;

fn rows() -> impl Iterator<Item = (usize, Row<'static>)> {
    let (names, rows) = CASES.split_once('\n').expect("the table has rows");
    let columns = Columns::of(names).expect("all columns are named").expect("the columns are named");
    rows.lines()
        .enumerate()
        .map(move |(index, line)| (index + 2, Row::read(line, columns).expect("a row has its fields")))
}

#[test]
fn every_row_of_the_table_holds() {
    let state = Cell::new(7_u8);
    let random = |bytes: &mut [u8]| {
        for byte in bytes {
            state.set(state.get().wrapping_mul(37).wrapping_add(11));
            *byte = state.get();
        }
    };
    let judged = rows().map(|(line, row)| (line, row, row.judge(&random)));
    let failures: Vec<_> = judged.filter(|(.., judgement)| *judgement != Judgement::Passed).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(rows().count(), CASE_COUNT);
}

#[test]
fn every_expression_of_the_table_prints_and_parses_to_itself() {
    for (line, row) in rows() {
        if let Ok(expression) = row.expression.parse::<Expression>() {
            assert_eq!(expression.to_string().parse().as_ref(), Ok(&expression), "line {line}");
        }
    }
}
