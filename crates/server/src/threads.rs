//! Threads with an event loop each. A connection stays on the thread it was dealt to, the one that has the fewest: what it does
//! wakes no other thread, and what it uses stays in one processor's caches.

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

pub(crate) struct Threads {
    loops: Vec<EventLoop>,
    /// The threads end when this is gone.
    _running: watch::Sender<()>,
}

struct EventLoop {
    handle: Handle,
    /// Held by every task that runs there.
    tasks: Arc<()>,
}

impl Threads {
    /// Starts so many threads, one at the least. They end when this is dropped, and what still runs on them ends with them.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let (running, stopped) = watch::channel(());
        let loops = (0..count.max(1)).map(|number| start_one(number, stopped.clone())).collect::<io::Result<_>>()?;
        Ok(Self { loops, _running: running })
    }

    /// Runs a task on the thread with the fewest.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Some(idlest) = self.loops.iter().min_by_key(|one| Arc::strong_count(&one.tasks)) else { return };
        let running = Arc::clone(&idlest.tasks);
        idlest.handle.spawn(async move {
            task.await;
            drop(running);
        });
    }
}

fn start_one(number: usize, mut stopped: watch::Receiver<()>) -> io::Result<EventLoop> {
    let event_loop = Builder::new_current_thread().enable_all().build()?;
    let handle = event_loop.handle().clone();
    std::thread::Builder::new()
        .name(format!("connections-{number}"))
        .spawn(move || event_loop.block_on(async { while stopped.changed().await.is_ok() {} }))?;
    Ok(EventLoop { handle, tasks: Arc::default() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::sync::oneshot;

    use super::*;

    /// Begins a task; tells the name of its thread. The task ends with what is given.
    async fn begin(threads: &Threads) -> (String, oneshot::Sender<()>, oneshot::Receiver<()>) {
        let ((tell, told), (end, ended), (gone, is_gone)) =
            (oneshot::channel(), oneshot::channel(), oneshot::channel());
        threads.spawn(async move {
            drop(tell.send(std::thread::current().name().unwrap_or_default().to_owned()));
            drop(ended.await);
            gone.send(()).ok();
        });
        (told.await.unwrap(), end, is_gone)
    }

    #[tokio::test]
    async fn a_task_goes_where_the_fewest_are() {
        let threads = Threads::start(3).unwrap();
        let mut tasks = Vec::new();
        for _ in 0..6 {
            tasks.push(begin(&threads).await);
        }
        let names: Vec<_> = tasks.iter().map(|(name, ..)| name.clone()).collect();
        assert_eq!(names[..3], names[3..]);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3);
        // The second thread becomes free.
        for _ in 0..2 {
            let at = tasks.iter().position(|(name, ..)| *name == names[1]).unwrap();
            let (_, end, gone) = tasks.swap_remove(at);
            end.send(()).unwrap();
            gone.await.unwrap();
        }
        while Arc::strong_count(&threads.loops[1].tasks) > 1 {
            tokio::task::yield_now().await;
        }
        assert_eq!(begin(&threads).await.0, names[1]);
    }

    #[tokio::test]
    async fn what_runs_ends_with_the_threads() {
        let threads = Threads::start(0).unwrap();
        let (held, gone) = oneshot::channel::<()>();
        threads.spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        drop(threads);
        gone.await.unwrap_err();
    }
}
