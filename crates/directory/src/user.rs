//! Users: what one is, how it is made and changed. Deletion is in `lifecycle`, finding in `search`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use store::users::{self as stored, UserRecord};
use store::{DIRECTORY_FEED, ObjectKind, ReadTx, StoreError, UserId, WriteTx, append_change};

use crate::attribute::{self, Named, shown};
use crate::error::DirectoryError;

mod lifecycle;
mod search;
#[cfg(test)]
mod tests;

pub use lifecycle::{Purged, SOFT_DELETE_DAYS, delete_user, purge_expired, purge_user, restore_user};
pub(crate) use lifecycle::{app_object, leave_all};
pub use search::{UserPlace, UserSearch, find_deleted_user, find_user, list_users, user, users_between};

/// The most characters of a `userPrincipalName`. Entra allows members 113; names of guests are longer.
pub const USER_PRINCIPAL_NAME_MAX: usize = 256;
/// The most directory extensions one user has values for, as in Entra.
pub const EXTENSIONS_MAX: usize = 100;
/// The most characters of a `mailNickname`.
const MAIL_NICKNAME_MAX: usize = 64;

/// A user of the directory.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// `objectId`.
    pub id: UserId,
    /// `userPrincipalName` as given; unique without case among users that are not soft-deleted.
    pub user_principal_name: String,
    /// `displayName`.
    pub display_name: String,
    /// The manager, if there is one.
    pub manager: Option<UserId>,
    /// `accountEnabled`: whether sign-in is allowed.
    pub account_enabled: bool,
    /// When the user was soft-deleted, if so.
    pub deleted: Option<Timestamp>,
    /// All other attributes under the names of [`crate::SOURCE_ATTRIBUTES`], and directory extensions.
    pub attributes: BTreeMap<String, Value>,
    /// 1 when made, one more with each change.
    pub version: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

/// What a new user is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct UserDraft {
    /// `userPrincipalName`, like `ann@contoso.com`.
    pub user_principal_name: String,
    /// `displayName`.
    pub display_name: String,
    /// `accountEnabled`.
    pub account_enabled: bool,
    /// The manager, a user that is not soft-deleted.
    pub manager: Option<UserId>,
    /// Other attributes, by name or alias.
    pub attributes: BTreeMap<String, Value>,
}

impl UserDraft {
    /// An enabled user with a name and nothing else.
    pub fn new(user_principal_name: impl Into<String>, display_name: impl Into<String>) -> Self {
        Self {
            user_principal_name: user_principal_name.into(),
            display_name: display_name.into(),
            account_enabled: true,
            manager: None,
            attributes: BTreeMap::new(),
        }
    }

    /// The same with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(name.to_owned(), value.into());
        self
    }
}

/// Changes of attributes: each by name or alias, with the new value, or `None` to clear it.
pub type Changes = [(String, Option<Value>)];

impl User {
    /// The value of an attribute by name or alias, without case; references as object ids in text.
    pub fn attribute(&self, name: &str) -> Option<Value> {
        let named = attribute::of_user(name)?;
        match named.name.as_ref() {
            "objectId" => Some(self.id.to_string().into()),
            "userPrincipalName" => Some(self.user_principal_name.as_str().into()),
            "displayName" => Some(self.display_name.as_str().into()),
            "accountEnabled" => Some(self.account_enabled.into()),
            "manager" => self.manager.map(|id| id.to_string().into()),
            "createdDateTime" => Some(self.created.to_string().into()),
            other => self.attributes.get(other).cloned(),
        }
    }

    pub(crate) fn blank(id: UserId, now: Timestamp) -> Self {
        Self {
            id,
            user_principal_name: String::new(),
            display_name: String::new(),
            manager: None,
            account_enabled: true,
            deleted: None,
            attributes: BTreeMap::new(),
            version: 1,
            created: now,
            modified: now,
        }
    }

