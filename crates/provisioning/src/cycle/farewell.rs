//! A user that is gone from the directory for good leaves its groups at the target before its account, or what is known
//! of it, goes: not every application removes a member that it does not have any more.

use store::links::{self, LinkRecord, LinkState};
use store::{ObjectKind, references};

use super::later::When;
use super::look::{Look, Looked, Trouble};
use crate::plan::Action;

impl Look<'_> {
    /// Has the memberships of a purged user removed before what was decided about it is done; `None` where that can be
    /// done now. An account that is to be deleted waits for that no longer than to the end of the page.
    pub(super) async fn leave_groups(&self, action: &Action<'_>) -> Result<Option<Looked>, Trouble> {
        let cycle = self.cycle;
        let (kind, id, app) = (self.subject.kind, self.subject.id, cycle.app);
        let ends = matches!(action, Action::Delete | Action::Forget);
        if !ends || kind != ObjectKind::User || self.subject.exists() || !cycle.writes_members() {
            return Ok(None);
        }
        let Some(link) = self.subject.link.clone().filter(is_in_groups) else { return Ok(None) };
        if !cycle.engine.store().read(move |tx| references::is_present(tx, app, id)).await? {
            return Ok(None);
        }
        if cycle.previews() {
            cycle.with_preview(|preview| preview.departing.insert(id));
            cycle.foresee_memberships(kind, id, id).await?;
            return Ok(None);
        }
        let will_be_seen = cycle.look_later(When::AfterReferences, (kind, id));
        if !will_be_seen && matches!(action, Action::Delete) {
            return Ok(None);
        }
        if will_be_seen && link.state != LinkState::Deleting {
            // Looked at in each cycle from now on, also after a crash. An account that is nobody's any more is not to be deleted.
            let is_let_go = matches!(link.state, LinkState::Released | LinkState::LeftActive);
            // Of an account that a write may still reach nobody knows whether it stays as it is.
            let kept = link.kept && link.state != LinkState::Verify;
            let intent = (!is_let_go).then_some(LinkRecord { state: LinkState::Deleting, kept, ..link });
            cycle
                .record(move |tx| {
                    if let Some(link) = &intent {
                        links::put_link(tx, app, link)?;
                    }
                    references::want_present(tx, app, id, id)
                })
                .await?;
        }
        Ok(Some(self.done("other", "skipped", Some("its memberships are removed first".to_owned()))))
    }
}

/// Whether an account is known that leaves its groups; that of whoever is left alone stays as it is.
fn is_in_groups(link: &LinkRecord) -> bool {
    link.target_id.is_some() && !matches!(link.state, LinkState::Creating | LinkState::LeftAlone)
}
