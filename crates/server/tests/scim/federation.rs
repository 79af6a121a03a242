//! Workload identity federation: assertions of an identity provider for access tokens (RFC 7523 §2.2), and its tokens as bearer tokens.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use provider::Scope;
use provider::oauth::{self, ClientRequest, Federation, FederationKeys};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use store::testing::on_both;

use crate::oauth::{define, post};
use crate::world::{USER, World, key};

const ISSUER: &str = "https://login.example/contoso/v2.0";
const KEYS: &str = "https://login.example/contoso/keys";

/// An identity provider with one key.
struct Provider {
    pair: EcdsaKeyPair,
    kid: String,
}

impl Provider {
    fn new(kid: &str) -> Self {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap();
        Self { pair, kid: kid.to_owned() }
    }

    fn keys(&self) -> String {
        let point = self.pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": self.kid, "x": x, "y": y }] }).to_string()
    }

    fn sign(&self, claims: &Value) -> String {
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid });
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

fn claims(world: &World, jti: &str) -> Value {
    let seconds = world.now().as_second();
    json!({ "iss": ISSUER, "aud": "api://lockstep", "sub": "app", "iat": seconds, "exp": seconds + 3600, "jti": jti })
}

/// Those of a token that ended some seconds ago.
fn ended(world: &World, seconds: i64) -> Value {
    let mut claims = claims(world, "ended");
    claims["exp"] = json!(world.now().as_second() - seconds);
    claims
}

/// Makes a client that the provider vouches for; gives its id.
async fn federate(world: &World, name: &'static str, keys: FederationKeys, accept_bearer: bool) -> String {
    federate_scoped(world, (name, Scope::Write), keys, accept_bearer).await
}

async fn federate_scoped(
    world: &World,
    (name, scope): (&'static str, Scope),
    keys: FederationKeys,
    accept_bearer: bool,
) -> String {
    let (tenant, now) = (world.tenant.clone(), world.now());
    let made = world.write(move |tx| {
        let id = store::version_7(now, [6; 10]).into();
        let request = ClientRequest { tenant: &tenant, name, id, scope, token_minutes: 60 };
        let made = oauth::add_client(tx, &key(), &request, None, now)?;
        let federation = Federation {
            issuer: ISSUER.to_owned(),
            audience: "api://lockstep".to_owned(),
            subject: Some("app".to_owned()),
            keys: keys.clone(),
            accept_bearer,
        };
        oauth::federate(tx, (&tenant, name), Some(&federation), now)?;
        Ok(made.record.id.to_string())
    });
    made.await
}

async fn ask(world: &World, assertion: &str, extra: &str) -> (u16, Value) {
    let form = format!(
        "grant_type=client_credentials&client_assertion={assertion}{extra}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let (status, _, body) = post(world, form).await;
    (status, body)
}

fn asked(world: &World) -> u64 {
    world.web.asked.load(Ordering::Relaxed)
}

#[test]
fn an_assertion_gets_a_token_once() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let provider = Provider::new("k1");
        let client = federate(&world, "entra", FederationKeys::Here(provider.keys()), false).await;
        let assertion = provider.sign(&claims(&world, "1"));
        let (status, body) = ask(&world, &assertion, "&scope=read").await;
        assert_eq!((status, &body["scope"]), (200, &json!("read")), "{body}");
        let issued = World { token: body["access_token"].as_str().unwrap().to_owned(), ..world.clone() };
        assert_eq!(issued.get("/Users").await.status.as_u16(), 200);
        let (status, body) = ask(&world, &assertion, "").await;
        assert_eq!((status, &body["error"]), (401, &json!("invalid_client")), "taken twice");
        assert_eq!(ask(&world, &provider.sign(&claims(&world, "2")), &format!("&client_id={client}")).await.0, 200);
        let stranger = "&client_id=00000000-0000-7000-8000-000000000000";
        assert_eq!(ask(&world, &provider.sign(&claims(&world, "3")), stranger).await.0, 401);
        // Without a jti nothing tells two uses apart, so it may be used again while it lasts.
        let mut nameless = claims(&world, "");
        nameless.as_object_mut().unwrap().remove("jti");
        let nameless = provider.sign(&nameless);
        assert_eq!((ask(&world, &nameless, "").await.0, ask(&world, &nameless, "").await.0), (200, 200));
        assert_eq!(ask(&world, &Provider::new("k1").sign(&claims(&world, "4")), "").await.0, 401, "another's key");
        assert_eq!(ask(&world, "a.b.c", "").await.0, 401);
        assert_eq!(ask(&world, &"x".repeat(oauth::ASSERTION_BYTES_MAX + 1), "").await.0, 401);
        // A bearer token it is not, unless that was asked for.
        let bearer = World { token: provider.sign(&claims(&world, "5")), ..world.clone() };
        assert_eq!(bearer.get("/Users").await.status.as_u16(), 401);
        // The provider goes, and what was issued on its word.
        let now = world.now();
        world.write(move |tx| oauth::federate(tx, ("contoso", "entra"), None, now)).await;
        assert_eq!(issued.get("/Users").await.status.as_u16(), 401);
        assert_eq!(ask(&world, &provider.sign(&claims(&world, "6")), "").await.0, 401);
    });
}

