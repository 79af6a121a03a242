//! Assertions of identity providers: JSON Web Tokens in compact form (RFC 7519, RFC 7515 §7.1), read and checked after RFC 7523 §3
//! and RFC 8725. What a header says about where its key is to be found is never followed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::keys::{Algorithm, KeySet};

/// Longest assertion, in bytes.
pub const ASSERTION_BYTES_MAX: usize = 16 << 10;
/// How far the clocks of two machines may differ.
pub const CLOCK_LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// Longest time from an assertion's making to its end, and longest time that is left of it: what is kept in mind ends.
pub const ASSERTION_AGE_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Longest `jti`, in bytes.
const JTI_BYTES_MAX: usize = 256;

/// Whether a text has the form of a signed token: three parts of base64url with dots between them, within [`ASSERTION_BYTES_MAX`].
pub fn is_jwt(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() <= ASSERTION_BYTES_MAX
        && text.split('.').count() == 3
        && text.split('.').all(|part| !part.is_empty() && part.bytes().all(is_digit))
}

/// Why an assertion is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum BadAssertion {
    /// It is no signed token in compact form.
    Malformed,
    /// It is longer than [`ASSERTION_BYTES_MAX`].
    TooLong,
    /// Another algorithm than RS256, PS256 or ES256.
    Algorithm,
    /// A header that must be understood, and is not.
    Critical,
    /// No key of the provider made the signature.
    Signature,
    /// Not the provider that was agreed on.
    Issuer,
    /// Not meant for here.
    Audience,
    /// Not about the subject that was agreed on.
    Subject,
    /// It has no end, has ended, is not valid yet, or would be valid for too long.
    Time,
}

impl BadAssertion {
    /// The sentence for the client.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "the assertion is no signed JSON Web Token",
            Self::TooLong => "the assertion is too long",
            Self::Algorithm => "the assertion must be signed by RS256, PS256 or ES256",
            Self::Critical => "the assertion has a critical header that is not understood",
            // The same words: whether an issuer is known here is told to nobody but itself.
            Self::Signature | Self::Issuer => "no identity provider of a client here signed the assertion",
            Self::Audience => "the assertion is not meant for this audience",
            Self::Subject => "the assertion is about another subject",
            Self::Time => "the assertion has ended, is not valid yet, or is valid for too long",
        }
    }
}

/// An assertion that was read. Nothing of it is to be believed before its signature is checked.
#[derive(Debug)]
pub struct Assertion<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

/// What an assertion must say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
    pub(super) subject: Option<&'a str>,
}

/// What an assertion that is believed said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    /// When it ends.
    pub(super) expires: Timestamp,
    /// Its `jti`, where it has one.
    pub(super) id: Option<String>,
}

impl<'a> Assertion<'a> {
    /// Reads a token in compact form.
    pub fn parse(text: &'a str) -> Result<Self, BadAssertion> {
        if text.len() > ASSERTION_BYTES_MAX {
            return Err(BadAssertion::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(BadAssertion::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(BadAssertion::Malformed)?;
        let header = object(header)?;
        if header.contains_key("crit") {
            return Err(BadAssertion::Critical);
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::of);
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(BadAssertion::Malformed),
        };
        Ok(Self {
            algorithm: algorithm.ok_or(BadAssertion::Algorithm)?,
            key_id,
            claims: object(claims)?,
            signed,
            signature: bytes(signature)?,
        })
    }

    /// The id of the key that is said to have signed it.
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Whether it says that it is of that issuer, which anybody can.
    pub(super) fn is_said_to_be_of(&self, issuer: &str) -> bool {
        self.text("iss") == Some(issuer)
    }

    /// That nobody here vouches for it, which takes as long to say as that its signature is wrong.
    pub fn refuse(&self) -> BadAssertion {
        let _ = KeySet::default().verify(self.key_id(), self.algorithm, self.signed.as_bytes(), &self.signature);
        BadAssertion::Signature
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Whether it says what is expected; about its signature and its time this says nothing.
    pub(super) fn says(&self, expected: Expected<'_>) -> Result<(), BadAssertion> {
        if self.text("iss") != Some(expected.issuer) {
            return Err(BadAssertion::Issuer);
        }
        let is_meant = match self.claims.get("aud") {
            Some(Value::String(audience)) => audience == expected.audience,
            Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience == expected.audience),
            _ => false,
        };
        if !is_meant {
            return Err(BadAssertion::Audience);
        }
        if expected.subject.is_some() && self.text("sub") != expected.subject {
            return Err(BadAssertion::Subject);
        }
        Ok(())
    }

    /// Checks the signature, then what it says, then its time.
    pub(super) fn verify(
        &self,
        keys: &KeySet,
        expected: Expected<'_>,
        now: Timestamp,
    ) -> Result<Verified, BadAssertion> {
        if !keys.verify(self.key_id(), self.algorithm, self.signed.as_bytes(), &self.signature) {
            return Err(BadAssertion::Signature);
        }
        self.says(expected)?;
        let expires = self.moment("exp")?.ok_or(BadAssertion::Time)?;
        let begins = [self.moment("nbf")?, self.moment("iat")?];
        let is_over = expires.duration_since(now) <= -CLOCK_LEEWAY;
        let is_long = expires.duration_since(now) > ASSERTION_AGE_MAX;
        let is_early = begins.iter().flatten().any(|begin| begin.duration_since(now) > CLOCK_LEEWAY);
        let is_old = begins[1].is_some_and(|made| now.duration_since(made) > ASSERTION_AGE_MAX);
        if is_over || is_long || is_early || is_old {
            return Err(BadAssertion::Time);
        }
        let id = match self.claims.get("jti") {
            None => None,
            Some(Value::String(id)) if id.len() <= JTI_BYTES_MAX => Some(id.clone()),
            Some(_) => return Err(BadAssertion::Malformed),
        };
        Ok(Verified { expires, id })
    }

    /// A NumericDate (RFC 7519 §2); fractions of a second are left off.
    fn moment(&self, name: &str) -> Result<Option<Timestamp>, BadAssertion> {
        let Some(value) = self.claims.get(name) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "a float that is out of range becomes the nearest integer")]
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
        let seconds = seconds.ok_or(BadAssertion::Malformed)?;
        Timestamp::from_second(seconds).map(Some).map_err(|_| BadAssertion::Time)
    }
}

fn bytes(part: &str) -> Result<Vec<u8>, BadAssertion> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| BadAssertion::Malformed)
}

fn object(part: &str) -> Result<Map<String, Value>, BadAssertion> {
    match scim::parse_json(&bytes(part)?) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) | Err(_) => Err(BadAssertion::Malformed),
    }
}

#[cfg(test)]
mod tests;
