//! What the mappings of a job were, version by version, and the schema documents that were imported with them. What a version means is
//! the provisioning service's.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::AppId;
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// Versions that are kept of a job's mappings; the oldest ones go.
pub const VERSIONS_MAX: u32 = 200;
/// Schema documents that are kept of a job: those behind the latest versions.
pub const DOCUMENTS_MAX: u32 = 10;

/// When a version of a job's mappings was made, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionHead {
    /// Its number in the job, from 1.
    pub number: i64,
    /// When it was made.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
    /// What made it, for people.
    pub reason: String,
    /// The schema document that stands behind it, by the number of the version that brought it.
    pub document: Option<i64>,
}

/// A version of a job's mappings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRecord {
    /// When, by whom and why.
    pub head: VersionHead,
    /// The mappings as JSON text.
    pub objects: String,
}

statements! {
    INSERT = "INSERT INTO mapping_versions (app, number, at, actor, reason, document, objects) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LATEST = "SELECT number, at, actor, reason, document, objects FROM mapping_versions WHERE app = $1 ORDER BY number DESC LIMIT 1";
    BY_NUMBER = "SELECT number, at, actor, reason, document, objects FROM mapping_versions WHERE app = $1 AND number = $2";
    BEFORE = "SELECT number, at, actor, reason, document FROM mapping_versions WHERE app = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
    TRIM = "DELETE FROM mapping_versions WHERE app = $1 AND number <= $2";
    INSERT_DOCUMENT = "INSERT INTO schema_documents (app, number, text) VALUES ($1, $2, $3)";
    DOCUMENT = "SELECT text FROM schema_documents WHERE app = $1 AND number = $2";
    DOCUMENT_NUMBERS = "SELECT number FROM schema_documents WHERE app = $1 ORDER BY number";
    DELETE_DOCUMENT = "DELETE FROM schema_documents WHERE app = $1 AND number = $2";
    DELETE = "DELETE FROM mapping_versions WHERE app = $1";
    DELETE_DOCUMENTS = "DELETE FROM schema_documents WHERE app = $1";
}

fn head(row: &Row<'_>) -> Result<VersionHead, StoreError> {
    Ok(VersionHead {
        number: row.int(0)?,
        at: row.time(1)?,
        actor: row.text(2)?,
        reason: row.text(3)?,
        document: row.opt_int(4)?,
    })
}

fn version(row: &Row<'_>) -> Result<VersionRecord, StoreError> {
    Ok(VersionRecord { head: head(row)?, objects: row.text(5)? })
}

/// Adds a version, with the schema document that it brings, if it does, and removes what is more than [`VERSIONS_MAX`] versions and
/// [`DOCUMENTS_MAX`] documents. Its number is one more than the [latest](latest_version) one's; belongs in the transaction of the change.
pub fn insert_version(
    tx: &mut WriteTx<'_>,
    app: AppId,
    record: &VersionRecord,
    document: Option<&str>,
) -> Result<(), StoreError> {
    let VersionHead { number, at, actor, reason, document: behind } = &record.head;
    tx.run(&INSERT, params![app, *number, *at, actor, reason, *behind, &record.objects])?;
    if let Some(text) = document {
        tx.run(&INSERT_DOCUMENT, params![app, *number, text])?;
    }
    tx.run(&TRIM, params![app, number - i64::from(VERSIONS_MAX)])?;
    trim_documents(tx, app)
}

/// Removes the documents that stand behind no version, or only behind versions before those that the latest [`DOCUMENTS_MAX`] are behind.
fn trim_documents(tx: &mut WriteTx<'_>, app: AppId) -> Result<(), StoreError> {
    let kept = documents_kept(tx, app)?;
    if kept.is_empty() {
        return Ok(());
    }
    let mut wanted = Vec::new();
    for number in versions_before(tx, app, None, VERSIONS_MAX)?.into_iter().filter_map(|head| head.document) {
        if !wanted.contains(&number) && wanted.len() < DOCUMENTS_MAX as usize {
            wanted.push(number);
        }
    }
    for number in kept.into_iter().filter(|number| !wanted.contains(number)) {
        tx.run(&DELETE_DOCUMENT, params![app, number])?;
    }
    Ok(())
}

/// The latest version of a job's mappings; none where they were never changed.
pub fn latest_version(tx: &mut ReadTx<'_>, app: AppId) -> Result<Option<VersionRecord>, StoreError> {
    tx.first(&LATEST, params![app], version)
}

