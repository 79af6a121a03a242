//! Who sends a request: from the `Authorization` header (RFC 6750 §2.1) to a caller, and to one who may write.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use provider::{Caller, ProviderError, TokenHash, View, Walker, WriteAccess, oauth};
use scim::Projection;
use store::{ReadTx, ResourceId, WriteTx};

use super::{Rejection, answer};
use crate::App;
use crate::edge::Edge;
use crate::oauth::introduce;
use crate::trail::Trail;

/// A request with something that could be a token; whether it is one is known after [`Visitor::admit`].
#[derive(Clone)]
pub(crate) struct Visitor {
    token: TokenHash,
    tenant: String,
    base: String,
    edge: Arc<Edge>,
    trail: Option<Arc<Trail>>,
}

impl Visitor {
    async fn read(app: &App, headers: &HeaderMap, uri: &Uri, trail: Option<&Arc<Trail>>) -> Result<Self, Rejection> {
        let presented = bearer(headers)?;
        let token = app.token_key.hash(presented)?;
        let tenant = segments(uri).nth(1).unwrap_or_default();
        if oauth::is_jwt(presented) {
            introduce(app, tenant, presented, &token).await?;
        }
        let (edge, trail) = (Arc::clone(app.edge()), trail.cloned());
        Ok(Self { token, tenant: tenant.to_owned(), base: app.scim_base(tenant), edge, trail })
    }

    /// Looks the token up. The tenant is the token's; an address of another tenant is answered as if the token were unknown.
    pub(crate) fn admit(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Arc<Caller>, Rejection> {
        let caller = self.token.authenticate(tx, now)?;
        if caller.tenant_name() != self.tenant {
            return Err(Rejection::BadToken);
        }
        let (gate, wait) = self.edge.gates.pass(&caller);
        if let Some(trail) = &self.trail {
            trail.is_of(&caller, gate);
        }
        wait.map_or(Ok(caller), |seconds| Err(Rejection::TooMany { seconds }))
    }

    /// The same for a request that goes on after the look-up.
    pub(crate) async fn admitted(self, app: &App, now: Timestamp) -> Result<Admitted, Rejection> {
        let found = app.store.look_up(move |tx| match self.admit(tx, now) {
            Ok(caller) => Ok(Found::Caller(Admitted::of(&self, caller))),
            // Once for each thing that a tenant defines, and not in a look-up, which is one statement.
            Err(Rejection::SchemasNotAtHand) => Ok(Found::Later(self.clone())),
            Err(refused) => Err(refused),
        });
        let admitted = match found.await? {
            Found::Caller(admitted) => admitted,
            Found::Later(visitor) => {
                app.store.read(move |tx| visitor.admit(tx, now).map(|caller| Admitted::of(&visitor, caller))).await?
            }
        };
        app.uses().note(&admitted.caller, now);
        Ok(admitted)
    }

    /// How to show resources to this visitor.
    pub(crate) fn view<'a>(&'a self, projection: &'a Projection) -> View<'a> {
        View { base: &self.base, projection }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        Self::read(app, &parts.headers, &parts.uri, parts.extensions.get()).await
    }
}

/// What a look-up finds.
enum Found {
    Caller(Admitted),
    Later(Visitor),
}

/// A request whose token is valid, with the address of the tenant's endpoint.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Arc<Caller>,
    pub(crate) base: String,
    token: TokenHash,
}

impl Admitted {
    fn of(visitor: &Visitor, caller: Arc<Caller>) -> Self {
        Self { caller, base: visitor.base.clone(), token: visitor.token.clone() }
    }

    pub(crate) async fn read(
        app: &App,
        headers: &HeaderMap,
        uri: &Uri,
        trail: Option<&Arc<Trail>>,
    ) -> Result<Self, Rejection> {
        Visitor::read(app, headers, uri, trail).await?.admitted(app, app.now()).await
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

/// A request whose token is valid and may also write; looked at before the body is. Only such a one can run a use case that writes.
pub(crate) struct Writer(Admitted);

impl std::ops::Deref for Writer {
    type Target = Admitted;
    fn deref(&self) -> &Admitted {
        &self.0
    }
}

impl FromRequestParts<App> for Writer {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let admitted = Admitted::from_request_parts(parts, app).await?;
        admitted.caller.may_write()?;
        Ok(Self(admitted))
    }
}

impl Writer {
    /// The request, for what is read after the writing.
    pub(crate) fn into_admitted(self) -> Admitted {
        self.0
    }

    /// Runs a use case of the caller that writes. The token is looked up once more with it: the body may have come long
    /// after the head, and what is revoked meanwhile writes nothing.
    pub(crate) async fn write<T, F>(&self, app: &App, now: Timestamp, mut use_case: F) -> Result<T, Rejection>
    where
        F: FnMut(&mut WriteTx<'_>, WriteAccess<'_>) -> Result<T, ProviderError> + Send + 'static,
        T: Send + 'static,
    {
        let Self(admitted) = self;
        let _turn = app.room().write(admitted.caller.tenant()).await?;
        let (caller, token) = (Arc::clone(&admitted.caller), admitted.token.clone());
        let written = app.store.write(move |tx| {
            token.check(tx, &caller, now)?;
            Ok::<_, Rejection>(use_case(tx, caller.may_write()?)?)
        });
        let written = written.await?;
        app.tell_changed();
        Ok(written)
    }
}

impl FromRequestParts<App> for Admitted {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        match parts.extensions.remove::<Self>() {
            Some(admitted) => Ok(admitted),
            None => Self::read(app, &parts.headers, &parts.uri, parts.extensions.get()).await,
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

pub(crate) fn segments(uri: &Uri) -> impl Iterator<Item = &str> {
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
    trail: Option<Extension<Arc<Trail>>>,
    headers: HeaderMap,
    uri: Uri,
) -> Rejection {
    refuse(&app, trail, &headers, &uri, Rejection::NoSuchAddress).await
}

/// Answers every method that an address does not have; the router adds `Allow`. `OPTIONS` asks for just that (RFC 9110 §9.3.7), and is
/// no leave for scripts of other sites: there is no header that would give it.
pub(crate) async fn no_such_method(
    axum::extract::State(app): axum::extract::State<App>,
    trail: Option<Extension<Arc<Trail>>>,
    headers: HeaderMap,
    method: Method,
    uri: Uri,
) -> Result<Response<Body>, Rejection> {
    match refuse(&app, trail, &headers, &uri, Rejection::NoSuchMethod).await {
        Rejection::NoSuchMethod if method == Method::OPTIONS => Ok(answer::empty(StatusCode::NO_CONTENT, None)),
        refusal => Err(refusal),
    }
}

async fn refuse(
    app: &App,
    trail: Option<Extension<Arc<Trail>>>,
    headers: &HeaderMap,
    uri: &Uri,
    refusal: Rejection,
) -> Rejection {
    if segments(uri).next() != Some("t") {
        return refusal;
    }
    match Admitted::read(app, headers, uri, trail.as_deref()).await {
        Ok(_) => refusal,
        Err(unauthorised) => unauthorised,
    }
}
