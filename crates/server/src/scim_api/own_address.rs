//! Addresses of tenants' own: every address that is no route is one, if the token's tenant has it. The request then goes on as one to
//! the usual address.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::uri::PathAndQuery;
use http::{Response, Uri, header};
use tower::ServiceExt as _;

use super::visitor::{Admitted, Visitor, no_such_address, segments};
use super::{Rejection, write_as_routed};
use crate::App;

/// Answers an address that is no route. `usual` has the routes of the usual addresses, and ends there: a request goes on once.
pub(crate) async fn answer(app: App, usual: Router, mut request: Request) -> Result<Response<Body>, Rejection> {
    let first = segments(request.uri()).next().unwrap_or_default();
    if first == "t" {
        return Err(no_such_address(State(app), request.into_parts().0).await);
    }
    // Without a token every other spelling of an address is refused alike.
    if request.uri().path() == "/" || provider::RESERVED_SEGMENTS.contains(&first) {
        return Err(Rejection::NoSuchAddress);
    }
    let visitor = Visitor::at_own_address(&app, &request)?;
    let admitted = visitor.admitted(&app, app.now()).await?;
    *request.uri_mut() = usual_address(&admitted, &request).ok_or(Rejection::NoSuchAddress)?;
    if let Some(trace) = &admitted.trace() {
        trace.goes_on_at(request.uri().path());
    }
    request.extensions_mut().insert(admitted);
    usual.oneshot(request).await.map_err(|never| match never {})
}

/// Where the request would have gone at the usual address; `None` where this is no address of the tenant.
fn usual_address(admitted: &Admitted, request: &Request) -> Option<Uri> {
    let uri = request.uri();
    let named = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or_else(named);
    let rest = admitted.caller.settings().address.as_ref()?.rest(host, uri.path())?;
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let there = format!("/t/{}/scim/v2{rest}{query}", admitted.caller.tenant_name());
    let mut there = Uri::from(PathAndQuery::try_from(there).ok()?);
    write_as_routed(&mut there);
    Some(there)
}
