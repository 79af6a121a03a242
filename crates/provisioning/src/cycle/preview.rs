//! Previews: the same cycle up to the write. What would be sent is told instead, references to accounts that do not exist
//! yet by a placeholder for their id.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::PoisonError;

use serde::Serialize;
use serde_json::{Map, Value};
use store::links::{LinkRecord, LinkState};
use store::{ObjectId, ObjectKind};

use super::context::{Cycle, Mode};
use super::evaluate::remnant;
use super::look::Look;
use super::note::Manager;
use super::record::type_name;
use super::subject::Subject;
use crate::dialect;
use crate::object_plan::{Difference, Failure};
use crate::target::resource_id;
use crate::target_path::TargetPath;

/// A request that a cycle would send, or an object that would fail.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Predicted {
    /// `create`, `update`, `disable`, `delete`, `reference` or `failure`.
    pub action: &'static str,
    /// The source object's name.
    pub object: String,
    /// `User` or `Group`.
    pub object_type: &'static str,
    /// The method; none for a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'static str>,
    /// The path below the Tenant URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Why it would fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Is told what a cycle would send, in the order in which it is found out.
pub type PlanSink = Box<dyn FnMut(Predicted) + Send>;

/// What a preview remembers.
pub(super) struct Preview {
    sink: PlanSink,
    /// Requests that were told.
    requests: u64,
    /// Told when the references have been: deletes of users who leave their groups first.
    last: Vec<Predicted>,
    /// The ids that objects have, or will have, at the target.
    pub(super) targets: HashMap<(ObjectKind, ObjectId), String>,
    /// Objects that were looked at: a second look would find nothing to do.
    pub(super) looked: HashSet<(ObjectKind, ObjectId)>,
    /// Objects whose linked account is gone.
    pub(super) gone: HashSet<(ObjectKind, ObjectId)>,
    /// Objects whose link would go, with or without their account.
    pub(super) forgotten: HashSet<(ObjectKind, ObjectId)>,
    /// Objects that are gone for good: their memberships are removed before their account goes.
    pub(super) departing: HashSet<ObjectId>,
    /// Objects that would take an account over: from which object, and the link that they would have.
    pub(super) taken: HashMap<(ObjectKind, ObjectId), (ObjectId, LinkRecord)>,
    /// What accounts would hold after being switched off, by their ids.
    pub(super) switched_off: HashMap<(ObjectKind, String), Vec<(TargetPath, Value)>>,
    /// Accounts that would be removed.
    pub(super) removed: HashSet<(ObjectKind, String)>,
    /// Objects that would get an account: references to them, and memberships, become possible.
    pub(super) newly: Vec<(ObjectKind, ObjectId)>,
    /// Users whose manager would be looked at in the second pass.
    pub(super) managers: BTreeSet<ObjectId>,
    /// Users whose manager would be written with them.
    pub(super) managed: HashSet<ObjectId>,
    /// Memberships that would be looked at in the second pass, by group.
    pub(super) members: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
}

impl Preview {
    pub(super) fn new(sink: PlanSink) -> Self {
        Self {
            sink,
            requests: 0,
            last: Vec::new(),
            targets: HashMap::new(),
            looked: HashSet::new(),
            gone: HashSet::new(),
            forgotten: HashSet::new(),
            departing: HashSet::new(),
            taken: HashMap::new(),
            switched_off: HashMap::new(),
            removed: HashSet::new(),
            newly: Vec::new(),
            managers: BTreeSet::new(),
            managed: HashSet::new(),
            members: BTreeMap::new(),
        }
    }

    fn tell(&mut self, predicted: Predicted) {
        self.requests += u64::from(predicted.method.is_some());
        (self.sink)(predicted);
    }

    /// Tells what comes after everything else.
    pub(super) fn tell_last(&mut self) {
        for predicted in std::mem::take(&mut self.last) {
            self.tell(predicted);
        }
    }

    /// Shows an object as it would be by now.
    pub(super) fn foresee(&self, subject: &mut Subject) {
        let own = (subject.kind, subject.id);
        if self.forgotten.contains(&own) {
            subject.link = None;
        }
        if let Some((_, link)) = self.taken.get(&own) {
            subject.link = Some(link.clone());
        }
        if let Some(link) = subject.link.as_mut().filter(|_| self.gone.contains(&own)) {
            link.state = LinkState::Creating;
            link.exported = link.exported.map(remnant);
        }
        let Some(manager) = subject.user.as_ref().and_then(|user| user.manager) else { return };
        let key = (ObjectKind::User, manager.into());
        if let Some(foreseen) = self.targets.get(&key) {
            subject.manager_target = Some(foreseen.clone());
        } else if self.gone.contains(&key) || self.forgotten.contains(&key) {
            subject.manager_target = None;
        }
    }
}

