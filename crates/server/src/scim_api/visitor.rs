//! Who sends a request: from the `Authorization` header (RFC 6750 §2.1) to a caller.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method, Uri, header};
use jiff::Timestamp;
use provider::{Caller, ProviderError, TokenHash, View, Walker};
use scim::Projection;
use store::{ReadTx, ResourceId, WriteTx};

use super::Rejection;
use crate::App;

/// A request with something that could be a token; whether it is one is known after [`Visitor::admit`].
pub(crate) struct Visitor {
    token: TokenHash,
    tenant: String,
    base: String,
}

impl Visitor {
    fn read(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<Self, Rejection> {
        let token = app.token_key.hash(bearer(headers)?)?;
        let tenant = segments(uri).nth(1).unwrap_or_default();
        Ok(Self { token, tenant: tenant.to_owned(), base: app.scim_base(tenant) })
    }

    /// Looks the token up. The tenant is the token's; an address of another tenant is answered as if the token were unknown.
    pub(crate) fn admit(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Arc<Caller>, Rejection> {
        let caller = self.token.authenticate(tx, now)?;
        if caller.tenant_name() == self.tenant { Ok(caller) } else { Err(Rejection::BadToken) }
    }

    /// The same for a request that goes on after the look-up.
    pub(crate) async fn admitted(self, app: &App, now: Timestamp) -> Result<Admitted, Rejection> {
        app.store
            .look_up(move |tx| {
                let caller = self.admit(tx, now)?;
                Ok(Admitted { caller, base: self.base.clone(), token: self.token.clone() })
            })
            .await
    }

    /// How to show resources to this visitor.
    pub(crate) fn view<'a>(&'a self, projection: &'a Projection) -> View<'a> {
        View { base: &self.base, projection }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        Self::read(app, &parts.headers, &parts.uri)
    }
}

/// A request whose token is valid, with the address of the tenant's endpoint.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Arc<Caller>,
    pub(crate) base: String,
    token: TokenHash,
}

impl Admitted {
    pub(crate) async fn read(app: &App, headers: &HeaderMap, uri: &Uri) -> Result<Self, Rejection> {
        Visitor::read(app, headers, uri)?.admitted(app, app.now()).await
    }

    /// Runs a use case of the caller that writes. The token is looked up once more with it: the body may have come long
    /// after the head, and what is revoked meanwhile writes nothing.
    pub(crate) async fn write<T, F>(&self, app: &App, now: Timestamp, mut use_case: F) -> Result<T, Rejection>
    where
        F: FnMut(&mut WriteTx<'_>, &Caller) -> Result<T, ProviderError> + Send + 'static,
        T: Send + 'static,
    {
        let (caller, token) = (Arc::clone(&self.caller), self.token.clone());
        app.store
            .write(move |tx| {
                token.check(tx, now)?;
                Ok(use_case(tx, &caller)?)
            })
            .await
    }

    /// Who walks through a list, page by page.
    pub(crate) fn walker(&self) -> Walker {
        Walker::from(&self.token)
    }

    /// How to show resources to this caller.
    pub(crate) fn view<'a>(&'a self, projection: &'a Projection) -> View<'a> {
        View { base: &self.base, projection }
    }
}

impl FromRequestParts<App> for Admitted {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        match parts.extensions.remove::<Self>() {
            Some(admitted) => Ok(admitted),
            None => Self::read(app, &parts.headers, &parts.uri).await,
        }
    }
}

/// The last part of the address: of one resource, its id; `None` when it cannot be one. An id is written in one way only, so nothing
/// is decoded here.
pub(crate) struct LastSegment(pub(crate) String);

impl LastSegment {
    pub(crate) fn id(&self) -> Result<ResourceId, Rejection> {
        ResourceId::exact(&self.0).ok_or(Rejection::NoSuchResource)
    }
}

impl FromRequestParts<App> for LastSegment {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        Ok(Self(segments(&parts.uri).nth(5).unwrap_or_default().to_owned()))
    }
}

/// The name after the tenant's address, such as `Users`.
pub(crate) fn endpoint(uri: &Uri) -> &str {
    segments(uri).nth(4).unwrap_or_default()
}

fn segments(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.path().split('/').skip(1)
}

/// The token of the one `Authorization` header there may be.
fn bearer(headers: &HeaderMap) -> Result<&str, Rejection> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(Rejection::NoToken) };
    let text = value.to_str().map_err(|_| Rejection::BadToken)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Rejection::NoToken),
    }
}

/// Answers every address without a route.
pub(crate) async fn no_such_address(
    axum::extract::State(app): axum::extract::State<App>,
    headers: HeaderMap,
    uri: Uri,
) -> Rejection {
    refuse(&app, &headers, &uri, Rejection::NoSuchAddress).await
}

/// Answers every method that an address does not have; the router adds `Allow`.
pub(crate) async fn no_such_method(
    axum::extract::State(app): axum::extract::State<App>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
) -> Rejection {
    tracing::debug!("No {method} here");
    refuse(&app, &headers, &uri, Rejection::NoSuchMethod).await
}

async fn refuse(app: &App, headers: &HeaderMap, uri: &Uri, refusal: Rejection) -> Rejection {
    if segments(uri).next() != Some("t") {
        return refusal;
    }
    match Admitted::read(app, headers, uri).await {
        Ok(_) => refusal,
        Err(unauthorised) => unauthorised,
    }
}
