//! Tokens of identity providers that come as bearer tokens: verified once, then remembered by their keyed hash like every token.

use jiff::Timestamp;
use provider::TokenHash;
use provider::oauth::{self, BadAssertion, BearerHashes, OAuthError, Voucher};
use store::StoreError;

use super::vouched;
use crate::App;
use crate::scim_api::Rejection;

/// Makes such a token known, where a client of the tenant takes it from its identity provider. One that nobody vouches for is left
/// unknown, and the look-up refuses it.
pub(crate) async fn introduce(app: &App, tenant: &str, text: &str, hash: &TokenHash) -> Result<(), Rejection> {
    let (known, now) = (hash.clone(), app.now());
    if app.store.look_up(move |tx| oauth::is_introduced(tx, &known, now)).await? {
        return Ok(());
    }
    match remember(app, tenant, text, hash.clone(), now).await {
        Ok(()) => Ok(()),
        Err(OAuthError::Suspended) => Err(Rejection::Suspended),
        Err(OAuthError::Unavailable(_)) => Err(Rejection::TooSlow),
        Err(OAuthError::Store(error)) => Err(error.into()),
        Err(
            OAuthError::InvalidClient(_)
            | OAuthError::InvalidRequest(_)
            | OAuthError::InvalidScope
            | OAuthError::UnsupportedGrant,
        ) => Err(Rejection::BadToken),
    }
}

/// How often it is tried: who is not first finds in a second try what the first one has left.
const TRIES: u32 = 2;

async fn remember(app: &App, tenant: &str, text: &str, hash: TokenHash, now: Timestamp) -> Result<(), OAuthError> {
    let vouched = vouched(app, tenant, None, text, now, Voucher::accepts_bearer).await?;
    let elsewhere = app.token_key.hash(text).map_err(|_| BadAssertion::Malformed)?;
    let hashes = BearerHashes { of_tenant: hash, elsewhere };
    for _ in 0..TRIES {
        let (hashes, vouched) = (hashes.clone(), vouched.clone());
        let ids = [(app.ids)(now).uuid().into(), (app.ids)(now).uuid().into()];
        match app.store.write(move |tx| oauth::introduce_bearer(tx, &hashes, &vouched, ids, now)).await {
            Err(OAuthError::Store(StoreError::NotUnique(_))) => {}
            done => return done,
        }
    }
    // Whoever was first has remembered it.
    Ok(())
}
