//! Groups: what one is, how it is made, changed, deleted and found. Its members are in `member`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use store::groups::{self as stored, GroupRecord};
use store::{
    DIRECTORY_FEED, GroupId, ObjectId, ObjectKind, ReadTx, StoreError, WriteTx, append_attributes_alone, append_change,
    applications, folded,
};

use crate::attribute::{self, Named};
use crate::error::DirectoryError;
use crate::page::{Page, SCAN_STEP, look_through};
use crate::user::{Changes, app_object, leave_all};

#[cfg(test)]
mod tests;

/// The most groups of one name that a look-up by name tells apart.
const SAME_NAME_MAX: u32 = 100;
/// Rows handled at a time while a group is purged.
const STEP: u32 = 500;

/// A group of the directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// `objectId`.
    pub id: GroupId,
    /// `displayName`; several groups may have the same.
    pub display_name: String,
    /// `securityEnabled`: only such groups can be assigned to an application.
    pub security_enabled: bool,
    /// When the group was soft-deleted, if so.
    pub deleted: Option<Timestamp>,
    /// Other attributes: `description`, `mailNickname`, …
    pub attributes: BTreeMap<String, Value>,
    /// 1 when made, one more with each change.
    pub version: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

/// What a new group is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupDraft {
    /// `displayName`.
    pub display_name: String,
    /// `securityEnabled`.
    pub security_enabled: bool,
    /// Other attributes, by name.
    pub attributes: BTreeMap<String, Value>,
}

impl GroupDraft {
    /// A security group with a name and nothing else.
    pub fn new(display_name: impl Into<String>) -> Self {
        Self { display_name: display_name.into(), security_enabled: true, attributes: BTreeMap::new() }
    }
}

/// Which groups are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSearch {
    /// Text that is part of the `displayName`, without case.
    pub text: Option<String>,
    /// Whether the soft-deleted ones are wanted, rather than the others.
    pub deleted: bool,
}

impl Group {
    /// The value of an attribute by name, without case.
    pub fn attribute(&self, name: &str) -> Option<Value> {
        let named = attribute::of_group(name)?;
        match named.name.as_ref() {
            "objectId" => Some(self.id.to_string().into()),
            "displayName" => Some(self.display_name.as_str().into()),
            "securityEnabled" => Some(self.security_enabled.into()),
            "createdDateTime" => Some(self.created.to_string().into()),
            other => self.attributes.get(other).cloned(),
        }
    }

    pub(crate) const fn blank(id: GroupId, now: Timestamp) -> Self {
        Self {
            id,
            display_name: String::new(),
            security_enabled: true,
            deleted: None,
            attributes: BTreeMap::new(),
            version: 1,
            created: now,
            modified: now,
        }
    }

    pub(crate) fn set(&mut self, named: &Named, value: Option<Value>) -> Result<(), DirectoryError> {
        let invalid = |reason: String| DirectoryError::invalid(&named.name, reason);
        if named.rules.read_only {
            return Err(invalid("is set by the directory itself".to_owned()));
        }
        let value = named.rules.normalised(value.unwrap_or(Value::Null)).map_err(invalid)?;
        match (named.name.as_ref(), value) {
            ("displayName", Some(Value::String(name))) => self.display_name = name,
            ("securityEnabled", Some(Value::Bool(enabled))) => self.security_enabled = enabled,
            ("displayName" | "securityEnabled", _) => return Err(invalid("cannot be empty".to_owned())),
            (name, Some(value)) => drop(self.attributes.insert(name.to_owned(), value)),
            (name, None) => drop(self.attributes.remove(name)),
        }
        Ok(())
    }

    pub(crate) fn from_record(record: GroupRecord) -> Result<Self, DirectoryError> {
        let attributes = serde_json::from_str(&record.doc)
            .map_err(|error| StoreError::Decode(format!("attributes of group {}: {error}", record.id)))?;
        Ok(Self {
            id: record.id,
            display_name: record.display_name,
            security_enabled: record.security_enabled,
            deleted: record.deleted,
            attributes,
            version: record.version,
            created: record.created,
            modified: record.modified,
        })
    }

    fn record(&self) -> Result<GroupRecord, DirectoryError> {
        Ok(GroupRecord {
            id: self.id,
            display_name: self.display_name.clone(),
            security_enabled: self.security_enabled,
            deleted: self.deleted,
            doc: serde_json::to_string(&self.attributes).map_err(|e| StoreError::Internal(e.to_string()))?,
            version: self.version,
            created: self.created,
            modified: self.modified,
        })
    }
}

