//! What a tenant defines itself, over the network: `/t/{tenant}/schema`, read, set and cleared with a token of the scope `schemas`.
//!
//! It is beside the SCIM endpoint and not in it, where `/Schemas` is for reading (RFC 7644 §4).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::routing::get;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use provider::oauth::is_jwt;
use provider::{
    AuthError, Bearer, CustomSchemas, Definer, DefinitionTag, SchemaChange, Scope, TagCondition, TenantSettings,
    TokenHash,
};
use scim::ScimError;
use serde_json::json;
use store::{ReadTx, StoreError};

use crate::App;
use crate::oauth::introduce;
use crate::scim_api::{ANSWER_BYTES, DefinitionBody, Rejection, WriteSize, bearer, segments};
use crate::trail::{Known, Trail};

const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/json");
/// The parameter that has a change tried and not kept.
const DRY_RUN: &str = "dryRun";

pub(crate) fn routes() -> Router<App> {
    let route = get(show).put(set).delete(clear).fallback(no_such_method);
    Router::new().route("/t/{tenant}/schema", route.clone()).route("/t/{tenant}/schema/", route)
}

/// A request whose token may change the definition of the tenant in the address.
struct Defining {
    definer: Definer,
    token: TokenHash,
}

impl FromRequestParts<App> for Defining {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let presented = bearer(app, &parts.headers)?;
        let tenant = segments(&parts.uri).nth(1).unwrap_or_default().to_owned();
        let token = app.token_key.hash_at(&tenant, presented)?;
        if is_jwt(presented) {
            introduce(app, &tenant, presented, &token).await?;
        }
        let (asked, now) = (token.clone(), app.now());
        let trail = parts.extensions.get::<Arc<Trail>>();
        let pass = |known: Known, tenant: (&str, &TenantSettings)| known.pass(app.edge(), trail, tenant);
        let definer = match app.store.look_up(move |tx| admit(tx, &asked, &tenant, now)).await? {
            Admitted::Definer(definer) => definer,
            Admitted::ForElse(bearer) => {
                pass((&*bearer).into(), (&bearer.tenant_name, &bearer.settings))?;
                return Err(Rejection::OtherScope { needed: Scope::Schemas });
            }
        };
        pass((&definer).into(), (definer.tenant_name(), definer.settings()))?;
        app.uses().note_definer(&definer, now);
        Ok(Self { definer, token })
    }
}

/// Whose token of the tenant in the address it is.
enum Admitted {
    Definer(Definer),
    /// It is for something else.
    ForElse(Box<Bearer>),
}

/// Looks the token up. One of another tenant is answered as if it were unknown, whatever it is for.
fn admit(tx: &mut ReadTx<'_>, token: &TokenHash, tenant: &str, now: jiff::Timestamp) -> Result<Admitted, Rejection> {
    match token.definer(tx, now) {
        Ok(definer) if definer.tenant_name() == tenant => Ok(Admitted::Definer(definer)),
        Err(AuthError::OtherScope { bearer, .. }) if bearer.tenant_name == tenant => Ok(Admitted::ForElse(bearer)),
        Ok(_) | Err(AuthError::OtherScope { .. }) => Err(Rejection::BadToken),
        Err(refused) => Err(refused.into()),
    }
}

/// What the client asks of the tag of the definition.
struct Condition(TagCondition);

impl FromRequestParts<App> for Condition {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        let [matching, none] = [header::IF_MATCH, header::IF_NONE_MATCH].map(|name| joined(&parts.headers, &name));
        Ok(Self(TagCondition::read(matching.as_deref(), none.as_deref())?))
    }
}

/// The values of a header that is a list (RFC 9110 §5.3).
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<_> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Whether a change is only tried.
struct DryRun(bool);

impl FromRequestParts<App> for DryRun {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        Ok(Self(dry_run(parts.uri.query().unwrap_or_default())?))
    }
}

fn dry_run(query: &str) -> Result<bool, ScimError> {
    let mut asked = None;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !percent_decode_str(name).decode_utf8_lossy().eq_ignore_ascii_case(DRY_RUN) {
            continue;
        }
        let wanted = match value.to_ascii_lowercase().as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(ScimError::invalid_value(format!("{DRY_RUN} is true or false"))),
        };
        if asked.replace(wanted).is_some() {
            return Err(ScimError::invalid_value(format!("{DRY_RUN} is given twice")));
        }
    }
    Ok(asked.unwrap_or_default())
}

