//! An answer whose text is made piece by piece as the client takes it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame};

use super::room::Held;

/// The text that is still to be sent, with the room that what it is made from takes.
struct Pieces<I> {
    pieces: I,
    _room: Held,
}

/// A body of these pieces. `bytes` is what they are made from.
pub(crate) fn body(
    pieces: impl Iterator<Item = String> + Send + Unpin + 'static,
    mut room: Held,
    bytes: usize,
) -> Body {
    room.shrink_to(bytes);
    Body::new(Pieces { pieces, _room: room })
}

impl<I: Iterator<Item = String> + Unpin> HttpBody for Pieces<I> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.pieces.next().map(|piece| Ok(Frame::data(piece.into()))))
    }
}
