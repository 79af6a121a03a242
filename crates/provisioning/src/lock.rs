//! A lock file for each job: one cycle of a job at a time on one data folder. The system gives the lock back when a
//! process dies, so a cycle that was killed can be taken over at once; the lease in the database guards against other machines.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;

use store::AppId;

/// The locks of a data folder.
#[derive(Clone, Debug)]
pub(crate) struct JobLocks {
    folder: PathBuf,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(crate) struct JobLock {
    file: File,
}

impl JobLocks {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Takes the lock of a job; `None` while another process, or another task of this one, holds it.
    pub(crate) fn take(&self, app: AppId) -> io::Result<Option<JobLock>> {
        std::fs::create_dir_all(&self.folder)?;
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.folder.join(format!("{app}.lock")))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(JobLock { file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl JobLock {
    /// Gives the lock back now, whoever still holds this value.
    pub(crate) fn release(&self) -> io::Result<()> {
        self.file.unlock()
    }
}
