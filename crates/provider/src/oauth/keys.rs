//! The public keys of an identity provider (RFC 7517), and signatures checked with them (RFC 7518 §3). Keys of other kinds are left
//! out, so that none is ever used for what it is not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};

/// Longest set of keys, in bytes.
pub const JWKS_BYTES_MAX: usize = 256 << 10;
/// Keys that one set may have.
pub const KEYS_MAX: usize = 64;
/// Bytes of a coordinate of P-256.
const COORDINATE_BYTES: usize = 32;
/// Bytes of the modulus of most keys of identity providers.
const RSA_BYTES: usize = 256;
/// The base point of P-256 (FIPS 186-4 §D.1.2.3).
const BASE_X: [u8; COORDINATE_BYTES] = [
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d,
    0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
];
const BASE_Y: [u8; COORDINATE_BYTES] = [
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
    0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

/// The algorithms that are taken (RFC 7518 §3.1). `none` and those of shared secrets are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
}

impl Algorithm {
    pub(super) fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
enum Public {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// Uncompressed: 4, x, y.
    P256(Vec<u8>),
}

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    /// The one algorithm that the key is for, where it says so.
    only: Option<Algorithm>,
    public: Public,
}

/// Keys with which signatures can be checked.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Key>);

/// Why a text is no set of keys that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    /// Longer than [`JWKS_BYTES_MAX`], or of more than [`KEYS_MAX`] keys.
    #[error("a set of keys has at most {JWKS_BYTES_MAX} bytes and {KEYS_MAX} keys")]
    TooLarge,
    /// It is not JSON with a list of `keys`.
    #[error("this is no JSON Web Key Set: an object with a list named \"keys\" (RFC 7517)")]
    Malformed,
    /// None of them is for RS256, PS256 or ES256.
    #[error("no key of the set is one for signatures by RS256, PS256 or ES256")]
    NoneOfUse,
}

impl KeySet {
    /// Reads a JSON Web Key Set.
    pub fn parse(text: &[u8]) -> Result<Self, BadKeys> {
        if text.len() > JWKS_BYTES_MAX {
            return Err(BadKeys::TooLarge);
        }
        let set = scim::parse_json(text).map_err(|_| BadKeys::Malformed)?;
        let listed = set.get("keys").and_then(Value::as_array).ok_or(BadKeys::Malformed)?;
        if listed.len() > KEYS_MAX {
            return Err(BadKeys::TooLarge);
        }
        let keys: Vec<Key> = listed.iter().filter_map(Value::as_object).filter_map(read_key).collect();
        if keys.is_empty() { Err(BadKeys::NoneOfUse) } else { Ok(Self(keys)) }
    }

    /// Whether there is a key of that id; without one, whether there is any.
    pub fn may_know(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.0.iter().any(|key| key.id.as_deref() == Some(id)))
    }

    /// Whether a key of the set made the signature: the one of that id, or where none is named any that fits. Where none fits, it takes as
    /// long as if one did.
    pub(super) fn verify(&self, id: Option<&str>, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        let fits = |key: &&Key| id.is_none_or(|id| key.id.as_deref() == Some(id)) && key.is_for(algorithm);
        let mut fitting = self.0.iter().filter(fits).peekable();
        if fitting.peek().is_none() {
            // Nobody has what would be needed to sign for it, and nobody is believed who had.
            let _ = Key::nobodys(algorithm).verify(algorithm, signed, signature);
            return false;
        }
        fitting.any(|key| key.verify(algorithm, signed, signature))
    }
}

