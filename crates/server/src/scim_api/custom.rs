//! The addresses of resource types that tenants define: which kind lives there is known after the token is. From then on they are
//! handled like those of users. And the server's own addresses in another case, as in `/users`, which some clients are written with.

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::routing::{MethodRouter, get, post};
use http::Response;
use provider::ResourceKind;
use tower::ServiceExt as _;

use super::visitor::{Admitted, endpoint, no_such_method};
use super::{Rejection, bulk, discovery, resources};
use crate::App;

type Methods = MethodRouter<App>;

/// Answers `/{endpoint}`.
pub(crate) async fn collection(State(app): State<App>, request: Request) -> Result<Response<Body>, Rejection> {
    let own = |endpoint: &str| match endpoint.to_ascii_lowercase().as_str() {
        "serviceproviderconfig" => Some(get(discovery::service_provider_config)),
        "resourcetypes" => Some(get(discovery::resource_types)),
        "schemas" => Some(get(discovery::schemas)),
        "bulk" => Some(post(bulk::bulk)),
        _ => None,
    };
    answer(app, request, own, resources::collection).await
}

/// Answers `/{endpoint}/.search`.
pub(crate) async fn search(State(app): State<App>, request: Request) -> Result<Response<Body>, Rejection> {
    answer(app, request, |_| None, resources::search).await
}

/// Answers `/{endpoint}/{id}`.
pub(crate) async fn one(State(app): State<App>, request: Request) -> Result<Response<Body>, Rejection> {
    let own = |endpoint: &str| match endpoint.to_ascii_lowercase().as_str() {
        "resourcetypes" => Some(get(discovery::resource_type)),
        "schemas" => Some(get(discovery::schema)),
        _ => None,
    };
    answer(app, request, own, resources::one).await
}

async fn answer(
    app: App,
    request: Request,
    own: fn(&str) -> Option<Methods>,
    methods: fn(ResourceKind) -> Methods,
) -> Result<Response<Body>, Rejection> {
    let (mut parts, body) = request.into_parts();
    let admitted = Admitted::from_request_parts(&mut parts, &app).await?;
    let endpoint = endpoint(&parts.uri);
    if endpoint.eq_ignore_ascii_case("me") {
        return Err(resources::me(admitted).await);
    }
    let at_kind = || admitted.caller.profile().kind_at(endpoint).map(methods);
    let methods = own(endpoint).or_else(at_kind).ok_or(Rejection::NoSuchAddress)?;
    parts.extensions.insert(admitted);
    let methods = methods.fallback(no_such_method).with_state(app);
    methods.oneshot(Request::from_parts(parts, body)).await.map_err(|never| match never {})
}
