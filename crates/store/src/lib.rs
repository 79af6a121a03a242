//! Records and ids, every SQL statement and migration, for SQLite and PostgreSQL behind one API.
//!
//! A use case is a plain function over a transaction; [`Store::write`] and [`Store::read`] run it. On SQLite one writer
//! thread runs the writes, each in a savepoint, and commits many at once (group commit, `synchronous=FULL`); on
//! PostgreSQL a pool of connections runs them. Who may do what is decided elsewhere; no driver type leaves this crate.

pub mod applications;
pub mod audit;
mod changes;
pub mod clients;
pub mod deletions;
pub mod emptied;
mod error;
mod figures;
pub mod groups;
mod id;
pub mod jobs;
mod key;
mod key_paths;
mod kind;
pub mod links;
pub mod listing;
pub mod logs;
pub mod mapping_versions;
pub mod members;
mod migrate;
mod postgres;
pub mod reconsiderations;
pub mod references;
pub mod resources;
pub mod schemas;
pub mod settings;
mod sql;
mod sqlite;
mod store;
pub mod tenants;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tokens;
mod tx;
pub mod unique_values;
pub mod users;
pub mod webhooks;

pub use changes::{
    Action, Change, DIRECTORY_FEED, Feed, ObjectKind, Occurrence, TRIMMED_AT_A_TIME, append_attributes_alone,
    append_change, append_occurrence, append_occurrences, changes_after, feed_head, number_changes, occurrences_after,
    trim_changes,
};
pub use error::{StoreError, UniqueKey};
pub use figures::{Figures, Histogram, WriteTimes};
pub use id::{
    AppId, ClientId, CycleId, GroupId, LogId, ObjectId, ResourceId, RoleId, SecretId, TenantKey, TokenId, UserId,
    WebhookId, version_7,
};
pub use key::{BadKey, folded, folded_user_name};
pub use migrate::SCHEMA_VERSION;
pub use store::{Database, Store};
pub use tx::{ReadTx, WriteTx};

use jiff::Timestamp;

/// A moment as the store keeps it: whole milliseconds since 1970-01-01T00:00:00Z.
pub(crate) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The moment behind stored milliseconds; a value out of range becomes the nearest moment there is.
pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
