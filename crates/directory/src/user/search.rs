//! Finding users by id, by name and by text.

use store::users as stored;
use store::{ReadTx, UserId, folded};

use super::{User, name_key};
use crate::error::DirectoryError;
use crate::page::{Page, SCAN_STEP, look_through};

/// Which users are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserSearch {
    /// Text that is part of the `displayName` or the `userPrincipalName`, without case.
    pub text: Option<String>,
    /// Whether the soft-deleted ones are wanted, rather than the others.
    pub deleted: bool,
    /// Whether only enabled, or only disabled ones are wanted.
    pub account_enabled: Option<bool>,
}

/// The user with that object id, soft-deleted or not.
pub fn user(tx: &mut ReadTx<'_>, id: UserId) -> Result<Option<User>, DirectoryError> {
    stored::user_by_id(tx, id)?.map(User::from_record).transpose()
}

/// Users with ids from `first` to `last`, soft-deleted ones too, `limit` at the most.
pub fn users_between(
    tx: &mut ReadTx<'_>,
    first: UserId,
    last: UserId,
    limit: u32,
) -> Result<Vec<User>, DirectoryError> {
    stored::users_between(tx, first, last, limit)?.into_iter().map(User::from_record).collect()
}

/// The user with that `userPrincipalName` or object id who is not soft-deleted.
pub fn find_user(tx: &mut ReadTx<'_>, who: &str) -> Result<User, DirectoryError> {
    find_live(tx, who)
}

pub(super) fn find_live(tx: &mut ReadTx<'_>, who: &str) -> Result<User, DirectoryError> {
    let found = match who.parse::<UserId>() {
        Ok(id) => stored::user_by_id(tx, id)?,
        Err(_) => match name_key(who) {
            Ok(key) => stored::user_by_key(tx, &key)?,
            Err(_) => None,
        },
    };
    match found {
        Some(record) if record.deleted.is_none() => User::from_record(record),
        _ => Err(DirectoryError::not_found("user", who)),
    }
}

/// The soft-deleted user with that object id, or the one of exactly that `userPrincipalName` deleted last.
pub fn find_deleted_user(tx: &mut ReadTx<'_>, who: &str) -> Result<User, DirectoryError> {
    let found = match who.parse::<UserId>() {
        Ok(id) => stored::user_by_id(tx, id)?,
        Err(_) => stored::deleted_user_by_name(tx, who)?,
    };
    match found {
        Some(record) if record.deleted.is_some() => User::from_record(record),
        _ => Err(DirectoryError::not_found("soft-deleted user", who)),
    }
}

/// The user with that id who is not soft-deleted.
pub(super) fn live_user(tx: &mut ReadTx<'_>, id: UserId) -> Result<User, DirectoryError> {
    match user(tx, id)? {
        Some(user) if user.deleted.is_none() => Ok(user),
        Some(_) => Err(DirectoryError::NotAllowed(format!("user {id} is soft-deleted; restore it first"))),
        None => Err(DirectoryError::not_found("user", &id)),
    }
}

/// Where a page of users begins: behind the folded name, or behind the id, of the last one that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserPlace {
    /// Among those who are not soft-deleted.
    Name(String),
    /// Among the soft-deleted ones: their names are nobody's, and have no order.
    Id(UserId),
}

/// Users behind `after` that match the search, `limit` at the most: in the order of their names, soft-deleted ones in that
/// of their ids. A search that finds little in a large directory may answer a short page; its `next` says whether more were
/// not looked at yet.
pub fn list_users(
    tx: &mut ReadTx<'_>,
    search: &UserSearch,
    after: Option<UserPlace>,
    limit: u32,
) -> Result<Page<User, UserPlace>, DirectoryError> {
    let text = search.text.as_deref().map(folded);
    look_through(
        after,
        limit,
        |after| {
            Ok(match after {
                Some(UserPlace::Name(name)) => stored::users_by_name_after(tx, &name, SCAN_STEP)?,
                Some(UserPlace::Id(id)) => stored::users_after(tx, Some(id), SCAN_STEP)?,
                None if search.deleted => stored::users_after(tx, None, SCAN_STEP)?,
                None => stored::users_by_name_after(tx, "", SCAN_STEP)?,
            })
        },
        // Names that are stored can be folded.
        |record| match name_key(&record.user_principal_name) {
            Ok(name) if !search.deleted => UserPlace::Name(name),
            _ => UserPlace::Id(record.id),
        },
        |record| wanted(search, text.as_deref(), &record).then(|| User::from_record(record)).transpose(),
    )
}

fn wanted(search: &UserSearch, text: Option<&str>, record: &stored::UserRecord) -> bool {
    record.deleted.is_some() == search.deleted
        && search.account_enabled.is_none_or(|enabled| enabled == record.enabled)
        && text.is_none_or(|text| {
            folded(&record.display_name).contains(text) || folded(&record.user_principal_name).contains(text)
        })
}
