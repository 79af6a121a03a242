//! The addresses of resource types that tenants define: which kind lives there is known after the token is. From then on they are
//! handled like those of users.

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
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
    request: Request,
    methods: fn(ResourceKind) -> MethodRouter<App>,
) -> Result<Response<Body>, Rejection> {
    let (mut parts, body) = request.into_parts();
    let admitted = Admitted::from_request_parts(&mut parts, &app).await?;
    let kind = admitted.caller.profile().kind_at(endpoint(&parts.uri));
    // Users and groups have routes of their own, which know them by their exact names as well.
    let Some(kind @ ResourceKind::Custom(_)) = kind else { return Err(Rejection::NoSuchAddress) };
    parts.extensions.insert(admitted);
    let methods = methods(kind).fallback(no_such_method).with_state(app);
    methods.oneshot(Request::from_parts(parts, body)).await.map_err(|never| match never {})
}
