//! Trying out what becomes of the account of an object that is out of scope: what a cycle would decide, and nothing of it is done.

use mapping::{ObjectMapping, Source, World};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::evaluate::{leaving_by, may_be_ended};
use super::subject::Subject;
use crate::engine::Engine;
use crate::object_plan::{Desired, Failure, ObjectPlan, differences, reads_is_soft_deleted};
use crate::plan::{Action, Found, Known, Leaving, Lookup, SkipReason, decide_out_of_scope, lookup};
use crate::scope::{OutOfScope, Scope};
use crate::target::resource_id;
use crate::trial::{Absence, AttributeTrial, Effect, UNREADABLE};

/// What becomes of the account of an object that is out of scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "camelCase")]
pub enum Departure {
    /// It is switched off.
    Disable,
    /// It is removed.
    Delete,
    /// Nothing is written.
    Nothing {
        /// Why.
        reason: String,
    },
    /// The object fails: a mapping that is evaluated for this does.
    Fails {
        /// Why.
        reason: String,
    },
}

impl Departure {
    /// Leaves out what is not written: all but what follows from `IsSoftDeleted`, and that too where the account is not switched off. What
    /// fails is told where a cycle evaluates it too, or where it cannot even be read.
    pub(super) fn leave_out(&self, mapping: &ObjectMapping, attributes: &mut [AttributeTrial]) {
        for (tried, attribute) in attributes.iter_mut().zip(&mapping.attributes) {
            let is_asked = reads_is_soft_deleted(attribute);
            let is_told = match &tried.effect {
                Effect::Error { code, .. } => *code == UNREADABLE || is_asked && matches!(self, Self::Fails { .. }),
                _ => is_asked && *self == Self::Disable,
            };
            if !is_told {
                tried.effect = Effect::Nothing { reason: Absence::OutOfScope };
            }
        }
    }

    fn of(action: Action<'_>) -> Self {
        let reason = match action {
            Action::Disable { .. } => return Self::Disable,
            Action::Delete => return Self::Delete,
            Action::NoteLink { reason: SkipReason::OutOfScope(why), .. } => {
                format!("{}; the account is switched off already", why.reason())
            }
            Action::Skip(reason) | Action::NoteLink { reason, .. } => reason.text(),
            Action::Create(_) | Action::Update(_) | Action::Forget | Action::Rematch | Action::Wait => {
                "the account is looked for again first".to_owned()
            }
        };
        Self::Nothing { reason }
    }
}

impl Engine {
    /// What a cycle would do about the account `held` of an object that these mappings leave out of scope because of `why`.
    pub(super) fn departure(
        &self,
        plan: &ObjectPlan,
        application_has_soft_delete: bool,
        leaver: (&Subject, &OutOfScope),
        held: &Map<String, Json>,
    ) -> Departure {
        match self.parting(plan, application_has_soft_delete, leaver, held) {
            Ok(action) => Departure::of(action),
            Err(failure) => Departure::Fails { reason: failure.reason },
        }
    }

    /// The same as what is decided; the failure of a mapping that is evaluated for it.
    pub(super) fn parting<'p>(
        &self,
        plan: &'p ObjectPlan,
        application_has_soft_delete: bool,
        (subject, why): (&Subject, &OutOfScope),
        held: &Map<String, Json>,
    ) -> Result<Action<'p>, Failure> {
        let mut wishes = Vec::new();
        if may_be_ended(why, subject.link.as_ref()) {
            let disabling = |source: &dyn Source, world: &World<'_>| plan.disabling(source, world);
            match self.with_world_of(subject, true, disabling).transpose()? {
                Some(Desired::Values(values)) => wishes = values,
                Some(Desired::Ignored) => return Ok(Action::Skip(SkipReason::Ignored)),
                None => {}
            }
        }
        let leaving = leaving_by(plan.leaving(application_has_soft_delete), &wishes);
        let scope = Scope::Out(why.clone());
        let known = Known {
            scope: &scope,
            link: subject.link.as_ref(),
            leaving: if why.leaves_account() { Leaving::Kept } else { leaving },
            allowed: plan.mapping.flow_types,
            unchanged: false,
            settled: true,
            quiet: true,
        };
        let found = match lookup(known) {
            Lookup::Nothing => Found::NotAsked,
            Lookup::ById | Lookup::ByMatch => Found::Account {
                target_id: resource_id(held).unwrap_or_default().to_owned(),
                differences: differences(wishes, held),
            },
        };
        Ok(decide_out_of_scope(known, why, found))
    }
}
