//! Who would be assigned once a change is made: the assignments that it makes and ends, held against those that there are.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use store::applications::{self, EntitlementRecord, RoleRecord};
use store::{AppId, ObjectId, ObjectKind, ReadTx, RoleId, groups, links};

use super::subject::Subject;
use crate::job::JobError;
use crate::surroundings::GROUPS_MAX;

/// Members of a group that are read at a time.
const STEP: u32 = 500;

/// Assignments that a change makes and ends, each with the value of its role.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reassigned {
    ends: BTreeSet<(ObjectId, String)>,
    makes: BTreeSet<(ObjectId, String)>,
    /// Of whom there is an assignment among them.
    principals: BTreeMap<ObjectId, ObjectKind>,
}

/// What decides about a user or a group once a change is made.
pub(super) struct Afterwards {
    pub(super) entitlements: Vec<EntitlementRecord>,
    pub(super) assigned: bool,
}

impl Reassigned {
    /// Adds an assignment that ends.
    pub(crate) fn end(&mut self, principal: ObjectId, kind: ObjectKind, role: &str) {
        self.principals.insert(principal, kind);
        self.ends.insert((principal, role.to_owned()));
    }

    /// Adds an assignment that is made.
    pub(crate) fn make(&mut self, principal: ObjectId, kind: ObjectKind, role: &str) {
        self.principals.insert(principal, kind);
        self.makes.insert((principal, role.to_owned()));
    }

    /// Whether nothing is made or ended.
    pub(super) fn is_empty(&self) -> bool {
        self.principals.is_empty()
    }

    /// The objects whose scope these assignments may change, of members of groups those with accounts; `None` where they are more than
    /// that.
    pub(super) fn reached(
        &self,
        tx: &mut ReadTx<'_>,
        app: AppId,
        kind: ObjectKind,
        most: usize,
    ) -> Result<Option<Vec<ObjectId>>, JobError> {
        let mut reached = BTreeSet::new();
        for (principal, of) in &self.principals {
            if *of == kind {
                reached.insert(*principal);
            } else if kind == ObjectKind::User {
                members(tx, app, *principal, most, &mut reached)?;
            }
            if reached.len() > most {
                return Ok(None);
            }
        }
        Ok(Some(reached.into_iter().collect()))
    }

    /// What decides about an object afterwards.
    pub(super) fn afterwards(
        &self,
        tx: &mut ReadTx<'_>,
        app: AppId,
        subject: &Subject,
    ) -> Result<Afterwards, JobError> {
        let id = subject.id;
        let mut ways = applications::ways_in(tx, app, id)?;
        ways.retain(|way| !self.ends.contains(&(way.principal, way.role.value.clone())));
        let mut principals = HashSet::from([id]);
        let is_of_groups = |(principal, _): &(ObjectId, String)| self.principals[principal] == ObjectKind::Group;
        if subject.kind == ObjectKind::User && self.makes.iter().any(is_of_groups) {
            principals.extend(groups::live_groups_of(tx, id, GROUPS_MAX)?.into_iter().map(ObjectId::from));
        }
        let made = self.makes.iter().filter(|(principal, _)| principals.contains(principal));
        ways.extend(made.map(|(principal, role)| way_in(id, *principal, role)));
        let assigned = subject.kind == ObjectKind::Group && ways.iter().any(|way| way.direct);
        ways.sort_by(|one, other| (other.direct, &one.role.value).cmp(&(one.direct, &other.role.value)));
        let mut seen = HashSet::new();
        ways.retain(|way| seen.insert(way.role.value.clone()));
        let entitlements = if subject.kind == ObjectKind::User { ways } else { Vec::new() };
        Ok(Afterwards { entitlements, assigned })
    }
}

/// A role by an assignment that there is not yet. It may be a role that there is not yet either, so it goes by its value alone.
fn way_in(id: ObjectId, principal: ObjectId, role: &str) -> EntitlementRecord {
    let role = RoleRecord { id: RoleId::new(uuid::Uuid::nil()), value: role.to_owned(), display_name: role.to_owned() };
    EntitlementRecord { role, direct: principal == id, principal }
}

/// Adds the users with accounts in a group. Groups within it give nobody a role.
fn members(
    tx: &mut ReadTx<'_>,
    app: AppId,
    group: ObjectId,
    most: usize,
    reached: &mut BTreeSet<ObjectId>,
) -> Result<(), JobError> {
    let mut after = None;
    loop {
        let page = groups::members_after(tx, group.group(), after, STEP)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
        for (id, _) in page.into_iter().filter(|(_, kind)| *kind == ObjectKind::User) {
            if links::link(tx, app, ObjectKind::User, id)?.is_some() {
                reached.insert(id);
            }
        }
        if reached.len() > most {
            return Ok(());
        }
    }
}
