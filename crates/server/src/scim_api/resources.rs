//! Handlers of users and groups (RFC 7644 §3). The two differ in the use case's `kind` and in what a change answers.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::routing::{MethodRouter, get, post};
use http::request::Parts;
use http::{HeaderName, Response, StatusCode, header};
use provider::{
    COMPARISONS_AT_ONCE_MAX, Caller, Changed, Deleted, EntityTag, Kinds, Listing, NewResource, Patch, Precondition,
    ProviderError, Replacement, Representation, ResourceKind, View, WriteAccess,
};
use scim::Projection;
use store::{ResourceId, TenantKey, WriteTx};

use super::body::ScimBody;
use super::parameters::Parameters;
use super::room::{ANSWER_BYTES, Turn};
use super::visitor::{Admitted, LastSegment, Visitor, Writer};
use super::{Rejection, answer, group_body, pieces};
use crate::App;
use crate::traces::{READ, step};

type Answer = Result<Response<Body>, Rejection>;

/// The methods of `/Users` or `/Groups`.
pub(crate) fn collection(kind: ResourceKind) -> MethodRouter<App> {
    get(move |State(app), admitted, parameters| list(Kinds::One(kind), app, admitted, parameters))
        .post(move |app, writer, parameters, body| create(kind, app, writer, parameters, body))
}

/// The method of `/Users/.search` or `/Groups/.search` (RFC 7644 §3.4.3).
pub(crate) fn search(kind: ResourceKind) -> MethodRouter<App> {
    post(move |State(app), admitted, body| find(Kinds::One(kind), app, admitted, body))
}

/// The method of the endpoint's own address: a list of all resource types at once (RFC 7644 §3.4.2.1).
pub(crate) fn everything() -> MethodRouter<App> {
    get(|State(app), admitted, parameters| list(Kinds::All, app, admitted, parameters))
}

/// The method of `/.search`: the same, with the parameters in the body (RFC 7644 §3.4.3).
pub(crate) fn search_everything() -> MethodRouter<App> {
    post(|State(app), admitted, body| find(Kinds::All, app, admitted, body))
}

/// Answers `/Me` (RFC 7644 §3.11): a token stands for a client, and never for one of the users.
pub(crate) async fn me(_: Admitted) -> Rejection {
    provider::ProviderError::NotImplemented("a token stands for no user, so there is no /Me; name the user by its id")
        .into()
}

/// The methods of `/Users/{id}` or `/Groups/{id}`.
pub(crate) fn one(kind: ResourceKind) -> MethodRouter<App> {
    get(move |app, visitor, last, parameters, asked| get_one(kind, app, visitor, last, parameters, asked))
        .put(move |app, admitted, last, parameters, version, body| {
            replace(kind, app, admitted, last, (parameters, version), body)
        })
        .patch(move |app, admitted, last, parameters, version, body| {
            patch(kind, app, admitted, last, (parameters, version), body)
        })
        .delete(move |app, writer, last, version| delete(kind, app, writer, last, version))
}

async fn create(
    kind: ResourceKind,
    State(app): State<App>,
    writer: Writer,
    parameters: Parameters,
    body: ScimBody,
) -> Answer {
    let projection = parameters.projection()?;
    let now = app.now();
    let id = (app.ids)(now);
    let new = body.made(&app, &writer, move |caller, body| NewResource::prepare(caller, kind, body, id, now)).await?;
    let new = Arc::new(new);
    let stored = Arc::clone(&new);
    let turn = turn_to_choose(&app, &writer, &projection).await?;
    let members = writer.write(&app, now, move |tx, caller| provider::create(tx, caller, &stored)).await?;
    let admitted = writer.into_admitted();
    let location = admitted.location(kind, id)?;
    let represent = move |caller: &Caller, view: View<'_>| new.represent(caller, view, &members);
    let shown = chosen(&app, &admitted, projection, turn, represent).await?;
    Ok(answer::resource(StatusCode::CREATED, location, shown))
}

