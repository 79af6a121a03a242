//! Reads users ahead of their turn in an initial cycle, a few together, which takes a fraction of the statements.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use store::{ObjectId, ObjectKind};

use super::context::{Cycle, Stop};
use super::subject::Subject;
use crate::scope::ScopeSetting;

/// Users that are read together. What is read ahead is as old as it takes to work on so many; what changes meanwhile is in
/// the change feed, behind where the initial cycle began.
const TOGETHER: usize = 64;
/// The source attribute that is made of a user's roles.
const ROLES: &str = "appRoleAssignments";

/// The users whose turn comes, in the order of their ids, and those of them that are read already.
#[derive(Default)]
pub(super) struct Ahead {
    coming: VecDeque<ObjectId>,
    read: HashMap<ObjectId, Subject>,
}

impl Cycle {
    /// Says which users come next, in the order of their ids.
    pub(super) async fn users_come(&self, objects: &[(ObjectKind, ObjectId)]) {
        let users = objects.iter().filter(|(kind, _)| *kind == ObjectKind::User).map(|(_, id)| *id);
        *self.ahead.lock().await = Ahead { coming: users.collect(), read: HashMap::new() };
    }

    /// An object whose turn it is.
    pub(super) async fn subject(&self, kind: ObjectKind, id: ObjectId) -> Result<Subject, Stop> {
        if let Some(subject) = self.read_ahead(kind, id).await? {
            return Ok(subject);
        }
        let (app, needs) = (self.app, Arc::clone(&self.needs));
        Ok(self.engine.store().read(move |tx| Subject::load(tx, app, &needs, kind, id)).await?)
    }

    async fn read_ahead(&self, kind: ObjectKind, id: ObjectId) -> Result<Option<Subject>, Stop> {
        if kind != ObjectKind::User {
            return Ok(None);
        }
        let mut ahead = self.ahead.lock().await;
        if let Some(subject) = ahead.read.remove(&id) {
            return Ok(Some(subject));
        }
        // Tasks begin in almost the order in which they were made.
        let Some(position) = ahead.coming.iter().take(TOGETHER).position(|coming| *coming == id) else {
            return Ok(None);
        };
        let count = ahead.coming.len().min(position + TOGETHER);
        let ids: Vec<ObjectId> = ahead.coming.drain(..count).collect();
        let wanted: HashSet<ObjectId> = ids.iter().copied().collect();
        let (app, with_roles, needs) = (self.app, self.needs_roles, Arc::clone(&self.needs));
        let read = self.engine.store().read(move |tx| Subject::load_users(tx, app, &ids, with_roles, &needs)).await?;
        // Those between them have had their turn, and what is read now would be too old for another.
        let read = read.into_iter().filter(|subject| wanted.contains(&subject.id));
        ahead.read.extend(read.map(|subject| (subject.id, subject)));
        Ok(ahead.read.remove(&id))
    }
}

/// Whether a job asks for the roles of users at all.
pub(super) fn needs_roles(settings: &crate::settings::JobSettings) -> bool {
    let mappings = serde_json::to_string(&settings.objects).unwrap_or_else(|_| ROLES.to_owned());
    settings.plain.scope == ScopeSetting::Assigned || mappings.contains(ROLES)
}
