//! What can go wrong in the store, in words that both databases share.

use std::path::PathBuf;

use postgres::error::SqlState;

/// The unique keys whose violation means something to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueKey {
    /// A tenant of that name exists.
    TenantName,
    /// The tenant has a live token of that name.
    TokenName,
    /// The tenant has an OAuth client of that name.
    ClientName,
    /// The tenant has a webhook of that name.
    WebhookName,
    /// Another resource of the tenant holds the unique attribute (`userName`; `displayName` of groups where so set).
    ResourceKey,
    /// Another live user of the directory has that `userPrincipalName`.
    UserPrincipalName,
    /// An application of that name exists.
    ApplicationName,
    /// The application has a role of that value.
    RoleValue,
    /// The target object is linked to another source object.
    LinkTarget,
    /// A row with that id exists.
    Id,
}

/// A failure of the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A unique index refused the row.
    #[error("not unique: {0:?}")]
    NotUnique(UniqueKey),
    /// A lock was not to be had, or a statement not done, within the time that the store gives them.
    #[error("the database is busy, or locked by another program; try again, or stop that program")]
    Busy,
    /// The database gave the transaction up for the sake of another (deadlock, serialisation), as often as it was tried.
    #[error("the database gave the transaction up for the sake of others; try again")]
    GaveUp,
    /// The disk or the quota is full. Nothing of the transaction was kept.
    #[error("no space is left for the database; free some and try again")]
    Full,
    /// The database cannot be reached, or takes no writes.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// This kind of database does not offer that; the text says what does.
    #[error("{0}")]
    NotOffered(&'static str),
    /// The file is a database of some other program, or no database.
    #[error("{path} is not a Lockstep database; name another data folder")]
    Foreign {
        /// The file that was opened.
        path: PathBuf,
    },
    /// The data was written by a newer version of the program.
    #[error("the data has schema version {found}, this program knows up to {known}; use the newer program")]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// The database file is damaged.
    #[error("the database is damaged: {0}; restore a backup")]
    Damaged(String),
    /// A reader of a change feed was away for so long that what it has not seen is no longer kept. It reads everything anew.
    #[error("what changed after number {after} is no longer kept: the feed begins at {first}; read everything anew")]
    FeedTrimmed {
        /// The last number that the reader has seen.
        after: i64,
        /// The first number that is left.
        first: i64,
    },
    /// A stored value cannot be read back.
    #[error("a stored value cannot be read: {0}")]
    Decode(String),
    /// Anything else; shown to nobody outside, logged once at the edge.
    #[error("the database failed: {0}")]
    Internal(String),
}

impl StoreError {
    /// What happened, to be told within a sentence that says that the database failed.
    pub(crate) fn within_a_failure(&self) -> String {
        match self {
            Self::Internal(what) => what.clone(),
            other => other.to_string(),
        }
    }
}

/// Unique indexes: SQLite names the columns, PostgreSQL the constraint.
const UNIQUE_KEYS: &[(&str, &str, UniqueKey)] = &[
    ("tenants.name", "tenants_name", UniqueKey::TenantName),
    ("tokens.tenant, tokens.name", "tokens_name", UniqueKey::TokenName),
    ("clients.tenant, clients.name", "clients_name", UniqueKey::ClientName),
    ("webhooks.tenant, webhooks.name", "webhooks_name", UniqueKey::WebhookName),
    ("resources.tenant, resources.kind, resources.unique_key", "resources_unique_key", UniqueKey::ResourceKey),
    ("directory_users.upn_key", "directory_users_upn", UniqueKey::UserPrincipalName),
    ("applications.name_key", "applications_name", UniqueKey::ApplicationName),
    ("app_roles.app, app_roles.value", "app_roles_value", UniqueKey::RoleValue),
    ("links.app, links.kind, links.target_id", "links_target", UniqueKey::LinkTarget),
];

fn unique_from_message(message: &str) -> UniqueKey {
    let columns = message.rsplit("failed: ").next().unwrap_or_default();
    UNIQUE_KEYS.iter().find(|(sqlite, ..)| *sqlite == columns).map_or(UniqueKey::Id, |(.., key)| *key)
}