impl Look<'_> {
    /// Remembers that the object would not be linked any more after this.
    pub(super) fn foresee_no_link(&self) {
        self.cycle.with_preview(|preview| preview.forgotten.insert((self.subject.kind, self.subject.id)));
    }

    /// Remembers that the object would have an account after this.
    pub(super) fn foresee_link(&self, target_id: Option<&str>, created: bool, linked: bool, manager: Manager) {
        let key = (self.subject.kind, self.subject.id);
        let was_linked = self.subject.link.as_ref().is_some_and(|link| link.state == LinkState::Linked);
        // The members of a group are looked at whenever its link is written down.
        let newly = linked && (!was_linked || self.subject.kind == ObjectKind::Group);
        let waits_for_manager = linked && self.manager_note(created, manager).is_some();
        self.cycle.with_preview(|preview| {
            if let Some(id) = target_id.filter(|_| linked) {
                preview.targets.insert(key, id.to_owned());
            }
            if newly {
                preview.newly.push(key);
            }
            if waits_for_manager {
                preview.managers.insert(self.subject.id);
            }
            if manager == Manager::Written {
                preview.managed.insert(self.subject.id);
            }
        });
    }
}

impl Cycle {
    pub(super) fn with_preview<T>(&self, with: impl FnOnce(&mut Preview) -> T) -> Option<T> {
        match &self.mode {
            Mode::Preview(preview) => Some(with(&mut preview.lock().unwrap_or_else(PoisonError::into_inner))),
            Mode::Send(_) => None,
        }
    }

    pub(super) fn predict(&self, predicted: Predicted) {
        self.with_preview(|preview| preview.tell(predicted));
    }

    /// How many requests a preview has told; in a cycle, how many were sent.
    pub(super) fn requests(&self) -> u64 {
        self.with_preview(|preview| preview.requests).unwrap_or_else(|| self.target.requests())
    }

    pub(super) fn predict_create(&self, subject: &Subject, body: &Value) {
        let key = (subject.kind, subject.id);
        self.with_preview(|preview| {
            preview.targets.insert(key, format!("<id of {}>", subject.label()));
        });
        let path = dialect::collection(subject.object()).to_owned();
        self.predict(request(subject, "create", "POST", path, Some(body.clone())));
    }

    /// An account as it would be by now; `None` where it would be gone.
    pub(super) fn as_foreseen(&self, kind: ObjectKind, mut held: Map<String, Value>) -> Option<Map<String, Value>> {
        let Some(key) = resource_id(&held).map(|id| (kind, id.to_owned())) else { return Some(held) };
        let is_gone = self.with_preview(|preview| {
            for (path, value) in preview.switched_off.get(&key).into_iter().flatten() {
                path.write(&mut held, value.clone());
            }
            preview.removed.contains(&key)
        });
        (is_gone != Some(true)).then_some(held)
    }

    /// Remembers what an account would hold after this.
    pub(super) fn foresee_switched_off(&self, kind: ObjectKind, target_id: &str, differences: &[Difference<'_>]) {
        let values = differences.iter().filter_map(|one| Some((one.path.clone(), one.after.clone()?)));
        self.with_preview(|preview| preview.switched_off.insert((kind, target_id.to_owned()), values.collect()));
    }

    pub(super) fn predict_update(&self, subject: &Subject, action: &'static str, target_id: &str, body: &Value) {
        let path = dialect::write_path(subject.object(), target_id);
        self.predict(request(subject, action, "PATCH", path, Some(body.clone())));
    }

    pub(super) fn predict_delete(&self, subject: &Subject, target_id: &str) {
        let path = dialect::write_path(subject.object(), target_id);
        let predicted = request(subject, "delete", "DELETE", path, None);
        self.with_preview(|preview| {
            preview.removed.insert((subject.kind, target_id.to_owned()));
            if subject.kind == ObjectKind::User && preview.departing.contains(&subject.id) {
                preview.last.push(predicted);
            } else {
                preview.tell(predicted);
            }
        });
    }

    pub(super) fn predict_failure(&self, subject: &Subject, failure: &Failure) {
        self.predict(Predicted {
            action: "failure",
            object: subject.label(),
            object_type: type_name(subject.kind),
            method: None,
            path: None,
            body: None,
            reason: Some(format!("{}: {}", failure.code, failure.reason)),
        });
    }
}

pub(super) fn request(
    subject: &Subject,
    action: &'static str,
    method: &'static str,
    path: String,
    body: Option<Value>,
) -> Predicted {
    Predicted {
        action,
        object: subject.label(),
        object_type: type_name(subject.kind),
        method: Some(method),
        path: Some(path),
        body,
        reason: None,
    }
}