/// Whoever has no key learns nothing of whom a tenant trusts, or whether it is suspended.
#[test]
fn what_is_wrong_with_an_assertion_is_told_to_its_signer_only() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (provider, forger) = (Provider::new("k1"), Provider::new("k1"));
        federate(&world, "entra", FederationKeys::Here(provider.keys()), true).await;
        let with = |name: &str, value: &str| {
            let mut claims = claims(&world, "1");
            claims[name] = json!(value);
            claims
        };
        let told = [
            (claims(&world, "1"), None),
            (with("iss", "https://nobody.example"), Some("signed")),
            (with("aud", "api://other"), Some("audience")),
            (with("sub", "other"), Some("subject")),
            (with("exp", "soon"), Some("JSON")),
        ];
        let nowhere = World { tenant: "nobody".to_owned(), ..world.clone() };
        let uniform = ask(&nowhere, &forger.sign(&claims(&world, "1")), "").await;
        assert_eq!((uniform.0, &uniform.1["error"]), (401, &json!("invalid_client")));
        for is_suspended in [false, true] {
            if is_suspended {
                let now = world.now();
                world.write(move |tx| provider::suspend_tenant(tx, "contoso", now)).await;
            }
            for (claims, of_signer) in &told {
                assert_eq!(ask(&world, &forger.sign(claims), "").await, uniform, "{claims}");
                let (status, body) = ask(&world, &provider.sign(claims), "").await;
                match of_signer {
                    None => assert_eq!(status, if is_suspended { 403 } else { 200 }, "{body}"),
                    Some(told) => {
                        assert!(body["error_description"].as_str().unwrap().contains(told), "{claims}: {body}");
                    }
                }
            }
            let bearer = World { token: forger.sign(&claims(&world, "1")), ..world.clone() };
            assert_eq!(bearer.get("/Users").await.status.as_u16(), 401);
        }
    });
}

#[test]
fn an_assertion_that_was_used_is_no_bearer_token() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let provider = Provider::new("k1");
        federate(&world, "entra", FederationKeys::Here(provider.keys()), true).await;
        let token = provider.sign(&claims(&world, "1"));
        assert_eq!(ask(&world, &token, "").await.0, 200);
        for (token, status) in [(token, 401), (provider.sign(&claims(&world, "2")), 200)] {
            assert_eq!(World { token, ..world.clone() }.get("/Users").await.status.as_u16(), status);
        }
    });
}