fn unique_from_constraint(name: &str) -> UniqueKey {
    UNIQUE_KEYS.iter().find(|(_, postgres, _)| *postgres == name).map_or(UniqueKey::Id, |(.., key)| *key)
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let rusqlite::Error::SqliteFailure(code, message) = &error else {
            return match error {
                rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) => {
                    Self::Decode(error.to_string())
                }
                other => Self::Internal(other.to_string()),
            };
        };
        let text = message.clone().unwrap_or_else(|| error.to_string());
        match code.code {
            Code::ConstraintViolation
                if code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
                    || code.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY =>
            {
                Self::NotUnique(unique_from_message(&text))
            }
            Code::DatabaseBusy | Code::DatabaseLocked => Self::Busy,
            Code::DiskFull => Self::Full,
            Code::CannotOpen | Code::ReadOnly | Code::PermissionDenied => Self::Unavailable(text),
            Code::DatabaseCorrupt => Self::Damaged(text),
            _ => Self::Internal(text),
        }
    }
}

/// The server ended the transaction for the sake of another.
const GAVE_UP: &[SqlState] = &[SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED];
/// A timeout passed, of those that each connection sets.
const TIMED_OUT: &[SqlState] =
    &[SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE, SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT];
/// The server takes nobody, or no writes, at this moment.
const UNAVAILABLE: &[SqlState] = &[
    SqlState::TOO_MANY_CONNECTIONS,
    SqlState::ADMIN_SHUTDOWN,
    SqlState::CRASH_SHUTDOWN,
    SqlState::CANNOT_CONNECT_NOW,
    SqlState::READ_ONLY_SQL_TRANSACTION,
];

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        let Some(db) = error.as_db_error() else {
            let cause = std::error::Error::source(&error).filter(|cause| cause.is::<std::io::Error>());
            return if let Some(cause) = cause {
                Self::Unavailable(format!("{error}: {cause}"))
            } else if error.is_closed() {
                Self::Unavailable(error.to_string())
            } else {
                Self::Internal(error.to_string())
            };
        };
        match db.code() {
            code if *code == SqlState::UNIQUE_VIOLATION => {
                Self::NotUnique(unique_from_constraint(db.constraint().unwrap_or_default()))
            }
            code if *code == SqlState::DISK_FULL => Self::Full,
            code if GAVE_UP.contains(code) => Self::GaveUp,
            code if TIMED_OUT.contains(code) => Self::Busy,
            code if UNAVAILABLE.contains(code) => Self::Unavailable(db.message().to_owned()),
            _ => Self::Internal(db.message().to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What people read: each is one sentence, and says what to do where something can be done.
    #[test]
    fn errors_are_sentences() {
        for (error, expected) in [
            (StoreError::NotUnique(UniqueKey::TenantName), "not unique: TenantName"),
            (StoreError::Busy, "the database is busy, or locked by another program; try again, or stop that program"),
            (StoreError::GaveUp, "the database gave the transaction up for the sake of others; try again"),
            (StoreError::Full, "no space is left for the database; free some and try again"),
            (
                StoreError::Unavailable("unable to open database file".to_owned()),
                "the database cannot be used: unable to open database file",
            ),
            (StoreError::NotOffered("use pg_dump"), "use pg_dump"),
            (
                StoreError::Foreign { path: "/data/x.db".into() },
                "/data/x.db is not a Lockstep database; name another data folder",
            ),
            (
                StoreError::Newer { found: 3, known: 1 },
                "the data has schema version 3, this program knows up to 1; use the newer program",
            ),
            (
                StoreError::Damaged("page 7 is malformed".to_owned()),
                "the database is damaged: page 7 is malformed; restore a backup",
            ),
            (
                StoreError::FeedTrimmed { after: 3, first: 9 },
                "what changed after number 3 is no longer kept: the feed begins at 9; read everything anew",
            ),
            (
                StoreError::Decode("column 1 holds no id".to_owned()),
                "a stored value cannot be read: column 1 holds no id",
            ),
            (StoreError::Internal("no such table: x".to_owned()), "the database failed: no such table: x"),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_failure_within_a_failure_is_told_once() {
        let inner = StoreError::Internal("disk I/O error".to_owned());
        for (error, expected) in
            [(inner, "disk I/O error"), (StoreError::Decode("x".to_owned()), "a stored value cannot be read: x")]
        {
            assert_eq!(error.within_a_failure(), expected);
        }
    }
}