/// Makes a group. An id that is taken is [`DirectoryError::NotUnique`]; a name is not.
pub fn create_group(
    tx: &mut WriteTx<'_>,
    id: GroupId,
    new: &GroupDraft,
    now: Timestamp,
) -> Result<Group, DirectoryError> {
    let mut group = Group::blank(id, now);
    group.set(&known("displayName")?, Some(new.display_name.as_str().into()))?;
    group.security_enabled = new.security_enabled;
    for (name, value) in &new.attributes {
        group.set(&known(name)?, Some(value.clone()))?;
    }
    insert(tx, group, now)
}

/// Changes attributes of a group that is not soft-deleted; says whether anything changed.
pub fn change_group(
    tx: &mut WriteTx<'_>,
    id: GroupId,
    changes: &Changes,
    now: Timestamp,
) -> Result<(Group, bool), DirectoryError> {
    stored::lock_group(tx, id)?;
    let before = live_group(tx, id)?;
    let mut after = before.clone();
    for (name, value) in changes {
        after.set(&known(name)?, value.clone())?;
    }
    update(tx, &before, after, now)
}

fn known(name: &str) -> Result<Named, DirectoryError> {
    attribute::of_group(name).ok_or_else(|| DirectoryError::UnknownAttribute { kind: "group", name: name.to_owned() })
}

/// Stores a new group with its feed row.
pub(crate) fn insert(tx: &mut WriteTx<'_>, group: Group, now: Timestamp) -> Result<Group, DirectoryError> {
    if group.display_name.is_empty() {
        return Err(DirectoryError::invalid("displayName", "cannot be empty"));
    }
    if stored::group_by_id(tx, group.id)?.is_some() {
        return Err(DirectoryError::NotUnique { kind: "group", attribute: "id", value: group.id.to_string() });
    }
    stored::insert_group(tx, &group.record()?, &folded(&group.display_name))?;
    changed(tx, group.id, now)?;
    Ok(group)
}

/// Stores `after` in place of `before`, with its feed rows, if they differ.
pub(crate) fn update(
    tx: &mut WriteTx<'_>,
    before: &Group,
    after: Group,
    now: Timestamp,
) -> Result<(Group, bool), DirectoryError> {
    if *before == after {
        return Ok((after, false));
    }
    let entitles_otherwise = before.security_enabled != after.security_enabled;
    let after = store_changed(tx, after, now)?;
    append_attributes_alone(tx, DIRECTORY_FEED, after.id, now)?;
    if entitles_otherwise {
        entitlement_changed(tx, after.id, now)?;
    }
    Ok((after, true))
}

fn write(tx: &mut WriteTx<'_>, group: Group, now: Timestamp) -> Result<Group, DirectoryError> {
    let group = store_changed(tx, group, now)?;
    changed(tx, group.id, now)?;
    Ok(group)
}

fn store_changed(tx: &mut WriteTx<'_>, mut group: Group, now: Timestamp) -> Result<Group, DirectoryError> {
    group.version += 1;
    group.modified = now;
    stored::update_group(tx, &group.record()?, &folded(&group.display_name))?;
    Ok(group)
}

fn changed(tx: &mut WriteTx<'_>, id: GroupId, now: Timestamp) -> Result<(), DirectoryError> {
    Ok(append_change(tx, DIRECTORY_FEED, ObjectKind::Group, id.into(), None, now)?)
}

/// A group that is deleted, restored, or no longer a security group entitles its members differently: to a reader of the
/// feed that is a change of each of its assignments.
fn entitlement_changed(tx: &mut WriteTx<'_>, id: GroupId, now: Timestamp) -> Result<(), DirectoryError> {
    for app in applications::apps_of(tx, id.into())? {
        append_change(tx, DIRECTORY_FEED, ObjectKind::Assignment, id.into(), Some(app_object(app)), now)?;
    }
    Ok(())
}

/// Soft-deletes a group: it keeps its members and assignments, which count for nothing until it is restored.
pub fn delete_group(tx: &mut WriteTx<'_>, id: GroupId, now: Timestamp) -> Result<Group, DirectoryError> {
    stored::lock_group(tx, id)?;
    let mut group = live_group(tx, id)?;
    group.deleted = Some(now);
    let group = write(tx, group, now)?;
    entitlement_changed(tx, id, now)?;
    Ok(group)
}

/// Restores a soft-deleted group.
pub fn restore_group(tx: &mut WriteTx<'_>, id: GroupId, now: Timestamp) -> Result<Group, DirectoryError> {
    stored::lock_group(tx, id)?;
    let mut group = deleted_group(tx, id)?;
    group.deleted = None;
    let group = write(tx, group, now)?;
    entitlement_changed(tx, id, now)?;
    Ok(group)
}

