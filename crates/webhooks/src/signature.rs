//! How a receiver knows that an event is ours: the symmetric signature of the specification Standard Webhooks.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use provider::TokenKey;
use sha2::Sha256;
use store::WebhookId;

const PURPOSE: &[u8] = b"secret of a webhook\0";

/// The key that signs what one webhook sends. It is made anew from the server's key whenever it is needed, and stored nowhere: a copy of
/// the database signs nothing. A webhook that is removed and added again has another id, and so another key.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// The key of a webhook.
    pub fn of(key: &TokenKey, webhook: WebhookId) -> Self {
        Self(key.derive(&[PURPOSE, webhook.uuid().as_bytes()].concat()))
    }

    /// The secret as receivers are given it.
    pub fn text(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// The header `webhook-signature` of a body that is sent under an id at a moment.
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(format!("{id}.{}.{body}", at.as_second()).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(seed: u8) -> WebhookId {
        store::version_7(Timestamp::UNIX_EPOCH, [seed; 10]).into()
    }

    #[test]
    fn each_webhook_signs_with_a_key_of_its_own() {
        let of = |server: u8, hook: u8| SigningKey::of(&TokenKey::new([server; 32]), webhook(hook)).text();
        assert_eq!(of(1, 1), of(1, 1), "it is the same whenever it is made");
        assert!(of(1, 1) != of(1, 2) && of(1, 1) != of(2, 1));
        assert_eq!((of(1, 1).starts_with("whsec_"), of(1, 1).len()), (true, 6 + 44));
        assert_eq!(format!("{:?}", SigningKey([1; 32])), "SigningKey(…)");
    }

    #[test]
    fn the_signature_covers_id_moment_and_body() {
        // The example of the specification's libraries.
        let key: [u8; 24] = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap().try_into().unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let mut padded = [0; 32];
        padded[..24].copy_from_slice(&key);
        // HMAC fills a short key up with zeros, so both are the same key.
        let signed = SigningKey(padded).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
