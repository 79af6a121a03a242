//! Previews: the same cycle up to the write. What would be sent is told instead, references to accounts that do not exist
//! yet by a placeholder for their id.

use std::collections::HashMap;
use std::sync::PoisonError;

use serde::Serialize;
use serde_json::Value;
use store::{ObjectId, ObjectKind};

use super::context::{Cycle, Mode};
use super::record::type_name;
use super::subject::Subject;
use crate::dialect;
use crate::object_plan::Failure;

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
    /// The ids that objects have, or will have, at the target.
    pub(super) targets: HashMap<(ObjectKind, ObjectId), String>,
    /// Objects that would be made: their references come in the second pass.
    pub(super) created: Vec<(ObjectKind, ObjectId)>,
}

impl Preview {
    pub(super) fn new(sink: PlanSink) -> Self {
        Self { sink, targets: HashMap::new(), created: Vec::new() }
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
        self.with_preview(|preview| (preview.sink)(predicted));
    }

    pub(super) fn predict_create(&self, subject: &Subject, body: &Value) {
        let key = (subject.kind, subject.id);
        self.with_preview(|preview| {
            preview.targets.insert(key, format!("<id of {}>", subject.label()));
            preview.created.push(key);
        });
        let path = dialect::collection(subject.object()).to_owned();
        self.predict(request(subject, "create", "POST", path, Some(body.clone())));
    }

    pub(super) fn predict_update(&self, subject: &Subject, action: &'static str, target_id: &str, body: &Value) {
        let path = dialect::write_path(subject.object(), target_id);
        self.predict(request(subject, action, "PATCH", path, Some(body.clone())));
    }

    pub(super) fn predict_delete(&self, subject: &Subject, target_id: &str) {
        let path = dialect::write_path(subject.object(), target_id);
        self.predict(request(subject, "delete", "DELETE", path, None));
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
