//! A job as it is stored, whole: what a file is compared with, and what must still be so when it is applied.

use std::collections::BTreeSet;

use directory::DirectoryError;
use mapping::ObjectMapping;
use store::applications::AssignmentRecord;
use store::{AppId, ObjectId, ObjectKind, ReadTx, jobs};

use super::{ASSIGNMENTS_MAX, AssignmentRow, JobConfiguration, PlainSettings};
use crate::discovery::Discovered;
use crate::engine::read_settings;
use crate::job::JobError;

/// Assignments that are read at a time.
const STEP: u32 = 500;

/// An assignment by what tells it from every other.
pub(super) type AssignmentKey = (ObjectId, String);

/// A job as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JobState {
    pub(super) name: String,
    pub(super) template: String,
    pub(super) tenant_url: String,
    pub(super) on: bool,
    pub(super) settings: PlainSettings,
    pub(super) roles: Vec<String>,
    pub(super) objects: Vec<ObjectMapping>,
    pub(super) discovered: Discovered,
    pub(super) users: BTreeSet<AssignmentKey>,
    pub(super) groups: BTreeSet<AssignmentKey>,
}

impl JobState {
    /// Reads a job; its assignments only where they count.
    pub(super) fn read(tx: &mut ReadTx<'_>, app: AppId, users: bool, groups: bool) -> Result<Self, JobError> {
        let application = directory::application(tx, app)?;
        let record = jobs::job_by_app(tx, app)?.ok_or(JobError::NotFound)?;
        let (_, settings) = read_settings(&record, &application.template)?;
        let mut roles: Vec<String> = directory::app_roles(tx, app)?.into_iter().map(|role| role.value).collect();
        roles.retain(|role| role != directory::DEFAULT_ACCESS);
        roles.sort();
        let mut state = Self {
            name: application.name,
            template: application.template,
            tenant_url: settings.tenant_url.clone(),
            on: record.status == "on",
            settings: PlainSettings::of(&settings),
            roles,
            objects: settings.objects,
            discovered: settings.discovered,
            users: BTreeSet::new(),
            groups: BTreeSet::new(),
        };
        if users || groups {
            state.read_assignments(tx, app, users, groups)?;
        }
        Ok(state)
    }

    fn read_assignments(&mut self, tx: &mut ReadTx<'_>, app: AppId, users: bool, groups: bool) -> Result<(), JobError> {
        let mut after = None;
        loop {
            let page = directory::assignments(tx, app, after, STEP)?;
            for AssignmentRecord { principal, kind, role } in page.items {
                match kind {
                    ObjectKind::User if users => self.users.insert((principal, role.value)),
                    ObjectKind::Group if groups => self.groups.insert((principal, role.value)),
                    _ => false,
                };
            }
            if self.users.len().max(self.groups.len()) > ASSIGNMENTS_MAX {
                return Err(JobError::Invalid(format!(
                    "more than {ASSIGNMENTS_MAX} users or groups are assigned, which is too many for a file; assign a group in their place, \
                     or leave the assignments out"
                )));
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The job as a file says it, with the parts that the state was read with.
    pub(super) fn configuration(
        &self,
        tx: &mut ReadTx<'_>,
        users: bool,
        groups: bool,
    ) -> Result<JobConfiguration, JobError> {
        let mut rows_of = |wanted: bool, kind, keys: &BTreeSet<AssignmentKey>| -> Result<_, JobError> {
            if !wanted {
                return Ok(None);
            }
            let mut rows = keys.iter().map(|key| row(tx, kind, key)).collect::<Result<Vec<_>, _>>()?;
            rows.sort_by_cached_key(|row| (row.name.as_deref().map(store::folded), row.clone()));
            Ok(Some(rows))
        };
        let (users, groups) =
            (rows_of(users, ObjectKind::User, &self.users)?, rows_of(groups, ObjectKind::Group, &self.groups)?);
        Ok(JobConfiguration {
            name: self.name.clone(),
            template: self.template.clone(),
            tenant_url: Some(self.tenant_url.clone()),
            on: Some(self.on),
            settings: self.settings,
            roles: Some(self.roles.clone()),
            objects: Some(self.objects.clone()),
            users,
            groups,
        })
    }
}

/// An assignment as the file says it: by name, with the id where the name does not tell who is meant.
pub(super) fn row(tx: &mut ReadTx<'_>, kind: ObjectKind, key: &AssignmentKey) -> Result<AssignmentRow, DirectoryError> {
    let (id, role) = key;
    let name = name_of(tx, kind, *id)?;
    let is_clear = match &name {
        Some(name) => find(tx, kind, name).is_ok_and(|found| found == *id),
        None => false,
    };
    let role = Some(role.clone()).filter(|role| role != directory::DEFAULT_ACCESS);
    Ok(AssignmentRow { name, id: (!is_clear).then_some(*id), role })
}

/// The name that people see of a user or group, also of one that is soft-deleted.
pub(super) fn name_of(tx: &mut ReadTx<'_>, kind: ObjectKind, id: ObjectId) -> Result<Option<String>, DirectoryError> {
    Ok(if kind == ObjectKind::User {
        directory::user(tx, id.user())?.map(|user| user.user_principal_name)
    } else {
        directory::group(tx, id.group())?.map(|group| group.display_name)
    })
}

/// Who has that name.
pub(super) fn find(tx: &mut ReadTx<'_>, kind: ObjectKind, name: &str) -> Result<ObjectId, DirectoryError> {
    if kind == ObjectKind::User {
        directory::find_user(tx, name).map(|user| user.id.into())
    } else {
        directory::find_group(tx, name).map(|group| group.id.into())
    }
}
