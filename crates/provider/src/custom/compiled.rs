//! Compiled profiles of tenants that define something themselves: made once for each document, found by its digest.
//!
//! The digest covers the document and the profile it adds to, so what is found never depends on whose it is, and never goes stale.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use store::schemas::{Digest, schemas};
use store::{ReadTx, StoreError, TenantKey};

use super::CustomSchemas;
use crate::Profile;

/// Size of the documents whose compiled form is at hand, in bytes, all tenants together. Compiled they take some times as much.
const COMPILED_BYTES_MAX: usize = 8 << 20;

static COMPILED: LazyLock<Mutex<Compiled>> = LazyLock::new(|| Mutex::new(Compiled::default()));

/// The digest of a stored document that adds to a profile.
pub(super) fn digest_of(profile: &str, stored: &str) -> Digest {
    let mut hash = Sha256::new();
    // No profile's name holds NUL, so no two pairs are the same text.
    for part in [profile.as_bytes(), b"\0", stored.as_bytes()] {
        hash.update(part);
    }
    hash.finalize().into()
}

/// The profile of a tenant whose definition has that digest; `None` when it would have to be read and the transaction has no statement
/// left for that.
pub(crate) fn profile_of(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    base: &Arc<Profile>,
    digest: &Digest,
) -> Result<Option<Arc<Profile>>, StoreError> {
    let lock = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lock().find(digest) {
        return Ok(Some(known));
    }
    if !tx.has_statement_left() {
        return Ok(None);
    }
    let gone = || StoreError::Decode("the definition of a tenant is gone".to_owned());
    let doc = schemas(tx, tenant)?.ok_or_else(gone)?.doc;
    let (definition, mut kinds) = CustomSchemas::from_stored(&doc).map_err(StoreError::Decode)?;
    let profile = Arc::new(definition.compile(base, &mut kinds).map_err(StoreError::Decode)?);
    lock().keep(*digest, &profile, doc.len());
    Ok(Some(profile))
}

#[derive(Default)]
struct Compiled {
    known: HashMap<Digest, Entry>,
    bytes: usize,
    uses: u64,
}

struct Entry {
    profile: Arc<Profile>,
    bytes: usize,
    last_use: u64,
}

impl Compiled {
    fn find(&mut self, digest: &Digest) -> Option<Arc<Profile>> {
        self.uses += 1;
        let entry = self.known.get_mut(digest)?;
        entry.last_use = self.uses;
        Some(Arc::clone(&entry.profile))
    }

    /// Keeps one more, and lets go of those that were used longest ago where there is no room.
    fn keep(&mut self, digest: Digest, profile: &Arc<Profile>, bytes: usize) {
        if let Some(before) = self.known.remove(&digest) {
            self.bytes -= before.bytes;
        }
        while self.bytes + bytes > COMPILED_BYTES_MAX {
            let oldest = self.known.iter().min_by_key(|(_, entry)| entry.last_use).map(|(digest, _)| *digest);
            let Some(gone) = oldest.and_then(|oldest| self.known.remove(&oldest)) else { break };
            self.bytes -= gone.bytes;
        }
        self.uses += 1;
        let entry = Entry { profile: Arc::clone(profile), bytes, last_use: self.uses };
        self.bytes += bytes;
        self.known.insert(digest, entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let (mut compiled, profile) = (Compiled::default(), Profile::by_name("generic").unwrap());
        let half = COMPILED_BYTES_MAX / 2;
        compiled.keep([1; 32], profile, half);
        compiled.keep([2; 32], profile, half);
        assert!(compiled.find(&[1; 32]).is_some());
        compiled.keep([3; 32], profile, half);
        let kept = [1, 2, 3].map(|number| compiled.find(&[number; 32]).is_some());
        assert_eq!((kept, compiled.bytes), ([true, false, true], 2 * half));
        compiled.keep([3; 32], profile, 1);
        assert_eq!(compiled.bytes, half + 1, "the same again takes no more");
    }

    #[test]
    fn a_digest_covers_the_profile_and_the_document() {
        assert_ne!(digest_of("generic", "{}"), digest_of("netskope", "{}"));
        assert_ne!(digest_of("a", "b"), digest_of("", "ab"));
    }
}
