//! Whom a change reaches beside the object that changed: who reports to it, who is beneath it through other groups, and whose time has
//! come. Only looked for where filters or mappings ask for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use store::reconsiderations::{self, Reconsideration};
use store::{ObjectId, ObjectKind, groups, users};

use super::context::{Cycle, Stop};
use super::look::Look;
use super::run::PAGE;
use super::work::Touched;
use crate::job::JobError;

impl Cycle {
    /// Looks at everything that a page of changes touches.
    pub(super) async fn look_at_touched(self: &Arc<Self>, touched: &Touched) -> Result<(), Stop> {
        self.look_at(touched.objects.iter().copied().collect(), "changes").await?;
        for group in &touched.groups {
            self.look_at_members(*group, &touched.objects).await?;
        }
        for manager in &touched.managers {
            self.look_at_reports(*manager, &touched.objects).await?;
        }
        let mut seen = BTreeSet::new();
        for group in &touched.beneath {
            self.look_beneath(*group, &touched.objects, &mut seen).await?;
        }
        Ok(())
    }

    /// Looks at everybody who reports to a user, page by page.
    async fn look_at_reports(
        self: &Arc<Self>,
        manager: ObjectId,
        seen: &BTreeSet<(ObjectKind, ObjectId)>,
    ) -> Result<(), Stop> {
        let mut after = None;
        loop {
            let from = after;
            let reports = self.engine.store().scan(move |tx| users::reports_of(tx, manager.user(), from, PAGE)).await?;
            let Some(last) = reports.last() else { return Ok(()) };
            after = Some(*last);
            let reports = reports.into_iter().map(|id| (ObjectKind::User, id.into()));
            self.look_at(reports.filter(|report| !seen.contains(report)).collect(), "reports").await?;
        }
    }

    /// Looks at every member of a group, and where nesting counts at those of the groups in it, each group once. Who was a member through
    /// a membership that is gone too is beneath that membership's own change.
    async fn look_beneath(
        self: &Arc<Self>,
        group: ObjectId,
        looked_at: &BTreeSet<(ObjectKind, ObjectId)>,
        seen: &mut BTreeSet<ObjectId>,
    ) -> Result<(), Stop> {
        let mut waiting = vec![group];
        while let Some(group) = waiting.pop() {
            if !seen.insert(group) {
                continue;
            }
            let mut after = None;
            loop {
                let from = after;
                let page =
                    self.engine.store().scan(move |tx| groups::members_after(tx, group.group(), from, PAGE)).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(*last);
                if self.needs.nested() {
                    waiting.extend(page.iter().filter(|(_, kind)| *kind == ObjectKind::Group).map(|(id, _)| *id));
                }
                let members = page.into_iter().map(|(id, kind)| (kind, id));
                self.look_at(members.filter(|member| !looked_at.contains(member)).collect(), "members").await?;
            }
        }
        Ok(())
    }

    /// Looks at those whose time has come: a date that a filter compares with the clock is passed.
    pub(super) async fn look_at_due(self: &Arc<Self>) -> Result<(), Stop> {
        let (now, mut after) = (self.engine.now(), None);
        loop {
            let (app, from) = (self.app, after);
            let due = self.engine.store().scan(move |tx| reconsiderations::due(tx, app, now, from, PAGE)).await?;
            after = due.last().copied();
            if after.is_none() {
                return Ok(());
            }
            self.look_at(due.iter().map(|one| (one.kind, one.source_id)).collect(), "dates").await?;
            self.record(move |tx| {
                due.iter().try_for_each(|one: &Reconsideration| reconsiderations::done(tx, app, *one))
            })
            .await?;
        }
    }
}

impl Look<'_> {
    /// Keeps when time alone may next change what filters make of the object, once the look has come to its end: until then the
    /// moment that brought it here stands, whatever stops the cycle. In a preview nothing is kept.
    pub(super) async fn keep_time(&self) -> Result<(), Stop> {
        let (cycle, subject) = (self.cycle, &self.subject);
        if !cycle.needs.of(subject.object()).time {
            return Ok(());
        }
        // Not as of now: a date that passes while the target is being asked was not passed when that was decided.
        let started = self.started;
        let due = subject.with_source(false, |source| self.plan.mapping.reconsider_at(source, started)).flatten();
        if due == subject.due {
            return Ok(());
        }
        let (app, (kind, id)) = (cycle.app, subject.key());
        cycle.record(move |tx| reconsiderations::put(tx, app, kind, id, due)).await
    }
}

/// Whether an object of the directory is a group; what is gone counts as a user.
pub(super) fn is_group(tx: &mut store::ReadTx<'_>, id: ObjectId) -> Result<bool, JobError> {
    Ok(groups::group_by_id(tx, id.group())?.is_some())
}