async fn show(
    State(app): State<App>,
    defining: Defining,
    Condition(condition): Condition,
) -> Result<Response<Body>, Rejection> {
    let (tenant, token, now) = (defining.definer.tenant(), defining.token, app.now());
    let read = move |tx: &mut store::ReadTx<'_>| {
        // Once more, as what it opens and what is defined must be of one moment.
        let definer = token.definer(tx, now)?;
        // Asked first (RFC 9110 §13.2.2).
        if !condition.is_met(&definer.tag()) {
            return Err(Rejection::NotAtVersion);
        }
        let known = condition.is_known(&definer.tag());
        let text = if known { None } else { Some(provider::definition(tx, &definer)?.to_json().to_string()) };
        Ok::<_, Rejection>((text, definer.tag()))
    };
    let room = app.room().take(tenant, ANSWER_BYTES).await?;
    let ((text, tag), _room) = room.scan(&app.store, read).await?;
    let status = if text.is_some() { StatusCode::OK } else { StatusCode::NOT_MODIFIED };
    let mut answer = answered(status, text);
    answer.headers_mut().insert(header::ETAG, HeaderValue::try_from(tag.to_string()).map_err(|_| Rejection::Internal)?);
    Ok(answer)
}

async fn set(
    State(app): State<App>,
    defining: Defining,
    DryRun(dry_run): DryRun,
    Condition(condition): Condition,
    body: DefinitionBody,
) -> Result<Response<Body>, Rejection> {
    let definition = body.made(&app, defining.definer.tenant()).await?;
    change(&app, defining, definition, condition, dry_run).await
}

async fn clear(
    State(app): State<App>,
    defining: Defining,
    DryRun(dry_run): DryRun,
    Condition(condition): Condition,
) -> Result<Response<Body>, Rejection> {
    change(&app, defining, CustomSchemas::default(), condition, dry_run).await
}

/// How a change ends that is not kept.
enum Stop {
    Tried((SchemaChange, DefinitionTag)),
    Refused(Rejection),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Changes the definition, or tries to. The token is looked up once more in the transaction: what was revoked meanwhile changes nothing.
async fn change(
    app: &App,
    Defining { definer, token }: Defining,
    definition: CustomSchemas,
    condition: TagCondition,
    dry_run: bool,
) -> Result<Response<Body>, Rejection> {
    // Many resources may be looked at, so one at a time, also of a tenant that is alone.
    let turn = app.room().write(definer.tenant(), WriteSize::Batch, true).await?;
    let now = app.now();
    let id: store::LogId = (app.ids)(now).uuid().into();
    let changed = turn.write(&app.store, move |tx| {
        let definer = token.definer(tx, now).map_err(|error| Stop::Refused(error.into()))?;
        let changed = provider::define(tx, &definer, &definition, &condition, id, now);
        let changed = changed.map_err(|error| Stop::Refused(error.into()))?;
        if dry_run { Err(Stop::Tried(changed)) } else { Ok(changed) }
    });
    let (SchemaChange { differences }, tag) = match changed.await.0 {
        Ok(changed) | Err(Stop::Tried(changed)) => changed,
        Err(Stop::Refused(refused)) => return Err(refused),
    };
    // In the body, as a validator in the header would say that the document is kept as it was sent (RFC 9110 §9.3.4).
    let told = json!({ "differences": differences, "dryRun": dry_run, "version": tag.to_string() });
    Ok(answered(StatusCode::OK, Some(told.to_string())))
}

async fn no_such_method(method: Method, _: Defining) -> Result<Response<Body>, Rejection> {
    if method == Method::OPTIONS { Ok(answered(StatusCode::NO_CONTENT, None)) } else { Err(Rejection::NoSuchMethod) }
}

fn answered(status: StatusCode, text: Option<String>) -> Response<Body> {
    let has_body = text.is_some();
    let mut answer = Response::new(text.map_or_else(Body::empty, Body::from));
    *answer.status_mut() = status;
    if has_body {
        answer.headers_mut().insert(header::CONTENT_TYPE, MEDIA_TYPE);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_asked_for_once_and_by_name() {
        for (query, expected) in [
            ("", Some(false)),
            ("dryRun=true", Some(true)),
            ("x=1&&DRYRUN=True", Some(true)),
            ("dry%52un=false", Some(false)),
            ("dryRun", None),
            ("dryRun=1", None),
            ("dryRun=true&dryrun=true", None),
        ] {
            assert_eq!(dry_run(query).ok(), expected, "{query}");
        }
    }
}
