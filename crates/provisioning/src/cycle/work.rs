//! What a cycle looks at: for an incremental one, what the changes of the directory touch.

use std::collections::BTreeSet;

use mapping::ObjectType;
use store::{AppId, Change, ObjectId, ObjectKind, ReadTx, applications, groups, links, users};

use super::reach::is_group;
use crate::job::JobError;
use crate::surroundings::JobNeeds;

/// What a page of changes touches.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    /// Users and groups to look at, users first.
    pub(super) objects: BTreeSet<(ObjectKind, ObjectId)>,
    /// Groups whose members are to be looked at: their entitlement may be another.
    pub(super) groups: BTreeSet<ObjectId>,
    /// Memberships of provisioned groups to look at: group and member.
    pub(super) memberships: BTreeSet<(ObjectId, ObjectId)>,
    /// Users of whom those who report to them read something.
    pub(super) managers: BTreeSet<ObjectId>,
    /// Groups whose members are to be looked at because filters ask for memberships; also those of the groups in them, where that counts.
    pub(super) beneath: BTreeSet<ObjectId>,
}

impl Touched {
    /// Somebody or a group has become a member of a group that filters ask for, or is one no longer.
    fn member_changed(&mut self, is_group: bool, needs: &JobNeeds, member: ObjectId) {
        if !is_group {
            self.objects.insert((ObjectKind::User, member));
            return;
        }
        self.objects.insert((ObjectKind::Group, member));
        if needs.nested() {
            self.beneath.insert(member);
        }
    }
}

/// Works out what changes touch, for one application.
pub(super) fn touched(
    tx: &mut ReadTx<'_>,
    app: AppId,
    needs: &JobNeeds,
    changes: &[Change],
) -> Result<Touched, JobError> {
    let mut touched = Touched::default();
    for change in changes {
        match (change.object, change.related) {
            (ObjectKind::User, _) => {
                touched.objects.insert((ObjectKind::User, change.id));
                if needs.of(ObjectType::User).manager {
                    touched.managers.insert(change.id);
                }
            }
            (ObjectKind::Group, _) => {
                touched.objects.insert((ObjectKind::Group, change.id));
                if applications::is_assigned(tx, app, change.id)? {
                    touched.groups.insert(change.id);
                }
                // Who is in a group that is deleted is so no longer, until it is restored.
                if !change.is_of_attributes_alone() && needs.may_move_members(tx, change.id)? {
                    touched.beneath.insert(change.id);
                }
            }
            (ObjectKind::Membership, Some(member)) => {
                if needs.counts(change.id) {
                    touched.member_changed(is_group(tx, member)?, needs, member);
                }
                // Who has an account is looked at even where the group is assigned no longer, or gone: it may have been
                // what the account was for.
                if applications::is_assigned(tx, app, change.id)?
                    || links::link(tx, app, ObjectKind::User, member)?.is_some()
                {
                    touched.objects.insert((ObjectKind::User, member));
                }
                if links::link(tx, app, ObjectKind::Group, change.id)?.is_some() && is_user(tx, app, member)? {
                    touched.memberships.insert((change.id, member));
                }
            }
            (ObjectKind::Assignment, Some(other)) if other == ObjectId::new(app.uuid()) => {
                if groups::group_by_id(tx, change.id.group())?.is_some() {
                    touched.objects.insert((ObjectKind::Group, change.id));
                    touched.groups.insert(change.id);
                } else {
                    touched.objects.insert((ObjectKind::User, change.id));
                }
            }
            (ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_), _) => {}
        }
    }
    Ok(touched)
}

/// Whether a member is a user, also one that is gone but still has an account. Nested groups contribute nothing.
fn is_user(tx: &mut ReadTx<'_>, app: AppId, member: ObjectId) -> Result<bool, JobError> {
    Ok(users::user_by_id(tx, member.user())?.is_some() || links::link(tx, app, ObjectKind::User, member)?.is_some())
}
