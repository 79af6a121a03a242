//! Threads with an event loop each. A connection stays on the thread it was dealt to: what it does wakes no other thread, and
//! what it uses stays in one processor's caches.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

pub(crate) struct Threads {
    loops: Vec<Handle>,
    next: usize,
    /// The threads end when this is gone.
    _running: watch::Sender<()>,
}

impl Threads {
    /// Starts so many threads, one at the least. They end when this is dropped, and what still runs on them ends with them.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let (running, stopped) = watch::channel(());
        let loops = (0..count.max(1)).map(|number| start_one(number, stopped.clone())).collect::<io::Result<_>>()?;
        Ok(Self { loops, next: 0, _running: running })
    }

    /// Runs a task on the thread whose turn it is.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.loops[self.next].spawn(task);
        self.next = (self.next + 1) % self.loops.len();
    }
}

fn start_one(number: usize, mut stopped: watch::Receiver<()>) -> io::Result<Handle> {
    let event_loop = Builder::new_current_thread().enable_all().build()?;
    let handle = event_loop.handle().clone();
    std::thread::Builder::new()
        .name(format!("connections-{number}"))
        .spawn(move || event_loop.block_on(async { while stopped.changed().await.is_ok() {} }))?;
    Ok(handle)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn tasks_are_dealt_in_turn() {
        let mut threads = Threads::start(3).unwrap();
        let mut names = Vec::new();
        for _ in 0..6 {
            let (tell, told) = oneshot::channel();
            threads.spawn(async move {
                drop(tell.send(std::thread::current().name().map(str::to_owned)));
            });
            names.push(told.await.unwrap().unwrap());
        }
        assert_eq!(names[..3], names[3..]);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3);
    }

    #[tokio::test]
    async fn what_runs_ends_with_the_threads() {
        let mut threads = Threads::start(0).unwrap();
        let (held, gone) = oneshot::channel::<()>();
        threads.spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        drop(threads);
        gone.await.unwrap_err();
    }
}
