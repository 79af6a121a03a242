//! The course of a preview: the same objects in the same order as a cycle, then the references as they would be written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::links::{self, LinkRecord, LinkState};
use store::{DIRECTORY_FEED, ObjectId, ObjectKind, ReadTx, UserId, changes_after, groups, jobs, references, users};

use super::context::{Cycle, Stop};
use super::evaluate::held_manager;
use super::group_members::{Membership, decide};
use super::note::REFERENCE_REFUSED;
use super::preview::{Preview, request};
use super::retries::is_too_old;
use super::run::{CHANGES_PAGE, PAGE, Place};
use super::subject::Subject;
use super::work::touched;
use crate::dialect;
use crate::job::JobError;
use crate::object_plan::Difference;

type Key = (ObjectKind, ObjectId);

impl Cycle {
    pub(super) async fn preview(self: &Arc<Self>) -> Result<(), Stop> {
        self.preview_retries().await?;
        if self.initial {
            let mut place = Some(Place::parse(None));
            while let Some(here) = place {
                let page = self.initial_page(here).await?;
                if matches!(here, Place::Users(_)) {
                    self.users_come(&page.objects).await;
                }
                self.look_at(page.objects, here.phase()).await?;
                place = page.next;
            }
        } else {
            self.preview_changes().await?;
        }
        self.preview_references().await
    }

    async fn preview_retries(self: &Arc<Self>) -> Result<(), Stop> {
        self.look_at_open().await?;
        let (now, mut after) = (self.engine.now(), None);
        while let Some(mut due) = self.due_failures(now, &mut after).await? {
            due.retain(|escrow| !is_too_old(escrow.first_failed, now));
            for escrow in due.iter().filter(|escrow| escrow.code == REFERENCE_REFUSED) {
                let (kind, id) = (escrow.kind, escrow.source_id);
                if kind == ObjectKind::Group {
                    self.foresee_members(id).await?;
                } else {
                    self.with_preview(|preview| preview.managers.insert(id));
                }
            }
            self.look_at(due.iter().map(|escrow| (escrow.kind, escrow.source_id)).collect(), "retries").await?;
        }
        Ok(())
    }

    /// Looks at what changed.
    async fn preview_changes(self: &Arc<Self>) -> Result<(), Stop> {
        let app = self.app;
        self.engine.store().write(|tx| store::number_changes(tx, DIRECTORY_FEED)).await?;
        let job = self.engine.store().read(move |tx| jobs::job_by_app(tx, app)).await?;
        let mut watermark = job.and_then(|job| job.watermark).unwrap_or(0);
        self.look_at_due().await?;
        loop {
            let needs = Arc::clone(&self.needs);
            let page = self.engine.store().scan(move |tx| {
                let changes = changes_after(tx, DIRECTORY_FEED, watermark, CHANGES_PAGE)?;
                Ok::<_, JobError>((changes.last().map(|change| change.seq), touched(tx, app, &needs, &changes)?))
            });
            let (last, touched) = page.await?;
            let Some(seq) = last else { return Ok(()) };
            watermark = seq;
            self.look_at_touched(&touched).await?;
            self.with_preview(|preview| {
                for (group, member) in touched.memberships {
                    preview.members.entry(group).or_default().insert(member);
                }
            });
        }
    }

    /// References that are ready, and those that become ready through what was foreseen.
    async fn preview_references(self: &Arc<Self>) -> Result<(), Stop> {
        let newly = self.with_preview(|preview| std::mem::take(&mut preview.newly)).unwrap_or_default();
        for (kind, id) in newly {
            match kind {
                ObjectKind::Group => self.foresee_members(id).await?,
                ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => {
                    self.foresee_user(id).await?;
                }
            }
        }
        self.foresee_ready().await?;
        let (managers, members) = self
            .with_preview(|preview| {
                preview.managers.retain(|holder| !preview.managed.contains(holder));
                (std::mem::take(&mut preview.managers), std::mem::take(&mut preview.members))
            })
            .unwrap_or_default();
        for holder in managers {
            self.preview_manager(holder).await?;
        }
        for (group, members) in members {
            self.preview_members(group, members).await?;
        }
        self.with_preview(Preview::tell_last);
        Ok(())
    }

    /// A user would get an account: those who report to it, and the groups it is in, can refer to it.
    async fn foresee_user(&self, id: ObjectId) -> Result<(), Stop> {
        let app = self.app;
        let (reports, holders) = self
            .engine
            .store()
            .scan(move |tx| Ok::<_, JobError>((all_reports(tx, app, id.user())?, all_groups(tx, app, id)?)))
            .await?;
        self.with_preview(|preview| {
            preview.managers.extend(reports);
            for group in holders {
                preview.members.entry(group).or_default().insert(id);
            }
        });
        Ok(())
    }

