//! The accounts that were deleted in this cycle: several objects are worked on at a time, and what the target told of an
//! account before it was deleted is not true any more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use store::ObjectKind;

/// How many deletions there were when the target was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

/// The accounts, each with its deletion.
#[derive(Debug, Default)]
pub(super) struct Deletions(Mutex<Deleted>);

#[derive(Debug, Default)]
struct Deleted {
    count: u64,
    accounts: HashMap<(ObjectKind, String), Moment>,
}

impl Deletions {
    /// To be taken before the target is asked for an account.
    pub(super) fn now(&self) -> Moment {
        Moment(self.with(|deleted| deleted.count))
    }

    /// Notes that the target has deleted an account. To come before its link is forgotten.
    pub(super) fn note(&self, kind: ObjectKind, target_id: &str) {
        self.with(|deleted| {
            deleted.count += 1;
            deleted.accounts.insert((kind, target_id.to_owned()), Moment(deleted.count));
        });
    }

    /// Whether an account was deleted since then. To be asked after its link was looked for: where the link was forgotten
    /// already, the deletion is known here.
    pub(super) fn since(&self, asked: Moment, kind: ObjectKind, target_id: &str) -> bool {
        self.with(|deleted| {
            deleted.accounts.get(&(kind, target_id.to_owned())).is_some_and(|deletion| *deletion > asked)
        })
    }

    fn with<T>(&self, what: impl FnOnce(&mut Deleted) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_told_before_the_deletion_is_not_believed() {
        let (deletions, user) = (Deletions::default(), ObjectKind::User);
        let before = deletions.now();
        deletions.note(user, "1");
        let after = deletions.now();
        assert!(deletions.since(before, user, "1"));
        assert!(!deletions.since(before, user, "2"));
        assert!(!deletions.since(before, ObjectKind::Group, "1"));
        // A target that keeps accounts that are deleted, switched off, tells of them still.
        assert!(!deletions.since(after, user, "1"));
        // An id that is a name comes back, and goes again.
        deletions.note(user, "1");
        assert!(deletions.since(after, user, "1"));
    }
}
