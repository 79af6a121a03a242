//! An account whose link belongs to a source object that is deleted, soft or for good, is taken over by a live one that
//! matches it: somebody was hired again, and the directory knows a new object.

use store::links::{self, LinkRecord, LinkState};
use store::{ObjectId, ObjectKind, ReadTx, logs, references};

use super::context::Stop;
use super::evaluate::{Evaluation, remnant};
use super::later::When;
use super::look::{Look, Looked, Trouble};
use super::note::{Manager, not_on_two};
use super::record::{Happened, Status};
use crate::job::JobError;

/// Another source object that is linked to an account.
pub(super) struct Holder {
    pub(super) link: LinkRecord,
    /// Whether it is deleted, so that a live object may have the account.
    pub(super) has_left: bool,
}

impl Look<'_> {
    /// The other source object that has the account: never two source objects on one account.
    pub(super) async fn holder(&self, target_id: &str) -> Result<Option<Holder>, Trouble> {
        let (app, kind, id, target) = (self.cycle.app, self.subject.kind, self.subject.id, target_id.to_owned());
        let read = move |tx: &mut ReadTx<'_>| -> Result<Option<Holder>, JobError> {
            let other = links::link_by_target(tx, app, kind, &target)?.filter(|link| link.source_id != id);
            other.map(|link| Ok(Holder { has_left: has_left(tx, kind, link.source_id)?, link })).transpose()
        };
        let held = self.cycle.engine.store().read(read).await?;
        Ok(held.filter(|held| !self.cycle.is_forgotten((kind, held.link.source_id))))
    }

    /// Makes the account of an object that is deleted this object's, as long as no write about the former is under way;
    /// then the account is looked at as this object's own.
    pub(super) async fn take_over(&self, evaluation: &Evaluation<'_>, former: LinkRecord) -> Result<Looked, Trouble> {
        let cycle = self.cycle;
        // A create that was sent twice may arrive once more, too.
        if (former.state.is_open() || former.attempt > 1) && !cycle.is_quiet(&former) {
            return self.wait_for(evaluation, &former).await;
        }
        let link = LinkRecord {
            at: former.at,
            exported: former.exported.map(remnant),
            ..self.new_link(evaluation, LinkState::Linked, former.target_id.clone())
        };
        if cycle.previews() {
            self.foresee_takeover(former.source_id, link).await?;
            return Ok(Looked::Again { conflicted: self.conflicted });
        }
        let matching = format!("One account matched; it was that of {}, who is deleted", former.label);
        let happened = Happened {
            action: "other",
            status: Status::Success,
            target_id: link.target_id.as_deref(),
            matching: &matching,
            modified: Vec::new(),
            started: self.started,
        };
        let log = cycle.log(&self.subject, Some(evaluation), &happened);
        let (app, kind, heir) = (cycle.app, self.subject.kind, self.subject.id);
        // Stays in escrow, if it is there, until the account holds what it should.
        let tie = self.tie_in_escrow(link, false, Manager::NotSent);
        let written = cycle.record(move |tx| {
            if !has_left(tx, kind, former.source_id)? || !links::delete_link_as_seen(tx, app, &former)? {
                return Ok(());
            }
            tie.write(tx, app)?;
            references::inherit(tx, app, kind, former.source_id, heir)?;
            links::clear_escrow(tx, app, kind, former.source_id)?;
            logs::insert_log(tx, app, &log)
        });
        not_on_two(written.await)?;
        Ok(Looked::Again { conflicted: self.conflicted })
    }

    /// A write about the object that has the account is under way. This one is looked at again, in this cycle and, should
    /// that be too early, in the next ones.
    async fn wait_for(&self, evaluation: &Evaluation<'_>, former: &LinkRecord) -> Result<Looked, Trouble> {
        let before = self.subject.link.as_ref().and_then(|link| link.target_id.clone());
        let link = LinkRecord { at: former.at, ..self.new_link(evaluation, LinkState::Creating, before) };
        let app = self.cycle.app;
        self.cycle.record(move |tx| links::put_link(tx, app, &link)).await?;
        if self.cycle.look_later(When::AfterLooks, (self.subject.kind, self.subject.id)) {
            return Ok(self.done("other", "skipped", Some("the account is still being taken from another".to_owned())));
        }
        Ok(self.wait())
    }

    async fn foresee_takeover(&self, former: ObjectId, link: LinkRecord) -> Result<(), Stop> {
        let (cycle, kind, heir) = (self.cycle, self.subject.kind, self.subject.id);
        let key = (kind, heir);
        let target = link.target_id.clone();
        cycle.with_preview(|preview| {
            preview.forgotten.insert((kind, former));
            preview.newly.push(key);
            preview.targets.extend(target.map(|target| (key, target)));
            preview.taken.insert(key, (former, link));
        });
        cycle.foresee_memberships(kind, former, heir).await
    }
}

/// Whether an object is deleted, soft or for good.
pub(super) fn has_left(tx: &mut ReadTx<'_>, kind: ObjectKind, id: ObjectId) -> Result<bool, store::StoreError> {
    Ok(match kind {
        ObjectKind::Group => store::groups::group_by_id(tx, id.group())?.is_none_or(|group| group.deleted.is_some()),
        ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => {
            store::users::user_by_id(tx, id.user())?.is_none_or(|user| user.deleted.is_some())
        }
    })
}