    /// The members of a group, and those who were written as members, are looked at.
    async fn foresee_members(&self, group: ObjectId) -> Result<(), Stop> {
        self.foresee_memberships(ObjectKind::Group, group, group).await?;
        let mut after = None;
        loop {
            let from = after;
            let page = self.engine.store().scan(move |tx| groups::members_after(tx, group.group(), from, PAGE)).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            let members = page.into_iter().filter(|(_, kind)| *kind == ObjectKind::User).map(|(id, _)| id);
            self.with_preview(|preview| preview.members.entry(group).or_default().extend(members));
        }
    }

    /// Notes that an earlier cycle has left.
    async fn foresee_ready(&self) -> Result<(), Stop> {
        for kind in [ObjectKind::User, ObjectKind::Group] {
            let mut after = None;
            loop {
                let (app, from) = (self.app, after);
                let page = self.engine.store().scan(move |tx| ready(tx, app, kind, from)).await?;
                let Some(last) = page.keys().next_back() else { break };
                after = Some(*last);
                self.with_preview(|preview| {
                    for (holder, wanted) in page {
                        if kind == ObjectKind::User {
                            preview.managers.insert(holder);
                        } else {
                            preview.members.entry(holder).or_default().extend(wanted);
                        }
                    }
                });
            }
        }
        Ok(())
    }

    fn foreseen(&self, key: Key) -> Option<String> {
        self.with_preview(|preview| preview.targets.get(&key).cloned()).flatten()
    }

    /// The memberships, or members, that the account of one object has at the target are looked at as another's.
    pub(super) async fn foresee_memberships(
        &self,
        kind: ObjectKind,
        former: ObjectId,
        heir: ObjectId,
    ) -> Result<(), Stop> {
        let mut after = None;
        loop {
            let (app, from) = (self.app, after);
            let page = self.engine.store().scan(move |tx| match kind {
                ObjectKind::Group => references::written_members(tx, app, former, from, PAGE),
                ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => {
                    references::holders_of(tx, app, former, from, PAGE)
                }
            });
            let page = page.await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            self.with_preview(|preview| {
                for other in page {
                    let (group, member) = if kind == ObjectKind::Group { (heir, other) } else { (other, heir) };
                    preview.members.entry(group).or_default().insert(member);
                }
            });
        }
    }

    /// The object whose account another would take over.
    fn former_of(&self, key: Key) -> Option<ObjectId> {
        self.with_preview(|preview| preview.taken.get(&key).map(|(former, _)| *former)).flatten()
    }

    pub(super) fn is_forgotten(&self, key: Key) -> bool {
        self.with_preview(|preview| preview.forgotten.contains(&key)) == Some(true)
    }

    /// The id of a holder's account: foreseen, or known and not being written to.
    fn holder_target(&self, subject: &Subject) -> Option<String> {
        if self.is_forgotten((subject.kind, subject.id)) {
            return None;
        }
        let link = subject.link.as_ref().filter(|link| link.state == LinkState::Linked);
        self.foreseen((subject.kind, subject.id)).or_else(|| link.and_then(|link| link.target_id.clone()))
    }