async fn list(scope: Kinds, app: App, admitted: Admitted, parameters: Parameters) -> Answer {
    let projection = parameters.projection()?;
    let (pager, walker, now) = (app.pager(), admitted.walker(), app.now());
    let listing = Listing::prepare(&admitted.caller, scope, &parameters.list(), pager, walker, now)?;
    let may_be_few = listing.may_be_one_statement() && is_chosen_at_once(&projection);
    let tenant = admitted.caller.tenant();
    let trace = admitted.trace();
    let shows_groups = listing.shows_groups(&admitted.caller, admitted.view(&projection))?;
    let only_counts = listing.only_counts();
    let asked = Arc::new((admitted, listing, projection));
    if may_be_few {
        let asked = Arc::clone(&asked);
        let run = move |tx: &mut store::ReadTx<'_>| {
            let (admitted, listing, projection) = &*asked;
            provider::list_few(tx, &admitted.caller, listing, admitted.view(projection)).map_err(Rejection::from)
        };
        // Users and their groups are read of one moment.
        let found = if shows_groups {
            step(trace.as_deref(), READ, app.store.read(run)).await?
        } else {
            step(trace.as_deref(), READ, app.store.look_up(run)).await?
        };
        if let Some(text) = found {
            return Ok(answer::json(StatusCode::OK, text));
        }
    }
    for bytes_max in [ANSWER_BYTES, group_body::GROUP_BYTES_MAX] {
        let asked = Arc::clone(&asked);
        let run = move |tx: &mut store::ReadTx<'_>| {
            let (admitted, listing, projection) = &*asked;
            provider::list(tx, &admitted.caller, listing, admitted.view(projection), bytes_max).map_err(Rejection::from)
        };
        // What takes no room does not wait behind answers that nobody reads.
        let room = app.room().take(tenant, if only_counts { 0 } else { bytes_max }).await?;
        let (list, room) = step(trace.as_deref(), READ, room.scan(&app.store, run)).await?;
        if let Some(list) = list {
            let bytes = list.bytes();
            let body =
                if list.is_short() { Body::from(room.keep(list.collect())) } else { pieces::body(list, room, bytes) };
            return Ok(answer::json(StatusCode::OK, body));
        }
    }
    Err(group_body::too_large())
}

async fn find(scope: Kinds, app: App, admitted: Admitted, body: ScimBody) -> Answer {
    admitted.check(&app).await?;
    let parameters = body.made(&app, &admitted, |_, body| Ok(Parameters::of_search(body)?)).await?;
    list(scope, app, admitted, parameters).await
}

/// Gets a resource, unless it is not at the version that the client names (RFC 9110 §13.1.1).
async fn get_one(
    kind: ResourceKind,
    app: State<App>,
    visitor: Visitor,
    last: LastSegment,
    parameters: Parameters,
    (matching, unless): (OnlyIfMatch, IfNoneMatch),
) -> Answer {
    matching.check(fetch(kind, app, visitor, last, parameters, unless).await?)
}

/// Looks up the token and the resource in one transaction: this is what clients ask most.
async fn fetch(
    kind: ResourceKind,
    State(app): State<App>,
    visitor: Visitor,
    last: LastSegment,
    parameters: Parameters,
    IfNoneMatch(unless): IfNoneMatch,
) -> Answer {
    let projection = parameters.projection()?;
    let now = app.now();
    if kind == ResourceKind::Group && provider::Profile::generic().wants_members(&projection) {
        let admitted = visitor.admitted(&app, now).await?;
        let id = last.id(&admitted.caller, kind)?;
        return group_body::answer(&app, admitted, id, projection, unless).await;
    }
    if !is_chosen_at_once(&projection) {
        let admitted = visitor.admitted(&app, now).await?;
        let id = last.id(&admitted.caller, kind)?;
        return fetch_in_turn(&app, admitted, (kind, id), projection, unless).await;
    }
    let trace = visitor.trace();
    let run = move |tx: &mut store::ReadTx<'_>| {
        let caller = visitor.admit(tx, now)?;
        let base = visitor.base(&caller);
        let view = View { base: &base, projection: &projection };
        let found = last.id(&caller, kind).map_err(Rejection::from).and_then(|id| {
            let location = answer::Location::of(&base, caller.endpoint(kind), id)?;
            Ok((location, provider::get(tx, &caller, kind, id, view, &unless)?))
        });
        Ok::<_, Rejection>((caller, found))
    };
    let (caller, found) = step(trace.as_deref(), READ, app.store.read(run)).await?;
    app.uses().note(&caller, now);
    let (location, found) = found?;
    Ok(answer::fetched(location, found))
}

/// Whether what an answer shows is chosen in no time.
fn is_chosen_at_once(projection: &Projection) -> bool {
    projection.comparisons() <= COMPARISONS_AT_ONCE_MAX
}

