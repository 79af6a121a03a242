//! Writing memberships: for one group, the members that are to be added and removed, in requests of bounded size.

use std::sync::Arc;

use serde_json::Value;
use store::links::{self, LinkRecord, LinkState};
use store::references::{self, ReferenceRecord};
use store::{ObjectId, ObjectKind, ReadTx, groups, jobs, logs};

use super::context::{Cycle, Stop};
use super::managers::{call_failure, gone, other_end_gone};
use super::record::{Happened, ModifiedProperty, Status};
use super::report::one_more;
use super::subject::Subject;
use crate::dialect;
use crate::job::JobError;
use crate::target::{CallError, Patched};

/// What is to become of one membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Membership {
    Add(String),
    Remove(String),
    /// The member's account cannot be seen at the moment.
    Wait,
    Nothing,
}

/// One noted membership, decided.
#[derive(Clone, Debug)]
struct Decided {
    note: ReferenceRecord,
    membership: Membership,
}

/// How writing a part of a group's members ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// All, or what failed is put off.
    All,
    /// Some were refused.
    Refused,
    /// An earlier write may still arrive: nothing more about the members of this group before it has.
    Late,
}

/// A change of members that is to be written.
struct Change {
    add: bool,
    members: Vec<(ReferenceRecord, String)>,
}

impl Cycle {
    /// Whether the job writes memberships.
    pub(super) fn writes_members(&self) -> bool {
        self.groups.as_ref().is_some_and(|plan| plan.reference("members").is_some())
    }

    /// Writes every ready membership of a group.
    pub(super) async fn write_members(&self, holder: ObjectId) -> Result<(), Stop> {
        let (app, lease, needs) = (self.app, self.lease(), Arc::clone(&self.needs));
        let subject =
            self.engine.store().read(move |tx| Subject::load(tx, app, &needs, ObjectKind::Group, holder)).await?;
        let mut after = None;
        let mut refused = false;
        loop {
            let limit = u32::try_from(self.members_per_request).unwrap_or(u32::MAX);
            let page = self.engine.store().read(move |tx| {
                let decided = decide_page(tx, app, holder, after, limit)?;
                // Members are added without an intent, whose commit would ask for this.
                match lease {
                    Some(lease) if !jobs::is_held(tx, lease)? => Err(JobError::LeaseLost),
                    _ => Ok(decided),
                }
            });
            let decided = page.await?;
            let Some(last) = decided.last() else { break };
            after = Some(last.note.wanted);
            match self.write_page(&subject, decided).await? {
                Written::All => {}
                Written::Refused => refused = true,
                Written::Late => return Ok(()),
            }
        }
        if refused { Ok(()) } else { self.references_written(&subject).await }
    }

