//! `expression check`: a table of expressions, row by row. Read line by line, so that a table may be long.

use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use mapping::Language;
use mapping::cases::{Columns, Judgement, ROW_BYTES_MAX, Row};
use serde_json::json;

use crate::files::{cannot_read, open};
use crate::outcome::{Outcome, usage};
use crate::output::{Output, clean_lines, note, write_raw};
use crate::world::random;

/// Largest table in bytes.
const TABLE_BYTES_MAX: u64 = 256 << 20;
/// Bytes of answers that are written together.
const WRITE_BYTES: usize = 64 * 1024;
/// What some editors write before UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Carries it out.
pub fn run(file: &Path, extensions: bool, output: Output) -> anyhow::Result<Outcome> {
    let shown = if file.as_os_str() == "-" { "standard input".to_owned() } else { file.display().to_string() };
    let mut check =
        Check { output, language: Language { extensions }, columns: None, told: String::new(), passed: 0, failed: 0 };
    let read = if file.as_os_str() == "-" {
        check.table(&mut io::stdin().lock())
    } else {
        check.table(&mut BufReader::new(open(file, "the table in")?.0))
    };
    let ended = check.end();
    match read {
        Ok(()) => {}
        Err(Broken::Reading(error)) => return Err(cannot_read(file, "the table in", error)),
        Err(Broken::Writing(error)) => return Err(error.into()),
        Err(Broken::Table(why)) => return Err(usage(format!("{shown}: {why}"))),
    }
    ended?;
    if check.passed + check.failed == 0 {
        note(&format!("{shown} has no rows"));
    }
    check.summary()?;
    Ok(if check.failed == 0 { Outcome::Done } else { Outcome::ProblemsFound })
}

/// Why a table cannot be gone through to its end.
enum Broken {
    Reading(io::Error),
    Writing(io::Error),
    Table(String),
}

struct Check {
    output: Output,
    language: Language,
    columns: Option<Columns>,
    /// Answers that are not written yet.
    told: String,
    passed: u64,
    failed: u64,
}

impl Check {
    fn table(&mut self, table: &mut impl BufRead) -> Result<(), Broken> {
        let (mut line, mut number, mut bytes) = (Vec::new(), 0_u64, 0_u64);
        loop {
            line.clear();
            let longest = ROW_BYTES_MAX as u64 + 2;
            let mut read = table.take(longest).read_until(b'\n', &mut line).map_err(Broken::Reading)? as u64;
            if read == 0 {
                return Ok(());
            }
            if read == longest && !line.ends_with(b"\n") {
                read += skip_line(table).map_err(Broken::Reading)?;
            }
            number += 1;
            bytes += read;
            if bytes > TABLE_BYTES_MAX {
                return Err(Broken::Table(format!(
                    "line {number}: a table has at most {TABLE_BYTES_MAX} bytes; split it"
                )));
            }
            self.line(number, &line)?;
        }
    }

    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), Broken> {
        let Ok(text) = std::str::from_utf8(line) else {
            if self.columns.is_none() {
                return Err(Broken::Table(format!(
                    "line {number} is not UTF-8; save the table as text in UTF-8 with tabs"
                )));
            }
            return self.unreadable(number, "the row is not UTF-8");
        };
        let text = if number == 1 { text.trim_start_matches(BYTE_ORDER_MARK) } else { text };
        if text.trim().is_empty() {
            return Ok(());
        }
        let columns = match self.columns {
            Some(columns) => columns,
            None => match Columns::of(text).map_err(|error| Broken::Table(format!("line {number}: {error}")))? {
                Some(columns) => {
                    self.columns = Some(columns);
                    return Ok(());
                }
                None => *self.columns.insert(Columns::default()),
            },
        };
        match Row::read(text, columns) {
            Ok(row) => self.row(number, row),
            Err(why) => self.unreadable(number, &why),
        }
    }

    fn row(&mut self, number: u64, row: Row<'_>) -> Result<(), Broken> {
        let (got, error) = match row.judge(self.language, &random) {
            Judgement::Passed => {
                self.passed += 1;
                return Ok(());
            }
            Judgement::Unreadable(why) => return self.unreadable(number, &why),
            Judgement::Failed { got, error } => (got, error),
        };
        let Row { expression, input, expected } = row;
        let told = if self.output.is_json() {
            let (input, expected) = (as_json(input), as_json(expected));
            json!({ "line": number, "expression": expression, "input": input, "expected": expected, "got": got, "error": error })
                .to_string()
        } else {
            let why = error.map_or_else(String::new, |error| format!("  ({error})"));
            format!(
                "line {number}: {expression}\n    input:    {input}\n    expected: {expected}\n    got:      {got}{why}"
            )
        };
        self.fail(&told)
    }

    fn unreadable(&mut self, number: u64, why: &str) -> Result<(), Broken> {
        let told = if self.output.is_json() {
            json!({ "line": number, "error": why }).to_string()
        } else {
            format!("line {number}: {why}")
        };
        self.fail(&told)
    }

    fn fail(&mut self, told: &str) -> Result<(), Broken> {
        self.failed += 1;
        self.told.push_str(&clean_lines(told));
        self.told.push('\n');
        if self.told.len() >= WRITE_BYTES { self.end().map_err(Broken::Writing) } else { Ok(()) }
    }

    /// Writes what is told but not written.
    fn end(&mut self) -> io::Result<()> {
        write_raw(std::mem::take(&mut self.told).as_bytes())
    }

    fn summary(&self) -> anyhow::Result<()> {
        let Self { passed, failed, .. } = self;
        if self.output.is_json() {
            return self.output.json(&json!({ "summary": true, "passed": passed, "failed": failed }));
        }
        self.output.line(&format!("{passed} passed, {failed} failed"))
    }
}

fn as_json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

/// Reads on behind the end of the line; gives how many bytes that were.
fn skip_line(table: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let ahead = table.fill_buf()?;
        if ahead.is_empty() {
            return Ok(skipped);
        }
        let end = ahead.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(ahead.len(), |end| end + 1);
        table.consume(length);
        skipped += length as u64;
        if end.is_some() {
            return Ok(skipped);
        }
    }
}
