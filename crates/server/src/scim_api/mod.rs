//! The SCIM API of a tenant (RFC 7644) under `/t/{tenant}/scim/v2`: routes and their order. Handlers are in `resources` and
//! `discovery`; addresses of tenants' own are in `own_address`.
//!
//! Every handler asks for a caller, and a caller comes from a token only, never from the address. Addresses that lead nowhere are
//! answered after the token has been looked at, so that nothing is learnt without one.

mod answer;
mod body;
mod bulk;
mod custom;
mod discovery;
mod group_body;
mod own_address;
mod parameters;
mod pieces;
mod rejection;
mod resources;
mod room;
mod spelling;
mod visitor;

use axum::Router;
use axum::extract::State;
use axum::routing::{any, get, post};
use store::resources::ResourceKind;

pub(crate) use body::DefinitionBody;
pub use body::{BODY_BYTES_MAX, BODY_DEADLINE};
pub(crate) use rejection::{IsBadToken, Rejection};
pub(crate) use room::{ANSWER_BYTES, BodyPlace, Room, WriteSize};
pub(crate) use spelling::write_as_routed;
pub(crate) use visitor::{bearer, segments};

use crate::App;

/// Where a tenant's endpoint begins.
const BASE: &str = "/t/{tenant}/scim/v2";

/// All routes, and what answers every other address.
pub(crate) fn routes(app: &App) -> Router<App> {
    let usual = at_usual_address().with_state(app.clone());
    let other = move |State(app), request| own_address::answer(app, usual, request);
    at_usual_address().fallback(other)
}

fn at_usual_address() -> Router<App> {
    let of_kind = |(name, kind): (&str, ResourceKind)| {
        [
            (name.to_owned(), resources::collection(kind)),
            (format!("{name}/.search"), resources::search(kind)),
            (format!("{name}/{{id}}"), resources::one(kind)),
        ]
    };
    let kinds = [("/Users", ResourceKind::User), ("/Groups", ResourceKind::Group)].into_iter().flat_map(of_kind);
    let others = [
        ("", resources::everything()),
        ("/.search", resources::search_everything()),
        ("/Me", any(resources::me)),
        ("/Bulk", post(bulk::bulk)),
        ("/ServiceProviderConfig", get(discovery::service_provider_config)),
        ("/Schemas", get(discovery::schemas)),
        ("/Schemas/{id}", get(discovery::schema)),
        ("/ResourceTypes", get(discovery::resource_types)),
        ("/ResourceTypes/{id}", get(discovery::resource_type)),
        ("/{endpoint}", any(custom::collection)),
        ("/{endpoint}/.search", any(custom::search)),
        ("/{endpoint}/{id}", any(custom::one)),
    ];
    kinds
        .chain(others.map(|(path, handler)| (path.to_owned(), handler)))
        .fold(Router::new(), |routes, (path, handler)| {
            // A slash at the end changes nothing.
            routes.route(&format!("{BASE}{path}"), handler.clone()).route(&format!("{BASE}{path}/"), handler)
        })
        .fallback(visitor::no_such_address)
        .method_not_allowed_fallback(visitor::no_such_method)
}
