//! Turns the records of a file into rows of one kind, still without the database.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufReader, Read};

use serde_json::Value;
use store::WriteTx;

use super::Format;
use super::columns::{Column, Role, name_and_label, read_header};
use super::encoding::without_mark;
use super::records::{Ended, FIELD_BYTES_MAX, RECORD_BYTES_MAX, Records, Shape};
use super::report::{IGNORED_MAX, ImportError, Problem};
use super::run::{Applied, Context};
use crate::error::DirectoryError;

/// A kind of objects that is imported.
pub(super) trait Kind: Send + 'static {
    /// A row that is ready for the database.
    type Row: Send + Sync + 'static;

    /// What the column of that name is. `label` is what a template writes before the name.
    fn role(&self, name: &str, label: &str) -> Role;
    /// Refuses a table without the columns that every row needs.
    fn require(&self, columns: &[Column]) -> Result<(), ImportError>;
    /// Makes a row of its cells. Problems name the column.
    fn row(&mut self, line: u64, cells: Vec<(&Column, Value)>) -> Result<Self::Row, Problem>;
    /// Does what the row says. An error other than of the store comes before anything is written.
    fn apply(tx: &mut WriteTx<'_>, row: &Self::Row, context: &mut Context) -> Result<Applied, DirectoryError>;
}

/// Rows that are written together.
pub(super) struct Batch<R> {
    /// Each row, or why it is none.
    pub(super) rows: Vec<Result<(u64, R), Problem>>,
    /// Bytes of the file read so far.
    pub(super) bytes: u64,
    /// Columns that are ignored, as far as they were met since the last batch.
    pub(super) ignored: BTreeSet<String>,
}

/// Keys that the file has had, each with its line.
#[derive(Default)]
pub(super) struct Seen(HashMap<String, u64>);

impl Seen {
    /// Notes a key; says whether it was not there before.
    pub(super) fn is_new(&mut self, line: u64, key: String) -> bool {
        self.note(line, "", key).is_ok()
    }

    /// Notes a key; one that was there before is a problem.
    pub(super) fn note(&mut self, line: u64, column: &str, key: String) -> Result<(), Problem> {
        match self.0.entry(key) {
            std::collections::hash_map::Entry::Occupied(first) => {
                Err(Problem::of_column(line, column, &format!("is the same as on line {}", first.get())))
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(line);
                Ok(())
            }
        }
    }
}

/// Reads a whole file; hands on each batch of `size` rows. `hand_on` says whether more is wanted.
pub(super) fn read<K: Kind>(
    kind: K,
    input: impl Read,
    format: Format,
    size: usize,
    mut hand_on: impl FnMut(Batch<K::Row>) -> bool,
) -> Result<(), ImportError> {
    let records = Records::new(BufReader::new(without_mark(input)?), Shape::Lines);
    let mut rows = Rows { kind, records, columns: Vec::new(), ignored: BTreeSet::new() };
    if format == Format::Csv {
        rows.columns = read_header(&mut rows.records, |name, label| rows.kind.role(name, label))?;
        rows.kind.require(&rows.columns)?;
        for column in rows.columns.iter().filter(|column| column.role == Role::Ignored).take(IGNORED_MAX) {
            rows.ignored.insert(column.header.clone());
        }
    }
    loop {
        let mut batch = Vec::with_capacity(size);
        while batch.len() < size {
            match rows.next(format)? {
                Some(Ok(None)) => {}
                Some(Ok(Some(row))) => batch.push(Ok(row)),
                Some(Err(problem)) => batch.push(Err(problem)),
                None => break,
            }
        }
        let last = batch.len() < size;
        let ignored = std::mem::take(&mut rows.ignored);
        if !hand_on(Batch { rows: batch, bytes: rows.records.bytes, ignored }) || last {
            return Ok(());
        }
    }
}

struct Rows<K, R> {
    kind: K,
    records: Records<R>,
    columns: Vec<Column>,
    ignored: BTreeSet<String>,
}

/// A row with its line; `None` for one that says nothing.
type Outcome<R> = Result<Option<(u64, R)>, Problem>;

impl<K: Kind, R: std::io::BufRead> Rows<K, R> {
    fn next(&mut self, format: Format) -> Result<Option<Outcome<K::Row>>, ImportError> {
        let Some(ended) = self.records.advance()? else { return Ok(None) };
        let line = self.records.line();
        Ok(Some(match (ended, format) {
            (Ended::TooLong | Ended::OpenQuote, _) => {
                Err(Problem::of_row(line, not_whole(format, ended, line, self.records.last_line())))
            }
            (Ended::Whole, Format::Csv) => self.table_row(line),
            (Ended::Whole, Format::JsonLines) => self.object_row(line),
        }))
    }

