//! The records of the provisioning log, in the layout of Graph's `provisioningObjectSummary`.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::logs::LogRecord;
use store::{AppId, CycleId, LogId, ObjectKind};

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

/// The document of a record, written as text at once: there is one for each write to a target.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    change_id: LogId,
    cycle_id: CycleId,
    job_id: AppId,
    activity_date_time: Timestamp,
    provisioning_action: &'static str,
    provisioning_status_info: StatusInfo<'a>,
    provisioning_steps: Vec<Step<'a>>,
    modified_properties: &'a [ModifiedProperty],
    duration_in_milliseconds: i128,
    service_principal: Named<'a>,
    source_identity: Identity<'a>,
    target_identity: Identity<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusInfo<'a> {
    status: &'static str,
    error_information: Option<ErrorInformation<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorInformation<'a> {
    error_code: &'a str,
    reason: &'a str,
}

/// A step of the pipeline.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Step<'a> {
    name: &'static str,
    provisioning_step_type: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
enum Details<'a> {
    ScopeEvaluationResult(Option<String>),
    SkipReason(Option<&'a str>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    id: AppId,
    display_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(rename = "identityType")]
    object_type: &'static str,
}

impl Status<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Skipped(_) => "skipped",
            Self::Failure(_) => "failure",
        }
    }
}

impl Cycle {
    /// The log record of what happened to an object.
    pub(super) fn log(
        &self,
        subject: &Subject,
        evaluation: Option<&Evaluation<'_>>,
        happened: &Happened<'_>,
    ) -> LogRecord {
        let (now, id, label) = (self.engine.now(), self.engine.new_id(), subject.label());
        let doc = serde_json::to_string(&Summary {
            change_id: id,
            cycle_id: self.id,
            job_id: self.app,
            activity_date_time: now,
            provisioning_action: happened.action,
            provisioning_status_info: StatusInfo {
                status: happened.status.name(),
                error_information: match happened.status {
                    Status::Failure(failure) => {
                        Some(ErrorInformation { error_code: failure.code, reason: &failure.reason })
                    }
                    Status::Success | Status::Skipped(_) => None,
                },
            },
            provisioning_steps: steps(subject, evaluation, happened),
            modified_properties: &happened.modified,
            duration_in_milliseconds: now.duration_since(happened.started).as_millis(),
            service_principal: Named { id: self.app, display_name: &self.name },
            source_identity: Identity {
                id: Some(&subject.id.to_string()),
                display_name: Some(&label),
                object_type: type_name(subject.kind),
            },
            target_identity: Identity {
                id: happened.target_id,
                display_name: None,
                object_type: type_name(subject.kind),
            },
        })
        .expect("names are texts, so this is always JSON");
        LogRecord {
            id,
            at: now,
            cycle: self.id,
            action: happened.action.to_owned(),
            status: happened.status.name().to_owned(),
            kind: subject.kind,
            source_id: subject.id,
            label,
            doc,
        }
    }

    pub(super) const fn cycle_id(&self) -> CycleId {
        self.id
    }
}

/// The steps of the pipeline in the order of Entra's log: import, scoping, matching, export.
fn steps<'a>(subject: &Subject, evaluation: Option<&'a Evaluation<'_>>, happened: &'a Happened<'_>) -> Vec<Step<'a>> {
    let done = |name, provisioning_step_type, description| Step {
        name,
        provisioning_step_type,
        status: "success",
        description: Some(description),
        details: None,
    };
    let mut steps = Vec::with_capacity(4);
    steps.push(if subject.exists() {
        done("EntryImport", "import", "The object was read from the directory")
    } else {
        done("EntryImport", "import", "The object is gone from the directory")
    });
    if let Some(evaluation) = evaluation {
        let (scope, reason) = match &evaluation.scope {
            Scope::In => ("in scope", None),
            Scope::Out(why) => ("out of scope", Some(why.reason())),
        };
        let details = Some(Details::ScopeEvaluationResult(reason));
        steps.push(Step { details, ..done("EntrySynchronizationScoping", "scoping", scope) });
    }
    if !happened.matching.is_empty() {
        steps.push(done("EntryImport", "matching", happened.matching));
    }
    let name = match happened.action {
        "create" => "EntryExportAdd",
        "update" | "disable" => "EntryExportUpdate",
        "delete" => "EntryExportDelete",
        _ => "EntrySynchronizationSkip",
    };
    let skip = match happened.status {
        Status::Skipped(reason) => Some(reason),
        Status::Success | Status::Failure(_) => None,
    };
    steps.push(Step {
        name,
        provisioning_step_type: "export",
        status: happened.status.name(),
        description: None,
        details: Some(Details::SkipReason(skip)),
    });
    steps
}

pub(super) const fn type_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Group => "Group",
        ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => "User",
    }
}
