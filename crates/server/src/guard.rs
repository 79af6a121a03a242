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
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use tower::Service;
use tracing::Span;

use crate::connections::Connections;
use crate::edge::Edge;
use crate::leftover::{Arriving, Watched, settle};
use crate::metrics::Metrics;
use crate::scim_api::{Rejection, write_as_routed};
use crate::trail::{Passing, REQUEST_ID, new_request_id};
use crate::wire::Refusal;

/// Longest time from the end of a request's headers to its answer.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(60);

/// How long an answer waits that tells the client to wait: one that asks again at once, on many connections, would else keep the
/// server as busy as if it were served.
pub(crate) const LIMITED_PAUSE: Duration = Duration::from_millis(50);

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

impl<B: Arriving> Service<Request<B>> for Guard {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // A router is always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if let Some(refusal) = Refusal::of(&request) {
            self.edge.metrics.refusal();
            let mut answer = Rejection::Refused(refusal).into_response();
            answer.headers_mut().insert(REQUEST_ID, new_request_id(&self.edge));
            return Box::pin(std::future::ready(Ok(with_headers(answer))));
        }
        write_as_routed(request.uri_mut());
        let head = (request.method(), request.uri(), request.headers());
        let passing = Passing::begin(&self.edge, self.peer, (self.clock)(), head);
        let trail = passing.trail();
        // Most requests have no body, and nothing of it can be left.
        let with_body = (!request.body().is_end_stream())
            .then(|| (Arc::clone(&trail), request.headers().contains_key(header::EXPECT)));
        let mut request = match &with_body {
            None => request.map(Body::new),
            Some((trail, _)) => request.map(|body| Body::new(Watched::new(body, Arc::clone(trail)))),
        };
        request.extensions_mut().insert(Arc::clone(&trail));
        let answer = self.routes.call(request);
        let deadline = self.deadline;
        Box::pin(async move {
            // What is logged on the way bears the id.
            let span = passing.trace_id().map(|trace| tracing::error_span!("request", trace_id = %trace));
            let answer = match tokio::time::timeout(deadline, contained(answer, span)).await {
                Ok(answer) => answer,
                Err(_) => Rejection::TooSlow.into_response(),
            };
            let mut answer = with_headers(passing.end(answer).await);
            if let Some((trail, is_expecting)) = with_body {
                settle(trail.leftover(), is_expecting, &mut answer).await;
            }
            if answer.status() == StatusCode::TOO_MANY_REQUESTS {
                tokio::time::sleep(LIMITED_PAUSE).await;
            } else if let Some(time) = trail.later() {
                tokio::time::sleep(time).await;
            }
            Ok(answer)
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

/// Turns a panic into an answer. The panic hook has told the log already. What is logged meanwhile stands in the span.
async fn contained(
    answer: impl Future<Output = Result<Response<Body>, Infallible>>,
    span: Option<Span>,
) -> Response<Body> {
    let mut answer = pin!(answer);
    poll_fn(|context| {
        let _inside = span.as_ref().map(Span::enter);
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Ok(Rejection::Internal.into_response())))
    })
    .await
    .unwrap_or_else(|never| match never {})
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::EdgeSettings;
    use crate::traces::{TraceSettings, Traces};
    use crate::trail::Trail;

    async fn panics() -> &'static str {
        panic!("a handler failed")
    }

    async fn hangs() -> &'static str {
        std::future::pending().await
    }

    async fn complains() {
        tracing::error!("the disk is gone");
    }

    const LATER: Duration = Duration::from_millis(5);

    async fn early(Extension(trail): Extension<Arc<Trail>>) {
        trail.hold_back(LATER);
    }

    /// Where log lines go in a test.
    #[derive(Clone, Default)]
    struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_is_logged_on_the_way_bears_the_trace() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        let _logging = tracing::subscriber::set_default(subscriber);
        let traces = TraceSettings { service_name: "x".to_owned(), share: 0.0 };
        let edge = Edge::new(&EdgeSettings::default(), None, Some(Traces::new(traces, [1; 16])), "");
        let routes = Router::new().route("/complains", get(complains));
        let guard = Guard::new(routes, Arc::new(edge), || Timestamp::UNIX_EPOCH);
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for parent in [format!("00-{trace}-00f067aa0ba902b7-00"), "nonsense".to_owned()] {
            let request = Request::get("/complains").header("traceparent", parent).body(Body::empty()).unwrap();
            guard.clone().oneshot(request).await.unwrap();
        }
        let told = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let told: Vec<_> = told.lines().map(|line| (line.contains("disk"), line.contains(trace))).collect();
        assert_eq!(told, [(true, true), (true, false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn ti_06_who_came_early_is_answered_later() {
        let routes = Router::new().route("/early", get(early)).route("/", get(|| async {}));
        let guard = Guard::new(routes, Arc::default(), || Timestamp::UNIX_EPOCH);
        for (path, expected) in [("/early", LATER), ("/", Duration::ZERO)] {
            let begun = tokio::time::Instant::now();
            let answer = guard.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            let took = begun.elapsed();
            assert_eq!(answer.status(), StatusCode::OK);
            assert!(took >= expected && took <= expected * 2, "{path}: {took:?}");
        }
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
