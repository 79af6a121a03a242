//! Addresses that are no route: those of tenants' own, if the token's tenant has it, and those that an answer told behind the address
//! of the endpoint, which some clients put there. The request then goes on as one to the usual address.

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Response, StatusCode, Uri, header};
use tower::ServiceExt as _;

use super::visitor::{Admitted, Visitor, no_such_address, segments};
use super::{Rejection, answer, write_as_routed};
use crate::App;

/// Every method that some address has.
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS");

/// Answers an address that is no route, and `*`. `usual` has the routes of the usual addresses, and ends there: a request goes on once.
pub(crate) async fn answer(app: App, usual: Router, mut request: Request) -> Result<Response<Body>, Rejection> {
    if *request.method() == Method::OPTIONS && request.uri().path() == "*" {
        return Ok(methods_of_the_server());
    }
    let first = segments(request.uri()).next().unwrap_or_default();
    if first == "t" {
        let (mut parts, body) = request.into_parts();
        let Some(there) = told_address(&app, &parts.uri) else {
            return Err(no_such_address(State(app), parts).await);
        };
        parts.uri = there;
        let admitted = Admitted::from_request_parts(&mut parts, &app).await?;
        return go_on(usual, admitted, Request::from_parts(parts, body)).await;
    }
    // Without a token every other spelling of an address is refused alike.
    if request.uri().path() == "/" || provider::RESERVED_SEGMENTS.contains(&first) {
        return Err(Rejection::NoSuchAddress);
    }
    let visitor = Visitor::at_own_address(&app, &request)?;
    let admitted = visitor.admitted(&app, app.now()).await?;
    *request.uri_mut() = usual_address(&app, &admitted, &request).ok_or(Rejection::NoSuchAddress)?;
    go_on(usual, admitted, request).await
}

/// The answer to `OPTIONS *`, which asks for no address and no tenant's data: what the server knows at all (RFC 9110 §9.3.7).
fn methods_of_the_server() -> Response<Body> {
    let mut answer = answer::empty(StatusCode::NO_CONTENT, None);
    answer.headers_mut().insert(header::ALLOW, METHODS);
    answer
}

async fn go_on(usual: Router, admitted: Admitted, mut request: Request) -> Result<Response<Body>, Rejection> {
    if let Some(trace) = &admitted.trace() {
        trace.goes_on_at(request.uri().path());
    }
    request.extensions_mut().insert(admitted);
    usual.oneshot(request).await.map_err(|never| match never {})
}

/// Where a request goes whose path is a usual endpoint's and, behind it, a whole address that is told below this endpoint.
fn told_address(app: &App, uri: &Uri) -> Option<Uri> {
    let (tenant, rest) = uri.path().strip_prefix("/t/")?.split_once('/')?;
    let rest = behind_base(rest.strip_prefix("scim/v2")?, &app.scim_base(tenant))?;
    usual_uri(tenant, rest, uri)
}

/// What follows the address of the endpoint in a path that is that whole address and more, behind its slash.
fn behind_base<'p>(path: &'p str, base: &str) -> Option<&'p str> {
    path.strip_prefix('/')?.strip_prefix(base).filter(|rest| rest.starts_with('/'))
}

/// Where the request would have gone at the usual address; `None` where this is no address of the tenant.
fn usual_address(app: &App, admitted: &Admitted, request: &Request) -> Option<Uri> {
    let uri = request.uri();
    let named = || request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or_else(named);
    let address = admitted.caller.settings().address.as_ref()?;
    let rest = address.rest(host, uri.path())?;
    let rest = behind_base(rest, &address.base(&app.public_url)).unwrap_or(rest);
    usual_uri(admitted.caller.tenant_name(), rest, uri)
}

/// The usual address of what is at `rest` below a tenant's endpoint, with the query of the request.
fn usual_uri(tenant: &str, rest: &str, asked: &Uri) -> Option<Uri> {
    let query = asked.query().map_or_else(String::new, |query| format!("?{query}"));
    let mut there = Uri::from(PathAndQuery::try_from(format!("/t/{tenant}/scim/v2{rest}{query}")).ok()?);
    write_as_routed(&mut there);
    Some(there)
}
