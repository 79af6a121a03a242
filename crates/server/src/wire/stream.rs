//! The stream of one connection, with four things that the HTTP library does not do.
//!
//! It waits without end for room to write, and so for whoever asks often and never reads: here such a client loses the connection.
//! It takes requests that have more than one meaning, and answers those it refuses without a body: here they are refused before it
//! reads them. It knows one time for a connection that is idle and for one whose request has begun: here there are two, and a request
//! that comes too slowly is told so. And it writes each answer at once: here the requests that are there already are worked off first,
//! so that a client with many connections is woken once for all of its answers instead of once for each, which would cost more than
//! most answers do.

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::requests::{Awaits, Requests};
use super::{HeadLimits, Refusal};

/// What a client that is waited for has to take in the time in which it must not be silent: all that there is, or this.
const TAKEN_BYTES_MIN: usize = 1 << 20;
/// What is read and thrown away after the last answer, in bytes: a client that still sends when the connection closes would see a broken
/// connection instead of the answer (RFC 9112 §9.6).
const DISCARDED_BYTES_MAX: usize = 4 << 20;
/// Longest time for that.
const DISCARD_DEADLINE: Duration = Duration::from_secs(2);
/// Bytes that are thrown away at a time.
const DISCARDED_AT_A_TIME: usize = 4 << 10;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// From the first byte of a head to its last.
    pub(crate) head: Duration,
    /// Between two requests.
    pub(crate) idle: Duration,
    /// The same while connections are scarce.
    pub(crate) idle_crowded: Duration,
    /// To take all, or [`TAKEN_BYTES_MIN`], of an answer that waits.
    pub(crate) write: Duration,
}

/// A socket whose requests are checked and whose deadlines are kept.
pub(crate) struct Stream<S, Crowded> {
    socket: S,
    requests: Requests,
    /// To be read before anything else comes in; at most what was held and three times what one read brings.
    instead: Bytes,
    pace: Pace,
    /// Whether connections are scarce.
    is_crowded: Crowded,
    /// What is waited for, and since when.
    awaited: Option<(Awaits, Instant)>,
    /// Wakes when a wait may be over; kept, as most waits end before it does.
    alarm: Option<Pin<Box<Sleep>>>,
    /// Whether the client stopped sending.
    has_ended: bool,
    /// Runs from a write that had to wait until enough is taken: what goes out at once costs no timer.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Bytes that were taken since then.
    taken: usize,
    /// Whether the client was told that nothing more comes.
    is_shut: bool,
    /// Runs from then on, where the client still sends.
    ending: Option<Pin<Box<Sleep>>>,
    /// Bytes that were thrown away after that.
    discarded: usize,
    /// Whether the other connections of this thread had their turn since something came in here.
    gave_way: bool,
}

impl<S, Crowded: Fn() -> bool> Stream<S, Crowded> {
    pub(crate) fn new(socket: S, pace: Pace, limits: HeadLimits, is_crowded: Crowded) -> Self {
        Self {
            socket,
            requests: Requests::new(limits),
            instead: Bytes::new(),
            pace,
            is_crowded,
            awaited: None,
            alarm: None,
            has_ended: false,
            waiting: None,
            taken: 0,
            is_shut: false,
            ending: None,
            discarded: 0,
            gave_way: false,
        }
    }

