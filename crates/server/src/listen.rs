//! The accept loop: connections with deadlines and a cap, and an end that lets requests finish.
//!
//! Written out because the loop that axum brings has no deadlines: half a request, or an answer that nobody reads, would hold its
//! connection for ever.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Guard;
use crate::stream::Stream;
use crate::threads::Threads;

/// How much a client may ask of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for the headers of the next request, also on a connection that is kept alive.
    pub header_deadline: Duration,
    /// Size of the buffer for headers, in bytes; what does not fit is refused.
    pub header_bytes_max: usize,
    /// Most headers.
    pub headers_max: usize,
    /// Most connections at a time; further ones wait to be accepted.
    pub connections_max: usize,
    /// Threads that serve the connections.
    pub threads: usize,
    /// Longest time in which a client may take less than all, and less than 1 MiB, of an answer that waits for it.
    pub write_deadline: Duration,
    /// Longest wait for requests to finish at the end.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_deadline: Duration::from_secs(10),
            header_bytes_max: 64 << 10,
            headers_max: 100,
            connections_max: 4096,
            threads: std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 64),
            write_deadline: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}

/// Pause after a failed accept: when the process has no file descriptor left, trying at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `shutdown` is done, then lets running requests finish. Tells whether all of them did.
pub async fn serve(
    listener: TcpListener,
    service: Guard,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<bool> {
    let connections = Arc::new(Semaphore::new(limits.connections_max));
    let running = GracefulShutdown::new();
    let http = http(&limits);
    let threads = Threads::start(limits.threads)?;
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, permit)) => {
                let connection =
                    connection(http.clone(), stream, limits.write_deadline, service.clone(), running.watcher());
                threads.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!("A connection ended: {error}");
                    }
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!("A connection was not accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    Ok(tokio::time::timeout(limits.drain, running.shutdown()).await.is_ok())
}

/// Serves one connection on the thread that runs this.
async fn connection(
    http: http1::Builder,
    stream: std::net::TcpStream,
    write_deadline: Duration,
    service: Guard,
    watcher: Watcher,
) -> io::Result<()> {
    let stream = Stream::new(TcpStream::from_std(stream)?, write_deadline);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    watcher.watch(connection).await.map_err(io::Error::other)
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // Who has nothing more to send may still wait for the answer.
        .half_close(true)
        .header_read_timeout(limits.header_deadline)
        .max_buf_size(limits.header_bytes_max)
        .max_headers(limits.headers_max);
    http
}

/// The next connection, not yet bound to the event loop of any thread.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(std::net::TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream.into_std()?, permit))
}
