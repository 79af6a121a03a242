//! What a handler left of a body. A request that is refused by its head is answered without its body being read, and a client that keeps
//! its connections would then find this one broken. So what is small is read and thrown away, and where it is not, the answer says that
//! the connection ends with it (RFC 9112 §9.3, §9.6). Nothing of it is kept, so it takes no memory.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use crate::trail::Trail;

/// Most that is read of a body that nobody wanted, in bytes.
pub(crate) const LEFTOVER_BYTES_MAX: u64 = 64 << 10;
/// Longest time for that.
pub(crate) const LEFTOVER_DEADLINE: Duration = Duration::from_secs(1);

/// A body as it comes in.
pub trait Arriving:
    HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static
{
}

impl<B> Arriving for B where
    B: HttpBody<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static
{
}

/// What was not read of a body.
pub(crate) struct Leftover {
    body: Body,
    /// Whether anyone asked for the body: only then was a client that waits for `100 Continue` told to send it.
    is_begun: bool,
}

/// A body that goes to the trail of its request where it is dropped before its end.
pub(crate) struct Watched<B: Arriving> {
    body: Option<B>,
    is_begun: bool,
    trail: Arc<Trail>,
}

impl<B: Arriving> Watched<B> {
    pub(crate) const fn new(body: B, trail: Arc<Trail>) -> Self {
        Self { body: Some(body), is_begun: false, trail }
    }
}

impl<B: Arriving> HttpBody for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.is_begun = true;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        // What broke off has nothing left that could be read.
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl<B: Arriving> Drop for Watched<B> {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            self.trail.leave(Leftover { body: Body::new(body), is_begun: self.is_begun });
        }
    }
}

/// Reads what is left of a body, or says in the answer that nothing can follow it. `is_expecting` where the client sends its body only
/// when it is told to (RFC 9110 §10.1.1).
pub(crate) async fn settle(leftover: Option<Leftover>, is_expecting: bool, answer: &mut Response<Body>) {
    let Some(Leftover { mut body, is_begun }) = leftover else { return };
    if answer.headers().contains_key(header::CONNECTION) {
        return;
    }
    let may_come = is_begun || !is_expecting;
    let is_small = body.size_hint().lower() <= LEFTOVER_BYTES_MAX;
    if may_come && is_small && tokio::time::timeout(LEFTOVER_DEADLINE, is_read(&mut body)).await == Ok(true) {
        return;
    }
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// Reads a body to its end; says whether it came to that.
async fn is_read(body: &mut Body) -> bool {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, |piece| piece.len() as u64);
        if read > LEFTOVER_BYTES_MAX {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::time::Instant;

    use super::*;

    /// A body of so many pieces of 1 KiB, which may say how long it is, and whose end may never come.
    struct Pieces {
        left: u64,
        says_length: bool,
        ends: bool,
    }

    impl HttpBody for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return if self.ends { Poll::Ready(None) } else { Poll::Pending };
            }
            self.left -= 1;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1024])))))
        }

        fn size_hint(&self) -> SizeHint {
            if self.says_length { SizeHint::with_exact(self.left * 1024) } else { SizeHint::default() }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_small_is_read_and_what_is_not_ends_the_connection() {
        let max = LEFTOVER_BYTES_MAX / 1024;
        for (left, says_length, ends, read, expected, seconds) in [
            (0, false, true, 0, None, 0),
            (1, true, true, 0, None, 0),
            (max, true, true, 0, None, 0),
            (max + 1, true, true, 0, Some("close"), 0),
            (max + 1, true, true, 1, None, 0),
            (max, false, true, 0, None, 0),
            (max + 1, false, true, 0, Some("close"), 0),
            (1, true, false, 0, Some("close"), 1),
            (1, false, false, 1, Some("close"), 1),
        ] {
            let trail = Arc::<Trail>::default();
            let mut body = Watched::new(Pieces { left, says_length, ends }, Arc::clone(&trail));
            for _ in 0..read {
                body.frame().await.unwrap().unwrap();
            }
            drop(body);
            let (mut answer, begun) = (Response::new(Body::empty()), Instant::now());
            settle(trail.leftover(), false, &mut answer).await;
            let told = answer.headers().get(header::CONNECTION).map(|value| value.to_str().unwrap());
            assert_eq!((told, begun.elapsed().as_secs()), (expected, seconds), "{left} {says_length} {ends} {read}");
        }
        assert_eq!(LEFTOVER_DEADLINE, Duration::from_secs(1));
    }

    #[tokio::test]
    async fn who_waits_to_be_told_to_send_is_not_told_by_reading_what_is_left() {
        for (is_begun, expected) in [(false, true), (true, false)] {
            let body = Body::new(Pieces { left: 1, says_length: true, ends: true });
            let mut answer = Response::new(Body::empty());
            settle(Some(Leftover { body, is_begun }), true, &mut answer).await;
            assert_eq!(answer.headers().contains_key(header::CONNECTION), expected, "{is_begun}");
        }
    }

    #[tokio::test]
    async fn a_body_that_was_read_leaves_nothing() {
        let trail = Arc::<Trail>::default();
        let body = Watched::new(Pieces { left: 3, says_length: true, ends: true }, Arc::clone(&trail));
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 3 << 10);
        assert!(trail.leftover().is_none());
    }
}