/// The version of that number.
pub fn version_by_number(tx: &mut ReadTx<'_>, app: AppId, number: i64) -> Result<Option<VersionRecord>, StoreError> {
    tx.first(&BY_NUMBER, params![app, number], version)
}

/// Versions with numbers below `before` (or the latest), latest first, `limit` at the most.
pub fn versions_before(
    tx: &mut ReadTx<'_>,
    app: AppId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<VersionHead>, StoreError> {
    tx.all(&BEFORE, params![app, before.unwrap_or(i64::MAX), i64::from(limit)], head)
}

/// The schema document that the version of that number brought; none where it is not kept any more.
pub fn schema_document(tx: &mut ReadTx<'_>, app: AppId, number: i64) -> Result<Option<String>, StoreError> {
    tx.first(&DOCUMENT, params![app, number], |row| row.text(0))
}

/// The numbers of the versions whose schema documents are kept, in order.
pub fn documents_kept(tx: &mut ReadTx<'_>, app: AppId) -> Result<Vec<i64>, StoreError> {
    tx.all(&DOCUMENT_NUMBERS, params![app], |row| row.int(0))
}

/// Removes all versions and documents of a job.
pub(crate) fn delete_versions(tx: &mut WriteTx<'_>, app: AppId) -> Result<(), StoreError> {
    tx.run(&DELETE, params![app])?;
    tx.run(&DELETE_DOCUMENTS, params![app]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{numbered, on_both, second};

    fn record(number: i64, document: Option<i64>) -> VersionRecord {
        let head = VersionHead {
            number,
            at: second(number),
            actor: "ann".to_owned(),
            reason: format!("change {number}"),
            document,
        };
        VersionRecord { head, objects: format!("[{number}]") }
    }

    #[test]
    fn versions_are_kept_up_to_a_number_and_end_with_their_job() {
        on_both(|store| async move {
            let story = store.write(|tx| {
                let (app, other): (AppId, AppId) = (numbered(1), numbered(2));
                assert_eq!(latest_version(tx, app)?, None);
                let most = i64::from(VERSIONS_MAX);
                for number in 1..=most + 2 {
                    insert_version(tx, app, &record(number, None), None)?;
                }
                insert_version(tx, other, &record(1, Some(1)), Some("{}"))?;
                assert_eq!(latest_version(tx, app)?, Some(record(most + 2, None)));
                assert_eq!(version_by_number(tx, app, 2)?, None, "the oldest went");
                assert_eq!(version_by_number(tx, app, 3)?, Some(record(3, None)));
                let numbers = |heads: Vec<VersionHead>| heads.iter().map(|head| head.number).collect::<Vec<_>>();
                assert_eq!(numbers(versions_before(tx, app, None, 2)?), [most + 2, most + 1]);
                assert_eq!(numbers(versions_before(tx, app, Some(5), 9)?), [4, 3]);
                crate::jobs::delete_traces(tx, app)?;
                assert_eq!(versions_before(tx, app, None, 9)?, []);
                crate::jobs::delete_traces(tx, other)?;
                assert_eq!((latest_version(tx, other)?, schema_document(tx, other, 1)?), (None, None));
                Ok::<_, StoreError>(())
            });
            story.await.unwrap();
        });
    }

    #[test]
    fn documents_are_kept_for_the_versions_that_they_stand_behind() {
        on_both(|store| async move {
            let story = store.write(|tx| {
                let app: AppId = numbered(1);
                insert_version(tx, app, &record(1, Some(1)), Some("first"))?;
                let last = i64::from(DOCUMENTS_MAX) + 1;
                for number in 2..=last {
                    insert_version(tx, app, &record(number, Some(number)), Some("later"))?;
                }
                assert_eq!(schema_document(tx, app, 1)?, None, "ten others are behind later versions");
                assert_eq!(schema_document(tx, app, 2)?.as_deref(), Some("later"));
                insert_version(tx, app, &record(last + 1, Some(2)), None)?;
                insert_version(tx, app, &record(last + 2, Some(last + 2)), Some("last"))?;
                assert_eq!(schema_document(tx, app, 2)?.as_deref(), Some("later"), "rolled back to");
                assert_eq!(schema_document(tx, app, 3)?, None);
                Ok::<_, StoreError>(())
            });
            story.await.unwrap();
        });
    }
}
