//! `/healthz` and `/readyz`: whether the server can reach its data, and whether the database takes writes. Open to everybody, and
//! tells nothing else. And `/metrics`, which is served elsewhere.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use http::{HeaderValue, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use store::{Store, StoreError, settings};
use tokio::sync::Mutex;

use crate::App;
use crate::scim_api::Rejection;

/// How long the outcome of a probe is answered again, however many ask: each probe is a write that has to be durable.
pub const PROBE_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// Longest wait for the outcome of a probe.
const PROBE_DEADLINE: Duration = Duration::from_secs(5);

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(health).fallback(no_such_method))
        .route("/readyz", get(ready).fallback(no_such_method))
}

/// `/metrics`, for those who may know the names of tenants.
pub(crate) fn metrics() -> Router<App> {
    Router::new().route("/metrics", get(count))
}

async fn no_such_method() -> Rejection {
    Rejection::NoSuchMethod
}

async fn count(State(app): State<App>) -> Response<Body> {
    let mut answer = Response::new(app.edge().metrics_text(app.store.figures()).into());
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, media_type);
    answer
}

async fn health(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.store.read(|tx| settings::setting(tx, "health")).await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err::<_, StoreError>(error) => {
            tracing::error!("The store does not answer: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}

async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.edge().is_stopping.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n");
    }
    // A task of its own, which comes to its end also when who asked does not wait for it.
    let probe = tokio::spawn(async move { app.readiness().is_ready(&app.store, app.now()).await });
    if probe.await.unwrap_or(false) {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store takes no writes\n")
    }
}

/// The latest probe.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<Probe>>);

struct Probe {
    begun: Timestamp,
    ready: bool,
}

impl Readiness {
    /// Whether the database takes writes, or took them less than [`PROBE_EVERY`] ago. One at a time asks the database; the others
    /// wait for its answer.
    async fn is_ready(&self, store: &Store, now: Timestamp) -> bool {
        let mut latest = self.0.lock().await;
        if let Some(probe) = latest.as_ref().filter(|probe| now.duration_since(probe.begun).abs() < PROBE_EVERY) {
            return probe.ready;
        }
        let probe = latest.insert(Probe { begun: now, ready: false });
        match tokio::time::timeout(PROBE_DEADLINE, store.write(settings::probe)).await {
            Ok(Ok(())) => probe.ready = true,
            Ok(Err(error)) => tracing::error!("The store takes no writes: {error}"),
            Err(_) => tracing::error!("The store took no write within {} s", PROBE_DEADLINE.as_secs()),
        }
        probe.ready
    }
}