    async fn preview_manager(&self, id: ObjectId) -> Result<(), Stop> {
        let Some(path) = self.users.reference("manager") else { return Ok(()) };
        let (app, needs) = (self.app, Arc::clone(&self.needs));
        let mut subject =
            self.engine.store().read(move |tx| Subject::load(tx, app, &needs, ObjectKind::User, id)).await?;
        self.with_preview(|preview| preview.foresee(&mut subject));
        let (Some(manager), Some(target_id)) = (subject.manager_target.clone(), self.holder_target(&subject)) else {
            return Ok(());
        };
        let is_new = subject.link.as_ref().and_then(|link| link.target_id.as_deref()) != Some(target_id.as_str());
        let before = if is_new {
            None
        } else {
            self.ready().await?;
            let held = self.target.read(subject.object(), &target_id).await;
            held.ok().flatten().and_then(|held| held_manager(path, &held))
        };
        if before.as_ref() == Some(&manager) {
            return Ok(());
        }
        let difference = Difference::of_reference(path, before, Some(&manager));
        let body = dialect::patch_body(self.target.dialect, std::slice::from_ref(&difference));
        self.predict(request(&subject, "reference", "PATCH", shown_path("/Users", &target_id), Some(body)));
        self.counts.references.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// The memberships of a group that would be written.
    async fn preview_members(&self, group: ObjectId, members: BTreeSet<ObjectId>) -> Result<(), Stop> {
        let Some(path) = self.groups.as_ref().and_then(|plan| plan.reference("members")) else { return Ok(()) };
        let (app, needs) = (self.app, Arc::clone(&self.needs));
        let mut subject =
            self.engine.store().read(move |tx| Subject::load(tx, app, &needs, ObjectKind::Group, group)).await?;
        self.with_preview(|preview| preview.foresee(&mut subject));
        let Some(target_id) = self.holder_target(&subject) else { return Ok(()) };
        let group_before = self.former_of((ObjectKind::Group, group)).unwrap_or(group);
        let members: Vec<_> = members
            .into_iter()
            .map(|member| (member, self.former_of((ObjectKind::User, member)).unwrap_or(member)))
            .collect();
        let states = self.engine.store().scan(move |tx| {
            let state = |(member, before)| {
                let (member, link, wanted, written) = member_state(tx, app, group, member)?;
                Ok((member, link, wanted, written || references::has_member(tx, app, group_before, before)?))
            };
            members.into_iter().map(state).collect::<Result<Vec<_>, JobError>>()
        });
        let decided: Vec<Membership> = states
            .await?
            .into_iter()
            .map(|(member, link, wanted, written)| self.foresee_membership(member, link, wanted, written))
            .filter(|(ready, _)| *ready)
            .map(|(_, membership)| membership)
            .collect();
        for page in decided.chunks(self.members_per_request) {
            let (mut adds, mut removes) = (Vec::new(), Vec::new());
            for one in page {
                match one {
                    Membership::Add(id) => adds.push(id.clone()),
                    Membership::Remove(id) => removes.push(id.clone()),
                    Membership::Wait | Membership::Nothing => {}
                }
            }
            for (add, ids) in [(true, adds), (false, removes)].into_iter().filter(|(_, ids)| !ids.is_empty()) {
                let body = dialect::members_body(self.target.dialect, path, add, &ids);
                self.predict(request(&subject, "reference", "PATCH", shown_path("/Groups", &target_id), Some(body)));
                self.counts.references.fetch_add(ids.len() as u64, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// What would become of one membership, and whether it would be looked at.
    fn foresee_membership(
        &self,
        member: ObjectId,
        link: Option<LinkRecord>,
        wanted: bool,
        written: bool,
    ) -> (bool, Membership) {
        if self.is_forgotten((ObjectKind::User, member)) {
            let departs = self.with_preview(|preview| preview.departing.contains(&member)) == Some(true);
            return if departs { (true, decide(link, wanted, written)) } else { (false, Membership::Nothing) };
        }
        match self.foreseen((ObjectKind::User, member)) {
            Some(id) if wanted && !written => (true, Membership::Add(id)),
            Some(id) if !wanted => (true, Membership::Remove(id)),
            Some(_) => (true, Membership::Nothing),
            None => (link.as_ref().is_some_and(|link| link.target_id.is_some()), decide(link, wanted, written)),
        }
    }
}

/// The path of an object; the id of one that does not exist yet stands as it is, for people.
fn shown_path(collection: &str, id: &str) -> String {
    if id.starts_with("<id of ") {
        format!("{collection}/{id}")
    } else {
        format!("{collection}/{}", dialect::segment(id))
    }
}

fn member_state(
    tx: &mut ReadTx<'_>,
    app: store::AppId,
    group: ObjectId,
    member: ObjectId,
) -> Result<(ObjectId, Option<LinkRecord>, bool, bool), JobError> {
    let link = links::link(tx, app, ObjectKind::User, member)?;
    let wanted = groups::is_member(tx, group.group(), member)?;
    Ok((member, link, wanted, references::has_member(tx, app, group, member)?))
}

/// Those who report to a user and have an account.
fn all_reports(tx: &mut ReadTx<'_>, app: store::AppId, manager: UserId) -> Result<Vec<ObjectId>, JobError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = users::reports_of(tx, manager, after, PAGE)?;
        let Some(last) = page.last().copied() else { return Ok(found) };
        after = Some(last);
        for report in page {
            if links::link(tx, app, ObjectKind::User, report.into())?.is_some() {
                found.push(report.into());
            }
        }
    }
}

/// The groups that a user is in and that the target has.
fn all_groups(tx: &mut ReadTx<'_>, app: store::AppId, user: ObjectId) -> Result<Vec<ObjectId>, JobError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = groups::groups_of(tx, user, after, PAGE)?;
        let Some(last) = page.last().copied() else { return Ok(found) };
        after = Some(last);
        for group in page {
            if links::link(tx, app, ObjectKind::Group, group.into())?.is_some() {
                found.push(group.into());
            }
        }
    }
}

/// The next holders with ready notes, and to what.
fn ready(
    tx: &mut ReadTx<'_>,
    app: store::AppId,
    kind: ObjectKind,
    after: Option<ObjectId>,
) -> Result<BTreeMap<ObjectId, Vec<ObjectId>>, JobError> {
    let mut found = BTreeMap::new();
    for holder in references::ready_holders(tx, app, kind, after, PAGE)? {
        let (mut wanted, mut from) = (Vec::new(), None);
        loop {
            let notes = references::ready_of(tx, app, kind, holder, from, PAGE)?;
            let Some(last) = notes.last() else { break };
            from = Some(last.wanted);
            wanted.extend(notes.iter().map(|note| note.wanted));
        }
        found.insert(holder, wanted);
    }
    Ok(found)
}
