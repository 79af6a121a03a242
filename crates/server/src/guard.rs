//! What holds for every request: an end in time, a panic that stays one request's, headers that every answer has.
//!
//! A service around the router instead of layers inside it, so that a request pays for it once.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Body as HttpBody;
use jiff::Timestamp;
use tower::Service;

use crate::connections::Connections;
use crate::edge::Edge;
use crate::metrics::Metrics;
use crate::scim_api::Rejection;
use crate::trail::{Passing, REQUEST_ID, new_request_id};
use crate::wire::Refusal;

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
    edge: Arc<Edge>,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Who is at the other end, where that is known.
    peer: Option<IpAddr>,
    deadline: Duration,
}

impl Guard {
    pub(crate) fn new(routes: Router, edge: Arc<Edge>, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { routes, edge, clock: Arc::new(clock), peer: None, deadline: REQUEST_DEADLINE }
    }

    /// The same for a connection from an address.
    #[must_use]
    pub fn at(&self, peer: IpAddr) -> Self {
        Self { peer: Some(peer), ..self.clone() }
    }

    /// Waits until the request log has what was answered so far.
    pub fn flush_log(&self) {
        if let Some(log) = &self.edge.log {
            log.flush();
        }
    }

    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.edge.connections
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.edge.metrics
    }

    /// Tells that no new connections are accepted any more.
    pub(crate) fn stop(&self) {
        self.edge.is_stopping.store(true, Ordering::Relaxed);
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
        if let Some(refusal) = Refusal::of(&request) {
            self.edge.metrics.refusal();
            let mut answer = Rejection::Refused(refusal).into_response();
            answer.headers_mut().insert(REQUEST_ID, new_request_id(&self.edge));
            return Box::pin(std::future::ready(Ok(with_headers(answer))));
        }
        let mut request = request.map(Body::new);
        let head = (request.method(), request.uri(), request.headers());
        let passing = Passing::begin(&self.edge, self.peer, (self.clock)(), head);
        request.extensions_mut().insert(passing.trail());
        let answer = self.routes.call(request);
        let deadline = self.deadline;
        Box::pin(async move {
            let answer = match tokio::time::timeout(deadline, contained(answer)).await {
                Ok(answer) => answer,
                Err(_) => Rejection::TooSlow.into_response(),
            };
            Ok(with_headers(passing.end(answer).await))
        })
    }
}

fn with_headers(mut answer: Response<Body>) -> Response<Body> {
    let is_not_modified = answer.status() == StatusCode::NOT_MODIFIED;
    let headers = answer.headers_mut();
    if is_not_modified {
        // It would be that of the answer to a GET, which nobody has put together (RFC 9110 §8.6).
        headers.remove(header::CONTENT_LENGTH);
    }
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    answer
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
    use tower::ServiceExt;

    use super::*;

    async fn panics() -> &'static str {
        panic!("a handler failed")
    }

    async fn hangs() -> &'static str {
        std::future::pending().await
    }

    #[tokio::test(start_paused = true)]
    async fn sh_18_a_panic_and_a_hang_are_answered() {
        let routes = Router::new().route("/panics", get(panics)).route("/hangs", get(hangs));
        let guard = Guard::new(routes, Arc::default(), || Timestamp::UNIX_EPOCH);
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
