//! Which assertions are believed. Those by ECDSA are signed here; those by RSA were signed once, by a key that was thrown away.

use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const MODULUS: &str = "166ikeFG-ydDp06HkRmszt_X1Now1l5yHtm0I1jBu17Fe4l8Hxr3prKdbaFioz4JwMXszn5sSyhiXvOqPou7HJUunB52NuSAS161klAheF8B8OknC0DAPV6Jrrj2sqIxl4Qf3tobaiuI4zbF_YLwdo8k9AFXeTDLCtERBxaHkmuw70Syt-Zr1UQpcdpKp2zHHFLCWfArdgQ1JmuW_wA1yzGgPZ4wawLaPLY0FuGG8t4UYcP8lxchHuLzc2HTGA8dWhMJtQdE0ibQCiobNoEaT4kgGFBacwE698M_EvKCN8JLwFALJefo-CY2LiuMD-xqteXq9ZE4qEZ9zgQ5OEpLkw";
const BY_RS256: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkIjoiYXBpOi8vbG9ja3N0ZXAiLCJzdWIiOiJhcHAiLCJleHAiOjE3NjcyMjYyMDB9.T7BcVQR2mCHl0Lk0KLIslcjQyDMcUDwIjpBqhEWwC6nx4ep-ycji7fMrpmqZtbNrVYlNkFnuDTE4lMHzDLxu7M6QCKW2U_2G_dAD0Zq4SIF3yIQpgBCIuUEKmG8WjTS5h_tt02WRoI4y4d1gTygzT66LfyzhBMc136KC5YtiA0CCdhOosKeLh-tIm8APloNmqL7tIZ37qR0pn4dCwlGatoExiQFQnhoGaQ87LjfzLK4WZxGYUgvEpvuw1rJp6onR_DBDRkSosyuYp_94VrUlbkf81FA--S54fgxpGoyTKTKKFFSkEVBQ2a1_wafEXI9ZLK7U-WJyC7MgBzQrICKGMw";
const BY_PS256: &str = "eyJhbGciOiJQUzI1NiIsImtpZCI6InJzYSJ9.eyJpc3MiOiJodHRwczovL2lkcC5leGFtcGxlIiwiYXVkIjoiYXBpOi8vbG9ja3N0ZXAiLCJzdWIiOiJhcHAiLCJleHAiOjE3NjcyMjYyMDB9.XREOl3xy8Sg5WYdu4bJaQcYJPCT8jAqNBNtFf_W7Fq8wo8d_7MHVbS2lEtOzzYEsUvCS12ljtf-S6V8fJKy-OEE78vUYNtgtT_xjmKQfv3zb6KIhC7iiWVGZqTmY-M5Rh7aZVfFJJmbcb6fSolVpBWWokNzZ1iTXscGkHD6mDOg2iOntroiaY7T-8s1h_NW306kODTo2e_m3lhDax9FeUas1CI_c6UTs8YFhb-ekplfu07XYTJBtau20y8_QZh9EKLfjw5aXJkXwVqown67XXVnZpoSXLpbuDcvqom6_ntX6q2uquvTW8hf9CYCUBbOPq3uiBRny4VJ2j0DiqjfcYQ";

const EXPECTED: Expected<'static> =
    Expected { issuer: "https://idp.example", audience: "api://lockstep", subject: Some("app") };