/// The same where choosing what is shown takes long: on a thread where it keeps nobody waiting, when it is the tenant's turn.
async fn fetch_in_turn(
    app: &App,
    admitted: Admitted,
    (kind, id): (ResourceKind, ResourceId),
    projection: Projection,
    unless: Precondition,
) -> Answer {
    let (location, tenant) = (admitted.location(kind, id)?, admitted.caller.tenant());
    let trace = admitted.trace();
    let run = move |tx: &mut store::ReadTx<'_>| {
        provider::get(tx, &admitted.caller, kind, id, admitted.view(&projection), &unless).map_err(Rejection::from)
    };
    let room = app.room().take(tenant, ANSWER_BYTES).await?;
    let (found, _) = step(trace.as_deref(), READ, room.scan(&app.store, run)).await?;
    Ok(answer::fetched(location, found))
}

async fn replace(
    kind: ResourceKind,
    State(app): State<App>,
    writer: Writer,
    last: LastSegment,
    (parameters, IfMatch(version)): (Parameters, IfMatch),
    body: ScimBody,
) -> Answer {
    let (projection, id, now) = (parameters.projection()?, last.id(&writer.caller, kind)?, app.now());
    let prepare = move |caller: &provider::Caller, body| Ok(Replacement::prepare(caller, kind, body));
    let replacement = match body.made(&app, &writer, prepare).await? {
        Ok(replacement) => replacement,
        Err(refusal) => return Err(unfit(&app, &writer, (kind, id), refusal).await),
    };
    let turn = turn_to_choose(&app, &writer, &projection).await?;
    let changed = writer
        .write(&app, now, move |tx, caller| provider::replace(tx, caller, id, &replacement, &version, now))
        .await?;
    shown(&app, writer.into_admitted(), id, changed, (projection, turn)).await
}

async fn patch(
    kind: ResourceKind,
    State(app): State<App>,
    writer: Writer,
    last: LastSegment,
    (parameters, IfMatch(version)): (Parameters, IfMatch),
    body: ScimBody,
) -> Answer {
    let (projection, now) = (parameters.projection()?, app.now());
    let base = writer.base.clone();
    let patch = body.made(&app, &writer, move |caller, body| Patch::prepare(caller, kind, body, &base)).await?;
    let id = last.id(&writer.caller, kind).map_err(|_| patch.without_resource(&writer.caller))?;
    let turn = turn_to_choose(&app, &writer, &projection).await?;
    let changed =
        writer.write(&app, now, move |tx, caller| provider::patch(tx, caller, id, &patch, &version, now)).await?;
    if projection.is_all() && !changed.is_whole() {
        let location = writer.location(kind, id)?;
        return Ok(location.put_on_empty(answer::empty(StatusCode::NO_CONTENT, Some(EntityTag::of(changed.version())))));
    }
    shown(&app, writer.into_admitted(), id, changed, (projection, turn)).await
}

/// How a PUT is refused whose body does not do: where there is no such resource, that is told and not what is wrong with it.
async fn unfit(
    app: &App,
    writer: &Writer,
    (kind, id): (ResourceKind, ResourceId),
    refusal: ProviderError,
) -> Rejection {
    let caller = Arc::clone(&writer.caller);
    match app.store.read(move |tx| provider::exists(tx, &caller, kind, id)).await {
        Ok(true) => refusal.into(),
        Ok(false) => writer.caller.not_found(kind).into(),
        Err(error) => error.into(),
    }
}

/// A resource after a change. A group is read again with its members, where they do not hold up the writer.
async fn shown(
    app: &App,
    admitted: Admitted,
    id: ResourceId,
    changed: Changed,
    (projection, turn): (Projection, Option<Turn>),
) -> Answer {
    if changed.is_whole() {
        let location = admitted.location(changed.kind(), id)?;
        let represent = move |caller: &Caller, view: View<'_>| changed.represent(caller, view);
        let shown = chosen(app, &admitted, projection, turn, represent).await?;
        return Ok(answer::resource(StatusCode::OK, location, shown));
    }
    // To read the group takes a turn of its own.
    drop(turn);
    let projection = projection.with_set(changed.set().to_vec());
    group_body::answer(app, admitted, id, projection, Precondition::None).await
}

/// The turn in which the answer to a write is made, where choosing what it shows takes long. It is taken before the write: who is refused
/// has changed nothing.
async fn turn_to_choose(app: &App, writer: &Writer, projection: &Projection) -> Result<Option<Turn>, Rejection> {
    if is_chosen_at_once(projection) {
        return Ok(None);
    }
    app.room().aside(writer.caller.tenant()).await.map(Some)
}

