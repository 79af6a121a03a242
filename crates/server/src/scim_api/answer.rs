//! Answers: JSON text with its headers.

use std::fmt::{Display, Write as _};

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use provider::{EntityTag, Fetched, Representation};

use super::Rejection;

/// RFC 7644 §8.1.
pub(crate) const MEDIA_TYPE: &str = "application/scim+json";

/// Headers of an answer that shows a resource: room for them is made once.
const HEADERS: usize = 8;
/// The text form of a UUID, in bytes.
const ID_BYTES: usize = 36;
/// Longest entity tag, in bytes: a version, a hyphen, a digest, and what is around them.
const TAG_BYTES_MAX: usize = 40;

/// A body of JSON.
pub(crate) fn json(status: StatusCode, text: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = status;
    *answer.headers_mut() = HeaderMap::with_capacity(HEADERS);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    answer
}

/// Where a resource is: what its `meta.location` says. A header of every answer that shows it whole or in part: RFC 7643 §3.1 has
/// `Content-Location` say the same as `meta.location`, and the examples of RFC 7644 §3.4.1 and §3.5.1 have `Location`.
#[derive(Clone)]
pub(crate) struct Location(HeaderValue);

impl Location {
    /// `endpoint` is where resources of its kind live, with a slash on both ends.
    pub(crate) fn of(base: &str, endpoint: &str, id: impl Display) -> Result<Self, Rejection> {
        // Of just that length, so that it is not copied again.
        let mut text = String::with_capacity(base.len() + endpoint.len() + ID_BYTES);
        text.push_str(base);
        text.push_str(endpoint);
        write!(text, "{id}").map_err(|_| Rejection::Internal)?;
        HeaderValue::try_from(text).map(Self).map_err(|_| Rejection::Internal)
    }

    pub(crate) fn put_on(self, mut answer: Response<Body>) -> Response<Body> {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_LOCATION, self.0.clone());
        headers.insert(header::LOCATION, self.0);
        answer
    }

    /// On an answer without content: where the changed resource is (RFC 7644 §3.5.2.1). It has no `Content-Location`, as there is no content.
    pub(crate) fn put_on_empty(self, mut answer: Response<Body>) -> Response<Body> {
        answer.headers_mut().insert(header::LOCATION, self.0);
        answer
    }
}

/// One resource with its entity tag and its address (RFC 7644 §3.3).
pub(crate) fn resource(status: StatusCode, location: Location, shown: Representation) -> Response<Body> {
    location.put_on(tagged(status, shown.text, shown.tag))
}

/// A body with the entity tag of what it shows.
pub(crate) fn tagged(status: StatusCode, text: impl Into<Body>, tag: EntityTag) -> Response<Body> {
    let mut answer = json(status, text);
    answer.headers_mut().insert(header::ETAG, value(tag));
    answer
}

/// One resource, or that the client has it already.
pub(crate) fn fetched(location: Location, found: Fetched) -> Response<Body> {
    match found {
        Fetched::Found(shown) => resource(StatusCode::OK, location, shown),
        Fetched::NotModified { tag } => location.put_on(empty(StatusCode::NOT_MODIFIED, Some(tag))),
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
    let mut text = String::with_capacity(TAG_BYTES_MAX);
    // Writing to a text does not fail.
    let _ = write!(text, "{tag}");
    HeaderValue::from_str(&text).expect("digits and quotation marks are allowed in a header")
}
