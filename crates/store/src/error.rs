//! What can go wrong in the store, in words that both databases share.

use std::path::PathBuf;

/// The unique keys whose violation means something to a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueKey {
    /// A tenant of that name exists.
    TenantName,
    /// The tenant has a live token of that name.
    TokenName,
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
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique index refused the row.
    #[error("not unique: {0:?}")]
    NotUnique(UniqueKey),
    /// The database is locked by another program for longer than the store waits.
    #[error("the database is busy: another program holds its lock; stop it or try again")]
    Busy,
    /// The disk or the quota is full. Nothing of the transaction was kept.
    #[error("no space is left for the database; free some and try again")]
    Full,
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
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

/// Unique indexes: SQLite names the columns, PostgreSQL the constraint.
const UNIQUE_KEYS: &[(&str, &str, UniqueKey)] = &[
    ("tenants.name", "tenants_name", UniqueKey::TenantName),
    ("tokens.tenant, tokens.name", "tokens_name", UniqueKey::TokenName),
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

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        use postgres::error::SqlState;
        let Some(db) = error.as_db_error() else {
            return if error.is_closed()
                || std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
            {
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
            code if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED => {
                Self::Busy
            }
            code if *code == SqlState::TOO_MANY_CONNECTIONS || *code == SqlState::ADMIN_SHUTDOWN => {
                Self::Unavailable(db.message().to_owned())
            }
            _ => Self::Internal(db.message().to_owned()),
        }
    }
}
