//! What an import says: progress, the report, and why a whole file is refused.

use std::collections::BTreeSet;

use serde::Serialize;
use store::StoreError;

use crate::error::DirectoryError;

/// The most problems a report lists; the rest is counted.
pub const PROBLEMS_MAX: usize = 1_000;
/// The most ignored columns a report lists.
pub const IGNORED_MAX: usize = 100;

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows dealt with.
    pub rows: u64,
    /// Bytes of the file they are in.
    pub bytes: u64,
}

/// What an import did, or would do. `read` = `created` + `updated` + `unchanged` + `failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportReport {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// Rows of the file, without header and blank ones.
    pub read: u64,
    /// Rows that made an object (a membership, for members).
    pub created: u64,
    /// Rows that changed an object.
    pub updated: u64,
    /// Rows that say what is so already.
    pub unchanged: u64,
    /// Rows that were left out; each has a problem.
    pub failed: u64,
    /// Rows imported without the manager they name, because nobody has that name or id; each has a problem.
    pub without_manager: u64,
    /// What was wrong, by line: [`PROBLEMS_MAX`] at the most.
    pub problems: Vec<Problem>,
    /// Problems that are not listed.
    pub further_problems: u64,
    /// Columns that mean nothing here: [`IGNORED_MAX`] at the most.
    pub ignored_columns: BTreeSet<String>,
}

/// Something wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line on which the row begins, the first line of the file being 1.
    pub line: u64,
    /// Whether the row was left out; else it was imported without what is wrong in it.
    pub failed: bool,
    /// The column, by its header or the attribute's name, where the problem is in one.
    pub column: Option<String>,
    /// What is wrong, as a sentence that begins with the column where there is one.
    pub message: String,
}

impl Problem {
    pub(super) fn of_row(line: u64, message: impl Into<String>) -> Self {
        Self { line, failed: true, column: None, message: message.into() }
    }

    /// `reason` ends a sentence that begins with the column.
    pub(super) fn of_column(line: u64, column: &str, reason: &str) -> Self {
        Self { line, failed: true, column: Some(column.to_owned()), message: format!("{column} {reason}") }
    }

    pub(super) fn of_error(line: u64, error: &DirectoryError) -> Self {
        let column = match error {
            DirectoryError::Invalid { attribute, .. } => Some(attribute.clone()),
            DirectoryError::NotUnique { attribute, .. } => Some((*attribute).to_owned()),
            _ => None,
        };
        Self { line, failed: true, column, message: error.to_string() }
    }
}

/// Why a file is refused as a whole. Where it comes before the first row, nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file has no row at all.
    #[error("the file is empty; its first line names the columns")]
    Empty,
    /// The file is encoded in UTF-16.
    #[error("the file is encoded in UTF-16; save it as UTF-8 (in Excel: \"CSV UTF-8\"); nothing was imported")]
    Utf16,
    /// The file is in an encoding of one country's or system's letters.
    #[error(
        "line {line} is not in UTF-8: the file seems to be encoded in Windows-1252, as Excel's plain \"CSV\" is; save it as \
         UTF-8 (in Excel: \"CSV UTF-8\"); nothing was imported"
    )]
    NotUtf8 {
        /// The first line that tells.
        line: u64,
    },
    /// The header is not UTF-8, or too long.
    #[error("the first line names no columns: {0}; save the file as CSV in UTF-8")]
    BadHeader(&'static str),
    /// A column that every file of the kind has is not there.
    #[error("the column {column} is missing; add it, or give its column that name: the file has {found}")]
    MissingColumn {
        /// The column.
        column: &'static str,
        /// The columns there are, for people.
        found: String,
    },
    /// A file of groups has a column that only users have: each of them would become a group.
    #[error("the column {0:?} is one of users, and groups were to be imported; import it with lockstep import users")]
    FileOfUsers(String),
    /// Two columns mean the same.
    #[error("the columns {first:?} and {second:?} mean the same; remove one of them")]
    DuplicateColumn {
        /// The header of the former.
        first: String,
        /// The header of the latter.
        second: String,
    },
    /// It was told to stop. Batches before that point were imported.
    #[error("the import was stopped")]
    Stopped,
    /// The file cannot be read on. Batches before that point were imported.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The database failed. Batches before that point were imported.
    #[error(transparent)]
    Store(#[from] StoreError),
}