/// 2026-01-01T00:00:00Z.
fn now() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap()
}

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap())
    }

    fn public(&self, kid: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

fn keys(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn rsa() -> Value {
    json!({ "kty": "RSA", "kid": "rsa", "n": MODULUS, "e": "AQAB" })
}

fn claims() -> Value {
    let seconds = now().as_second();
    json!({
        "iss": "https://idp.example", "aud": "api://lockstep", "sub": "app",
        "iat": seconds, "nbf": seconds, "exp": seconds + 600, "jti": "1",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn believed(text: &str, keys: &KeySet) -> Result<Verified, BadAssertion> {
    Assertion::parse(text)?.verify(keys, EXPECTED, now())
}

#[test]
fn the_three_algorithms() {
    let signer = Signer::new();
    let set = keys(&[signer.public("ec"), rsa()]);
    let by_es256 = signer.sign(&json!({ "alg": "ES256", "kid": "ec" }), &claims());
    let expires = Timestamp::from_second(now().as_second() + 600).unwrap();
    assert_eq!(believed(&by_es256, &set), Ok(Verified { expires, id: Some("1".to_owned()) }));
    for text in [BY_RS256, BY_PS256] {
        assert_eq!(believed(text, &set), Ok(Verified { expires, id: None }));
    }
}

#[test]
fn a_signature_counts_only_with_the_key_and_the_algorithm_it_was_made_with() {
    let (signer, other) = (Signer::new(), Signer::new());
    let by = |header: Value| signer.sign(&header, &claims());
    let set = keys(&[signer.public("ec"), other.public("other"), rsa()]);
    let only_for_pss = keys(&[json!({ "kty": "RSA", "kid": "rsa", "alg": "PS256", "n": MODULUS, "e": "AQAB" })]);
    let unsigned = |header: Value| {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        format!("{}.{}.", encode(&header), encode(&claims()))
    };
    // The public key as the secret of an HMAC: the algorithm is not even looked for.
    let confused = unsigned(json!({ "alg": "HS256", "kid": "rsa" })) + "AAAA";
    let mut tampered = by(json!({ "alg": "ES256", "kid": "ec" }));
    tampered.insert(tampered.len() - 4, 'A');
    let swapped = BY_RS256.replacen("eyJhbGciOiJSUzI1NiIs", "eyJhbGciOiJQUzI1NiIs", 1);
    for (what, text, set, expected) in [
        ("alg none", unsigned(json!({ "alg": "none" })), &set, BadAssertion::Algorithm),
        ("alg None", unsigned(json!({ "alg": "None" })), &set, BadAssertion::Algorithm),
        ("HS256 with a public key", confused, &set, BadAssertion::Algorithm),
        ("no alg", unsigned(json!({})), &set, BadAssertion::Algorithm),
        ("no signature", unsigned(json!({ "alg": "ES256", "kid": "ec" })), &set, BadAssertion::Signature),
        ("another's kid", by(json!({ "alg": "ES256", "kid": "other" })), &set, BadAssertion::Signature),
        ("an RSA key's kid", by(json!({ "alg": "ES256", "kid": "rsa" })), &set, BadAssertion::Signature),
        ("an unknown kid", by(json!({ "alg": "ES256", "kid": "ec2" })), &set, BadAssertion::Signature),
        ("a path as kid", by(json!({ "alg": "ES256", "kid": "../ec" })), &set, BadAssertion::Signature),
        ("a number as kid", by(json!({ "alg": "ES256", "kid": 1 })), &set, BadAssertion::Malformed),
        (
            "a key of its own",
            by(json!({ "alg": "ES256", "kid": "x", "jwk": signer.public("x") })),
            &set,
            BadAssertion::Signature,
        ),
        (
            "an address of a key",
            by(json!({ "alg": "ES256", "kid": "x", "jku": "https://evil.example" })),
            &set,
            BadAssertion::Signature,
        ),
        (
            "crit",
            by(json!({ "alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": false })),
            &set,
            BadAssertion::Critical,
        ),
        ("changed after signing", tampered, &set, BadAssertion::Signature),
        ("a key for another algorithm", BY_RS256.to_owned(), &only_for_pss, BadAssertion::Signature),
        ("another algorithm than signed", swapped, &set, BadAssertion::Signature),
    ] {
        assert_eq!(believed(&text, set).unwrap_err(), expected, "{what}");
    }
    let by_any = by(json!({ "alg": "ES256" }));
    assert!(believed(&by_any, &set).is_ok(), "without a kid every key that fits is tried");
}

#[test]
fn what_an_assertion_must_say() {
    let signer = Signer::new();
    let set = keys(&[signer.public("ec")]);
    let seconds = now().as_second();
    let day = ASSERTION_AGE_MAX.as_secs();
    for (claim, value, expected) in [
        ("iss", json!("https://idp.example/"), Some(BadAssertion::Issuer)),
        ("iss", json!(["https://idp.example"]), Some(BadAssertion::Issuer)),
        ("iss", Value::Null, Some(BadAssertion::Issuer)),
        ("aud", json!(["x", "api://lockstep"]), None),
        ("aud", json!(["x"]), Some(BadAssertion::Audience)),
        ("aud", json!("API://lockstep"), Some(BadAssertion::Audience)),
        ("aud", json!({ "api://lockstep": 1 }), Some(BadAssertion::Audience)),
        ("aud", Value::Null, Some(BadAssertion::Audience)),
        ("sub", json!("App"), Some(BadAssertion::Subject)),
        ("exp", json!(seconds - 59), None),
        ("exp", json!(seconds - 60), Some(BadAssertion::Time)),
        ("exp", json!(seconds + day), None),
        ("exp", json!(seconds + day + 1), Some(BadAssertion::Time)),
        ("exp", json!(u64::MAX), Some(BadAssertion::Time)),
        ("exp", json!(1e300), Some(BadAssertion::Time)),
        ("exp", json!("never"), Some(BadAssertion::Malformed)),
        ("exp", json!(1_767_225_600.5), None),
        ("nbf", json!(seconds + 60), None),
        ("nbf", json!(seconds + 61), Some(BadAssertion::Time)),
        ("iat", json!(seconds + 61), Some(BadAssertion::Time)),
        ("iat", json!(seconds - day), None),
        ("iat", json!(seconds - day - 1), Some(BadAssertion::Time)),
        ("jti", json!("x".repeat(JTI_BYTES_MAX)), None),
        ("jti", json!("x".repeat(JTI_BYTES_MAX + 1)), Some(BadAssertion::Malformed)),
        ("jti", json!(7), Some(BadAssertion::Malformed)),
    ] {
        let text = signer.sign(&json!({ "alg": "ES256", "kid": "ec" }), &with(claim, value.clone()));
        assert_eq!(believed(&text, &set).err(), expected, "{claim}: {value}");
    }
    let mut endless = claims();
    endless.as_object_mut().unwrap().remove("exp");
    let text = signer.sign(&json!({ "alg": "ES256" }), &endless);
    assert_eq!(believed(&text, &set).unwrap_err(), BadAssertion::Time);
}

#[test]
fn what_is_no_assertion() {
    let long = format!("{BY_RS256}{}", "A".repeat(ASSERTION_BYTES_MAX));
    assert_eq!(Assertion::parse(&long).unwrap_err(), BadAssertion::TooLong);
    assert!(!is_jwt(&long) && is_jwt(BY_RS256));
    for text in
        ["", "a", "a.b", "..", "a.b.c", "e30.e30", "e30.e30.e30.e30", "e30=.e30=.e30=", "W10.e30.AA", "e30.W10.AA"]
    {
        assert!(Assertion::parse(text).is_err(), "{text}");
    }
    // Two claims of one name.
    let twice = URL_SAFE_NO_PAD.encode(r#"{"iss":"a","iss":"b"}"#);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
    assert_eq!(Assertion::parse(&format!("{header}.{twice}.AA")).unwrap_err(), BadAssertion::Malformed);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_and_none_is_believed(text in "[A-Za-z0-9_.=-]{0,200}", at in 0..400_usize, digit in "[A-Za-z0-9_-]") {
        let set = keys(&[rsa()]);
        prop_assert!(believed(&text, &set).is_err());
        // One digit of a good one changed.
        let at = at % BY_RS256.len();
        let changed = format!("{}{digit}{}", &BY_RS256[..at], &BY_RS256[at + 1..]);
        prop_assert!(changed == BY_RS256 || believed(&changed, &set).is_err());
    }
}
