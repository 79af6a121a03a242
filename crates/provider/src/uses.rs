//! When tokens were last used: noted in memory beside the request, written now and then for many at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use store::{StoreError, TenantKey, TokenId, WriteTx};

use crate::{Caller, Definer};

/// Tokens whose use is kept in mind until it is written. Uses of further ones are noted the next time.
pub const USES_MAX: usize = 10_000;
/// Uses that are written in one transaction.
pub const USES_WRITTEN_AT_A_TIME: usize = 500;

/// A token was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenUse {
    tenant: TenantKey,
    token: TokenId,
    at: Timestamp,
}

/// The uses that are not written yet.
#[derive(Debug, Default)]
pub struct TokenUses(Mutex<HashMap<TokenId, TokenUse>>);

impl TokenUses {
    /// Notes that a caller's token is used. Once a minute for each value of a caller, else it costs one look at a number.
    pub fn note(&self, caller: &Caller, now: Timestamp) {
        if let Some(token) = caller.token()
            && caller.is_first_in_minute(now)
        {
            self.keep(TokenUse { tenant: caller.tenant(), token, at: now }, USES_MAX);
        }
    }

    /// Notes that the token of whoever changes a definition is used.
    pub fn note_definer(&self, definer: &Definer, now: Timestamp) {
        self.keep(TokenUse { tenant: definer.tenant(), token: definer.token(), at: now }, USES_MAX);
    }

    fn keep(&self, new: TokenUse, max: usize) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < max || uses.contains_key(&new.token) {
            uses.insert(new.token, new);
        }
    }

    /// Takes what was noted, in lots for one transaction each.
    pub fn take(&self) -> Vec<Vec<TokenUse>> {
        let noted = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut noted: Vec<TokenUse> = noted.into_values().collect();
        // In one order everywhere, so that two machines that write the same rows do not wait for each other in a circle.
        noted.sort_unstable_by_key(|used| (used.tenant, used.token));
        noted.chunks(USES_WRITTEN_AT_A_TIME).map(<[TokenUse]>::to_vec).collect()
    }
}

/// Writes uses down.
pub fn write_uses(tx: &mut WriteTx<'_>, uses: &[TokenUse]) -> Result<(), StoreError> {
    uses.iter().try_for_each(|used| store::tokens::note_use(tx, used.tenant, used.token, used.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_are_kept_than_the_limit_and_the_latest_of_each() {
        let store = store::testing::TestDatabase::sqlite().open();
        let now = Timestamp::UNIX_EPOCH;
        let written = store.write(move |tx| store::tenants::insert_tenant(tx, "one", "generic", "{}", now));
        let tenant = written.await.unwrap();
        let uses = TokenUses::default();
        let made = |number: u8, second: i64| TokenUse {
            tenant,
            token: store::version_7(now, [number; 10]).into(),
            at: Timestamp::from_second(second).unwrap(),
        };
        for (number, second) in [(2, 1), (1, 2), (3, 3), (1, 4)] {
            uses.keep(made(number, second), 2);
        }
        assert_eq!(uses.take(), [[made(1, 4), made(2, 1)]]);
        assert!(uses.take().is_empty());
    }
}
