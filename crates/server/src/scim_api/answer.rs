//! Answers: JSON text with its headers.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use provider::{EntityTag, Fetched, Representation};

use super::Rejection;

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
    tagged(status, shown.text, shown.tag)
}

/// A body with the entity tag of what it shows.
pub(crate) fn tagged(status: StatusCode, text: impl Into<Body>, tag: EntityTag) -> Response<Body> {
    let mut answer = json(status, text);
    answer.headers_mut().insert(header::ETAG, value(tag));
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

/// One resource, or that the client has it already.
pub(crate) fn fetched(found: Fetched) -> Response<Body> {
    match found {
        Fetched::Found(shown) => resource(StatusCode::OK, shown),
        Fetched::NotModified { tag } => empty(StatusCode::NOT_MODIFIED, Some(tag)),
    }
}

/// No body; with the entity tag of what there is.
pub(crate) fn empty(status: StatusCode, tag: Option<EntityTag>) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    if let Some(tag) = tag {
        answer.headers_mut().insert(header::ETAG, value(tag));
    }
    answer
}

fn value(tag: EntityTag) -> HeaderValue {
    HeaderValue::try_from(tag.to_string()).expect("digits and quotation marks are allowed in a header")
}
