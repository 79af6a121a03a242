//! HTTP edge: routes, extractors, error-to-status tables, the listener.
//!
//! Handlers say in their arguments what they need and call one use case; what the use cases decide is decided in the crates below. The
//! clock, randomness and the key of tokens come in with [`App`].

use std::sync::Arc;

mod app;
mod connections;
mod edge;
mod failures;
mod gates;
mod guard;
mod health;
mod in_clear;
mod leftover;
mod limiter;
mod listen;
mod media_type;
mod metrics;
mod oauth;
mod request_log;
mod schema_api;
mod scim_api;
mod threads;
mod traces;
mod trail;
mod wire;

pub use app::{App, AppParts, Fetch, Fetching, Random};
pub use edge::EdgeSettings;
pub use gates::REQUESTS_PER_SECOND;
pub use guard::{Guard, REQUEST_DEADLINE};
pub use listen::{Limits, serve};
pub use metrics::TENANT_LABELS_MAX;
pub use oauth::{FETCH_DEADLINE, FORM_BYTES_MAX};
pub use request_log::{LOGGED_BODY_BYTES_MAX, LogQuery, LogSettings, search, tenant_folder, tidy_log};
pub use scim_api::{BODY_BYTES_MAX, BODY_DEADLINE};
pub use traces::{FLUSH_DEADLINE, QUEUE_SPANS_MAX, SEND_DEADLINE, SendSpans, Sending, Taken, TraceSettings};

/// Everything that is served, with what holds for every request around it.
pub fn service(app: App) -> Guard {
    let routes = axum::Router::new()
        .merge(health::routes())
        .merge(scim_api::routes(&app))
        .merge(oauth::routes())
        .merge(schema_api::routes());
    let (edge, clock) = (Arc::clone(app.edge()), app.clone());
    Guard::new(routes.with_state(app), edge, move || clock.now())
}

/// What tells about the server itself: metrics and health. For an address that only those can reach who may know the names of tenants.
pub fn inside(app: App) -> Guard {
    let routes = axum::Router::new().merge(health::routes()).merge(health::metrics());
    let clock = app.clone();
    // Counted apart: who looks does not change what is seen.
    Guard::new(routes.with_state(app), Arc::default(), move || clock.now())
}
