//! What holds for every request: an end in time, a panic that stays one request's, headers that every answer has.
//!
//! A service around the router instead of layers inside it, so that a request pays for it once.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use hyper::body::Body as HttpBody;
use tower::Service;

use crate::scim_api::Rejection;

/// Longest time from the end of a request's headers to its answer.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(60);

/// Nothing here is for a cache, nothing is to be guessed at, nothing is to be run by a browser.
const HEADERS: [(HeaderName, HeaderValue); 3] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::VARY, HeaderValue::from_static("authorization")),
];

/// The router with a guard around it.
#[derive(Clone)]
pub struct Guard {
    routes: Router,
    deadline: Duration,
}

impl Guard {
    pub(crate) const fn new(routes: Router) -> Self {
        Self { routes, deadline: REQUEST_DEADLINE }
    }
}

impl<B> Service<Request<B>> for Guard
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let answer = self.routes.call(request.map(Body::new));
        let deadline = self.deadline;
        Box::pin(async move {
            let mut answer = match tokio::time::timeout(deadline, contained(answer)).await {
                Ok(answer) => answer,
                Err(_) => Rejection::TooSlow.into_response(),
            };
            let headers = answer.headers_mut();
            for (name, value) in HEADERS {
                headers.entry(name).or_insert(value);
            }
            Ok(answer)
        })
    }
}

/// Turns a panic into an answer. The panic hook has told the log already.
async fn contained(answer: impl Future<Output = Result<Response<Body>, Infallible>>) -> Response<Body> {
    let mut answer = pin!(answer);
    poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Ok(Rejection::Internal.into_response())))
    })
    .await
    .unwrap_or_else(|never| match never {})
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> &'static str {
        panic!("a handler failed")
    }

    async fn hangs() -> &'static str {
        std::future::pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_and_a_hang_are_answered() {
        let guard = Guard::new(Router::new().route("/panics", get(panics)).route("/hangs", get(hangs)));
        for (path, expected) in
            [("/panics", StatusCode::INTERNAL_SERVER_ERROR), ("/hangs", StatusCode::SERVICE_UNAVAILABLE)]
        {
            let answer = guard.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), expected, "{path}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/scim+json", "{path}");
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store", "{path}");
        }
    }
}