    /// Sets or clears one attribute. A `manager` must have become an object id before.
    pub(crate) fn set(&mut self, named: &Named, value: Option<Value>) -> Result<(), DirectoryError> {
        let invalid = |reason: String| DirectoryError::invalid(&named.name, reason);
        if named.rules.read_only {
            return Err(invalid("is set by the directory itself".to_owned()));
        }
        let value = named.rules.normalised(value.unwrap_or(Value::Null)).map_err(invalid)?;
        match (named.name.as_ref(), value) {
            ("userPrincipalName", Some(Value::String(name))) => self.user_principal_name = name,
            ("displayName", Some(Value::String(name))) => self.display_name = name,
            ("accountEnabled", Some(Value::Bool(enabled))) => self.account_enabled = enabled,
            ("userPrincipalName" | "displayName" | "accountEnabled", _) => {
                return Err(invalid("cannot be empty".to_owned()));
            }
            ("manager", Some(Value::String(id))) => {
                self.manager = Some(id.parse().map_err(|_| invalid(format!("is no object id: {}", shown(&id))))?);
            }
            ("manager", _) => self.manager = None,
            (name, Some(value)) => drop(self.attributes.insert(name.to_owned(), value)),
            (name, None) => drop(self.attributes.remove(name)),
        }
        Ok(())
    }

    /// Checks what concerns several attributes, fills in what every user has, and gives the folded name.
    fn completed(&mut self) -> Result<String, DirectoryError> {
        let key = name_key(&self.user_principal_name)?;
        if self.display_name.is_empty() {
            return Err(DirectoryError::invalid("displayName", "cannot be empty"));
        }
        if !self.attributes.contains_key("mailNickname") {
            let local = self.user_principal_name.split('@').next().unwrap_or_default();
            let nickname: String = local.chars().take(MAIL_NICKNAME_MAX).collect();
            self.attributes.insert("mailNickname".to_owned(), nickname.into());
        }
        if self.attributes.keys().filter(|name| attribute::is_extension(name)).count() > EXTENSIONS_MAX {
            let reason = format!("attributes are more than {EXTENSIONS_MAX} for one user");
            return Err(DirectoryError::invalid("extension", reason));
        }
        if self.manager == Some(self.id) {
            return Err(DirectoryError::invalid("manager", "cannot be the user's own"));
        }
        Ok(key)
    }

    pub(crate) fn from_record(record: UserRecord) -> Result<Self, DirectoryError> {
        let attributes = serde_json::from_str(&record.doc)
            .map_err(|error| StoreError::Decode(format!("attributes of user {}: {error}", record.id)))?;
        Ok(Self {
            id: record.id,
            user_principal_name: record.user_principal_name,
            display_name: record.display_name,
            manager: record.manager,
            account_enabled: record.enabled,
            deleted: record.deleted,
            attributes,
            version: record.version,
            created: record.created,
            modified: record.modified,
        })
    }

    fn record(&self) -> Result<UserRecord, DirectoryError> {
        Ok(UserRecord {
            id: self.id,
            user_principal_name: self.user_principal_name.clone(),
            display_name: self.display_name.clone(),
            manager: self.manager,
            enabled: self.account_enabled,
            deleted: self.deleted,
            doc: serde_json::to_string(&self.attributes).map_err(|e| StoreError::Internal(e.to_string()))?,
            version: self.version,
            created: self.created,
            modified: self.modified,
        })
    }
}

/// The folded form under which a `userPrincipalName` is unique. The name is `local@domain`.
pub(crate) fn name_key(name: &str) -> Result<String, DirectoryError> {
    let invalid = |reason: &str| DirectoryError::invalid("userPrincipalName", format!("{} {reason}", shown(name)));
    match name.split_once('@') {
        Some((local, domain)) if !local.is_empty() && !domain.is_empty() && !domain.contains('@') => {}
        _ => return Err(invalid("is not of the form name@domain")),
    }
    // A name of SCIM may have blanks, one of the directory not.
    let folded = store::folded_user_name(name).ok().filter(|_| !name.contains(' '));
    folded.ok_or_else(|| invalid("holds a character that names cannot have"))
}

/// Makes a user. An id or name that is taken is [`DirectoryError::NotUnique`].
pub fn create_user(tx: &mut WriteTx<'_>, id: UserId, new: &UserDraft, now: Timestamp) -> Result<User, DirectoryError> {
    let mut user = User::blank(id, now);
    user.set(&known("displayName")?, Some(new.display_name.as_str().into()))?;
    user.set(&known("userPrincipalName")?, Some(new.user_principal_name.as_str().into()))?;
    user.account_enabled = new.account_enabled;
    for (name, value) in &new.attributes {
        let value = with_manager_found(tx, name, Some(value.clone()))?;
        user.set(&known(name)?, value)?;
    }
    if let Some(manager) = new.manager {
        live_manager(tx, manager)?;
        user.manager = Some(manager);
    }
    insert(tx, user, now)
}

