//! A group as the body of an answer, made piece by piece as the client takes it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::{Response, StatusCode};
use hyper::body::{Body as HttpBody, Frame};
use provider::{GroupFetched, GroupText, Precondition};
use scim::{Projection, ScimError};
use store::{ReadTx, ResourceId};

use super::room::{ANSWER_BYTES, Held};
use super::visitor::Admitted;
use super::{Rejection, answer};
use crate::App;

/// Most memory that the members of one group may take while they are sent: about seven million members without a name.
pub(crate) const GROUP_BYTES_MAX: usize = 128 << 20;

/// A group with its members. Most take no more than any answer; one that does is read again, when there is room for it.
pub(crate) async fn answer(
    app: &App,
    admitted: Admitted,
    id: ResourceId,
    projection: Projection,
    unless: Precondition,
) -> Result<Response<Body>, Rejection> {
    let tenant = admitted.caller.tenant();
    let (admitted, projection) = (std::sync::Arc::new(admitted), std::sync::Arc::new(projection));
    for bytes_max in [ANSWER_BYTES, GROUP_BYTES_MAX] {
        let room = app.room().take_bytes(tenant, bytes_max).await?;
        let (admitted, projection, unless) = (admitted.clone(), projection.clone(), unless.clone());
        let read = move |tx: &mut ReadTx<'_>| {
            let view = admitted.view(&projection);
            provider::get_group(tx, &admitted.caller, id, view, &unless, bytes_max).map_err(Rejection::from)
        };
        let (fetched, room) = room.scan(&app.store, read).await?;
        match fetched {
            GroupFetched::Found(group) => return Ok(found(*group, room)),
            GroupFetched::NotModified { version } => {
                return Ok(answer::empty(StatusCode::NOT_MODIFIED, Some(version)));
            }
            GroupFetched::TooLarge => {}
        }
    }
    Err(ScimError::too_many(
        "the group has too many members for one answer; leave them out by excludedAttributes=members and look each one up by \
         members.value eq \"id\"",
    )
    .into())
}

fn found(group: GroupText, mut room: Held) -> Response<Body> {
    let version = group.version;
    let body = if group.is_short() {
        Body::from(room.keep(group.collect()))
    } else {
        room.shrink_to(group.bytes());
        Body::new(GroupBody { group, _room: room })
    };
    answer::tagged(StatusCode::OK, body, version)
}

/// The text that is still to be sent, with the room that its members take.
struct GroupBody {
    group: GroupText,
    _room: Held,
}

impl HttpBody for GroupBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.group.next().map(|piece| Ok(Frame::data(piece.into()))))
    }
}
