//! The token endpoint of a tenant, `/t/{tenant}/oauth2/token` (RFC 6749 §3.2): access tokens for a client's secret, or for the
//! assertion of its identity provider. Only the grant of client credentials is offered (§4.4).

mod bearer;
mod form;
mod key_cache;
mod refusal;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::post;
use http::{HeaderValue, Response, header};
use jiff::Timestamp;
use provider::oauth::{
    self, AccessToken, Assertion, BadAssertion, ClientSecret, NewAccess, OAuthError, Vouched, Voucher, requested_scope,
};
use serde_json::json;
use store::StoreError;

pub(crate) use bearer::introduce;
pub use form::FORM_BYTES_MAX;
use form::{Form, Shown};
pub use key_cache::FETCH_DEADLINE;
pub(crate) use key_cache::KeyCache;
pub(crate) use refusal::{IsBadClient, Refusal};

use crate::App;
use crate::scim_api::segments;

/// RFC 6749 §4.4.2.
const GRANT: &str = "client_credentials";

pub(crate) fn routes() -> Router<App> {
    let route = post(token).fallback(only_post);
    Router::new().route("/t/{tenant}/oauth2/token", route.clone()).route("/t/{tenant}/oauth2/token/", route)
}

async fn only_post() -> Response<Body> {
    let mut answer = Refusal::Method.into_response();
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    answer
}

async fn token(State(app): State<App>, request: Request) -> Result<Response<Body>, Refusal> {
    if app.exposes(request.headers()) {
        return Err(Refusal::InClear);
    }
    let tenant = segments(request.uri()).nth(1).unwrap_or_default().to_owned();
    let form = Form::read(request).await?;
    let now = app.now();
    let issued = issue(&app, &tenant, &form, now).await?;
    let AccessToken { text, seconds, scope } = issued;
    let body = json!({
        "access_token": text,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": scope.as_str(),
    });
    let mut answer = Response::new(Body::from(body.to_string()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(answer)
}

async fn issue(app: &App, tenant: &str, form: &Form, now: Timestamp) -> Result<AccessToken, OAuthError> {
    if form.get("grant_type").ok_or(OAuthError::InvalidRequest("grant_type is missing"))? != GRANT {
        return Err(OAuthError::UnsupportedGrant);
    }
    let scope = requested_scope(form.get("scope"))?;
    let new = NewAccess { id: (app.ids)(now).uuid().into(), secret: app.secret(), scope };
    let key = app.token_key.clone();
    match form.shown()? {
        Shown::Secret { client, secret } => {
            let shown = std::sync::Arc::new(ClientSecret::read(&key, tenant, client, secret)?);
            let looked_at = std::sync::Arc::clone(&shown);
            app.store.look_up(move |tx| looked_at.check(tx, now)).await?;
            app.store.write(move |tx| oauth::issue_for_secret(tx, &key, &shown, &new, now)).await
        }
        Shown::Assertion { client, assertion } => {
            let unknown = OAuthError::InvalidClient("the client id opens nothing here");
            let id = client.map(|id| store::ClientId::exact(id).ok_or(unknown)).transpose()?;
            let vouched = vouched(app, tenant, id, assertion, now, |_| true).await?;
            app.store.write(move |tx| oauth::issue_for_assertion(tx, &key, &vouched, &new, now)).await
        }
    }
}

/// Has the identity providers of a tenant vouch for an assertion: those that `may` say so.
async fn vouched(
    app: &App,
    tenant: &str,
    client: Option<store::ClientId>,
    text: &str,
    now: Timestamp,
    may: fn(&Voucher) -> bool,
) -> Result<Vouched, OAuthError> {
    let (text, name) = (text.to_owned(), tenant.to_owned());
    // Read here, to refuse it unasked; and once more where it is needed, as what was read borrows from the text.
    Assertion::parse(&text)?;
    let copy = text.clone();
    let asked = app.store.read(move |tx| oauth::vouchers(tx, &name, client, &Assertion::parse(&copy)?)).await?;
    let assertion = Assertion::parse(&text)?;
    let mut refusal = None;
    for voucher in asked.into_iter().filter(may) {
        let keys = match voucher.keys_url() {
            None => voucher.keys().map(std::sync::Arc::new).ok_or(OAuthError::from(BadAssertion::Signature)),
            Some(url) => app.keys().get(&app.fetch, (voucher.tenant(), url), assertion.key_id(), now).await,
        };
        match keys.and_then(|keys| voucher.verify(&assertion, &keys, now)) {
            Ok(vouched) => return Ok(vouched),
            Err(error) => refusal = Some(error),
        }
    }
    Err(refusal.unwrap_or_else(|| assertion.refuse().into()))
}

/// What of the store's failures may pass.
pub(crate) const fn may_pass(error: &StoreError) -> bool {
    matches!(error, StoreError::Busy | StoreError::GaveUp | StoreError::Unavailable(_))
}
