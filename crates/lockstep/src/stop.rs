//! Ctrl+C, and the system's request to end, for commands that take long.

/// Hears when the program is asked to stop. A request that comes while nobody waits is kept for who waits next, so a
/// command that waits more than once makes one of these at its beginning.
pub struct StopRequests {
    #[cfg(unix)]
    signals: [Option<tokio::signal::unix::Signal>; 2],
}

impl StopRequests {
    /// Listens from now on, not only from the first wait: whoever reads that the program serves may ask at once.
    #[cfg(unix)]
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // Without signals there is nothing to wait for; whoever wants an end kills the process.
        Self { signals: [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| signal(kind).ok()) }
    }

    /// Ready when the system or the person asks the program to stop.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.signals;
        tokio::select! {
            Some(()) = received(terminate.as_mut()) => {}
            Some(()) = received(interrupt.as_mut()) => {}
            else => std::future::pending().await,
        }
    }

    /// Listens from now on.
    #[cfg(not(unix))]
    pub const fn listen() -> Self {
        Self {}
    }

    /// Ready when the person asks the program to stop.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
async fn received(signal: Option<&mut tokio::signal::unix::Signal>) -> Option<()> {
    match signal {
        Some(signal) => signal.recv().await,
        None => None,
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_comes_while_nobody_waits_is_kept() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut requests = StopRequests::listen();
            let me = std::process::id().to_string();
            assert!(std::process::Command::new("kill").args(["-TERM", &me]).status().unwrap().success());
            requests.next().await;
        });
    }
}