    fn table_row(&mut self, line: u64) -> Outcome<K::Row> {
        let (count, wanted) = (self.records.field_count(), self.columns.len());
        let mut cells = Vec::with_capacity(wanted);
        let mut says_something = false;
        for (column, field) in self.columns.iter().zip(self.records.fields()) {
            says_something |= !field.is_empty();
            if field.len() > FIELD_BYTES_MAX {
                return Err(Problem::of_column(line, &column.header, &field_too_long()));
            }
            let text = std::str::from_utf8(field)
                .map_err(|_| Problem::of_column(line, &column.header, "is not UTF-8; save the file as UTF-8"))?
                .trim();
            if cells.is_empty() && text.starts_with("Example:") {
                return Ok(None);
            }
            cells.push((column, cell(&column.role, text)));
        }
        if count != wanted {
            return Err(Problem::of_row(
                line,
                format!("the row has another number of fields than the header: {count} instead of {wanted}"),
            ));
        }
        if !says_something {
            return Ok(None);
        }
        cells.retain(|(column, _)| column.role != Role::Ignored);
        self.kind.row(line, cells).map(|row| Some((line, row)))
    }

    fn object_row(&mut self, line: u64) -> Outcome<K::Row> {
        let field = self.records.fields().next().unwrap_or_default();
        if field.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let text =
            std::str::from_utf8(field).map_err(|_| Problem::of_row(line, "the line is not UTF-8; save it as UTF-8"))?;
        let object: serde_json::Map<String, Value> =
            serde_json::from_str(text).map_err(|error| Problem::of_row(line, no_object(&error)))?;
        let mut columns = Vec::with_capacity(object.len());
        let mut values = Vec::with_capacity(object.len());
        for (key, value) in object {
            let (name, label) = name_and_label(&key);
            let role = self.kind.role(name, label);
            if role == Role::Ignored {
                if self.ignored.len() < IGNORED_MAX {
                    self.ignored.insert(key);
                }
                continue;
            }
            if columns.iter().any(|column: &Column| column.role == role) {
                return Err(Problem::of_column(line, &key, "stands twice in the object"));
            }
            if value.as_str().is_some_and(|text| text.len() > FIELD_BYTES_MAX) {
                return Err(Problem::of_column(line, &key, &field_too_long()));
            }
            columns.push(Column { header: key, role });
            values.push(value);
        }
        self.kind.row(line, columns.iter().zip(values).collect()).map(|row| Some((line, row)))
    }
}

/// Why a record is not whole, and which lines were taken for it: no row of them was read.
fn not_whole(format: Format, ended: Ended, first: u64, last: u64) -> String {
    let why = match (ended, format) {
        (Ended::OpenQuote, _) => "a quote is left open up to the end of the file".to_owned(),
        (_, Format::Csv) => format!("the row is longer than {RECORD_BYTES_MAX} bytes; is a quote left open?"),
        (_, Format::JsonLines) => format!("the line is longer than {RECORD_BYTES_MAX} bytes"),
    };
    if last > first { format!("{why} (lines {first} to {last} were not read)") } else { why }
}

/// The error of the parser, which counts lines within the text that it was given: here that is always one.
fn no_object(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let problem = text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem);
    format!("the line is no JSON object: {problem} at character {}", error.column())
}

fn field_too_long() -> String {
    format!("is longer than {FIELD_BYTES_MAX} bytes")
}

fn cell(role: &Role, text: &str) -> Value {
    match role {
        Role::Attribute(named) => named.rules.cell(text),
        Role::Ignored => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}

/// The text of a cell that names something; `None` where it is empty.
pub(super) fn name_in(line: u64, column: &Column, value: Value) -> Result<Option<String>, Problem> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text.trim().to_owned())),
        _ => Err(Problem::of_column(line, &column.header, "is no text")),
    }
}

/// The object id in a cell; `None` where it is empty.
pub(super) fn id_in<Id: std::str::FromStr>(line: u64, column: &Column, value: Value) -> Result<Option<Id>, Problem> {
    let Some(text) = name_in(line, column, value)? else { return Ok(None) };
    let bad =
        |_| Problem::of_column(line, &column.header, "is no object id, like 0198c2a4-7d1e-7aaa-8bbb-0123456789ab");
    text.parse().map(Some).map_err(bad)
}
