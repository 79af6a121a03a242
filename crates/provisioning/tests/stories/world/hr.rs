//! What HR does in the directory: people join, move and leave, groups are made, both are assigned.

use directory::{GroupDraft, UserDraft};
use serde_json::Value;
use store::{AppId, GroupId, ObjectId, ObjectKind, UserId, WriteTx};

use super::World;

impl World {
    /// Does something in the directory that must succeed.
    pub async fn hr<T, F>(&self, mut what: F) -> T
    where
        T: Send + 'static,
        F: FnMut(&mut WriteTx<'_>, jiff::Timestamp) -> Result<T, directory::DirectoryError> + Send + 'static,
    {
        let now = self.clock.now();
        self.store.write(move |tx| what(tx, now)).await.expect("the directory takes it")
    }

    /// Somebody with a given name, `Ann` say: `ann@contoso.com`, `Ann Example`.
    pub async fn joins(&self, given_name: &str) -> UserId {
        self.joins_with(given_name, &[]).await
    }

    /// The same with further attributes.
    pub async fn joins_with(&self, given_name: &str, attributes: &[(&str, &str)]) -> UserId {
        let nick = given_name.to_lowercase();
        let mut draft = UserDraft::new(format!("{nick}@contoso.com"), format!("{given_name} Example"))
            .with("givenName", given_name)
            .with("surname", "Example")
            .with("mail", format!("{nick}@contoso.com"))
            .with("mailNickname", nick);
        for (name, value) in attributes {
            draft = draft.with(name, *value);
        }
        let id = self.id();
        self.hr(move |tx, now| directory::create_user(tx, id, &draft, now)).await;
        id
    }

    /// Somebody joins and is assigned to an application as a member.
    pub async fn joins_for(&self, app: AppId, given_name: &str) -> UserId {
        let user = self.joins(given_name).await;
        self.assign(app, user).await;
        user
    }

    /// An attribute of a user gets another value; none where it is empty.
    pub async fn set(&self, user: UserId, name: &str, value: impl Into<Value>) {
        let value = Some(value.into()).filter(|value| *value != Value::Null && *value != "");
        let changes = [(name.to_owned(), value)];
        self.hr(move |tx, now| directory::change_user(tx, user, &changes, now)).await;
    }

    /// An attribute of a group gets another value.
    pub async fn set_group(&self, group: GroupId, name: &str, value: impl Into<Value>) {
        let changes = [(name.to_owned(), Some(value.into()))];
        self.hr(move |tx, now| directory::change_group(tx, group, &changes, now)).await;
    }

    /// A user goes to the recycle bin.
    pub async fn deletes(&self, user: UserId) {
        self.hr(move |tx, now| directory::delete_user(tx, user, now)).await;
    }

    /// A user comes back from the recycle bin.
    pub async fn restores(&self, user: UserId) {
        self.hr(move |tx, now| directory::restore_user(tx, user, now)).await;
    }

    /// A user leaves the recycle bin for good.
    pub async fn purges(&self, user: UserId) {
        self.hr(move |tx, now| directory::purge_user(tx, user, now)).await;
    }

    /// A user is deleted, and then for good.
    pub async fn deletes_for_good(&self, user: UserId) {
        self.deletes(user).await;
        self.purges(user).await;
    }

    /// A group is made.
    pub async fn group(&self, display_name: &str) -> GroupId {
        let (id, draft) = (self.id(), GroupDraft::new(display_name));
        self.hr(move |tx, now| directory::create_group(tx, id, &draft, now)).await;
        id
    }

    /// A group is made and assigned to an application as a member.
    pub async fn group_for(&self, app: AppId, display_name: &str) -> GroupId {
        let group = self.group(display_name).await;
        self.assign_group(app, group).await;
        group
    }

    /// A group is deleted for good.
    pub async fn dissolves(&self, group: GroupId) {
        self.hr(move |tx, now| directory::delete_group(tx, group, now)).await;
        self.hr(move |tx, now| directory::purge_group(tx, group, now)).await;
    }

    /// A user becomes a member of a group.
    pub async fn enters(&self, group: GroupId, user: UserId) {
        self.hr(move |tx, now| directory::add_member(tx, group, user.into(), ObjectKind::User, now)).await;
    }

    /// A group becomes a member of a group.
    pub async fn nests(&self, outer: GroupId, inner: GroupId) {
        self.hr(move |tx, now| directory::add_member(tx, outer, inner.into(), ObjectKind::Group, now)).await;
    }

    /// A group is a member of a group no longer.
    pub async fn unnests(&self, outer: GroupId, inner: GroupId) {
        self.hr(move |tx, now| directory::remove_member(tx, outer, inner.into(), now)).await;
    }

    /// A user is a member of a group no longer.
    pub async fn exits(&self, group: GroupId, user: UserId) {
        self.hr(move |tx, now| directory::remove_member(tx, group, user.into(), now)).await;
    }

    /// A user is assigned to an application as a member.
    pub async fn assign(&self, app: AppId, user: UserId) {
        self.assign_with(app, user.into(), ObjectKind::User, Some("Member")).await;
    }

    /// A group is assigned to an application as a member.
    pub async fn assign_group(&self, app: AppId, group: GroupId) {
        self.assign_with(app, group.into(), ObjectKind::Group, Some("Member")).await;
    }

    /// A user or group is assigned with a role; *Default Access* where none is named.
    pub async fn assign_with(&self, app: AppId, who: ObjectId, kind: ObjectKind, role: Option<&'static str>) {
        self.hr(move |tx, now| directory::assign(tx, app, who, kind, role, now)).await;
    }

    /// A user or group is not assigned to an application any more.
    pub async fn unassign(&self, app: AppId, who: impl Into<ObjectId>) {
        let who = who.into();
        self.hr(move |tx, now| directory::unassign(tx, app, who, None, now)).await;
    }
}
