//! The request of a token: a form (RFC 6749 appendix B), with the client's own words about itself in it or in the `Authorization`
//! header (§2.3.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use provider::oauth::OAuthError;

use super::Refusal;
use crate::BODY_DEADLINE;
use crate::media_type::{is_coded, is_utf_8_of};
use crate::trail::Trail;

/// Longest form, in bytes: an assertion with its percent-encoding, and a little.
pub const FORM_BYTES_MAX: usize = 64 << 10;
/// Parameters that a form may have.
const PARAMETERS_MAX: usize = 32;
/// RFC 7523 §2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The parameters, each there once.
pub(super) struct Form {
    parameters: BTreeMap<String, String>,
    /// Client id and secret of the header.
    basic: Option<(String, String)>,
}

/// What a client shows to prove who it is.
pub(super) enum Shown<'a> {
    /// Its id and its secret.
    Secret { client: &'a str, secret: &'a str },
    /// An assertion of its identity provider, and perhaps its id.
    Assertion { client: Option<&'a str>, assertion: &'a str },
}

impl Form {
    pub(super) async fn read(request: Request) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        if is_coded(&parts.headers) {
            return Err(Refusal::Coded);
        }
        if !is_utf_8_of(&parts.headers, &["application/x-www-form-urlencoded"]) {
            let told = "the body must be application/x-www-form-urlencoded, in UTF-8";
            return Err(OAuthError::InvalidRequest(told).into());
        }
        let basic = basic(&parts.headers)?;
        let collected = tokio::time::timeout(BODY_DEADLINE, Limited::new(body, FORM_BYTES_MAX).collect()).await;
        let bytes = match collected {
            Err(_) => return Err(Refusal::Slow),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::TooLarge),
            Ok(Err(_)) => return Err(OAuthError::InvalidRequest("the body broke off").into()),
            Ok(Ok(collected)) => collected.to_bytes(),
        };
        if let Some(trail) = parts.extensions.get::<Arc<Trail>>() {
            trail.came_bytes(bytes.len());
        }
        let text = std::str::from_utf8(&bytes).map_err(|_| OAuthError::InvalidRequest("the body is not UTF-8"))?;
        Ok(Self { parameters: parameters(text)?, basic })
    }

    /// A parameter; one without a value counts as missing (RFC 6749 §3.2).
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// How the client proves who it is: in one way, never in two.
    pub(super) fn shown(&self) -> Result<Shown<'_>, OAuthError> {
        let (client, secret) = (self.get("client_id"), self.get("client_secret"));
        let assertion = self.get("client_assertion");
        let ways = [self.basic.is_some(), secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(OAuthError::InvalidRequest("a client proves who it is in one way, not in several"));
        }
        if let Some((id, secret)) = &self.basic {
            if client.is_some_and(|client| client != id) {
                return Err(OAuthError::InvalidRequest("client_id differs from the Authorization header"));
            }
            return Ok(Shown::Secret { client: id, secret });
        }
        if let Some(assertion) = assertion {
            if self.get("client_assertion_type") != Some(JWT_BEARER) {
                return Err(OAuthError::InvalidRequest("client_assertion_type must be that of RFC 7523, jwt-bearer"));
            }
            return Ok(Shown::Assertion { client, assertion });
        }
        match (client, secret) {
            (Some(client), Some(secret)) => Ok(Shown::Secret { client, secret }),
            _ => Err(OAuthError::InvalidClient("client_id and client_secret, or client_assertion, are needed")),
        }
    }
}

fn parameters(text: &str) -> Result<BTreeMap<String, String>, OAuthError> {
    let mut parameters = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let malformed = OAuthError::InvalidRequest("the form is not percent-encoded UTF-8");
        let (Some(name), Some(value)) = (decoded(name), decoded(value)) else { return Err(malformed) };
        if parameters.len() >= PARAMETERS_MAX {
            return Err(OAuthError::InvalidRequest("the form has too many parameters"));
        }
        if parameters.insert(name, value).is_some() {
            return Err(OAuthError::InvalidRequest("a parameter is there twice"));
        }
    }
    Ok(parameters)
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Client id and secret of the header: each form-encoded, then together in base64 (RFC 6749 §2.3.1). What else it bears proves nobody
/// (§5.2).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let malformed = || OAuthError::InvalidClient("the Authorization header is no client id with its secret (Basic)");
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(malformed());
    }
    let read = || {
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, secret) = text.split_once(':')?;
        Some((decoded(id)?, decoded(secret)?))
    };
    read().map(Some).ok_or_else(malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("a=1&b=x+y%2Bz", Some(vec![("a", "1"), ("b", "x y+z")])),
            ("a&b=&&c==", Some(vec![("a", ""), ("b", ""), ("c", "=")])),
            ("", Some(vec![])),
            ("a=1&a=2", None),
            ("a=1&%61=2", None),
            ("a=%ff", None),
        ] {
            let read = parameters(text).ok();
            let read = read.as_ref().map(|read| read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>());
            assert_eq!(read, expected, "{text}");
        }
        let many = |count: usize| (0..count).map(|number| format!("p{number}=1")).collect::<Vec<_>>().join("&");
        assert!(parameters(&many(PARAMETERS_MAX)).is_ok() && parameters(&many(PARAMETERS_MAX + 1)).is_err());
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_read_back(pairs in proptest::collection::btree_map("[^\0]{1,12}", "\\PC{0,12}", 0..PARAMETERS_MAX)) {
            let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
            let text: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
            prop_assert_eq!(parameters(&text.join("&")).ok(), Some(pairs));
        }
    }
}
