//! The stamp of the last commit, in a small file beside the database: by it a reader knows whether the snapshot it holds
//! is still all there is, for the price of one look at 16 bytes.
//!
//! Every writer of every process stamps the file after its commit and before anyone hears that the commit is done. Who then
//! asks finds another stamp than the one under which the snapshot was taken. Nothing in the file has to survive: a process that
//! ends between commit and stamp has told nobody, and no use case begins on a snapshot from before the last look at the log,
//! which comes each [`super::log::CHECKPOINT_EVERY`].

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What stands in the file; no two commits give the same.
pub(super) type Stamp = [u8; 16];

pub(super) struct Commits {
    file: File,
    /// Tells this process from others, and this store from others of the process.
    origin: u64,
    made: AtomicU64,
}

impl Commits {
    pub(super) fn open(database: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(beside(database))?;
        #[cfg(unix)]
        belong_to_the_owner_of(database, &file)?;
        // The standard library seeds this from the operating system's randomness.
        let origin = RandomState::new().build_hasher().finish();
        let commits = Self { file, origin, made: AtomicU64::new(0) };
        // Also takes the space, so that no later stamp can find the disk full.
        commits.stamp()?;
        Ok(commits)
    }

    /// Tells every reader that there is something new.
    pub(super) fn stamp(&self) -> io::Result<()> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let stamp = u128::from(self.origin) << 64 | u128::from(number);
        write(&self.file, &stamp.to_le_bytes())
    }

    /// The stamp of the last commit. `None` when it cannot be told: then no snapshot counts as the last one.
    pub(super) fn last(&self) -> Option<Stamp> {
        let mut stamp = [0; 16];
        (read(&self.file, &mut stamp).ok()? == stamp.len()).then_some(stamp)
    }
}

/// Gives the file the mode and, where this program may, the owner of the database: else a command of the administrator would
/// lock the service out.
#[cfg(unix)]
fn belong_to_the_owner_of(database: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (theirs, ours) = (std::fs::metadata(database)?, file.metadata()?);
    if (theirs.uid(), theirs.gid()) != (ours.uid(), ours.gid()) {
        // Only root may; who else writes here is in the same group, or fails at the database itself.
        drop(std::os::unix::fs::fchown(file, Some(theirs.uid()), Some(theirs.gid())));
    }
    if theirs.mode() != ours.mode() && theirs.uid() == ours.uid() {
        file.set_permissions(theirs.permissions())?;
    }
    Ok(())
}

/// Where the stamp of a database is kept.
pub(super) fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-commits");
    PathBuf::from(name)
}

#[cfg(unix)]
fn read(file: &File, stamp: &mut Stamp) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, stamp, 0)
}

#[cfg(unix)]
fn write(file: &File, stamp: &Stamp) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, stamp, 0)
}

#[cfg(windows)]
fn read(file: &File, stamp: &mut Stamp) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, stamp, 0)
}

#[cfg(windows)]
fn write(file: &File, stamp: &Stamp) -> io::Result<()> {
    std::os::windows::fs::FileExt::seek_write(file, stamp, 0).map(drop)
}
