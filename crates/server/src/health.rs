//! `/healthz` and `/readyz`: whether the server runs and whether it can reach its data. Open to everybody, and tells nothing else.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use store::StoreError;

use crate::App;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(health)).route("/readyz", get(health))
}

async fn health(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.store.read(|tx| store::settings::setting(tx, "health")).await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err::<_, StoreError>(error) => {
            tracing::error!("The store does not answer: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n")
        }
    }
}
