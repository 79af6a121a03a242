//! HTTP edge: routes, extractors, error-to-status tables, the listener.
//!
//! Handlers say in their arguments what they need and call one use case; what the use cases decide is decided in the crates below. The
//! clock, randomness and the key of tokens come in with [`App`].

mod app;
mod guard;
mod health;
mod listen;
mod oauth;
mod request_lines;
mod scim_api;
mod stream;
mod threads;

pub use app::{App, AppParts, Fetch, Fetching, Random};
pub use guard::{Guard, REQUEST_DEADLINE};
pub use listen::{Limits, serve};
pub use oauth::{FETCH_DEADLINE, FORM_BYTES_MAX};
pub use scim_api::{BODY_BYTES_MAX, BODY_DEADLINE};

/// Everything that is served, with what holds for every request around it.
pub fn service(app: App) -> Guard {
    let routes = axum::Router::new().merge(health::routes()).merge(scim_api::routes()).merge(oauth::routes());
    Guard::new(routes.with_state(app))
}