    async fn write_page(&self, subject: &Subject, decided: Vec<Decided>) -> Result<Written, Stop> {
        let open = subject.link.as_ref().is_some_and(|link| link.state.is_open());
        if open {
            // A write about the group is under way. When it is known how it ended, its memberships are ready again.
            return Ok(Written::Late);
        }
        let target_id = subject
            .link
            .as_ref()
            .filter(|link| link.state == LinkState::Linked)
            .and_then(|link| link.target_id.clone());
        let (mut adds, mut removes, mut waits, mut nothing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for one in decided {
            match (one.membership, &target_id) {
                (Membership::Add(id), Some(_)) => adds.push((one.note, id)),
                (Membership::Remove(id), Some(_)) => removes.push((one.note, id)),
                (Membership::Wait, Some(_)) => waits.push(one.note),
                (Membership::Nothing, _) | (_, None) => nothing.push(one.note),
            }
        }
        if !nothing.is_empty() || !waits.is_empty() {
            let app = self.app;
            self.record(move |tx| {
                nothing.iter().try_for_each(|note| references::close(tx, app, note))?;
                waits.iter().try_for_each(|note| references::defer(tx, app, note))
            })
            .await?;
        }
        let Some(target_id) = target_id else { return Ok(Written::All) };
        let mut written = Written::All;
        for (add, members) in [(true, adds), (false, removes)] {
            match self.write_change(subject, &target_id, Change { add, members }).await? {
                Written::Late => return Ok(Written::Late),
                Written::Refused => written = Written::Refused,
                Written::All => {}
            }
        }
        Ok(written)
    }

    async fn write_change(&self, subject: &Subject, target_id: &str, change: Change) -> Result<Written, Stop> {
        let Some(path) = self.groups.as_ref().and_then(|plan| plan.reference("members")) else {
            return Ok(Written::All);
        };
        if change.members.is_empty() {
            return Ok(Written::All);
        }
        self.ready().await?;
        self.intend_members(subject.id, &change).await?;
        let leave = || self.intend_removals(subject.id, &change);
        let ids: Vec<String> = change.members.iter().map(|(_, id)| id.clone()).collect();
        let body = dialect::members_body(self.target.dialect, path, change.add, &ids);
        let failure = match self.target.patch(subject.object(), target_id, &body, leave).await? {
            // Where that cannot be found out now, it is in the next cycle.
            Ok(Patched::Gone) if self.is_there(subject, target_id).await.is_ok_and(|is_there| is_there) => {
                other_end_gone()
            }
            Ok(Patched::Gone) => {
                // The next cycle looks for it, and makes it anew where there is none: the members then follow it.
                self.reference_of_unknown_outcome(subject, &gone()).await?;
                return Ok(Written::Late);
            }
            Ok(patched) => return self.members_written(subject, target_id, &change, patched).await,
            Err(error @ CallError::Unknown(_)) => {
                let failure = call_failure(error)?;
                self.reference_of_unknown_outcome(subject, &failure).await?;
                return Ok(Written::Late);
            }
            Err(error) => call_failure(error)?,
        };
        // One member that the target does not accept must not keep the others out.
        let may_be_one = ["SystemForCrossDomainIdentityManagementServiceIncompatible", "InvalidAnchor"];
        if change.members.len() > 1 && may_be_one.contains(&failure.code) {
            return self.write_one_by_one(subject, target_id, change).await;
        }
        self.references_failed(subject, change.members.into_iter().map(|(note, _)| note).collect(), &failure).await?;
        Ok(Written::Refused)
    }

    async fn write_one_by_one(&self, subject: &Subject, target_id: &str, change: Change) -> Result<Written, Stop> {
        let mut written = Written::All;
        for member in change.members {
            let one = Change { add: change.add, members: vec![member] };
            match Box::pin(self.write_change(subject, target_id, one)).await? {
                Written::Late => return Ok(Written::Late),
                Written::Refused => written = Written::Refused,
                Written::All => {}
            }
        }
        Ok(written)
    }

    /// Additions need no intent: their notes stay until they are done, and the lease was held when their ids were read.
    async fn intend_members(&self, holder: ObjectId, change: &Change) -> Result<(), Stop> {
        if change.add { self.may_send() } else { self.intend_removals(holder, change).await }
    }

    /// Before members are removed it is forgotten that they were written: should nobody learn whether they were removed,
    /// whoever is to be a member again is added again. Without removals it is only asked whether the lease is still held.
    async fn intend_removals(&self, holder: ObjectId, change: &Change) -> Result<(), Stop> {
        let (app, removed) = (self.app, change.members.iter().filter(|_| !change.add));
        let members: Vec<ObjectId> = removed.map(|(note, _)| note.wanted).collect();
        self.record(move |tx| members.iter().try_for_each(|member| references::drop_member(tx, app, holder, *member)))
            .await?;
        self.may_send()
    }

    async fn members_written(
        &self,
        subject: &Subject,
        target_id: &str,
        change: &Change,
        patched: Patched,
    ) -> Result<Written, Stop> {
        let ids: Value = change.members.iter().map(|(_, id)| Value::from(id.as_str())).collect();
        let (old, new) = if change.add { (None, Some(&ids)) } else { (Some(&ids), None) };
        let happened = Happened {
            action: "update",
            status: Status::Success,
            target_id: Some(target_id),
            matching: "Both ends of each reference exist at the target",
            modified: vec![ModifiedProperty::new("members", old, new)],
            started: self.engine.now(),
        };
        let log = self.log(subject, None, &happened);
        let (app, holder, add) = (self.app, subject.id, change.add);
        let notes: Vec<ReferenceRecord> = change.members.iter().map(|(note, _)| note.clone()).collect();
        for _ in &notes {
            one_more(&self.counts.references);
        }
        let late = patched == Patched::DoneButLate;
        let verify = late.then(|| self.verifying(subject)).flatten();
        self.record(move |tx| {
            for note in &notes {
                references::close(tx, app, note)?;
                if add {
                    references::put_member(tx, app, holder, note.wanted)?;
                }
            }
            if let Some(link) = &verify {
                links::put_link(tx, app, link)?;
            }
            logs::insert_log(tx, app, &log)
        })
        .await?;
        Ok(if late { Written::Late } else { Written::All })
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
            Ok(Decided { note, membership: decide(link, wanted, written) })
        })
        .collect()
}

/// Decides about one membership. Whoever is left alone stays in the groups, and out of them, as it is. Who is not to be a member is removed also where no membership is known to have been
/// written: the answer to the request that wrote it may have been lost.
pub(super) fn decide(link: Option<LinkRecord>, wanted: bool, written: bool) -> Membership {
    let Some((state, id)) = link.and_then(|link| Some((link.state, link.target_id?))) else {
        return Membership::Nothing;
    };
    match (state, wanted) {
        (LinkState::Creating, _) => Membership::Wait,
        (LinkState::LeftAlone, _) => Membership::Nothing,
        (_, false) => Membership::Remove(id),
        (LinkState::Linked | LinkState::Verify, true) if !written => Membership::Add(id),
        (_, true) => Membership::Nothing,
    }
}
