//! The accept loop: connections with deadlines and a cap, and an end that lets requests finish.
//!
//! Written out because the loop that axum brings has no deadlines: half a request, or an answer that nobody reads, would hold its
//! connection for ever.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Guard;
use crate::connections::Counted;
use crate::threads::Threads;
use crate::wire::{HeadLimits, Pace, Stream};

/// How much a client may ask of the listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time from the first byte of a request to the end of its headers.
    pub header_deadline: Duration,
    /// Longest wait for a request on a connection that is kept alive, and for the first.
    pub idle_deadline: Duration,
    /// The same while more than three quarters of the connections are taken.
    pub idle_deadline_crowded: Duration,
    /// Most bytes of the first line and the headers of a request; more is refused.
    pub header_bytes_max: usize,
    /// Most headers.
    pub headers_max: usize,
    /// Most connections at a time; further ones wait to be accepted.
    pub connections_max: usize,
    /// Most connections of one address (of IPv6, of one network of 64 bits); further ones are closed. Behind a proxy all have its
    /// address.
    pub connections_per_address_max: usize,
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
            idle_deadline: Duration::from_secs(60),
            idle_deadline_crowded: Duration::from_secs(5),
            header_bytes_max: 64 << 10,
            headers_max: 100,
            connections_max: 4096,
            connections_per_address_max: 2048,
            threads: std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 64),
            write_deadline: Duration::from_secs(30),
            drain: Duration::from_secs(30),
        }
    }
}

/// Pause after a failed accept: when the process has no file descriptor left, trying at once would only spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// What the HTTP library may keep of a request's head beyond its limit, in bytes: it asks for room for one byte more than it gets.
const HEAD_SLACK_BYTES: usize = 8 << 10;

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
            Ok((stream, peer, permit)) => {
                let Some(counted) = service.connections().add(peer, limits.connections_per_address_max) else {
                    service.metrics().connection_refused();
                    continue;
                };
                let taken = Taken { permit, _counted: counted };
                let connection = connection(http.clone(), stream, &limits, service.at(peer), running.watcher(), taken);
                threads.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!("A connection ended: {error}");
                    }
                });
            }
            // Who gave up before it was accepted takes nothing.
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!("A connection was not accepted: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    service.stop();
    drop(listener);
    let all_ended = tokio::time::timeout(limits.drain, running.shutdown()).await.is_ok();
    service.flush_log();
    Ok(all_ended)
}

/// What a connection holds.
struct Taken {
    permit: OwnedSemaphorePermit,
    _counted: Counted,
}

/// Serves one connection on the thread that runs this.
fn connection(
    http: http1::Builder,
    stream: std::net::TcpStream,
    limits: &Limits,
    service: Guard,
    watcher: Watcher,
    taken: Taken,
) -> impl Future<Output = io::Result<()>> + use<> {
    let pace = Pace {
        head: limits.header_deadline,
        idle: limits.idle_deadline,
        idle_crowded: limits.idle_deadline_crowded,
        write: limits.write_deadline,
    };
    let head = HeadLimits { bytes_max: limits.header_bytes_max, headers_max: limits.headers_max };
    let crowded = limits.connections_max / 4;
    async move {
        // Whole: what is not named in here would be given back when this function returns.
        let taken = taken;
        let semaphore = Arc::clone(taken.permit.semaphore());
        let is_crowded = move || semaphore.available_permits() < crowded;
        let stream = Stream::new(TcpStream::from_std(stream)?, pace, head, is_crowded);
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        watcher.watch(connection).await.map_err(io::Error::other)
    }
}

/// The HTTP library without limits and deadlines of its own where [`Stream`] has them.
fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http
        // Who has nothing more to send may still wait for the answer.
        .half_close(true)
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes_max + HEAD_SLACK_BYTES)
        .max_headers(limits.headers_max);
    http
}

/// The next connection, not yet bound to the event loop of any thread.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(std::net::TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream.into_std()?, peer.ip(), permit))
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput | NotConnected)
}
