//! Handlers of discovery (RFC 7644 §4). They show what the tenant's application knows, so they take a token too.

use axum::body::Body;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use provider::discovery;

use super::parameters::filters;
use super::spelling::without_suffix;
use super::visitor::{Admitted, LastSegment};
use super::{Rejection, answer};
use crate::App;

/// Parameters of queries are ignored here, but for a filter: a client that may not take the answer for a filtered one is refused
/// (RFC 7644 §4). What is no filter at all can promise nobody anything, and is ignored as the others are.
pub(crate) struct Unfiltered;

impl FromRequestParts<App> for Unfiltered {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        let is_filter = |text: String| text.parse::<scim::Filter>().is_ok();
        let mut given = filters(parts.uri.query().unwrap_or_default());
        if given.any(is_filter) { Err(Rejection::DiscoveryFilter) } else { Ok(Self) }
    }
}

/// `GET /Schemas`.
pub(crate) async fn schemas(admitted: Admitted, _: Unfiltered) -> Result<Response<Body>, Rejection> {
    Ok(answer::json(StatusCode::OK, discovery::schemas(&admitted.caller, &admitted.base)))
}

/// `GET /Schemas/{urn}`.
pub(crate) async fn schema(admitted: Admitted, _: Unfiltered, last: LastSegment) -> Result<Response<Body>, Rejection> {
    // Clients may encode the colons of a URN.
    let urn = percent_decode_str(&last.0).decode_utf8_lossy();
    let found = discovery::schema(&admitted.caller, &admitted.base, &urn).or_else(|refusal| {
        let short = without_suffix(&urn).ok_or(refusal)?;
        discovery::schema(&admitted.caller, &admitted.base, short)
    })?;
    located(&admitted, "/Schemas/", &found.segment, found.text)
}

/// `GET /ResourceTypes`.
pub(crate) async fn resource_types(admitted: Admitted, _: Unfiltered) -> Result<Response<Body>, Rejection> {
    Ok(answer::json(StatusCode::OK, discovery::resource_types(&admitted.caller, &admitted.base)))
}

/// `GET /ResourceTypes/{name}`.
pub(crate) async fn resource_type(
    admitted: Admitted,
    _: Unfiltered,
    last: LastSegment,
) -> Result<Response<Body>, Rejection> {
    let found = discovery::resource_type(&admitted.caller, &admitted.base, &last.0)?;
    located(&admitted, "/ResourceTypes/", &found.segment, found.text)
}

/// `GET /ServiceProviderConfig`.
pub(crate) async fn service_provider_config(admitted: Admitted, _: Unfiltered) -> Result<Response<Body>, Rejection> {
    located(&admitted, "/ServiceProviderConfig", "", discovery::service_provider_config(&admitted.base))
}

fn located(admitted: &Admitted, endpoint: &str, name: &str, text: String) -> Result<Response<Body>, Rejection> {
    let location = answer::Location::of(&admitted.base, endpoint, name)?;
    Ok(location.put_on(answer::json(StatusCode::OK, text)))
}