/// What a projection leaves of a resource: in its turn on a thread where it keeps nobody waiting.
async fn chosen(
    app: &App,
    admitted: &Admitted,
    projection: Projection,
    turn: Option<Turn>,
    represent: impl FnOnce(&Caller, View<'_>) -> Result<Representation, ProviderError> + Send + 'static,
) -> Result<Representation, Rejection> {
    let Some(turn) = turn else {
        return Ok(represent(&admitted.caller, admitted.view(&projection))?);
    };
    let (caller, base) = (Arc::clone(&admitted.caller), admitted.base.clone());
    let represent = move || represent(&caller, View { base: &base, projection: &projection });
    Ok(turn.aside(&app.store, represent).await??)
}

async fn delete(
    kind: ResourceKind,
    State(app): State<App>,
    writer: Writer,
    last: LastSegment,
    IfMatch(version): IfMatch,
) -> Answer {
    let (id, now) = (last.id(&writer.caller, kind)?, app.now());
    let tenant = writer.caller.tenant();
    let condition = version.clone();
    let begun =
        move |tx: &mut WriteTx<'_>, caller: WriteAccess<'_>| provider::delete(tx, caller, kind, id, &condition, now);
    let mut deleted = writer.write(&app, now, begun).await?;
    if deleted == Deleted::Leaving {
        // It goes on where the client does not wait for it.
        let app = app.clone();
        let rest = tokio::spawn(async move { go_on_deleting(&app, &writer, (kind, id), version).await });
        deleted = rest.await.map_err(|_| Rejection::Internal)??;
    }
    if deleted == (Deleted::Gone { members_left: true }) {
        tokio::spawn(async move { remove_left_members(&app, tenant).await });
    }
    Ok(answer::empty(StatusCode::NO_CONTENT, None))
}

/// Ends the deletion of a resource that is in very many groups, in transactions that keep nobody waiting.
async fn go_on_deleting(
    app: &App,
    writer: &Writer,
    (kind, id): (ResourceKind, ResourceId),
    version: Precondition,
) -> Result<Deleted, Rejection> {
    loop {
        let (now, condition) = (app.now(), version.clone());
        let part = move |tx: &mut WriteTx<'_>, caller: WriteAccess<'_>| {
            provider::go_on_deleting(tx, caller, kind, id, &condition, now)
        };
        let deleted = writer.write(app, now, part).await?;
        if deleted != Deleted::Leaving {
            return Ok(deleted);
        }
    }
}

/// Removes the rows of a large group's members, in transactions that keep nobody waiting. What is left when the server ends meanwhile,
/// housekeeping finds.
async fn remove_left_members(app: &App, tenant: TenantKey) {
    loop {
        match app.store.write(move |tx| provider::remove_left_members(tx, tenant)).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!("Members of a deleted group are removed later: {error}");
                return;
            }
        }
    }
}

/// The version a change may be based on (RFC 7644 §3.14): `If-Match`, and `If-None-Match` (RFC 9110 §13.1.2).
pub(crate) struct IfMatch(Precondition);

/// The version that an answer is to be of, whatever else it shows.
pub(crate) struct OnlyIfMatch(Precondition);

impl OnlyIfMatch {
    /// Refuses an answer that is about another version. Weak tags are compared like strong ones, as RFC 7644 §3.14 has only those.
    fn check(self, answer: Response<Body>) -> Answer {
        if self.0 == Precondition::None {
            return Ok(answer);
        }
        let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
        match tag.map(str::parse) {
            Some(Ok(Precondition::OneOf(shown))) if !shown.iter().any(|one| self.0.allows(one.version())) => {
                Err(Rejection::NotAtVersion)
            }
            _ => Ok(answer),
        }
    }
}

/// The version the client has.
pub(crate) struct IfNoneMatch(Precondition);

impl FromRequestParts<App> for IfMatch {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        let unless = precondition(parts, &header::IF_NONE_MATCH)?;
        Ok(Self(precondition(parts, &header::IF_MATCH)?.unless(unless)))
    }
}

impl FromRequestParts<App> for OnlyIfMatch {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        precondition(parts, &header::IF_MATCH).map(Self)
    }
}

impl FromRequestParts<App> for IfNoneMatch {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Rejection> {
        precondition(parts, &header::IF_NONE_MATCH).map(Self)
    }
}

fn precondition(parts: &Parts, name: &HeaderName) -> Result<Precondition, Rejection> {
    let mut given = parts.headers.get_all(name).iter();
    let Some(first) = given.next() else { return Ok(Precondition::None) };
    let mut text = String::from_utf8_lossy(first.as_bytes()).into_owned();
    for more in given {
        text.push(',');
        text.push_str(&String::from_utf8_lossy(more.as_bytes()));
    }
    Ok(text.parse()?)
}

#[cfg(test)]
mod tests;
