//! The stream of one connection, with three things that the HTTP library does not do.
//!
//! It waits without end for room to write, and so for whoever asks often and never reads: here such a client loses the connection.
//! It refuses raw quotation marks in a query: here they are encoded before it reads them. And it writes each answer at once: here
//! the requests that are there already are worked off first, so that a client with many connections is woken once for all of its
//! answers instead of once for each, which would cost more than most answers do.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::request_lines::RequestLines;

/// What a client that is waited for has to take in the time in which it must not be silent: all that there is, or this.
const TAKEN_BYTES_MIN: usize = 1 << 20;

/// A socket whose writes fail once the other side has taken next to nothing for a while, and whose requests have encoded queries.
pub(crate) struct Stream<S> {
    socket: S,
    requests: RequestLines,
    /// Came in and was encoded, to be read before anything else comes in; at most three times what one read brings.
    encoded: Bytes,
    write_deadline: Duration,
    /// Runs from a write that had to wait until enough is taken: what goes out at once costs no timer.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Bytes that were taken since then.
    taken: usize,
    /// Whether the other connections of this thread had their turn since something came in here.
    gave_way: bool,
}

impl<S> Stream<S> {
    pub(crate) fn new(socket: S, write_deadline: Duration) -> Self {
        Self {
            socket,
            requests: RequestLines::default(),
            encoded: Bytes::new(),
            write_deadline,
            waiting: None,
            taken: 0,
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
        if self.encoded.is_empty() {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.socket).poll_read(context, buffer))?;
            self.gave_way = false;
            let Some(encoded) = self.requests.encode(&buffer.filled()[before..]) else { return Poll::Ready(Ok(())) };
            buffer.set_filled(before);
            self.encoded = encoded.into();
        }
        let fitting = self.encoded.len().min(buffer.remaining());
        buffer.put_slice(&self.encoded.split_to(fitting));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
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

    // Neither of these waits for the other side of a socket, so they have no deadline. What is flushed has been taken.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.waiting = None;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::sync::{Arc, Mutex};

    use axum::body::Body;
    use http::{Request, Response};
    use http_body_util::{BodyExt, Collected};
    use hyper::body::Incoming;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);
    const SLOW: Duration = Duration::from_secs(29);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_next_to_nothing_loses_its_connection_and_a_slow_one_does_not() {
        const PART: usize = TAKEN_BYTES_MIN;
        // What the other side takes each time, and whether it gets all.
        for (takes, kept) in [(PART, true), (PART / 4, false), (0, false)] {
            let (socket, mut client) = duplex(PART);
            let mut stream = Stream::new(socket, DEADLINE);
            let slow = tokio::spawn(async move {
                let mut part = vec![0; takes];
                while client.read_exact(&mut part).await.is_ok() {
                    sleep(SLOW).await;
                }
                drop(client);
            });
            let began = tokio::time::Instant::now();
            let written = stream.write_all(&vec![0; 9 * PART]).await;
            let waited = began.elapsed().as_secs();
            if kept {
                written.unwrap();
                stream.flush().await.unwrap();
                assert_eq!(waited, 7 * SLOW.as_secs());
            } else {
                assert_eq!(
                    (written.unwrap_err().kind(), waited),
                    (io::ErrorKind::TimedOut, DEADLINE.as_secs()),
                    "{takes}"
                );
            }
            slow.abort();
        }
    }

    #[tokio::test]
    async fn an_answer_lets_other_connections_go_first_once() {
        let (socket, mut client) = duplex(100);
        let mut stream = Stream::new(socket, DEADLINE);
        for request in ["first", "second"] {
            client.write_all(request.as_bytes()).await.unwrap();
            stream.read_exact(&mut vec![0; request.len()]).await.unwrap();
            for expected in [false, true, true] {
                let mut written = pin!(stream.write_all(b"answer"));
                let at_once = poll_fn(|context| Poll::Ready(written.as_mut().poll(context).is_ready())).await;
                assert_eq!(at_once, expected, "{request}");
            }
        }
    }

    /// The requests that the HTTP library finds in what a client sends: the line of each, and the rest.
    async fn found<S>(sent: &[u8], room: usize, stream: fn(DuplexStream) -> S) -> Vec<(String, String)>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let found = Arc::new(Mutex::new(Vec::new()));
        let (socket, client) = duplex(room);
        let (mut reader, mut writer) = split(client);
        let service = service_fn(|request: Request<Incoming>| {
            let found = Arc::clone(&found);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map(Collected::to_bytes);
                let body = body.as_deref().map_or("cut off".into(), String::from_utf8_lossy);
                let rest = format!("{:?} {body}", head.headers).replace("\\\"", "~").replace('"', "~");
                found.lock().unwrap().push((format!("{} {}", head.method, head.uri), rest));
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        });
        let serving = http1::Builder::new().serve_connection(TokioIo::new(stream(socket)), service);
        let mut answers = Vec::new();
        // The last request may be half a one, and the server may close before it has read all.
        drop(tokio::join!(serving, reader.read_to_end(&mut answers), async {
            drop(writer.write_all(sent).await);
            writer.shutdown().await
        }));
        Arc::into_inner(found).unwrap().into_inner().unwrap()
    }

    /// Pieces of requests, right ones and wrong ones. Each quotation mark has a question mark before it, so that none stands
    /// where `~` may stand and it may not.
    const PIECES: [&str; 31] = [
        "GET / HTTP/1.1\r\n\r\n",
        "GET /?\" HTTP/1.1\r\n\r\n",
        "POST /?\" HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
        "POST /?\" HTTP/1.1\r\ncontent-length:20 \r\n\r\n",
        "POST /?\" HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /?\" HTTP/1.1\r\n",
        "GET /?\"",
        " HTTP/1.1\r\n",
        "\r\n",
        "\r\n",
        "\n",
        "\r",
        " ",
        "x: ?\"\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 5\n",
        "Content-Length : 5\r\n",
        " folded\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \u{a0}chunked\r\n",
        "transfer-encoding:gzip, chunked\r\n",
        "5\r\n /?\"\"\r\n",
        "14\r\nGET /?\" HTTP/1.1\r\n\r\n\r\n",
        "5 ;x=?\"\r\n /?\"\"\r\n",
        " /?\"\"",
        "0\r\n\r\n",
        "0\r\nx: ?\"\r\n\r\n",
        "Expect: 100-continue\r\n",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn requests_begin_and_end_where_they_do_without_this(pieces in vec(select(PIECES.as_slice()), 1..20), room in 1..99_usize) {
            let sent = pieces.concat();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let (changed, plain) = runtime.block_on(async {
                let changed = found(sent.as_bytes(), room, |socket| Stream::new(socket, DEADLINE)).await;
                let tame = sent.replace('"', "~");
                (changed, found(tame.as_bytes(), room, |socket| socket).await)
            });
            // Once it changes nothing any more, a raw quotation mark ends the connection.
            prop_assert!(changed.len() <= plain.len());
            for ((line, rest), plain) in changed.into_iter().zip(plain) {
                prop_assert_eq!((line.replace("%22", "~"), rest), plain);
            }
        }
    }
}
