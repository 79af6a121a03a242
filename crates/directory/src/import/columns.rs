//! Columns: which header means what.

use std::io::BufRead;

use super::records::{Ended, Records, Shape};
use super::report::ImportError;
use crate::attribute::{Named, shown};

/// A column of the file, or a key of a JSON object.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// As it stands in the file.
    pub(super) header: String,
    pub(super) role: Role,
}

/// What the cells of a column are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The object id of the row's object.
    Id,
    /// An attribute of the row's object.
    Attribute(Named),
    /// `accountEnabled` turned round: Entra's bulk template asks whether to block sign-in.
    BlockSignIn,
    /// The manager's `userPrincipalName` or object id.
    Manager,
    /// The group's `displayName` or object id.
    Group,
    /// The member's object id.
    MemberId,
    /// The member's name: a `userPrincipalName`, or a group's `displayName`.
    MemberName,
    /// Nothing that is imported.
    Ignored,
}

/// A header's name and the label before it: Entra's templates write `User name [userPrincipalName] Required`.
pub(super) fn name_and_label(header: &str) -> (&str, &str) {
    let bracketed = header.split_once('[').and_then(|(label, rest)| Some((rest.split_once(']')?.0, label)));
    let (name, label) = bracketed.unwrap_or((header, ""));
    (name.trim(), label.trim())
}

/// Reads the header of a table, and tells the reader how its fields are separated.
pub(super) fn read_header(
    records: &mut Records<impl BufRead>,
    role: impl Fn(&str, &str) -> Role,
) -> Result<Vec<Column>, ImportError> {
    records.reshape(Shape::Lines);
    let mut line = header_line(records)?;
    if line.trim_start_matches('"').starts_with("version:") {
        line = header_line(records)?;
    }
    let delimiter = delimiter_of(&line);
    records.reshape(Shape::Table(delimiter));
    let mut header = Records::new(line.as_bytes(), Shape::Table(delimiter));
    header.advance()?;
    let columns = header.fields().map(|field| {
        let header = String::from_utf8_lossy(field).trim().to_owned();
        let (name, label) = name_and_label(&header);
        let role = role(name, label);
        Column { header, role }
    });
    let columns: Vec<Column> = columns.collect();
    if columns.iter().any(|column| column.header.contains('\r')) {
        return Err(ImportError::BadHeader("its lines end in CR alone"));
    }
    refuse_duplicates(&columns)?;
    Ok(columns)
}

fn header_line(records: &mut Records<impl BufRead>) -> Result<String, ImportError> {
    match records.advance()? {
        None => Err(ImportError::Empty),
        Some(Ended::Whole) => {
            let field = records.fields().next().unwrap_or_default();
            String::from_utf8(field.to_vec()).map_err(|_| ImportError::BadHeader("it is not UTF-8"))
        }
        Some(Ended::TooLong | Ended::OpenQuote) => Err(ImportError::BadHeader("it is too long")),
    }
}

/// Spreadsheets of some countries write semicolons; data that is copied has tabs.
fn delimiter_of(header: &str) -> u8 {
    *b",;\t".iter().find(|delimiter| header.as_bytes().contains(delimiter)).unwrap_or(&b',')
}

fn refuse_duplicates(columns: &[Column]) -> Result<(), ImportError> {
    for (position, second) in columns.iter().enumerate() {
        let same = |first: &&Column| first.role == second.role && second.role != Role::Ignored;
        if let Some(first) = columns[..position].iter().find(same) {
            return Err(ImportError::DuplicateColumn { first: first.header.clone(), second: second.header.clone() });
        }
    }
    Ok(())
}

/// The error for a column that is missing, with the columns there are.
pub(super) fn missing(column: &'static str, columns: &[Column]) -> ImportError {
    /// The most columns the message lists.
    const LISTED_MAX: usize = 50;
    let mut found: Vec<String> = columns.iter().take(LISTED_MAX).map(|column| shown(&column.header)).collect();
    if columns.len() > LISTED_MAX {
        found.push(format!("and {} more", columns.len() - LISTED_MAX));
    }
    ImportError::MissingColumn { column, found: found.join(", ") }
}
