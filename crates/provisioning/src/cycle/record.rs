//! The records of the provisioning log, in the layout of Graph's `provisioningObjectSummary`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::logs::LogRecord;
use store::{CycleId, LogId, ObjectKind};

use super::context::Cycle;
use super::evaluate::Evaluation;
use super::subject::Subject;
use crate::object_plan::{Difference, Failure, Wish};
use crate::redaction::REDACTED;
use crate::scope::Scope;

/// One changed property, old and new value as JSON text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModifiedProperty {
    display_name: String,
    old_value: Option<String>,
    new_value: Option<String>,
}

impl ModifiedProperty {
    pub(super) fn new(name: &str, old: Option<&Value>, new: Option<&Value>) -> Self {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { display_name: name.to_owned(), old_value: old.map(text), new_value: new.map(text) }
    }

    pub(super) fn of_wish(wish: &Wish<'_>) -> Self {
        if wish.redacted {
            return Self {
                display_name: wish.path.text().to_owned(),
                old_value: None,
                new_value: Some(REDACTED.to_owned()),
            };
        }
        Self::new(wish.path.text(), None, Some(&wish.value))
    }

    pub(super) fn of_difference(difference: &Difference<'_>) -> Self {
        if difference.redacted {
            let shown = |value: &Option<Value>| value.as_ref().map(|_| REDACTED.to_owned());
            return Self {
                display_name: difference.path.text().to_owned(),
                old_value: shown(&difference.before),
                new_value: shown(&difference.after),
            };
        }
        Self::new(difference.path.text(), difference.before.as_ref(), difference.after.as_ref())
    }
}

/// How an action ended.
pub(super) enum Status<'a> {
    Success,
    Skipped(&'a str),
    Failure(&'a Failure),
}

/// What happened to one object, before it is put down.
pub(super) struct Happened<'a> {
    pub(super) action: &'static str,
    pub(super) status: Status<'a>,
    pub(super) target_id: Option<&'a str>,
    /// What the look-up at the target gave.
    pub(super) matching: &'a str,
    pub(super) modified: Vec<ModifiedProperty>,
    pub(super) started: Timestamp,
}

impl Cycle {
    /// The log record of what happened to an object.
    pub(super) fn log(
        &self,
        subject: &Subject,
        evaluation: Option<&Evaluation<'_>>,
        happened: &Happened<'_>,
    ) -> LogRecord {
        let now = self.engine.now();
        let id: LogId = self.engine.new_id();
        let (status, error, skip) = match happened.status {
            Status::Success => ("success", Value::Null, None),
            Status::Skipped(reason) => ("skipped", Value::Null, Some(reason)),
            Status::Failure(failure) => {
                ("failure", json!({ "errorCode": failure.code, "reason": failure.reason }), None)
            }
        };
        let label = subject.label();
        let doc = json!({
            "changeId": id, "cycleId": self.id, "jobId": self.app, "activityDateTime": now.to_string(),
            "provisioningAction": happened.action,
            "provisioningStatusInfo": { "status": status, "errorInformation": error },
            "provisioningSteps": steps(subject, evaluation, happened, status, skip),
            "modifiedProperties": happened.modified,
            "durationInMilliseconds": now.duration_since(happened.started).as_millis(),
            "servicePrincipal": { "id": self.app, "displayName": self.name },
            "sourceIdentity": { "id": subject.id, "displayName": label, "identityType": type_name(subject.kind) },
            "targetIdentity": { "id": happened.target_id, "identityType": type_name(subject.kind) },
        });
        LogRecord {
            id,
            at: now,
            cycle: self.id,
            action: happened.action.to_owned(),
            status: status.to_owned(),
            kind: subject.kind,
            source_id: subject.id,
            label,
            doc: doc.to_string(),
        }
    }

    pub(super) const fn cycle_id(&self) -> CycleId {
        self.id
    }
}

/// The steps of the pipeline in the order of Entra's log: import, scoping, matching, export.
fn steps(
    subject: &Subject,
    evaluation: Option<&Evaluation<'_>>,
    happened: &Happened<'_>,
    status: &str,
    skip: Option<&str>,
) -> Value {
    let import = if subject.exists() {
        "The object was read from the directory"
    } else {
        "The object is gone from the directory"
    };
    let mut steps = vec![
        json!({ "name": "EntryImport", "provisioningStepType": "import", "status": "success", "description": import }),
    ];
    if let Some(evaluation) = evaluation {
        let (scope, reason) = match &evaluation.scope {
            Scope::In => ("in scope".to_owned(), Value::Null),
            Scope::Out(why) => ("out of scope".to_owned(), why.reason().into()),
        };
        steps.push(json!({ "name": "EntrySynchronizationScoping", "provisioningStepType": "scoping", "status": "success", "description": scope, "details": { "ScopeEvaluationResult": reason } }));
    }
    if !happened.matching.is_empty() {
        steps.push(json!({ "name": "EntryImport", "provisioningStepType": "matching", "status": "success", "description": happened.matching }));
    }
    let name = match happened.action {
        "create" => "EntryExportAdd",
        "update" | "disable" => "EntryExportUpdate",
        "delete" => "EntryExportDelete",
        _ => "EntrySynchronizationSkip",
    };
    steps.push(
        json!({ "name": name, "provisioningStepType": "export", "status": status, "details": { "SkipReason": skip } }),
    );
    Value::Array(steps)
}

pub(super) const fn type_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Group => "Group",
        ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment => "User",
    }
}
