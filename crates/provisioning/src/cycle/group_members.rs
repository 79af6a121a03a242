//! Writing memberships: for one group, the members that are to be added and removed, in requests of bounded size.

use serde_json::Value;
use store::links::{self, LinkState};
use store::references::{self, ReferenceRecord};
use store::{ObjectId, ObjectKind, ReadTx, groups, logs};

use super::context::{Cycle, Stop};
use super::managers::call_failure;
use super::record::{Happened, ModifiedProperty, Status};
use super::report::one_more;
use super::subject::Subject;
use crate::dialect;
use crate::job::JobError;
use crate::object_plan::Failure;

/// What is to become of one membership.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Membership {
    Add(String),
    Remove(String),
    Nothing,
}

/// One noted membership, decided.
#[derive(Clone, Debug)]
struct Decided {
    note: ReferenceRecord,
    membership: Membership,
}

impl Cycle {
    /// Writes every ready membership of a group.
    pub(super) async fn write_members(&self, holder: ObjectId) -> Result<(), Stop> {
        let app = self.app;
        let subject = self.engine.store().read(move |tx| Subject::load(tx, app, ObjectKind::Group, holder)).await?;
        let mut after = None;
        loop {
            let limit = u32::try_from(self.members_per_request).unwrap_or(u32::MAX);
            let decided = self.engine.store().read(move |tx| decide_page(tx, app, holder, after, limit)).await?;
            let Some(last) = decided.last() else { return Ok(()) };
            after = Some(last.note.wanted);
            self.write_page(&subject, decided).await?;
        }
    }

    async fn write_page(&self, subject: &Subject, decided: Vec<Decided>) -> Result<(), Stop> {
        let target_id = subject
            .link
            .as_ref()
            .filter(|link| link.state == LinkState::Linked)
            .and_then(|link| link.target_id.clone());
        let (mut adds, mut removes, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
        for one in decided {
            match (&one.membership, &target_id) {
                (Membership::Add(id), Some(_)) => adds.push((one.note.clone(), id.clone())),
                (Membership::Remove(id), Some(_)) => removes.push((one.note.clone(), id.clone())),
                (Membership::Nothing, _) | (_, None) => nothing.push(one.note),
            }
        }
        if !nothing.is_empty() {
            let app = self.app;
            self.record(move |tx| nothing.iter().try_for_each(|note| references::settle(tx, app, note))).await?;
        }
        if let Some(target_id) = target_id {
            self.write_change(subject, &target_id, true, adds).await?;
            self.write_change(subject, &target_id, false, removes).await?;
        }
        Ok(())
    }

    async fn write_change(
        &self,
        subject: &Subject,
        target_id: &str,
        add: bool,
        members: Vec<(ReferenceRecord, String)>,
    ) -> Result<(), Stop> {
        let Some(path) = self.groups.as_ref().and_then(|plan| plan.reference("members")) else { return Ok(()) };
        if members.is_empty() {
            return Ok(());
        }
        self.ready().await?;
        self.may_send()?;
        let ids: Vec<String> = members.iter().map(|(_, id)| id.clone()).collect();
        let body = dialect::members_body(self.target.dialect, path, add, &ids);
        let failure = match self.target.patch(subject.object(), target_id, &body).await {
            Ok(true) => return self.members_written(subject, target_id, add, members).await,
            Ok(false) => Failure { code: "InvalidAnchor", reason: "the group is gone at the target".to_owned() },
            Err(error) => call_failure(error)?,
        };
        // One member that the target does not accept must not keep the others out.
        if members.len() > 1 && failure.code == "SystemForCrossDomainIdentityManagementServiceIncompatible" {
            for member in members {
                Box::pin(self.write_change(subject, target_id, add, vec![member])).await?;
            }
            return Ok(());
        }
        for (note, _) in &members {
            self.reference_failed(subject, note, &failure).await?;
        }
        Ok(())
    }

    async fn members_written(
        &self,
        subject: &Subject,
        target_id: &str,
        add: bool,
        members: Vec<(ReferenceRecord, String)>,
    ) -> Result<(), Stop> {
        let ids: Value = members.iter().map(|(_, id)| Value::from(id.as_str())).collect();
        let modified = if add {
            ModifiedProperty::new("members", None, Some(&ids))
        } else {
            ModifiedProperty::new("members", Some(&ids), None)
        };
        let happened = Happened {
            action: "update",
            status: Status::Success,
            target_id: Some(target_id),
            matching: "Both ends of each reference exist at the target",
            modified: vec![modified],
            started: self.engine.now(),
        };
        let log = self.log(subject, None, &happened);
        let (app, holder) = (self.app, subject.id);
        for _ in &members {
            one_more(&self.counts.references);
        }
        self.record(move |tx| {
            for (note, _) in &members {
                references::settle(tx, app, note)?;
                if add {
                    references::put_member(tx, app, holder, note.wanted)?;
                } else {
                    references::drop_member(tx, app, holder, note.wanted)?;
                }
            }
            logs::insert_log(tx, app, &log)
        })
        .await
    }
}

/// The next noted memberships of a group, each decided from the present state.
fn decide_page(
    tx: &mut ReadTx<'_>,
    app: store::AppId,
    holder: ObjectId,
    after: Option<ObjectId>,
    limit: u32,
) -> Result<Vec<Decided>, JobError> {
    let notes = references::ready_of(tx, app, ObjectKind::Group, holder, after, limit)?;
    notes
        .into_iter()
        .map(|note| {
            let link = links::link(tx, app, ObjectKind::User, note.wanted)?;
            let wanted = groups::is_member(tx, holder.group(), note.wanted)?;
            let written = references::has_member(tx, app, holder, note.wanted)?;
            let managed = link.as_ref().is_some_and(|link| link.state == LinkState::Linked);
            let membership = match (link.and_then(|link| link.target_id), wanted, written) {
                (Some(id), true, false) if managed => Membership::Add(id),
                (Some(id), false, true) => Membership::Remove(id),
                _ => Membership::Nothing,
            };
            Ok(Decided { note, membership })
        })
        .collect()
}