#[test]
fn ti_10_actor_origin_no_claim_chooses_the_tenant() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let provider = Provider::new("k1");
        federate(&world, "entra", FederationKeys::Here(provider.keys()), true).await;
        let mut claimed = claims(&world, "1");
        for name in ["tid", "tenant", "tenantId"] {
            claimed[name] = json!("fabrikam");
        }
        let token = provider.sign(&claimed);
        assert_eq!(ask(&other, &token, "").await.0, 401);
        let bearer = World { token, ..other.clone() };
        assert_eq!(bearer.get("/Users").await.status.as_u16(), 401);
        let own = World { tenant: "contoso".to_owned(), ..bearer };
        assert_eq!(own.get("/Users").await.status.as_u16(), 200);
        assert_eq!(World { tenant: "fabrikam".to_owned(), ..own }.get("/Users").await.status.as_u16(), 401);
    });
}

#[test]
fn a_token_of_a_provider_opens_each_tenant_that_trusts_it() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let other = world.tenant("fabrikam", "generic").await;
        let provider = Provider::new("k1");
        for (world, path) in [(&world, "/api/contoso"), (&other, "/api/fabrikam")] {
            world.moved_to("", path).await;
            federate(world, "entra", FederationKeys::Here(provider.keys()), true).await;
        }
        let shown = async |world: &World, token: &str| {
            let bearer = World { token: token.to_owned(), ..world.clone() };
            bearer.get("/Users").await.status.as_u16()
        };
        let token = provider.sign(&claims(&world, "1"));
        for round in 0..3 {
            assert_eq!((shown(&world, &token).await, shown(&other, &token).await), (200, 200), "{round}");
        }
        for number in 2..12 {
            let token = provider.sign(&claims(&world, &number.to_string()));
            let (one, two) = tokio::join!(shown(&world, &token), shown(&other, &token));
            assert_eq!((one, two), (200, 200), "at once");
        }
        // An address that names no tenant is that of the first.
        let bearer = World { token, ..world.clone() };
        for (path, status) in [("/api/contoso/Users", 200), ("/api/fabrikam/Users", 404)] {
            assert_eq!(bearer.at(path).await.status.as_u16(), status, "{path}");
        }
        let unseen = World { token: provider.sign(&claims(&world, "unseen")), ..bearer };
        assert_eq!(unseen.at("/api/contoso/Users").await.status.as_u16(), 401);
    });
}

#[test]
fn a_token_that_was_shown_before_its_tenant_moved_is_taken_at_the_new_address_too() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let provider = Provider::new("k1");
        federate(&world, "entra", FederationKeys::Here(provider.keys()), true).await;
        let bearer = World { token: provider.sign(&claims(&world, "1")), ..world.clone() };
        assert_eq!(bearer.get("/Users").await.status.as_u16(), 200);
        for path in ["/api/first", "/api/second"] {
            world.moved_to("", path).await;
            assert_eq!(bearer.get("/Users").await.status.as_u16(), 200, "{path}");
            assert_eq!(bearer.at(&format!("{path}/Users")).await.status.as_u16(), 200, "{path}");
        }
        assert_eq!(bearer.at("/api/first/Users").await.status.as_u16(), 404);
    });
}

