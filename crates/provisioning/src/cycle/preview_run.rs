//! The course of a preview: the same objects in the same order as a cycle, then the references as they would be written.

use std::sync::Arc;

use store::links::{self, LinkState};
use store::{DIRECTORY_FEED, ObjectId, ObjectKind, changes_after, groups, jobs, references};

use super::context::{Cycle, Stop};
use super::preview::request;
use super::run::{CHANGES_PAGE, PAGE, Place};
use super::subject::Subject;
use super::work::touched;
use crate::dialect;
use crate::job::JobError;
use crate::object_plan::Difference;
use crate::target_path::TargetPath;

impl Cycle {
    pub(super) async fn preview(self: &Arc<Self>) -> Result<(), Stop> {
        let mut memberships = Vec::new();
        if self.initial {
            let mut place = Some(Place::parse(None));
            while let Some(here) = place {
                let page = self.initial_page(here).await?;
                self.look_at(page.objects, here.phase()).await?;
                place = page.next;
            }
        } else {
            memberships = self.preview_changes().await?;
        }
        self.preview_references(memberships).await
    }

    /// Looks at what changed; gives the memberships that changed.
    async fn preview_changes(self: &Arc<Self>) -> Result<Vec<(ObjectId, ObjectId)>, Stop> {
        let app = self.app;
        self.engine.store().write(|tx| store::number_changes(tx, DIRECTORY_FEED)).await?;
        let mut watermark = self
            .engine
            .store()
            .read(move |tx| jobs::job_by_app(tx, app))
            .await?
            .and_then(|job| job.watermark)
            .unwrap_or(0);
        let mut memberships = Vec::new();
        loop {
            let page = self.engine.store().scan(move |tx| {
                let changes = changes_after(tx, DIRECTORY_FEED, watermark, CHANGES_PAGE)?;
                Ok::<_, JobError>((changes.last().map(|change| change.seq), touched(tx, app, &changes)?))
            });
            let (last, touched) = page.await?;
            let Some(seq) = last else { return Ok(memberships) };
            watermark = seq;
            self.look_at(touched.objects.into_iter().collect(), "changes").await?;
            for group in touched.groups {
                self.look_at_members(group).await?;
            }
            memberships.extend(touched.memberships);
        }
    }

    /// References of objects that would be made, and memberships that changed.
    async fn preview_references(self: &Arc<Self>, memberships: Vec<(ObjectId, ObjectId)>) -> Result<(), Stop> {
        let created = self.with_preview(|preview| std::mem::take(&mut preview.created)).unwrap_or_default();
        for (kind, id) in &created {
            match kind {
                ObjectKind::Group => self.preview_members(*id, None).await?,
                ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment => self.preview_manager(*id).await?,
            }
        }
        for (group, member) in memberships {
            if !created.contains(&(ObjectKind::Group, group)) {
                self.preview_members(group, Some(member)).await?;
            }
        }
        Ok(())
    }

    async fn preview_manager(&self, id: ObjectId) -> Result<(), Stop> {
        let Some(path) = self.users.reference("manager") else { return Ok(()) };
        let app = self.app;
        let subject = self.engine.store().read(move |tx| Subject::load(tx, app, ObjectKind::User, id)).await?;
        let Some(manager) = subject.user.as_ref().and_then(|user| user.manager) else { return Ok(()) };
        let predicted =
            |id: ObjectId| self.with_preview(|preview| preview.targets.get(&(ObjectKind::User, id)).cloned()).flatten();
        let Some(manager) = subject.manager_target.clone().or_else(|| predicted(manager.into())) else { return Ok(()) };
        let Some(target_id) = predicted(id) else { return Ok(()) };
        let difference = Difference { path, before: None, after: Some(manager.into()), redacted: false };
        let body = dialect::patch_body(self.target.dialect, std::slice::from_ref(&difference));
        self.predict(request(&subject, "reference", "PATCH", format!("/Users/{target_id}"), Some(body)));
        self.counts.references.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    /// The memberships of a group that would be written: all, or one.
    async fn preview_members(&self, group: ObjectId, only: Option<ObjectId>) -> Result<(), Stop> {
        let Some(path) = self.groups.as_ref().and_then(|plan| plan.reference("members")) else { return Ok(()) };
        let app = self.app;
        let subject = self.engine.store().read(move |tx| Subject::load(tx, app, ObjectKind::Group, group)).await?;
        let mut after = None;
        loop {
            let from = after;
            let page = self.engine.store().scan(move |tx| {
                let members = match only {
                    Some(member) => vec![member],
                    None => {
                        groups::members_after(tx, group.group(), from, PAGE)?.into_iter().map(|(id, _)| id).collect()
                    }
                };
                let state = |tx: &mut store::ReadTx<'_>, member: ObjectId| {
                    let link = links::link(tx, app, ObjectKind::User, member)?;
                    Ok::<_, JobError>((
                        member,
                        link,
                        groups::is_member(tx, group.group(), member)?,
                        references::has_member(tx, app, group, member)?,
                    ))
                };
                members.into_iter().map(|member| state(tx, member)).collect::<Result<Vec<_>, JobError>>()
            });
            let page = page.await?;
            let Some((last, ..)) = page.last() else { return Ok(()) };
            after = Some(*last);
            self.predict_members(&subject, path, page);
            if only.is_some() {
                return Ok(());
            }
        }
    }

    fn predict_members(
        &self,
        subject: &Subject,
        path: &TargetPath,
        page: Vec<(ObjectId, Option<links::LinkRecord>, bool, bool)>,
    ) {
        let predicted = |kind, id| self.with_preview(|preview| preview.targets.get(&(kind, id)).cloned()).flatten();
        let Some(group) = subject
            .link
            .as_ref()
            .and_then(|link| link.target_id.clone())
            .or_else(|| predicted(ObjectKind::Group, subject.id))
        else {
            return;
        };
        let (mut adds, mut removes) = (Vec::new(), Vec::new());
        for (member, link, wanted, written) in page {
            let managed = link.as_ref().is_none_or(|link| link.state == LinkState::Linked);
            let id = link.and_then(|link| link.target_id).or_else(|| predicted(ObjectKind::User, member));
            match (id, wanted, written) {
                (Some(id), true, false) if managed => adds.push(id),
                (Some(id), false, true) => removes.push(id),
                _ => {}
            }
        }
        for (add, ids) in [(true, adds), (false, removes)] {
            for part in ids.chunks(self.members_per_request) {
                let body = dialect::members_body(self.target.dialect, path, add, part);
                self.predict(request(subject, "reference", "PATCH", format!("/Groups/{group}"), Some(body)));
                self.counts.references.fetch_add(part.len() as u64, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }
}
