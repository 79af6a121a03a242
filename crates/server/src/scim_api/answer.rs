//! Answers: JSON text with its headers.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use provider::{Fetched, Representation};

use super::Rejection;
use super::room::Held;

/// RFC 7644 §8.1.
pub(crate) const MEDIA_TYPE: &str = "application/scim+json";

/// A body of JSON.
pub(crate) fn json(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    answer
}

/// One resource with its entity tag.
pub(crate) fn resource(status: StatusCode, shown: Representation) -> Response<Body> {
    tagged(status, shown.text, shown.version)
}

fn tagged(status: StatusCode, text: impl Into<Body>, version: i64) -> Response<Body> {
    let mut answer = json(status, text);
    answer.headers_mut().insert(header::ETAG, entity_tag(version));
    answer
}

/// A new resource with its address (RFC 7644 §3.3). `endpoint` is where resources of its kind live.
pub(crate) fn created(base: &str, endpoint: &str, shown: Representation) -> Result<Response<Body>, Rejection> {
    let location = format!("{base}{endpoint}{}", shown.id);
    let mut answer = resource(StatusCode::CREATED, shown);
    let location = HeaderValue::try_from(location).map_err(|_| Rejection::Internal)?;
    answer.headers_mut().insert(header::LOCATION, location);
    Ok(answer)
}

/// One resource, or that the client has it already; with the room that was taken for a large one.
pub(crate) fn fetched(found: Fetched, room: Option<Held>) -> Response<Body> {
    match found {
        Fetched::Found(shown) => match room {
            None => resource(StatusCode::OK, shown),
            Some(room) => tagged(StatusCode::OK, room.keep(shown.text), shown.version),
        },
        Fetched::NotModified { version } => empty(StatusCode::NOT_MODIFIED, Some(version)),
    }
}

/// No body; with the entity tag of what there is.
pub(crate) fn empty(status: StatusCode, version: Option<i64>) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    if let Some(version) = version {
        answer.headers_mut().insert(header::ETAG, entity_tag(version));
    }
    answer
}

fn entity_tag(version: i64) -> HeaderValue {
    HeaderValue::try_from(format!("W/\"{version}\"")).expect("digits and quotation marks are allowed in a header")
}
