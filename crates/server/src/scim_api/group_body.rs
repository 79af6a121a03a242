//! A group as the body of an answer, made piece by piece as the client takes it.

use axum::body::Body;
use http::{Response, StatusCode};
use provider::{EntityTag, GroupFetched, GroupText, Precondition};
use scim::{Projection, ScimError};
use store::resources::ResourceKind;
use store::{ReadTx, ResourceId};

use super::room::{ANSWER_BYTES, Held};
use super::visitor::Admitted;
use super::{Rejection, answer, pieces};
use crate::App;
use crate::traces::{READ, step};

/// Most memory that the members of one group may take while they are sent: about seven million members without a name.
pub(crate) const GROUP_BYTES_MAX: usize = 128 << 20;

/// A group with its members. Few are read at once. More wait for their turn; most take no more than any answer, and one that does is read
/// again, when there is room for it.
pub(crate) async fn answer(
    app: &App,
    admitted: Admitted,
    id: ResourceId,
    projection: Projection,
    unless: Precondition,
) -> Result<Response<Body>, Rejection> {
    let (tenant, location) = (admitted.caller.tenant(), admitted.location(ResourceKind::Group, id)?);
    let trace = admitted.trace();
    let (admitted, projection) = (std::sync::Arc::new(admitted), std::sync::Arc::new(projection));
    let small = {
        let (admitted, projection, unless) = (admitted.clone(), projection.clone(), unless.clone());
        let read = move |tx: &mut ReadTx<'_>| {
            let view = admitted.view(&projection);
            provider::get_small_group(tx, &admitted.caller, id, view, &unless).map_err(Rejection::from)
        };
        step(trace.as_deref(), READ, app.store.read(read)).await?
    };
    if let Some(small) = small {
        return Ok(answer::fetched(location, small));
    }
    for bytes_max in [ANSWER_BYTES, GROUP_BYTES_MAX] {
        let room = app.room().take(tenant, bytes_max).await?;
        let (admitted, projection, unless) = (admitted.clone(), projection.clone(), unless.clone());
        let read = move |tx: &mut ReadTx<'_>| {
            let view = admitted.view(&projection);
            provider::get_group(tx, &admitted.caller, id, view, &unless, bytes_max).map_err(Rejection::from)
        };
        let (fetched, room) = step(trace.as_deref(), READ, room.scan(&app.store, read)).await?;
        match fetched {
            GroupFetched::Found(group) => return Ok(location.put_on(found(*group, room))),
            GroupFetched::NotModified { version } => {
                return Ok(location.put_on(answer::empty(StatusCode::NOT_MODIFIED, Some(EntityTag::of(version)))));
            }
            GroupFetched::TooLarge => {}
        }
    }
    Err(too_large())
}

/// A group's members take more than [`GROUP_BYTES_MAX`].
pub(crate) fn too_large() -> Rejection {
    ScimError::too_many(
        "the group has too many members for one answer; leave them out by excludedAttributes=members and look each one up by \
         members.value eq \"id\"",
    )
    .into()
}

fn found(group: GroupText, room: Held) -> Response<Body> {
    let (tag, bytes) = (EntityTag::of(group.version), group.bytes());
    let body = if group.is_short() { Body::from(room.keep(group.collect())) } else { pieces::body(group, room, bytes) };
    answer::tagged(StatusCode::OK, body, tag)
}