/// Removes a soft-deleted group for good, with its members, memberships and assignments; the feed tells of each.
pub fn purge_group(tx: &mut WriteTx<'_>, id: GroupId, now: Timestamp) -> Result<(), DirectoryError> {
    stored::lock_group(tx, id)?;
    deleted_group(tx, id)?;
    let mut after: Option<ObjectId> = None;
    loop {
        let members = stored::members_after(tx, id, after, STEP)?;
        let Some((last, _)) = members.last().copied() else { break };
        for (member, _) in members {
            stored::remove_member(tx, id, member)?;
            append_change(tx, DIRECTORY_FEED, ObjectKind::Membership, id.into(), Some(member), now)?;
        }
        after = Some(last);
    }
    leave_all(tx, id.into(), now)?;
    stored::delete_group(tx, id)?;
    changed(tx, id, now)
}

/// The group with that object id, soft-deleted or not.
pub fn group(tx: &mut ReadTx<'_>, id: GroupId) -> Result<Option<Group>, DirectoryError> {
    stored::group_by_id(tx, id)?.map(Group::from_record).transpose()
}

/// The group with that `displayName` or object id that is not soft-deleted. Several of that name are
/// [`DirectoryError::Ambiguous`].
pub fn find_group(tx: &mut ReadTx<'_>, name: &str) -> Result<Group, DirectoryError> {
    find(tx, "group", name, |group| group.deleted.is_none())
}

/// The group with that `displayName` that is not soft-deleted, also where the name looks like an object id.
pub(crate) fn find_named(tx: &mut ReadTx<'_>, name: &str) -> Result<Group, DirectoryError> {
    let found = stored::groups_by_name(tx, &folded(name), SAME_NAME_MAX)?;
    the_one("group", name, found, |group| group.deleted.is_none())
}

/// The soft-deleted group with that `displayName` or object id.
pub fn find_deleted_group(tx: &mut ReadTx<'_>, name: &str) -> Result<Group, DirectoryError> {
    find(tx, "soft-deleted group", name, |group| group.deleted.is_some())
}

fn find(
    tx: &mut ReadTx<'_>,
    kind: &'static str,
    name: &str,
    wanted: fn(&GroupRecord) -> bool,
) -> Result<Group, DirectoryError> {
    let found = match name.parse::<GroupId>() {
        Ok(id) => stored::group_by_id(tx, id)?.into_iter().collect(),
        Err(_) if name.contains('\0') => Vec::new(),
        Err(_) => stored::groups_by_name(tx, &folded(name), SAME_NAME_MAX)?,
    };
    the_one(kind, name, found, wanted)
}

fn the_one(
    kind: &'static str,
    name: &str,
    mut found: Vec<GroupRecord>,
    wanted: fn(&GroupRecord) -> bool,
) -> Result<Group, DirectoryError> {
    found.retain(wanted);
    match (found.pop(), found.len()) {
        (Some(record), 0) => Group::from_record(record),
        (Some(_), others) => Err(DirectoryError::Ambiguous { kind, name: name.to_owned(), count: others + 1 }),
        (None, _) => Err(DirectoryError::not_found(kind, name)),
    }
}

pub(crate) fn live_group(tx: &mut ReadTx<'_>, id: GroupId) -> Result<Group, DirectoryError> {
    match group(tx, id)? {
        Some(group) if group.deleted.is_none() => Ok(group),
        Some(_) => Err(DirectoryError::NotAllowed(format!("group {id} is soft-deleted; restore it first"))),
        None => Err(DirectoryError::not_found("group", &id)),
    }
}

fn deleted_group(tx: &mut ReadTx<'_>, id: GroupId) -> Result<Group, DirectoryError> {
    match group(tx, id)? {
        Some(group) if group.deleted.is_some() => Ok(group),
        Some(_) => Err(DirectoryError::NotAllowed(format!("group {id} is not soft-deleted; delete it first"))),
        None => Err(DirectoryError::not_found("group", &id)),
    }
}

/// Groups behind `after`, a folded name and an id, that match the search, in the order of their names, `limit` at the
/// most; pages are as those of [`crate::list_users`].
pub fn list_groups(
    tx: &mut ReadTx<'_>,
    search: &GroupSearch,
    after: Option<(String, GroupId)>,
    limit: u32,
) -> Result<Page<Group, (String, GroupId)>, DirectoryError> {
    let text = search.text.as_deref().map(folded);
    let wanted = |record: &GroupRecord| {
        record.deleted.is_some() == search.deleted
            && text.as_ref().is_none_or(|text| folded(&record.display_name).contains(text.as_str()))
    };
    look_through(
        after,
        limit,
        |after| {
            let (name, id) = after.unwrap_or_else(|| (String::new(), GroupId::new(uuid::Uuid::nil())));
            Ok(stored::groups_by_name_after(tx, (&name, id), SCAN_STEP)?)
        },
        |record| (folded(&record.display_name), record.id),
        |record| wanted(&record).then(|| Group::from_record(record)).transpose(),
    )
}
