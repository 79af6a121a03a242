//! Values that no other account at the target may have (`SelectUniqueValue`): looked up there, in the order of their rules.

use std::borrow::Cow;

use mapping::Candidates;

use super::look::{Look, Trouble, trouble};
use crate::object_plan::{Failure, MatchValue, Wish};
use crate::redaction::Redacted;

impl Look<'_> {
    /// The wishes for a new account, with the first value of each that is free at the target. Fails where none is.
    pub(super) async fn with_unique_values<'w, 'p>(
        &self,
        wishes: &'w [Wish<'p>],
    ) -> Result<Cow<'w, [Wish<'p>]>, Trouble> {
        let mut settled = Cow::Borrowed(wishes);
        for (at, wish) in wishes.iter().enumerate() {
            let Some(candidates) = &wish.unique else { continue };
            let Some(free) = self.first_free(wish, candidates).await? else {
                return Err(Trouble::Object(none_is_free(wish, candidates)));
            };
            let value = wish.path.json(&free.into()).unwrap_or_default();
            settled.to_mut()[at] = Wish { value, unique: None, ..wish.clone() };
        }
        Ok(settled)
    }

    async fn first_free<'c>(&self, wish: &Wish<'_>, candidates: &'c Candidates) -> Result<Option<&'c str>, Trouble> {
        for value in &candidates.values {
            let wanted = MatchValue { path: wish.path, value: value.clone(), redacted: wish.redacted };
            // What another object of this cycle is about to take is taken.
            if !self.cycle.claim(self.subject.kind, self.subject.id, std::slice::from_ref(&wanted)) {
                continue;
            }
            self.cycle.ready().await?;
            let hide = |error| trouble(Redacted::of(std::slice::from_ref(wish), &[]).hide_in_error(error));
            if !self.cycle.target.is_taken(self.subject.object(), &wanted).await.map_err(hide)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}

fn none_is_free(wish: &Wish<'_>, candidates: &Candidates) -> Failure {
    let count = mapping::counted(candidates.values.len() as u64, "value");
    let next =
        candidates.failure.as_ref().map_or_else(String::new, |error| format!(", and the next rule failed: {error}"));
    let reason = format!(
        "{}: other accounts at the target have the {count} that SelectUniqueValue gives{next}; add a rule, or free one of them",
        wish.path.text()
    );
    Failure { code: "EntryConflict", reason }
}