    /// Waits for the other connections of this thread that have something to do: once for what came in.
    fn give_way(&mut self, context: &Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.gave_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// What a write came to, or the end of waiting for it.
    fn in_time(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.taken += bytes;
            if self.taken >= TAKEN_BYTES_MIN {
                self.waiting = None;
            }
        }
        if self.waiting.is_none() {
            self.taken = 0;
        }
        if written.is_ready() {
            return written;
        }
        let deadline = self.pace.write;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(deadline)));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Ready when what is awaited did not come in time.
    fn overdue(&mut self, context: &mut Context<'_>) -> Poll<Awaits> {
        let awaits = self.requests.awaits();
        if matches!(awaits, Awaits::Body | Awaits::Nothing) {
            // Who reads a body has a deadline for it.
            self.awaited = None;
            return Poll::Pending;
        }
        let mut now = Instant::now();
        let since = match self.awaited {
            Some((same, since)) if same == awaits => since,
            _ => self.awaited.insert((awaits, now)).1,
        };
        loop {
            let is_head = awaits == Awaits::Head;
            let deadline = since
                + match is_head {
                    true => self.pace.head,
                    false if (self.is_crowded)() => self.pace.idle_crowded,
                    false => self.pace.idle,
                };
            if deadline <= now {
                return Poll::Ready(awaits);
            }
            let look = if is_head { deadline } else { deadline.min(now + self.pace.idle_crowded) };
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(look)));
            // One that comes early is set anew when it comes, which is cheaper than to set it for every request.
            if alarm.deadline() > look || alarm.is_elapsed() {
                alarm.as_mut().reset(look);
            }
            ready!(alarm.as_mut().poll(context));
            now = Instant::now();
        }
    }

    /// Takes what came into a buffer behind what was there. Says whether the buffer has it as it is.
    fn take(&mut self, buffer: &mut ReadBuf<'_>, before: usize) -> bool {
        self.gave_way = false;
        if buffer.filled().len() == before {
            self.has_ended = true;
            if self.requests.awaits() != Awaits::Head {
                return true;
            }
            self.instead = self.requests.refuse(Refusal::CutOff).into();
            return false;
        }
        let instead = self.requests.take(&buffer.filled()[before..]);
        let awaits = self.requests.awaits();
        // A head has its time from its first byte on.
        if awaits != Awaits::Head {
            self.awaited = None;
        }
        self.has_ended = awaits == Awaits::Nothing;
        let Some(instead) = instead else { return true };
        buffer.set_filled(before);
        self.instead = instead.into();
        false
    }
}

impl<S: AsyncRead + Unpin, Crowded> Stream<S, Crowded> {
    /// Reads what the client still sends, and throws it away. Where it has sent all that it began, only what is there already.
    fn poll_discard(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut buffer = [0; DISCARDED_AT_A_TIME];
        while self.discarded < DISCARDED_BYTES_MAX {
            let mut buffer = ReadBuf::new(&mut buffer);
            match Pin::new(&mut self.socket).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.discarded += buffer.filled().len(),
                Poll::Ready(_) => break,
                Poll::Pending if self.discarded == 0 && self.requests.awaits() == Awaits::Request => break,
                Poll::Pending => {
                    let ending = self.ending.get_or_insert_with(|| Box::pin(sleep(DISCARD_DEADLINE)));
                    return ending.as_mut().poll(context);
                }
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin, Crowded: Fn() -> bool + Unpin> AsyncRead for Stream<S, Crowded> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if !self.instead.is_empty() {
                let fitting = self.instead.len().min(buffer.remaining());
                buffer.put_slice(&self.instead.split_to(fitting));
                return Poll::Ready(Ok(()));
            }
            if self.has_ended {
                return Poll::Ready(Ok(()));
            }
            if self.requests.is_broken() {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            let before = buffer.filled().len();
            if Pin::new(&mut self.socket).poll_read(context, buffer)?.is_ready() {
                if self.take(buffer, before) {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            if ready!(self.overdue(context)) == Awaits::Head {
                self.instead = self.requests.refuse(Refusal::TooSlow).into();
            }
            self.has_ended = true;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, Crowded: Fn() -> bool + Unpin> AsyncWrite for Stream<S, Crowded> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.give_way(context));
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.give_way(context));
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, parts);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    // Does not wait for the other side of a socket, so it has no deadline. What is flushed has been taken.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waiting = None;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_shut {
            ready!(Pin::new(&mut self.socket).poll_shutdown(context))?;
            self.is_shut = true;
        }
        self.poll_discard(context).map(Ok)
    }
}
