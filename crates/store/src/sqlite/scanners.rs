//! Threads for what takes long: they make way for the threads that answer look-ups and for the writer, however few processors there are.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::StoreError;

/// How much less of a busy processor such a thread gets than another, as `nice` counts it: about a tenth. On an idle one it gets all.
#[cfg(target_os = "linux")]
pub(super) const NICENESS: i32 = 10;

type Job = Box<dyn FnOnce() + Send>;

/// So many threads at the most, started when they are needed. They end when this is dropped, each with what it does.
pub(super) struct Scanners {
    queue: Arc<Queue>,
    threads_max: usize,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    /// Threads that wait for something to do.
    idle: usize,
    is_closed: bool,
}

impl Scanners {
    pub(super) fn new(threads_max: usize) -> Self {
        Self { queue: Arc::default(), threads_max }
    }

    /// Tells whether something is done at the moment it is asked, also after this is gone.
    pub(super) fn is_busy(&self) -> impl Fn() -> bool + Send + 'static {
        let queue = Arc::clone(&self.queue);
        move || {
            let state = queue.lock();
            state.threads > state.idle
        }
    }

    /// Has a job done as soon as a thread is free.
    ///
    /// # Errors
    /// Where there is no thread and none can be started.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let mut state = self.queue.lock();
        if state.idle <= state.jobs.len() && state.threads < self.threads_max {
            let queue = Arc::clone(&self.queue);
            let started =
                std::thread::Builder::new().name(format!("scans-{}", state.threads)).spawn(move || queue.work());
            match started {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    return Err(StoreError::Unavailable(format!("no thread can be started: {error}")));
                }
                Err(error) => tracing::warn!("A thread for scans cannot be started: {error}"),
            }
        }
        state.jobs.push_back(Box::new(job));
        drop(state);
        self.queue.changed.notify_one();
        Ok(())
    }
}

impl Drop for Scanners {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.is_closed = true;
        let undone = std::mem::take(&mut state.jobs);
        drop(state);
        self.queue.changed.notify_all();
        drop(undone);
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        make_way();
        while let Some(job) = self.next() {
            // Who waits for a job that panicked hears that it ended.
            drop(catch_unwind(AssertUnwindSafe(job)));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

/// Lowers the priority of the thread that calls. Of one thread only Linux can do that; elsewhere it would be the whole program's.
fn make_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!("Scans have the priority of everything else: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn no_more_threads_than_allowed_and_each_job_is_done() {
        let scanners = Scanners::new(2);
        let (tell, told) = channel();
        let (go, may_go) = channel::<()>();
        let may_go = Arc::new(Mutex::new(may_go));
        for number in 0..9 {
            let (tell, may_go) = (tell.clone(), Arc::clone(&may_go));
            let job = move || {
                may_go.lock().unwrap().recv().unwrap_err();
                tell.send((number, std::thread::current().name().unwrap().to_owned())).unwrap();
            };
            scanners.run(job).unwrap();
        }
        drop(go);
        let mut done: Vec<_> = (0..9).map(|_| told.recv().unwrap()).collect();
        done.sort();
        assert!(done.iter().map(|(number, _)| *number).eq(0..9), "{done:?}");
        assert!(done.iter().all(|(_, name)| ["scans-0", "scans-1"].contains(&name.as_str())), "{done:?}");
        assert_eq!(scanners.queue.lock().threads, 2);
    }

    #[test]
    fn a_job_that_panics_takes_no_thread_with_it_and_what_is_undone_at_the_end_is_dropped() {
        let scanners = Scanners::new(1);
        let is_busy = scanners.is_busy();
        assert!(!is_busy());
        let (tell, told) = channel();
        scanners.run(|| panic!("a scan failed")).unwrap();
        let (begun, has_begun) = channel();
        let (end, may_end) = channel::<()>();
        scanners
            .run(move || {
                begun.send(()).unwrap();
                may_end.recv().unwrap_err();
            })
            .unwrap();
        scanners.run(move || tell.send(()).unwrap()).unwrap();
        has_begun.recv().unwrap();
        assert!(is_busy());
        drop(scanners);
        told.recv().unwrap_err();
        drop(end);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn scans_make_way_and_nobody_else_does() {
        let scanners = Scanners::new(1);
        let (tell, told) = channel();
        let before = rustix::process::getpriority_process(None).unwrap();
        scanners.run(move || tell.send(rustix::process::getpriority_process(None).unwrap()).unwrap()).unwrap();
        assert_eq!(told.recv().unwrap(), NICENESS.max(before));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
    }
}
