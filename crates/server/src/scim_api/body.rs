//! Bodies of requests: from bytes to JSON, with a limit and a deadline.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde_json::Value;

use super::Rejection;
use crate::App;
use crate::trail::Trail;

/// Longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest time for a body to arrive.
pub const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// What is read and thrown away of a body that is too long: a client that still sends when the connection closes would see a broken
/// connection instead of the answer.
const DISCARDED_BYTES_MAX: usize = 4 << 20;
/// Longest time for that.
const DISCARD_DEADLINE: Duration = Duration::from_secs(2);

/// The body of a request as JSON.
pub(crate) struct ScimBody(pub(crate) Value);

impl FromRequest<App> for ScimBody {
    type Rejection = Rejection;

    async fn from_request(request: Request, _: &App) -> Result<Self, Rejection> {
        let (parts, body) = request.into_parts();
        check_media_type(&parts.headers)?;
        let bytes = read(&parts.headers, body).await?;
        if let Some(trail) = parts.extensions.get::<Arc<Trail>>() {
            trail.came(&bytes);
        }
        Ok(Self(scim::parse_json(&bytes)?))
    }
}

/// All of a body, if it comes in time.
async fn read(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Rejection> {
    let collected = tokio::time::timeout(BODY_DEADLINE, collect(&mut body));
    match collected.await.map_err(|_| Rejection::BodyTooSlow)? {
        // Who expects to be told to go on has not begun to send.
        Err(Rejection::TooLarge) if !headers.contains_key(header::EXPECT) => {
            drop(tokio::time::timeout(DISCARD_DEADLINE, discard(&mut body)).await);
            Err(Rejection::TooLarge)
        }
        collected => collected,
    }
}

async fn collect(body: &mut Body) -> Result<Bytes, Rejection> {
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(Rejection::TooLarge);
    }
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Rejection::TooLarge),
        Err(_) => Err(Rejection::BodyBroken),
    }
}

async fn discard(body: &mut Body) {
    let mut discarded = 0;
    while discarded < DISCARDED_BYTES_MAX
        && let Some(Ok(frame)) = body.frame().await
    {
        discarded += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// Says what it is: JSON in UTF-8, uncompressed. Nothing is guessed.
fn check_media_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let is_identity = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(is_identity) {
        return Err(Rejection::ContentEncoding);
    }
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    match (given.next().and_then(|value| value.to_str().ok()), given.next()) {
        (Some(text), None) if is_json(text) => Ok(()),
        _ => Err(Rejection::MediaType),
    }
}

fn is_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = ["application/scim+json", "application/json"].iter().any(|name| essence.eq_ignore_ascii_case(name));
    is_json
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use hyper::body::Frame;
    use tokio::time::{Instant, Interval, interval};

    use super::*;

    /// A byte each time that the clock of it ticks, without end.
    struct Trickle(Interval);

    impl hyper::body::Body for Trickle {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            ready!(self.0.poll_tick(context));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b" ")))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sj_05_a_body_without_end_is_not_waited_for() {
        let began = Instant::now();
        let body = Body::new(Trickle(interval(Duration::from_secs(1))));
        assert!(matches!(read(&HeaderMap::new(), body).await, Err(Rejection::BodyTooSlow)));
        assert_eq!(began.elapsed(), BODY_DEADLINE);
    }

    #[test]
    fn media_types() {
        for (text, expected) in [
            ("application/scim+json", true),
            ("application/json", true),
            ("Application/SCIM+JSON; charset=UTF-8", true),
            ("application/json;charset=\"utf-8\"", true),
            ("application/json; profile=x", true),
            ("application/json;", true),
            ("application/scim+json; charset=utf-16", false),
            ("text/plain", false),
            ("application/xml", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ] {
            assert_eq!(is_json(text), expected, "{text}");
        }
    }
}
