//! Secrets at rest: a target's token is stored only encrypted, under the installation's key, bound to its application.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use store::AppId;

const NONCE_BYTES: usize = 12;

/// The installation's key. Never printed.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

/// A secret cannot be read back: another key, or damaged data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stored secret cannot be decrypted: this data folder has another master.key; put the right one back or set the token again"
)]
pub struct CannotDecrypt;

impl MasterKey {
    /// Takes the key from 32 bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(&self.0))
    }

    /// Encrypts a secret for an application. `nonce` is random and never used twice.
    pub fn encrypt(&self, app: AppId, nonce: [u8; NONCE_BYTES], secret: &str) -> Vec<u8> {
        let bound = app.uuid().into_bytes();
        let payload = Payload { msg: secret.as_bytes(), aad: &bound };
        let sealed = self
            .cipher()
            .encrypt(Nonce::from_slice(&nonce), payload)
            .expect("AES-GCM encrypts anything shorter than 64 GB");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Decrypts a secret of an application.
    pub fn decrypt(&self, app: AppId, stored: &[u8]) -> Result<String, CannotDecrypt> {
        let (nonce, sealed) = stored.split_at_checked(NONCE_BYTES).ok_or(CannotDecrypt)?;
        let bound = app.uuid().into_bytes();
        let payload = Payload { msg: sealed, aad: &bound };
        let bytes = self.cipher().decrypt(Nonce::from_slice(nonce), payload).map_err(|_| CannotDecrypt)?;
        String::from_utf8(bytes).map_err(|_| CannotDecrypt)
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(seed: u8) -> AppId {
        AppId::new(store::version_7(jiff::Timestamp::UNIX_EPOCH, [seed; 10]))
    }

    #[test]
    fn a_secret_comes_back_only_with_its_key_and_application() {
        let key = MasterKey::new([1; 32]);
        let stored = key.encrypt(app(1), [7; 12], "lst_secret");
        assert!(!stored.windows(6).any(|part| part == b"secret"));
        assert_eq!(key.decrypt(app(1), &stored).unwrap(), "lst_secret");
        assert_eq!(key.decrypt(app(2), &stored), Err(CannotDecrypt));
        assert_eq!(MasterKey::new([2; 32]).decrypt(app(1), &stored), Err(CannotDecrypt));
        for cut in 0..stored.len() {
            assert_eq!(key.decrypt(app(1), &stored[..cut]), Err(CannotDecrypt));
        }
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
    }
}
