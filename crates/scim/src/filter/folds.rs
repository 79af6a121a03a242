//! Texts of one resource as they are compared without case, each folded once however many comparisons look at it, and what that has cost.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::marker::PhantomData;

use crate::comparison::user_name_key;
use crate::fold;

/// What finding one value counts, in the unit of [`Matcher::matches_counting`](super::Matcher::matches_counting).
pub(super) const VISIT_WORK: u64 = 32;
/// What reading one moment counts.
pub(super) const INSTANT_WORK: u64 = 128;
/// What folding one byte of a text counts that is not ASCII. Normalising a long run of marks is the slowest.
pub(crate) const FOLD_WORK: u64 = 32;
/// The same for a login name: the profile looks at each character several times.
const USER_NAME_WORK: u64 = 128;

/// How a text is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Text,
    UserName,
}

/// What was folded of the values that live as long as `'v`.
#[derive(Debug, Default)]
pub(crate) struct Folds<'v> {
    /// By where a text is and how long: while it is borrowed no other is there.
    folded: HashMap<(*const u8, usize, Form), String>,
    work: u64,
    of: PhantomData<&'v str>,
}

impl<'v> Folds<'v> {
    pub(super) const fn count(&mut self, work: u64) {
        self.work = self.work.saturating_add(work);
    }

    pub(super) const fn work(&self) -> u64 {
        self.work
    }

    /// A text that is not ASCII in the form in which it is compared.
    pub(super) fn folded(&mut self, form: Form, text: &'v str) -> &str {
        match self.folded.entry((text.as_ptr(), text.len(), form)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let (work, folded) = match form {
                    Form::Text => (FOLD_WORK, fold(text)),
                    Form::UserName => (USER_NAME_WORK, user_name_key(text)),
                };
                self.work = self.work.saturating_add(work.saturating_mul(text.len() as u64));
                place.insert(folded)
            }
        }
    }
}
