//! The files of the request log: for each tenant a folder of segments, named by the time of their first line in milliseconds. New
//! lines go to the end of the last; when that is full there is a new one, and the oldest go.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use store::{Store, StoreError, tenants};
use tokio::runtime::{Builder, Runtime};

use super::{Added, LogSettings, Owner, Shard, tenant_folder};

/// Size from which a segment is full, unless all of a tenant's lines may have less than four times that.
const SEGMENT_BYTES: u64 = 4 << 20;
/// Names in addresses that are looked up in one round; lines of further ones are left out.
const NAMES_MAX: usize = 100;
/// Tenants whose last segment is kept in mind.
const KEPT_MAX: usize = 1000;
/// What segments are called.
const EXTENSION: &str = "jsonl";

pub(super) struct Writer {
    settings: LogSettings,
    store: Store,
    runtime: Runtime,
    last: HashMap<PathBuf, Segment>,
}

/// The segment that is written to.
struct Segment {
    path: PathBuf,
    bytes: u64,
}

impl Writer {
    pub(super) fn new(settings: LogSettings, store: Store) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().build()?;
        Ok(Self { settings, store, runtime, last: HashMap::new() })
    }

    /// Appends lines to the files of their tenants, in the order in which they came. Gives how many could not be.
    pub(super) fn write(&mut self, taken: &[Shard]) -> u64 {
        let (mut of_each, mut names) = (BTreeMap::<PathBuf, Vec<(u64, Timestamp, &[u8])>>::new(), HashMap::new());
        for shard in taken {
            let mut begin = 0;
            for Added { owner, at, number, end } in &shard.lines {
                let line = &shard.text[begin..*end];
                begin = *end;
                if let Some(folder) = self.folder(owner, &mut names) {
                    of_each.entry(folder).or_default().push((*number, *at, line));
                }
            }
        }
        let mut failed = 0;
        for (folder, mut lines) in of_each {
            lines.sort_unstable_by_key(|(number, ..)| *number);
            let now = lines.last().map_or(Timestamp::UNIX_EPOCH, |(_, at, _)| *at);
            let text = lines.iter().map(|(.., line)| *line).collect::<Vec<_>>().concat();
            if let Err(error) = self.append(&folder, &text, now) {
                self.last.remove(&folder);
                failed += lines.len() as u64;
                tracing::error!(
                    "The request log cannot be written to {}: {error}; lines that are lost: {}",
                    folder.display(),
                    lines.len()
                );
            }
        }
        failed
    }

    fn folder(&self, owner: &Owner, names: &mut HashMap<String, Option<i64>>) -> Option<PathBuf> {
        match owner {
            Owner::Tenant(gate) => Some(tenant_folder(&self.settings.folder, &gate.tenant, gate.number)),
            Owner::Named(name) => {
                if !names.contains_key(name) {
                    let found = if names.len() < NAMES_MAX { self.tenant(name.clone()) } else { None };
                    names.insert(name.clone(), found);
                }
                let key = names.get(name).copied().flatten()?;
                Some(tenant_folder(&self.settings.folder, name, key))
            }
        }
    }

    fn tenant(&self, name: String) -> Option<i64> {
        let found = self.store.look_up(move |tx| -> Result<_, StoreError> { tenants::tenant_by_name(tx, &name) });
        // A database that does not answer is told of elsewhere.
        self.runtime.block_on(found).ok().flatten().map(|tenant| tenant.key.number())
    }

    fn append(&mut self, folder: &Path, text: &[u8], now: Timestamp) -> io::Result<()> {
        if self.last.len() >= KEPT_MAX {
            self.last.clear();
        }
        let full = SEGMENT_BYTES.min(self.settings.bytes_max / 4);
        let last = match self.last.remove(folder) {
            Some(last) if last.path.exists() => Some(last),
            _ => newest(folder)?,
        };
        let mut segment = match last {
            Some(last) if last.bytes < full => last,
            _ => self.begin(folder, now)?,
        };
        private(OpenOptions::new().append(true).create(true)).open(&segment.path)?.write_all(text)?;
        segment.bytes += text.len() as u64;
        self.last.insert(folder.to_owned(), segment);
        Ok(())
    }

    /// Makes room for a new segment.
    fn begin(&self, folder: &Path, now: Timestamp) -> io::Result<Segment> {
        fs::create_dir_all(folder)?;
        let (now, oldest) = (now.as_millisecond(), oldest(&self.settings, now));
        let kept = SEGMENT_BYTES.min(self.settings.bytes_max / 4);
        let mut segments = segments(folder)?;
        let mut bytes = 0;
        let mut latest = 0;
        while let Some((begun, path)) = segments.pop() {
            bytes += fs::metadata(&path).map_or(0, |file| file.len());
            latest = latest.max(begun);
            // A segment ends where the next one begins, so one that begins too early may still have lines that are kept.
            let next_is_old = segments.last().is_some_and(|_| begun < oldest);
            if bytes + kept > self.settings.bytes_max {
                fs::remove_file(&path)?;
            }
            if next_is_old {
                segments.drain(..).try_for_each(|(_, path)| fs::remove_file(path))?;
            }
        }
        let path = folder.join(format!("{:015}.{EXTENSION}", now.max(latest + 1)));
        Ok(Segment { path, bytes: 0 })
    }
}

/// Removes what is too old, and the folders of tenants that are no more. `tenants` are the folders of those there are.
pub fn tidy_log(settings: &LogSettings, tenants: &[PathBuf], now: Timestamp) -> io::Result<()> {
    let entries = match fs::read_dir(&settings.folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let folder = entry?.path();
        if !tenants.contains(&folder) {
            fs::remove_dir_all(&folder)?;
            continue;
        }
        let segments = segments(&folder)?;
        // A segment ends where the next one begins.
        for ends in segments.windows(2) {
            if ends[1].0 < oldest(settings, now) {
                fs::remove_file(&ends[0].1)?;
            }
        }
    }
    Ok(())
}

/// The earliest line that is kept, in milliseconds.
fn oldest(settings: &LogSettings, now: Timestamp) -> i64 {
    now.as_millisecond().saturating_sub(i64::try_from(settings.age_max.as_millis()).unwrap_or(i64::MAX))
}

/// The segments of a tenant, oldest first, with the times of their first lines.
pub(super) fn segments(folder: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut segments = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let begun = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (Some(begun), true) = (begun, path.extension().is_some_and(|extension| extension == EXTENSION)) {
            segments.push((begun, path));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

fn newest(folder: &Path) -> io::Result<Option<Segment>> {
    let Some((_, path)) = segments(folder)?.pop() else { return Ok(None) };
    let bytes = File::open(&path)?.metadata()?.len();
    Ok(Some(Segment { path, bytes }))
}

/// Readable by the owner alone, where files have owners.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
