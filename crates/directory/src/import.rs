//! Imports: users, groups and members from CSV files with the columns of Entra's downloads and bulk templates, or from
//! JSON lines with the same names.
//!
//! A file is read once, row by row, and written in batches, a transaction each. A bad row is reported with its line and
//! column; it loses no good row and is never written in half. Importing a file again changes nothing. Where files lie
//! and how reports are shown is decided elsewhere.

mod columns;
mod encoding;
mod groups;
mod managers;
mod members;
mod records;
mod report;
mod rows;
mod run;
#[cfg(test)]
mod tests;
mod users;

use std::io::Read;
use std::sync::Arc;

use jiff::Timestamp;
use store::Store;
use tokio::sync::watch;
use uuid::Uuid;

pub use encoding::check_encoding;
pub use records::{FIELD_BYTES_MAX, RECORD_BYTES_MAX};
pub use report::{IGNORED_MAX, ImportError, ImportReport, PROBLEMS_MAX, Problem, Progress};
pub use run::BATCH_ROWS;

/// Makes the ids of new objects, best in rising order (version 7).
pub type NewId = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// What the file holds in what form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table with a header row (RFC 4180), in UTF-8; separated by commas, or by semicolons or tabs where the header is.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

/// How to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// Report what an import would do, and do nothing. Each batch is tried and rolled back: a name that one row gives up
    /// and a row of a later batch takes is still reported as taken.
    pub dry_run: bool,
    /// Whether an empty cell clears the attribute, because the file is the whole truth, or leaves it alone.
    pub empty_clears: bool,
    /// The group of members whose row names none, as in Entra's download of one group's members: its `displayName` or
    /// object id.
    pub group: Option<String>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { dry_run: false, empty_clears: true, group: None }
    }
}

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objects {
    /// Users. A row's `id` names the user, else its `userPrincipalName`; users that are not there are made, the others
    /// changed. A `manager` (`userPrincipalName` or object id) may come later in the file; one that is not found is
    /// reported, and the row is imported without it.
    Users,
    /// Groups. A row's `id` names the group; where there is none, its `displayName` does.
    Groups,
    /// Direct members of groups; a row names the group and the member, a user or a group. Members that are there already
    /// are unchanged; none is removed.
    Members,
}

/// An import, ready for its input.
pub struct Import<'a> {
    /// Where the directory is.
    pub store: &'a Store,
    /// What the rows are.
    pub objects: Objects,
    /// How they are written.
    pub format: Format,
    /// How to import them.
    pub options: &'a ImportOptions,
    /// Makes the ids of new objects.
    pub ids: NewId,
    /// The moment of each change.
    pub now: Timestamp,
}

impl Import<'_> {
    /// Reads the input to its end, and imports it. `progress` is told after each batch.
    pub async fn run(
        &self,
        input: impl Read + Send + 'static,
        progress: impl Fn(Progress),
    ) -> Result<ImportReport, ImportError> {
        let (_never, stop) = watch::channel(false);
        self.run_until(input, progress, stop).await
    }

    /// The same until `stop` is true: then what is being written is finished and told to `progress`, and the import ends with
    /// [`ImportError::Stopped`].
    pub async fn run_until(
        &self,
        input: impl Read + Send + 'static,
        progress: impl Fn(Progress),
        stop: watch::Receiver<bool>,
    ) -> Result<ImportReport, ImportError> {
        let Self { options, format, .. } = *self;
        let mut tally = run::Tally::default();
        let job = run::Job { import: self, progress: &progress, stop };
        match self.objects {
            Objects::Users => {
                run::import(&job, input, format, users::Users::new(options), &mut tally).await?;
                managers::set(&job, &mut tally).await?;
            }
            Objects::Groups => run::import(&job, input, format, groups::Groups::new(options), &mut tally).await?,
            Objects::Members => run::import(&job, input, format, members::Members::new(options), &mut tally).await?,
        }
        Ok(tally.report())
    }
}
