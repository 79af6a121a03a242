//! Who sends a request: from the `Authorization` header (RFC 6750 §2.1) to a caller, and to one who may write.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use jiff::Timestamp;
use provider::{AuthError, Caller, ProviderError, Scope, TenantSettings, TokenHash, View, Walker, WriteAccess, oauth};
use scim::Projection;
use store::resources::ResourceKind;
use store::{ReadTx, ResourceId, WriteTx};

use super::answer::{self, Location};
use super::room::WriteSize;
use super::{Rejection, spelling};
use crate::App;
use crate::oauth::introduce;
use crate::traces::Trace;
use crate::trail::{Known, Trail};

/// A request with something that could be a token; whether it is one is known after [`Visitor::admit`].
#[derive(Clone)]
pub(crate) struct Visitor {
    token: TokenHash,
    /// The tenant in the address; `None` at an address of a tenant's own, which names none.
    tenant: Option<String>,
    /// The scope of a token that is for this request.
    needed: Scope,
    base: String,
    app: App,
    trail: Option<Arc<Trail>>,
    /// Whether it has passed its tenant's gate already.
    has_passed: bool,
}

impl Visitor {
    async fn read(app: &App, parts: &Parts) -> Result<Self, Rejection> {
        let presented = bearer(app, &parts.headers)?;
        let tenant = segments(&parts.uri).nth(1).unwrap_or_default();
        let token = app.token_key.hash_at(tenant, presented)?;
        if oauth::is_jwt(presented) {
            introduce(app, tenant, presented, &token).await?;
        }
        Ok(Self::new(app, token, tenant, parts))
    }

    fn new(app: &App, token: TokenHash, tenant: &str, parts: &Parts) -> Self {
        let (tenant, base, needed) =
            (Some(tenant.to_owned()), app.scim_base(tenant), needed(&parts.method, &parts.uri));
        let trail = parts.extensions.get().cloned();
        Self { token, tenant, needed, base, app: app.clone(), trail, has_passed: false }
    }

    /// One at an address that names no tenant. A token of an identity provider must be known already: who is to vouch for a new one, the
    /// address does not tell.
    pub(crate) fn at_own_address<B>(app: &App, request: &Request<B>) -> Result<Self, Rejection> {
        let token = app.token_key.hash(bearer(app, request.headers())?)?;
        let (app, trail) = (app.clone(), request.extensions().get().cloned());
        let needed = needed(request.method(), request.uri());
        Ok(Self { token, tenant: None, needed, base: String::new(), app, trail, has_passed: false })
    }

    /// Looks the token up. The tenant is the token's; an address of another tenant is answered as if the token were unknown.
    pub(crate) fn admit(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Arc<Caller>, Rejection> {
        let is_elsewhere = |name: &str| self.tenant.as_ref().is_some_and(|tenant| tenant != name);
        let caller = match self.token.authenticate(tx, now) {
            Err(AuthError::OtherScope { bearer, .. }) if is_elsewhere(&bearer.tenant_name) => {
                return Err(Rejection::BadToken);
            }
            Err(AuthError::OtherScope { bearer, .. }) => {
                self.pass((&*bearer).into(), (&bearer.tenant_name, &bearer.settings))?;
                return Err(Rejection::OtherScope { needed: self.needed });
            }
            found => found?,
        };
        if is_elsewhere(caller.tenant_name()) {
            return Err(Rejection::BadToken);
        }
        if let Some(trail) = &self.trail {
            trail.admits(&caller);
        }
        self.pass((&*caller).into(), (caller.tenant_name(), caller.settings()))?;
        Ok(caller)
    }

    fn pass(&self, known: Known, tenant: (&str, &TenantSettings)) -> Result<(), Rejection> {
        if self.has_passed { Ok(()) } else { known.pass(self.app.edge(), self.trail.as_ref(), tenant) }
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

    /// The trace of the request, where it is followed.
    pub(crate) fn trace(&self) -> Option<Arc<Trace>> {
        self.trail.as_ref().and_then(|trail| trail.trace()).cloned()
    }

    /// The address of the tenant's endpoint, as answers tell it: its own where it has one, whichever was asked.
    pub(crate) fn base<'a>(&'a self, caller: &Caller) -> Cow<'a, str> {
        let settings = caller.settings();
        if self.tenant.is_some() && settings.address.is_none() {
            return Cow::Borrowed(&self.base);
        }
        Cow::Owned(settings.scim_base(&self.app.public_url, caller.tenant_name()))
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        match parts.extensions.get::<Admitted>() {
            // Counted on its way here; the token is looked up once more, in the transaction that reads.
            Some(Admitted { token, caller, .. }) => {
                Ok(Self { has_passed: true, ..Self::new(app, token.clone(), caller.tenant_name(), parts) })
            }
            None => Self::read(app, parts).await,
        }
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
    /// Holds what the request holds: work that outlives it keeps it.
    pub(crate) trail: Option<Arc<Trail>>,
}

impl Admitted {
    fn of(visitor: &Visitor, caller: Arc<Caller>) -> Self {
        let (base, token) = (visitor.base(&caller).into_owned(), visitor.token.clone());
        Self { base, caller, token, trail: visitor.trail.clone() }
    }