/// Changes attributes of a user that is not soft-deleted; says whether anything changed. Where nothing does, neither
/// the version nor the feed moves. `manager` takes a `userPrincipalName` or an object id.
pub fn change_user(
    tx: &mut WriteTx<'_>,
    id: UserId,
    changes: &Changes,
    now: Timestamp,
) -> Result<(User, bool), DirectoryError> {
    stored::lock_user(tx, id)?;
    let before = search::live_user(tx, id)?;
    let mut after = before.clone();
    for (name, value) in changes {
        let value = with_manager_found(tx, name, value.clone())?;
        after.set(&known(name)?, value)?;
    }
    update(tx, &before, after, now)
}

fn known(name: &str) -> Result<Named, DirectoryError> {
    attribute::of_user(name).ok_or_else(|| DirectoryError::UnknownAttribute { kind: "user", name: name.to_owned() })
}

/// Turns the value of a `manager` into the object id of a live user; leaves other values alone.
fn with_manager_found(tx: &mut ReadTx<'_>, name: &str, value: Option<Value>) -> Result<Option<Value>, DirectoryError> {
    match &value {
        Some(Value::String(who)) if name.eq_ignore_ascii_case("manager") && !who.is_empty() => {
            Ok(Some(search::find_live(tx, who)?.id.to_string().into()))
        }
        _ => Ok(value),
    }
}

fn live_manager(tx: &mut ReadTx<'_>, id: UserId) -> Result<(), DirectoryError> {
    match stored::user_by_id(tx, id)? {
        Some(manager) if manager.deleted.is_none() => Ok(()),
        _ => Err(DirectoryError::not_found("user", &id)),
    }
}

/// Stores a new user with its feed row, unless its id or name is taken.
fn insert(tx: &mut WriteTx<'_>, user: User, now: Timestamp) -> Result<User, DirectoryError> {
    refuse_taken_name(tx, &user, &name_key(&user.user_principal_name)?)?;
    if stored::user_by_id(tx, user.id)?.is_some() {
        return Err(taken("id", &user.id.to_string()));
    }
    insert_free(tx, user, now)
}

/// Stores a new user, whose id and name the caller has found free, with its feed row.
pub(crate) fn insert_free(tx: &mut WriteTx<'_>, mut user: User, now: Timestamp) -> Result<User, DirectoryError> {
    let key = user.completed()?;
    stored::insert_user(tx, &user.record()?, Some(&key))?;
    changed(tx, user.id, now)?;
    Ok(user)
}

/// Stores `after` in place of `before`, with its feed row, if they differ.
pub(crate) fn update(
    tx: &mut WriteTx<'_>,
    before: &User,
    mut after: User,
    now: Timestamp,
) -> Result<(User, bool), DirectoryError> {
    let key = after.completed()?;
    if *before == after {
        return Ok((after, false));
    }
    if before.user_principal_name != after.user_principal_name {
        refuse_taken_name(tx, &after, &key)?;
    }
    after.version = before.version + 1;
    after.modified = now;
    stored::update_user(tx, &after.record()?, Some(&key))?;
    changed(tx, after.id, now)?;
    Ok((after, true))
}

fn refuse_taken_name(tx: &mut ReadTx<'_>, user: &User, key: &str) -> Result<(), DirectoryError> {
    match stored::user_by_key(tx, key)? {
        Some(other) if other.id != user.id => Err(taken("userPrincipalName", &user.user_principal_name)),
        _ => Ok(()),
    }
}

fn taken(attribute: &'static str, value: &str) -> DirectoryError {
    DirectoryError::NotUnique { kind: "user", attribute, value: value.to_owned() }
}

/// Tells the feed that the user changed.
fn changed(tx: &mut WriteTx<'_>, id: UserId, now: Timestamp) -> Result<(), DirectoryError> {
    Ok(append_change(tx, DIRECTORY_FEED, ObjectKind::User, id.into(), None, now)?)
}
