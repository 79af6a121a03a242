//! The stream of one connection: a client that does not take its answers loses it.
//!
//! The HTTP library waits without end for room to write, and so for whoever asks often and never reads.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A socket whose writes fail once the other side has taken nothing for a while.
pub(crate) struct Stream<S> {
    socket: S,
    write_deadline: Duration,
    /// Runs while a write waits, and only then: what goes out at once costs no timer.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<S> Stream<S> {
    pub(crate) const fn new(socket: S, write_deadline: Duration) -> Self {
        Self { socket, write_deadline, waiting: None }
    }

    /// What a write came to, or the end of waiting for it.
    fn in_time(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let deadline = self.write_deadline;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(deadline)));
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, parts);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    // Neither of these waits for the other side of a socket, so they have no deadline.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);
    const SLOW: Duration = Duration::from_secs(29);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_loses_its_connection_and_a_slow_one_does_not() {
        let (socket, mut client) = duplex(10);
        let mut stream = Stream::new(socket, DEADLINE);
        let slow = tokio::spawn(async move {
            for _ in 0..9 {
                sleep(SLOW).await;
                client.read_exact(&mut [0; 10]).await.unwrap();
            }
            client
        });
        stream.write_all(&[0; 100]).await.unwrap();
        let _silent = slow.await.unwrap();
        let began = tokio::time::Instant::now();
        let error = stream.write_all(&[0; 100]).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, DEADLINE.as_secs()));
    }
}