impl Key {
    /// A key that stands in for one that is not there. What it says is not listened to.
    fn nobodys(algorithm: Algorithm) -> Self {
        let public = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => Public::Rsa { n: vec![0xff; RSA_BYTES], e: vec![1, 0, 1] },
            Algorithm::Es256 => Public::P256([&[4], BASE_X.as_slice(), BASE_Y.as_slice()].concat()),
        };
        Self { id: None, only: None, public }
    }

    fn is_for(&self, algorithm: Algorithm) -> bool {
        self.only.is_none_or(|only| only == algorithm)
            && match (&self.public, algorithm) {
                (Public::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256) | (Public::P256(_), Algorithm::Es256) => true,
                (Public::Rsa { .. }, Algorithm::Es256) | (Public::P256(_), Algorithm::Rs256 | Algorithm::Ps256) => {
                    false
                }
            }
    }

    fn verify(&self, algorithm: Algorithm, signed: &[u8], made: &[u8]) -> bool {
        match (&self.public, algorithm) {
            (Public::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, made).is_ok()
            }
            (Public::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PSS_2048_8192_SHA256, signed, made).is_ok()
            }
            (Public::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(signed, made).is_ok()
            }
            (Public::Rsa { .. }, Algorithm::Es256) | (Public::P256(_), Algorithm::Rs256 | Algorithm::Ps256) => false,
        }
    }
}

/// A key for signatures; none where it is of another kind, or for something else.
fn read_key(key: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    if let Some(operations) = key.get("key_ops")
        && !operations.as_array()?.iter().any(|operation| operation == "verify")
    {
        return None;
    }
    let only = text("alg").map(|name| Algorithm::of(name).ok_or(())).transpose().ok()?;
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let public = match text("kty")? {
        "RSA" => Public::Rsa { n: bytes("n")?, e: bytes("e")? },
        "EC" if text("crv") == Some("P-256") => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != COORDINATE_BYTES || y.len() != COORDINATE_BYTES {
                return None;
            }
            Public::P256([&[4], x.as_slice(), y.as_slice()].concat())
        }
        _ => return None,
    };
    Some(Key { id: text("kid").map(str::to_owned), only, public })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_a_set_of_keys() {
        let coordinate = URL_SAFE_NO_PAD.encode([7; COORDINATE_BYTES]);
        let ec = json!({ "kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate, "kid": "1" });
        let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "sig", "alg": "RS256" });
        let with = |key: &Value, name: &str, value: Value| {
            let mut key = key.clone();
            key[name] = value;
            json!({ "keys": [key] })
        };
        for (set, expected) in [
            (json!({ "keys": [ec, rsa] }), Ok(2)),
            (json!({ "keys": [ec, { "kty": "oct", "k": "AQAB" }, { "kty": "OKP" }, 7, {}] }), Ok(1)),
            (json!({ "keys": [{ "kty": "oct", "k": "AQAB", "alg": "HS256" }] }), Err(BadKeys::NoneOfUse)),
            (with(&rsa, "use", json!("enc")), Err(BadKeys::NoneOfUse)),
            (with(&rsa, "alg", json!("RS1")), Err(BadKeys::NoneOfUse)),
            (with(&rsa, "key_ops", json!(["sign"])), Err(BadKeys::NoneOfUse)),
            (with(&rsa, "key_ops", json!(["verify"])), Ok(1)),
            (with(&rsa, "n", json!("not base64url!")), Err(BadKeys::NoneOfUse)),
            (with(&ec, "crv", json!("P-384")), Err(BadKeys::NoneOfUse)),
            (with(&ec, "x", json!("AQAB")), Err(BadKeys::NoneOfUse)),
            (json!({ "keys": vec![ec.clone(); KEYS_MAX] }), Ok(KEYS_MAX)),
            (json!({ "keys": vec![ec; KEYS_MAX + 1] }), Err(BadKeys::TooLarge)),
            (json!({ "keys": {} }), Err(BadKeys::Malformed)),
            (json!([]), Err(BadKeys::Malformed)),
        ] {
            assert_eq!(KeySet::parse(set.to_string().as_bytes()).map(|keys| keys.0.len()), expected, "{set}");
        }
        assert_eq!(KeySet::parse(&vec![b' '; JWKS_BYTES_MAX + 1]).err(), Some(BadKeys::TooLarge));
        assert_eq!(KeySet::parse(b"<html>").err(), Some(BadKeys::Malformed));
    }
}
