//! The request log: one line for each request of a tenant, in files of its own, kept out of the way of who answers.
//!
//! A line is written into a buffer in memory; a thread takes what is there a few times in a second and appends it to the tenants'
//! files. Where it cannot follow, lines are dropped and counted: no request waits for its line.

mod line;
mod mask;
mod search;
#[cfg(test)]
mod tests;
mod words;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use store::Store;

use line::Second;
pub(crate) use line::{Bodies, Line};
pub(crate) use mask::secrets;
pub use search::{LogQuery, search};

use crate::gates::Gate;
pub(crate) use words::Names;
use writer::Writer;
pub use writer::tidy_log;

/// How often lines are taken to the files.
const WRITE_EVERY: Duration = Duration::from_millis(250);
/// Buffers, so that threads do not wait for each other.
const SHARDS: usize = 8;
/// Most bytes that wait in one of them.
const SHARD_BYTES_MAX: usize = 4 << 20;
/// Longest body that is kept, in bytes, before anything is masked.
pub const LOGGED_BODY_BYTES_MAX: usize = 64 << 10;

/// Where the request log is kept, and how much of it.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// The folder, with a folder for each tenant.
    pub folder: PathBuf,
    /// Most bytes of one tenant.
    pub bytes_max: u64,
    /// How long lines are kept, to within a file.
    pub age_max: Duration,
}

/// The folder of a tenant's log, by its name and the number of its key. A tenant that is made anew under the same name has another.
pub fn tenant_folder(folder: &Path, name: &str, number: i64) -> PathBuf {
    // Names have no dots.
    folder.join(format!("{name}.{number}"))
}

/// Takes the lines.
pub(crate) struct RequestLog {
    shared: Arc<Shared>,
    control: Option<Sender<Sender<()>>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    shards: [Mutex<Shard>; SHARDS],
    added: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Shard {
    text: Vec<u8>,
    lines: Vec<Added>,
    second: Second,
}

impl Shard {
    /// What is there. As much room is made for what comes next, so that nothing is copied while it grows.
    fn take(&mut self) -> Self {
        let next = Self {
            text: Vec::with_capacity(self.text.len()),
            lines: Vec::with_capacity(self.lines.len()),
            second: std::mem::take(&mut self.second),
        };
        std::mem::replace(self, next)
    }
}

/// A line that waits.
struct Added {
    owner: Owner,
    at: Timestamp,
    /// Which line it is of all.
    number: u64,
    /// Where it ends in the text.
    end: usize,
}

/// Whose log a line belongs to.
pub(crate) enum Owner {
    /// A tenant that was proved by a token.
    Tenant(Arc<Gate>),
    /// The name in the address, which may be nobody's.
    Named(String),
}

impl RequestLog {
    /// Starts the thread that writes. It ends, after the last line, when this is dropped.
    pub(crate) fn start(settings: LogSettings, store: Store) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (control, told) = channel::<Sender<()>>();
        let mut writer = Writer::new(settings, store)?;
        let lines = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("request-log".to_owned()).spawn(move || {
            loop {
                let told = told.recv_timeout(WRITE_EVERY);
                lines.dropped.fetch_add(writer.write(&lines.take()), Ordering::Relaxed);
                match told {
                    // Who asked may have gone.
                    Ok(done) => drop(done.send(())),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Self { shared, control: Some(control), thread: Some(thread) })
    }

    /// Adds a line.
    pub(crate) fn add(&self, owner: Owner, line: &Line<'_>) {
        let mut shard = self.shared.shards[shard_of_thread()].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.text.len() >= SHARD_BYTES_MAX {
            let dropped = self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            if dropped.is_multiple_of(10_000) {
                tracing::warn!("The request log drops lines, because they come faster than they are written");
            }
            return;
        }
        let Shard { text, second, .. } = &mut *shard;
        line.write(second, text);
        let (end, number) = (shard.text.len(), self.shared.added.fetch_add(1, Ordering::Relaxed));
        shard.lines.push(Added { owner, at: line.at, number, end });
    }

    /// Lines that were not written.
    pub(crate) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until what was added is in the files.
    pub(crate) fn flush(&self) {
        let (done, is_done) = channel();
        if self.control.as_ref().is_some_and(|control| control.send(done).is_ok()) {
            // A thread that ended has written.
            let _ = is_done.recv();
        }
    }
}

impl Shared {
    fn take(&self) -> Vec<Shard> {
        let take = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.shards.iter().map(take).collect()
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        drop(self.control.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// A number for each thread, so that two that add at once seldom meet.
fn shard_of_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    }
    NUMBER.with(|number| *number)
}
