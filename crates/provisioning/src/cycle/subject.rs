//! One object of the directory with everything that decides about it, read in one transaction.

use std::collections::HashMap;

use directory::{Group, User};
use jiff::Timestamp;
use mapping::{ObjectType, Source};
use store::applications::{self, EntitlementRecord};
use store::links::{self, EscrowRecord, LinkRecord, LinkState};
use store::{AppId, ObjectId, ObjectKind, ReadTx, reconsiderations};

use super::run::PAGE;
use crate::job::JobError;
use crate::source::{GroupSource, UserSource};
use crate::surroundings::{JobNeeds, Needs, Surrounded, Surroundings};

/// A source object as it is now: the object itself is `None` where it is gone.
pub(super) struct Subject {
    pub(super) kind: ObjectKind,
    pub(super) id: ObjectId,
    pub(super) user: Option<User>,
    pub(super) group: Option<Group>,
    pub(super) entitlements: Vec<EntitlementRecord>,
    pub(super) assigned: bool,
    pub(super) link: Option<LinkRecord>,
    /// The id that the user's manager has at the target.
    pub(super) manager_target: Option<String>,
    pub(super) escrow: Option<EscrowRecord>,
    /// What filters and mappings read beside the object.
    pub(super) around: Surroundings,
    /// When it is to be looked at again because of the time, as an earlier look has found.
    pub(super) due: Option<Timestamp>,
}

impl Subject {
    pub(super) fn load(
        tx: &mut ReadTx<'_>,
        app: AppId,
        needs: &JobNeeds,
        kind: ObjectKind,
        id: ObjectId,
    ) -> Result<Self, JobError> {
        let mut subject = Self {
            kind,
            id,
            user: None,
            group: None,
            entitlements: Vec::new(),
            assigned: false,
            link: links::link(tx, app, kind, id)?,
            manager_target: None,
            escrow: links::escrow(tx, app, kind, id)?,
            around: Surroundings::default(),
            due: None,
        };
        let needs = needs.of(object_type(kind));
        if kind == ObjectKind::Group {
            subject.group = directory::group(tx, id.group())?;
            subject.assigned = applications::is_assigned(tx, app, id)?;
            subject.load_needs(tx, app, needs)?;
            return Ok(subject);
        }
        subject.user = directory::user(tx, id.user())?;
        subject.load_surroundings(tx, app, true)?;
        subject.load_needs(tx, app, needs)?;
        Ok(subject)
    }

    /// Reads what the job's mappings ask for beside the object.
    fn load_needs(&mut self, tx: &mut ReadTx<'_>, app: AppId, needs: &Needs) -> Result<(), JobError> {
        if self.exists() {
            let manager = self.user.as_ref().and_then(|user| user.manager);
            self.around = Surroundings::load(tx, needs, self.id, manager)?;
        }
        if needs.time {
            self.due = reconsiderations::of(tx, app, self.kind, self.id)?;
        }
        Ok(())
    }

    /// Reads what decides about a user beside the user itself.
    fn load_surroundings(&mut self, tx: &mut ReadTx<'_>, app: AppId, with_roles: bool) -> Result<(), JobError> {
        let Some(user) = &self.user else { return Ok(()) };
        if with_roles {
            self.entitlements = applications::entitlements(tx, app, user.id)?;
        }
        if let Some(manager) = user.manager {
            self.manager_target = links::link(tx, app, ObjectKind::User, manager.into())?
                .filter(|link| link.state != LinkState::Creating)
                .and_then(|link| link.target_id);
        }
        Ok(())
    }

    /// Users that follow each other in the directory, with few statements. Who is not among the answer, such as one that
    /// is gone, is to be read alone.
    pub(super) fn load_users(
        tx: &mut ReadTx<'_>,
        app: AppId,
        ids: &[ObjectId],
        with_roles: bool,
        needs: &JobNeeds,
    ) -> Result<Vec<Self>, JobError> {
        let (Some(first), Some(last)) = (ids.first().copied(), ids.last().copied()) else { return Ok(Vec::new()) };
        let (found, failed) = links::links_and_escrows_between(tx, app, ObjectKind::User, (first, last), PAGE)?;
        if found.len() >= PAGE as usize || failed.len() >= PAGE as usize {
            return Ok(Vec::new());
        }
        let mut found: HashMap<_, _> = found.into_iter().map(|link| (link.source_id, link)).collect();
        let mut failed: HashMap<_, _> = failed.into_iter().map(|escrow| (escrow.source_id, escrow)).collect();
        let mut subjects = Vec::new();
        for user in directory::users_between(tx, first.user(), last.user(), PAGE)? {
            let id = user.id.into();
            let mut subject = Self {
                kind: ObjectKind::User,
                id,
                user: Some(user),
                group: None,
                entitlements: Vec::new(),
                assigned: false,
                link: found.remove(&id),
                manager_target: None,
                escrow: failed.remove(&id),
                around: Surroundings::default(),
                due: None,
            };
            subject.load_surroundings(tx, app, with_roles)?;
            subject.load_needs(tx, app, needs.of(ObjectType::User))?;
            subjects.push(subject);
        }
        Ok(subjects)
    }

    /// The name that people know the object by, also after it is gone.
    pub(super) fn label(&self) -> String {
        match (&self.user, &self.group, &self.link) {
            (Some(user), ..) => user.user_principal_name.clone(),
            (_, Some(group), _) => group.display_name.clone(),
            (.., Some(link)) => link.label.clone(),
            (None, None, None) => self.id.to_string(),
        }
    }

    /// What it is known by.
    pub(super) const fn key(&self) -> (ObjectKind, ObjectId) {
        (self.kind, self.id)
    }

    /// The name at the target's side of the mapping.
    pub(super) const fn object(&self) -> ObjectType {
        object_type(self.kind)
    }

    pub(super) fn exists(&self) -> bool {
        self.user.is_some() || self.group.is_some()
    }

    /// Calls `with` with the object as mappings see it; `None` where the object is gone.
    pub(super) fn with_source<T>(&self, is_soft_deleted: bool, with: impl FnOnce(&dyn Source) -> T) -> Option<T> {
        let with = |object: &dyn Source| with(&Surrounded { object, around: &self.around });
        match (&self.user, &self.group) {
            (Some(user), _) => Some(with(&UserSource { user, entitlements: &self.entitlements, is_soft_deleted })),
            (None, Some(group)) => Some(with(&GroupSource { group, is_soft_deleted })),
            (None, None) => None,
        }
    }
}

pub(super) const fn object_type(kind: ObjectKind) -> ObjectType {
    match kind {
        ObjectKind::Group => ObjectType::Group,
        ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => ObjectType::User,
    }
}
