//! Objects that a cycle looks at once more: those that had to let another go first.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

use store::{ObjectId, ObjectKind};

use super::context::{Cycle, Stop};

type Key = (ObjectKind, ObjectId);

/// When an object is looked at once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// When the objects that are looked at together with it are done.
    AfterLooks,
    /// When the references that are ready are written.
    AfterReferences,
}

/// Who is looked at once more. Each object gets that once in a cycle.
#[derive(Debug, Default)]
pub(super) struct Later {
    waiting: Vec<(When, Key)>,
    had: HashSet<Key>,
}

impl Cycle {
    /// Has an object looked at once more in this cycle; says whether it will be, which it is not where it has been.
    pub(super) fn look_later(&self, when: When, key: Key) -> bool {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        if later.had.insert(key) {
            later.waiting.push((when, key));
        }
        later.waiting.contains(&(when, key))
    }

    fn due(&self, when: When) -> Vec<Key> {
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, waiting) = std::mem::take(&mut later.waiting).into_iter().partition(|(then, _)| *then == when);
        later.waiting = waiting;
        let due: Vec<(When, Key)> = due;
        due.into_iter().map(|(_, key)| key).collect()
    }

    /// Looks at objects, then once more at those that had to wait for another of them.
    pub(super) async fn look_at(self: &Arc<Self>, objects: Vec<Key>, phase: &'static str) -> Result<(), Stop> {
        self.look_at_each(objects, phase).await?;
        self.look_at_each(self.due(When::AfterLooks), phase).await
    }

    /// Looks once more at those that waited for references to be written.
    pub(super) async fn look_after_references(self: &Arc<Self>) -> Result<(), Stop> {
        self.look_at(self.due(When::AfterReferences), "references").await
    }

    async fn look_at_each(self: &Arc<Self>, objects: Vec<Key>, phase: &'static str) -> Result<(), Stop> {
        self.each(objects, phase, |cycle, (kind, id)| async move { cycle.process(kind, id).await.map(drop) }).await
    }
}
