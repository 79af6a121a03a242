//! Whom other rules or filters of a job put out of scope: accounts that are linked and in scope now. Nothing is written, and the target
//! is not asked.

use std::fmt;
use std::sync::Arc;

use mapping::{ObjectMapping, ObjectType, counted};
use serde::Serialize;
use store::AppId;

use super::evaluate::scope_of;
use super::subject::Subject;
use super::try_scope::{count, kind_of, page};
use crate::engine::Engine;
use crate::job::{JobChange, JobError};
use crate::scope::{Scope, ScopeRules};
use crate::surroundings::JobNeeds;

/// Objects of a directory up to which they are counted before somebody is asked; more would keep them waiting.
const COUNTED_MAX: u64 = 50_000;
/// Accounts that are told by name.
const NAMES_MAX: usize = 20;

/// Accounts that other rules or filters put out of scope. `Display` is one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeLoss {
    /// Users or groups.
    pub object: ObjectType,
    /// How many; none where the directory is too large to count them for this.
    pub accounts: Option<u64>,
    /// The names of the first of them.
    pub names: Vec<String>,
}

impl fmt::Display for ScopeLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many) = match self.object {
            ObjectType::User => ("user", "users"),
            ObjectType::Group => ("group", "groups"),
        };
        let Some(accounts) = self.accounts else {
            return write!(
                f,
                "the rules of who is in scope change for {many}: whoever leaves the scope loses the account; lockstep filter test tells who that is"
            );
        };
        let losing = counted(accounts, one);
        let more = if accounts > self.names.len() as u64 { ", …" } else { "" };
        write!(
            f,
            "other rules of who is in scope: {losing} would leave it and lose their accounts: {}{more}",
            self.names.join(", ")
        )
    }
}

impl Engine {
    /// Who would leave the scope by a change of a job: of its mappings, or of its rules of who is in scope; nothing where nobody does.
    /// Accounts of a mapping that is gone or switched off stay as they are and are not counted; neither is who is assigned or
    /// unassigned at the same time.
    pub async fn scope_losses(&self, app: AppId, change: &JobChange) -> Result<Vec<ScopeLoss>, JobError> {
        let (_, _, settings) = self.load(app).await?;
        let changed = change.applied(&settings);
        let (before, after) = (settings.scope_rules(), changed.scope_rules());
        let mut losses = Vec::new();
        for old in settings.objects.iter().filter(|old| old.enabled) {
            let Some(new) = changed.objects.iter().find(|new| new.enabled && new.target_object == old.target_object)
            else {
                continue;
            };
            let is_same = before == after
                && old.scoping == new.scoping
                && old.input_filters == new.input_filters
                && old.category_filters == new.category_filters;
            if !is_same {
                let loss = self.scope_loss(app, (before, old), (after, new)).await?;
                losses.extend(Some(loss).filter(|loss| loss.accounts != Some(0)));
            }
        }
        Ok(losses)
    }

    async fn scope_loss(
        &self,
        app: AppId,
        before: (ScopeRules, &ObjectMapping),
        after: (ScopeRules, &ObjectMapping),
    ) -> Result<ScopeLoss, JobError> {
        let object = before.1.target_object;
        let kind = kind_of(object);
        let mut loss = ScopeLoss { object, accounts: None, names: Vec::new() };
        if self.store().read(move |tx| count(tx, kind)).await? > COUNTED_MAX {
            return Ok(loss);
        }
        let (needs, now) = (Arc::new(needs_of_both(before.1, after.1)), self.now());
        let (mut accounts, mut last) = (0, None);
        loop {
            let needs = Arc::clone(&needs);
            let subjects = self.store().scan(move |tx| page(tx, app, &needs, kind, last)).await?;
            last = subjects.last().map(|subject| subject.id);
            let leaves = |subject: &&Subject| {
                let is_out = |scope| matches!(scope, Ok(Scope::Out(why)) if !why.leaves_account());
                subject.link.is_some()
                    && scope_of(before.0, before.1, subject, now) == Ok(Scope::In)
                    && is_out(scope_of(after.0, after.1, subject, now))
            };
            for subject in subjects.iter().filter(leaves) {
                accounts += 1;
                if loss.names.len() < NAMES_MAX {
                    loss.names.push(subject.label());
                }
            }
            if last.is_none() {
                loss.accounts = Some(accounts);
                return Ok(loss);
            }
        }
    }
}

/// What the filters of either mapping read beside an object.
fn needs_of_both(before: &ObjectMapping, after: &ObjectMapping) -> JobNeeds {
    let mut both = before.clone();
    both.scoping.0.extend(after.scoping.0.iter().cloned());
    both.input_filters.0.extend(after.input_filters.0.iter().cloned());
    both.category_filters.0.extend(after.category_filters.0.iter().cloned());
    JobNeeds::of_one(&both)
}
