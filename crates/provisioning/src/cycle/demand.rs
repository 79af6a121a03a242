//! Provisioning on demand: one user or group now, with what was done and why.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use store::{AppId, ObjectId, ObjectKind, logs};
use tokio::time::Instant;

use super::context::{Mode, Stop, Trust};
use super::lease::HeldLease;
use super::look::Done;
use super::report::CycleReport;
use crate::engine::Engine;
use crate::job::JobError;

/// What provisioning one object on demand came to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OnDemandReport {
    /// `create`, `update`, `disable`, `delete` or `other`.
    pub action: &'static str,
    /// `success`, `skipped` or `failure`.
    pub status: &'static str,
    /// Why it was skipped or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// References written: managers, and memberships.
    pub references: u64,
    /// Requests sent.
    pub requests: u64,
    /// The record of the provisioning log, with its steps and modified properties, where one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Value>,
}

impl Engine {
    /// Provisions one user or group now, references included. It really writes.
    pub async fn provision(
        &self,
        app: AppId,
        principal: ObjectId,
        kind: ObjectKind,
    ) -> Result<OnDemandReport, JobError> {
        let held = HeldLease::take(self, app).await?;
        let lease = held.lease;
        let next_run =
            self.store().read(move |tx| store::jobs::job_by_app(tx, app)).await?.map_or(self.now(), |job| job.next_run);
        let done = async {
            let began = self.now();
            let cycle = self.begin(app, Mode::Send(held), Trust::Nothing, Arc::new(|_| {})).await?;
            let work = async {
                let done = cycle.process(kind, principal).await?;
                match kind {
                    ObjectKind::Group => cycle.write_members(principal).await?,
                    ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => {
                        cycle.write_managers(principal).await?;
                    }
                }
                Ok(done)
            };
            let done = cycle.while_leased(work).await?;
            let id = cycle.cycle_id();
            let log = self.store().read(move |tx| logs::first_log(tx, app, principal, id, began)).await?;
            let log = log.and_then(|log| serde_json::from_str(&log.doc).ok());
            Ok::<_, Stop>(with_references(done, &cycle.report(Instant::now()), log))
        };
        let result = done.await;
        self.store().write(move |tx| store::jobs::release(tx, lease, next_run)).await?;
        Ok(result?)
    }
}

/// What was done about an object and its references: those count where the object itself was right already.
fn with_references(done: Done, report: &CycleReport, log: Option<Value>) -> OnDemandReport {
    let Done { mut action, mut status, mut reason } = done;
    if status == "skipped" && report.failed > 0 {
        (action, status) = ("update", "failure");
        reason = Some("its references were refused; the provisioning log tells why".to_owned());
    } else if status == "skipped" && report.references > 0 {
        (action, status, reason) = ("update", "success", None);
    }
    OnDemandReport { action, status, reason, references: report.references, requests: report.requests, log }
}