    /// Looks the token up once more: the body may have come long after the head, and what is revoked meanwhile reads nothing.
    pub(crate) async fn check(&self, app: &App) -> Result<(), Rejection> {
        let (token, now) = (self.token.clone(), app.now());
        let look_up = app.store.look_up(move |tx| match token.authenticate(tx, now) {
            Ok(_) | Err(AuthError::SchemasNotAtHand) => Ok(()),
            Err(refused) => Err(Rejection::from(refused)),
        });
        look_up.await
    }

    /// Who walks through a list, page by page.
    pub(crate) fn walker(&self) -> Walker {
        Walker::from(&self.token)
    }

    /// The trace of the request, where it is followed.
    pub(crate) fn trace(&self) -> Option<Arc<Trace>> {
        self.trail.as_ref().and_then(|trail| trail.trace()).cloned()
    }

    /// Where a resource is.
    pub(crate) fn location(&self, kind: ResourceKind, id: ResourceId) -> Result<Location, Rejection> {
        Location::of(&self.base, self.caller.endpoint(kind), id)
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
    pub(crate) async fn write<T, F>(&self, app: &App, now: Timestamp, use_case: F) -> Result<T, Rejection>
    where
        F: FnMut(&mut WriteTx<'_>, WriteAccess<'_>) -> Result<T, ProviderError> + Send + 'static,
        T: Send + 'static,
    {
        self.write_sized(app, now, WriteSize::One, use_case).await
    }

    /// The same for one that may write much.
    pub(crate) async fn write_sized<T, F>(
        &self,
        app: &App,
        now: Timestamp,
        size: WriteSize,
        mut use_case: F,
    ) -> Result<T, Rejection>
    where
        F: FnMut(&mut WriteTx<'_>, WriteAccess<'_>) -> Result<T, ProviderError> + Send + 'static,
        T: Send + 'static,
    {
        let Self(admitted) = self;
        let asked = admitted.trace().map(|trace| (trace, Instant::now()));
        let tenant = admitted.caller.tenant();
        let turn = app.room().write(tenant, size, app.edge().gates.is_accompanied(tenant)).await?;
        let (caller, token, trail) = (Arc::clone(&admitted.caller), admitted.token.clone(), admitted.trail.clone());
        let written = turn.write(&app.store, move |tx| {
            let _held = &trail;
            token.check(tx, &caller, now)?;
            Ok::<_, Rejection>(use_case(tx, caller.may_write()?)?)
        });
        let (written, times) = written.await;
        if let (Some((trace, asked)), Some(times)) = (asked, times) {
            trace.write(asked, times);
        }
        let written = written?;
        app.tell_changed();
        Ok(written)
    }
}

impl FromRequestParts<App> for Admitted {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        if let Some(admitted) = parts.extensions.remove::<Self>() {
            return Ok(admitted);
        }
        let visitor = Visitor::read(app, parts).await?;
        visitor.admitted(app, app.now()).await
    }
}

/// The last part of the address: of one resource, its id; `None` when it cannot be one. An id is written in one way only, so nothing
/// is decoded here.
pub(crate) struct LastSegment(pub(crate) String);

impl LastSegment {
    /// The id of a resource of this kind. What cannot be one is refused as one that the tenant does not have.
    pub(crate) fn id(&self, caller: &Caller, kind: ResourceKind) -> Result<ResourceId, ProviderError> {
        ResourceId::exact(&self.0).ok_or_else(|| caller.not_found(kind))
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

/// The scope of a token that may send such a request of people and groups. A search writes nothing, although it is a POST (RFC 7644
/// §3.4.3).
fn needed(method: &Method, uri: &Uri) -> Scope {
    match *method {
        Method::POST if spelling::is_one(uri.path()) => Scope::Read,
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE => Scope::Write,
        _ => Scope::Read,
    }
}

pub(crate) fn segments(uri: &Uri) -> impl Iterator<Item = &str> {
    uri.path().split('/').skip(1)
}

/// The token of the one `Authorization` header there may be. One that others could read on its way is refused.
pub(crate) fn bearer<'a>(app: &App, headers: &'a HeaderMap) -> Result<&'a str, Rejection> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return Err(Rejection::NoToken) };
    let text = value.to_str().map_err(|_| Rejection::BadToken)?;
    match text.split_once(' ') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") && app.exposes(headers) => Err(Rejection::InClear),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Rejection::NoToken),
    }
}

/// Answers every address below a tenant's that has no route.
pub(crate) async fn no_such_address(State(app): State<App>, parts: Parts) -> Rejection {
    refuse(&app, parts, Rejection::NoSuchAddress).await
}

/// Answers every method that an address does not have; the router adds `Allow`. `OPTIONS` asks for just that (RFC 9110 §9.3.7), and is
/// no leave for scripts of other sites: there is no header that would give it.
pub(crate) async fn no_such_method(State(app): State<App>, parts: Parts) -> Result<Response<Body>, Rejection> {
    let method = parts.method.clone();
    match refuse(&app, parts, Rejection::NoSuchMethod).await {
        Rejection::NoSuchMethod if method == Method::OPTIONS => Ok(answer::empty(StatusCode::NO_CONTENT, None)),
        refusal => Err(refusal),
    }
}

async fn refuse(app: &App, mut parts: Parts, refusal: Rejection) -> Rejection {
    if segments(&parts.uri).next() != Some("t") {
        return refusal;
    }
    match Admitted::from_request_parts(&mut parts, app).await {
        Ok(_) => refusal,
        Err(unauthorised) => unauthorised,
    }
}
