//! The addresses of resource types that tenants define: which kind lives there is known after the token is. From then on they are
//! handled like those of users.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::MethodRouter;
use http::Response;
use provider::ResourceKind;
use tower::ServiceExt as _;

use super::visitor::{Admitted, endpoint, no_such_method};
use super::{Rejection, resources};
use crate::App;

/// Answers `/{endpoint}`.
pub(crate) async fn collection(State(app): State<App>, request: Request) -> Result<Response<Body>, Rejection> {
    answer(app, request, resources::collection).await
}

/// Answers `/{endpoint}/.search`.
pub(crate) async fn search(State(app): State<App>, request: Request) -> Result<Response<Body>, Rejection> {
    answer(app, request, resources::search).await
}

/// Answers `/{endpoint}/{id}`.
pub(crate) async fn one(State(app): State<App>, request: Request) -> Result<Response<Body>, Rejection> {
    answer(app, request, resources::one).await
}

async fn answer(
    app: App,
    mut request: Request,
    methods: fn(ResourceKind) -> MethodRouter<App>,
) -> Result<Response<Body>, Rejection> {
    let admitted = Admitted::read(&app, request.headers(), request.uri()).await?;
    let kind = admitted.caller.profile().kind_at(endpoint(request.uri()));
    // Users and groups have routes of their own, which know them by their exact names as well.
    let Some(kind @ ResourceKind::Custom(_)) = kind else { return Err(Rejection::NoSuchAddress) };
    request.extensions_mut().insert(admitted);
    let methods = methods(kind).fallback(no_such_method).with_state(app);
    methods.oneshot(request).await.map_err(|never| match never {})
}