#[test]
fn keys_are_fetched_seldom_and_rotate() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (old, new) = (Provider::new("old"), Provider::new("new"));
        federate(&world, "entra", FederationKeys::At(KEYS.to_owned()), false).await;
        let publish = |keys: Option<String>| {
            let mut pages = world.web.pages.lock().unwrap();
            match keys {
                Some(keys) => pages.insert(KEYS.to_owned(), keys),
                None => pages.remove(KEYS),
            };
        };
        let later = |seconds: i64| world.clock.fetch_add(seconds * 1000, Ordering::Relaxed);
        let mut number = 0;
        let mut signed = |by: &Provider| {
            number += 1;
            by.sign(&claims(&world, &number.to_string()))
        };
        assert_eq!(ask(&world, &signed(&old), "").await.0, 503, "there are no keys yet");
        publish(Some(old.keys()));
        assert_eq!((ask(&world, &signed(&old), "").await.0, asked(&world)), (503, 1), "and not at every request");
        later(31);
        assert_eq!((ask(&world, &signed(&old), "").await.0, asked(&world)), (200, 2));
        later(1800);
        assert_eq!((ask(&world, &signed(&old), "").await.0, asked(&world)), (200, 2), "kept");
        publish(Some(new.keys()));
        assert_eq!((ask(&world, &signed(&new), "").await.0, asked(&world)), (200, 3), "a new key is fetched at once");
        assert_eq!((ask(&world, &signed(&old), "").await.0, asked(&world)), (401, 3), "but not over and over");
        later(31);
        assert_eq!((ask(&world, &signed(&old), "").await.0, asked(&world)), (401, 4));
        publish(None);
        later(7200);
        assert_eq!((ask(&world, &signed(&new), "").await.0, asked(&world)), (200, 5), "what is kept serves meanwhile");
        later(86_400);
        assert_eq!(ask(&world, &signed(&new), "").await.0, 503, "but not for ever");
        publish(Some("<html>".to_owned()));
        later(31);
        assert_eq!(ask(&world, &signed(&new), "").await.0, 503);
    });
}

#[test]
fn a_token_of_the_provider_is_a_bearer_token_where_that_was_asked_for() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let provider = Provider::new("k1");
        federate(&world, "entra", FederationKeys::At(KEYS.to_owned()), true).await;
        world.web.pages.lock().unwrap().insert(KEYS.to_owned(), provider.keys());
        let entra = World { token: provider.sign(&claims(&world, "1")), ..world.clone() };
        let user = entra.user("ann").await;
        for _ in 0..3 {
            assert_eq!(entra.get(&format!("/Users/{user}")).await.status.as_u16(), 200);
        }
        assert_eq!(asked(&world), 1, "verified once");
        let forged = World { token: Provider::new("k1").sign(&claims(&world, "1")), ..world.clone() };
        assert_eq!(forged.get("/Users").await.status.as_u16(), 401);
        world.clock.fetch_add(3_600_000 + 30_000, Ordering::Relaxed);
        assert_eq!(entra.get("/Users").await.status.as_u16(), 200, "the clocks may differ by a minute");
        let fresh = World { token: provider.sign(&ended(&world, 30)), ..world.clone() };
        assert_eq!(fresh.get("/Users").await.status.as_u16(), 200, "also where it was not shown before");
        world.clock.fetch_add(30_000, Ordering::Relaxed);
        let late = entra.call("POST", "/Users", &json!({ "schemas": [USER], "userName": "late" })).await;
        assert_eq!(late.status.as_u16(), 401, "it has ended");
        let entra = World { token: provider.sign(&claims(&world, "2")), ..world.clone() };
        assert_eq!(entra.get("/Users").await.status.as_u16(), 200);
        world.write(|tx| oauth::remove_client(tx, ("contoso", "entra"))).await;
        assert_eq!(entra.get("/Users").await.status.as_u16(), 401);
    });
}

#[test]
fn who_is_vouched_for_may_define_by_either_kind_of_token() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let provider = Provider::new("k1");
        let keys = FederationKeys::Here(provider.keys());
        federate_scoped(&world, ("definer", Scope::Schemas), keys, true).await;
        let (status, body) = ask(&world, &provider.sign(&claims(&world, "1")), "").await;
        assert_eq!((status, &body["scope"]), (200, &json!("schemas")), "{body}");
        let issued = body["access_token"].as_str().unwrap().to_owned();
        let bearer = provider.sign(&claims(&world, "2"));
        for token in [issued, bearer] {
            assert_eq!((define(&world, &token, "GET").await, define(&world, &token, "DELETE").await), (200, 200));
            let users = World { token, ..world.clone() }.get("/Users").await;
            assert_eq!(users.status.as_u16(), 403, "{}", users.body);
        }
        let stranger = Provider::new("k1").sign(&claims(&world, "3"));
        assert_eq!(define(&world, &stranger, "GET").await, 401);
    });
}
