//! How much one request may make the server look at. A short request can name every member of every group with hundreds of
//! comparisons: what is answered would stay small, and everyone else would wait for the reader or the writer it holds.

use scim::ScimError;

/// Most comparisons, of a filter or of the filters among the attributes, with which something is answered where a look-up by id is, which
/// takes no turn and keeps others waiting for as long as it takes: what more compare would do that for as long as many look-ups.
pub const COMPARISONS_AT_ONCE_MAX: usize = 4;

/// What is left of what a request may cost.
#[derive(Debug)]
pub(crate) struct Effort {
    spent: u64,
    max: u64,
    refusal: &'static str,
}

impl Effort {
    /// A request that may cost `max`, and is refused beyond that with these words.
    pub(crate) const fn new(max: u64, refusal: &'static str) -> Self {
        Self { spent: 0, max, refusal }
    }

    /// Counts what is about to be done.
    ///
    /// # Errors
    /// `tooMany` when it is more than is left.
    pub(crate) fn spend(&mut self, effort: u64) -> Result<(), ScimError> {
        self.spent = self.spent.saturating_add(effort);
        if self.spent > self.max { Err(ScimError::too_many(self.refusal)) } else { Ok(()) }
    }

    pub(crate) const fn spent(&self) -> u64 {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_at_its_limit() {
        let mut effort = Effort::new(10, "that is too much");
        assert_eq!(effort.spend(10), Ok(()));
        assert_eq!(effort.spend(1), Err(ScimError::too_many("that is too much")));
        assert_eq!(effort.spend(u64::MAX), Err(ScimError::too_many("that is too much")));
    }
}
