//! The data folder: the key, the installation's id, the lock of `serve`, and where the database file lies.
//! What is in the database is not known here.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::output::note;

/// The installation's key.
const KEY_FILE: &str = "master.key";
/// The database, where it is embedded.
const DATABASE_FILE: &str = "lockstep.db";
/// The id of this folder.
const INSTANCE_FILE: &str = "instance";
/// Held while the folder is set up.
const SETUP_LOCK: &str = "setup.lock";
/// How often it is looked whether another process has set the folder up.
const SETUP_LOOK_EVERY: Duration = Duration::from_millis(20);
/// Looks before it is said that another process is waited for: a second.
const SETUP_LOOKS_QUIET: u32 = 50;
/// Looks at the most: ten minutes.
const SETUP_LOOKS_MAX: u32 = 30_000;
/// Held by the one `serve` of this folder.
const SERVE_LOCK: &str = "serve.lock";
/// Looks at that lock before it is said that somebody else serves.
const SERVE_LOOKS_MAX: u32 = 5;
/// Lock files of running jobs.
const LOCKS_FOLDER: &str = "locks";
/// Bytes of the key.
pub const KEY_BYTES: usize = 32;

/// A data folder that is set up.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    key: [u8; KEY_BYTES],
    instance: String,
}

/// Held from the look at the folder until its database is open: another process that begins meanwhile waits, and then
/// finds key and database together.
#[derive(Debug)]
pub struct Setup {
    _lock: File,
    /// The key that was made just now, if so.
    new_key: Option<PathBuf>,
}

impl Setup {
    /// Takes a new key away again, because its database could not be opened: the next start is the first one again.
    pub fn undo(self) {
        if let Some(key) = self.new_key {
            // A key that stays is told of at the next start, with the cure.
            drop(std::fs::remove_file(key));
        }
    }
}

/// Proof that this process is the one `serve` of the folder, for as long as it lives.
#[derive(Debug)]
pub struct ServeLock {
    _file: File,
}

impl DataFolder {
    /// Opens a data folder; makes what is missing, for its owner alone. `random` fills the key of a new folder.
    pub fn open(path: &Path, random: impl Fn(&mut [u8])) -> anyhow::Result<(Self, Setup)> {
        let shown = path.display();
        if path.exists() && !path.is_dir() {
            bail!("{shown} is a file; name a folder with --data");
        }
        make_folder(path)
            .with_context(|| format!("the data folder {shown} cannot be made; name another with --data"))?;
        let lock = open_lock(&path.join(SETUP_LOCK))?;
        wait_for_setup(&lock, path)?;
        let (key, is_new) = key(path, &random)?;
        let instance = instance(path, &random)?;
        make_folder(&path.join(LOCKS_FOLDER)).with_context(|| format!("the data folder {shown} cannot be written"))?;
        let setup = Setup { _lock: lock, new_key: is_new.then(|| path.join(KEY_FILE)) };
        Ok((Self { path: path.to_owned(), key, instance }, setup))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The installation's key.
    pub const fn key(&self) -> [u8; KEY_BYTES] {
        self.key
    }

    /// The id of this folder.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// The file of the embedded database.
    pub fn database_file(&self) -> PathBuf {
        self.path.join(DATABASE_FILE)
    }

    /// The file of the key.
    pub fn key_file(&self) -> PathBuf {
        self.path.join(KEY_FILE)
    }

    /// The folder of the jobs' lock files.
    pub fn lock_folder(&self) -> PathBuf {
        self.path.join(LOCKS_FOLDER)
    }

    /// Makes the file of the embedded database of a new folder, for its owner alone. SQLite takes an empty file as a new
    /// database, and gives the files beside it the same mode; so beside a key that is not new, a database that is gone
    /// or empty is refused: nobody takes an empty directory for his own.
    pub fn prepare_database_file(&self, setup: &Setup) -> anyhow::Result<()> {
        let file = self.database_file();
        let length = std::fs::metadata(&file).map(|found| found.len());
        if setup.new_key.is_none()
            && let Some(what) = match length {
                Ok(0) => Some("is empty"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("is missing"),
                _ => None,
            }
        {
            let (file, key) = (file.display(), self.key_file());
            let key = key.display();
            bail!(
                "the database {file} {what} although its key {key} is there; restore a backup, name the database with \
                 --database if PostgreSQL holds it, or remove {key} to begin anew with no data"
            );
        }
        let mut options = owner_only();
        match options.write(true).create_new(true).open(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("the database {} cannot be made", file.display()))
            }
            _ => Ok(()),
        }
    }

    /// Takes the place of the one `serve` of this folder.
    pub fn lock_for_serving(&self) -> anyhow::Result<ServeLock> {
        let mut file = open_lock(&self.path.join(SERVE_LOCK))?;
        let mut locked = file.try_lock();
        // `status` and `doctor` hold the lock for the moment of their look.
        for _ in 0..SERVE_LOOKS_MAX {
            if matches!(locked, Err(TryLockError::WouldBlock)) {
                std::thread::sleep(SETUP_LOOK_EVERY);
                locked = file.try_lock();
            }
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "lockstep already serves the data in {}; stop that process, or name another folder with --data",
                self.path.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error)
                    .with_context(|| format!("{} cannot be locked", self.path.join(SERVE_LOCK).display()));
            }
        }
        // The number is for people who look into the folder; the lock itself is what counts.
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(ServeLock { _file: file })
    }

    /// Whether somebody else serves this folder now.
    pub fn is_served(&self) -> anyhow::Result<bool> {
        let file = open_lock(&self.path.join(SERVE_LOCK))?;
        Ok(matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }

    /// What others than the owner can read, or change, each as a sentence with its cure.
    pub fn open_to_others(&self) -> Vec<String> {
        // Whoever can write in the folder can put another file in the place of each one there.
        let folder = mode(&self.path).filter(|mode| mode & 0o022 != 0).map(|mode| {
            format!("{} can be changed by others (mode {mode:04o}); run chmod 700 on it", self.path.display())
        });
        let readable = [self.key_file(), self.database_file()].into_iter().filter_map(|file| readable_by_others(&file));
        folder.into_iter().chain(readable).collect()
    }

    /// The configuration, where it lies here with the password of a database, and others can read it.
    pub fn open_password(&self, configuration: &str) -> Option<String> {
        let file = self.path.join(configuration);
        let text = std::fs::read_to_string(&file).ok()?;
        let table = text.parse::<toml::Table>().ok()?;
        let holds_password = table.get("database").and_then(toml::Value::as_str).is_some_and(has_password)
            || table.get("traces").is_some_and(|traces| traces.get("headers").is_some());
        holds_password.then(|| readable_by_others(&file))?.map(|told| format!("{told}, because it holds a password"))
    }
}

/// Whether an address like `postgres://user:password@host/name` holds a password.
fn has_password(address: &str) -> bool {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let in_front = rest.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    in_front || rest.split_once('?').is_some_and(|(_, options)| options.contains("password="))
}

/// A file in the folder that is none of ours, if there is one; of a folder that is not there, none.
pub fn foreign_file(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    const OURS: [&str; 6] = [KEY_FILE, INSTANCE_FILE, SETUP_LOCK, SERVE_LOCK, LOCKS_FOLDER, crate::config::FILE_NAME];
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // A file in the place of the folder is told of when the folder is opened.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
        other => other.with_context(|| format!("the data folder {} cannot be read", folder.display()))?,
    };
    for entry in entries {
        let name = entry?.file_name();
        let name_shown = name.to_string_lossy();
        // The database has further files beside it.
        if !OURS.contains(&&*name_shown) && !name_shown.starts_with(DATABASE_FILE) {
            return Ok(Some(folder.join(name)));
        }
    }
    Ok(None)
}

/// Writes a file that only its owner can read, as a whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let mut file = owner_only().write(true).create(true).truncate(true).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => File::open(folder).and_then(|folder| folder.sync_all()),
        None => Ok(()),
    }
}

/// Makes a folder that only its owner can enter, with those above it.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// How a file is opened that only its owner is to read.
pub fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes the lock of the setup. Others hold it for a moment only, unless their database is being migrated or does not
/// answer: then it is said what is waited for.
fn wait_for_setup(lock: &File, path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    for look in 0..=SETUP_LOOKS_MAX {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("the data folder {shown} cannot be locked"));
            }
            Err(TryLockError::WouldBlock) if look == SETUP_LOOKS_QUIET => {
                note(&format!("waiting for another lockstep, which is opening the database of {shown}"));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        std::thread::sleep(SETUP_LOOK_EVERY);
    }
    let minutes = (SETUP_LOOK_EVERY * SETUP_LOOKS_MAX).as_secs() / 60;
    bail!(
        "another lockstep has been opening the database of {shown} for {minutes} minutes; try again when it is done, or \
         end that process"
    )
}

fn open_lock(path: &Path) -> anyhow::Result<File> {
    let open = owner_only().read(true).write(true).create(true).truncate(false).open(path);
    open.with_context(|| {
        format!("{} cannot be opened; is the data folder yours, and is the disk not full?", path.display())
    })
}

/// The key, and whether it was made just now.
fn key(folder: &Path, random: impl Fn(&mut [u8])) -> anyhow::Result<([u8; KEY_BYTES], bool)> {
    let path = folder.join(KEY_FILE);
    let shown = path.display();
    match std::fs::read(&path) {
        Ok(bytes) => <[u8; KEY_BYTES]>::try_from(bytes).map(|key| (key, false)).map_err(|bytes| {
            anyhow::anyhow!(
                "{shown} has {} bytes, not {KEY_BYTES}, and is no key; put it back from a backup",
                bytes.len()
            )
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let database = folder.join(DATABASE_FILE);
            if std::fs::metadata(&database).is_ok_and(|found| found.len() > 0) {
                bail!("{shown} is missing although {} is there; put the key back from a backup", database.display());
            }
            let mut key = [0; KEY_BYTES];
            random(&mut key);
            write_private(&path, &key).with_context(|| format!("{shown} cannot be written"))?;
            Ok((key, true))
        }
        Err(error) => Err(error).with_context(|| format!("{shown} cannot be read")),
    }
}

fn instance(folder: &Path, random: impl Fn(&mut [u8])) -> anyhow::Result<String> {
    let path = folder.join(INSTANCE_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be read", path.display()))
        }
        _ => {
            let mut bytes = [0; 16];
            random(&mut bytes);
            let id = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
            write_private(&path, format!("{id}\n").as_bytes())
                .with_context(|| format!("{} cannot be written", path.display()))?;
            Ok(id)
        }
    }
}

fn readable_by_others(file: &Path) -> Option<String> {
    let mode = mode(file).filter(|mode| mode & 0o077 != 0)?;
    Some(format!("{} can be read by others (mode {mode:04o}); run chmod 600 on it", file.display()))
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(std::fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

/// Other systems than Unix have no modes; who can read is for their administrators.
#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    static NUMBER: AtomicU32 = AtomicU32::new(0);

    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            let name = format!("lockstep-folder-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            drop(std::fs::remove_dir_all(&self.0));
        }
    }

    fn sevens(bytes: &mut [u8]) {
        bytes.fill(7);
    }

    #[test]
    fn a_new_folder_is_its_owners_alone_and_stays_as_it_is() {
        let scratch = Scratch::new();
        let (folder, setup) = DataFolder::open(&scratch.0.join("deep"), sevens).unwrap();
        folder.prepare_database_file(&setup).unwrap();
        drop(setup);
        assert_eq!(folder.key(), [7; 32]);
        assert_eq!(folder.open_to_others(), Vec::<String>::new());
        assert!(folder.lock_folder().is_dir());
        let (again, _) = DataFolder::open(folder.path(), |bytes| bytes.fill(9)).unwrap();
        assert_eq!((again.key(), again.instance()), (folder.key(), folder.instance()));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_open_to_others_is_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let scratch = Scratch::new();
        let (folder, _) = DataFolder::open(&scratch.0, sevens).unwrap();
        let chmod = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(mode(&scratch.0), Some(0o700));
        chmod(&scratch.0, 0o755);
        assert_eq!(folder.open_to_others(), Vec::<String>::new(), "what can be listed can still not be read");
        chmod(&folder.key_file(), 0o644);
        chmod(&scratch.0, 0o777);
        let told = folder.open_to_others();
        let (shown, key) = (scratch.0.display(), folder.key_file());
        assert_eq!(
            told,
            [
                format!("{shown} can be changed by others (mode 0777); run chmod 700 on it"),
                format!("{} can be read by others (mode 0644); run chmod 600 on it", key.display()),
            ]
        );
        let file = scratch.0.join("a.toml");
        for (text, mode, expected) in [
            ("database = \"postgres://lockstep:pw@db/name\"", 0o644, true),
            ("database = \"postgres://db/name?user=u&password=pw\"", 0o644, true),
            ("database = \"postgres://lockstep:pw@db/name\"", 0o600, false),
            ("database = \"postgres://lockstep@db:5432/name\"", 0o644, false),
            ("[traces]\nheaders = \"x-key=pw\"", 0o644, true),
            ("[traces]\nshare = 1", 0o644, false),
            ("listen = \"127.0.0.1:1\"", 0o644, false),
            ("no toml", 0o644, false),
        ] {
            std::fs::write(&file, text).unwrap();
            chmod(&file, mode);
            assert_eq!(folder.open_password("a.toml").is_some(), expected, "{text}");
        }
    }

    #[test]
    fn a_key_is_never_made_beside_data_of_another() {
        let scratch = Scratch::new();
        let (folder, _) = DataFolder::open(&scratch.0, sevens).unwrap();
        std::fs::write(folder.database_file(), "data").unwrap();
        std::fs::remove_file(folder.key_file()).unwrap();
        let error = DataFolder::open(&scratch.0, sevens).unwrap_err().to_string();
        assert!(error.contains("master.key is missing although"), "{error}");
        std::fs::write(folder.key_file(), "short").unwrap();
        let error = DataFolder::open(&scratch.0, sevens).unwrap_err().to_string();
        assert!(error.contains("has 5 bytes, not 32"), "{error}");
    }

    #[test]
    fn a_database_is_never_made_anew_beside_a_key() {
        let scratch = Scratch::new();
        let (_, new) = DataFolder::open(&scratch.0, sevens).unwrap();
        drop(new);
        let (folder, setup) = DataFolder::open(&scratch.0, sevens).unwrap();
        let error = folder.prepare_database_file(&setup).unwrap_err().to_string();
        assert!(error.contains("lockstep.db is missing although its key"), "{error}");
        std::fs::write(folder.database_file(), "").unwrap();
        let error = folder.prepare_database_file(&setup).unwrap_err().to_string();
        assert!(error.contains("lockstep.db is empty although its key"), "{error}");
        std::fs::write(folder.database_file(), "data").unwrap();
        folder.prepare_database_file(&setup).unwrap();
    }

    #[test]
    fn a_first_start_that_failed_leaves_no_key() {
        let scratch = Scratch::new();
        let (folder, setup) = DataFolder::open(&scratch.0, sevens).unwrap();
        setup.undo();
        assert!(!folder.key_file().exists());
        let (_, setup) = DataFolder::open(&scratch.0, sevens).unwrap();
        drop(setup);
        let (_, setup) = DataFolder::open(&scratch.0, sevens).unwrap();
        setup.undo();
        assert!(folder.key_file().exists(), "a key that was there before stays");
    }

    #[test]
    fn files_of_others_are_told_from_ours() {
        let scratch = Scratch::new();
        assert_eq!(foreign_file(&scratch.0).unwrap(), None);
        let (folder, setup) = DataFolder::open(&scratch.0, sevens).unwrap();
        folder.prepare_database_file(&setup).unwrap();
        drop(folder.lock_for_serving().unwrap());
        std::fs::write(scratch.0.join("lockstep.db-wal"), "").unwrap();
        assert_eq!(foreign_file(&scratch.0).unwrap(), None);
        let letter = scratch.0.join("letter.txt");
        std::fs::write(&letter, "").unwrap();
        assert_eq!(foreign_file(&scratch.0).unwrap(), Some(letter));
    }

    #[test]
    fn one_serves_at_a_time() {
        let scratch = Scratch::new();
        let (folder, _) = DataFolder::open(&scratch.0, sevens).unwrap();
        assert!(!folder.is_served().unwrap());
        let lock = folder.lock_for_serving().unwrap();
        assert!(folder.is_served().unwrap());
        assert!(folder.lock_for_serving().unwrap_err().to_string().contains("already serves the data in"));
        drop(lock);
        folder.lock_for_serving().unwrap();
    }

    #[test]
    fn a_file_is_no_folder() {
        let scratch = Scratch::new();
        std::fs::write(&scratch.0, "").unwrap();
        let error = DataFolder::open(&scratch.0, sevens).unwrap_err().to_string();
        std::fs::remove_file(&scratch.0).unwrap();
        assert!(error.contains("is a file; name a folder"), "{error}");
    }
}
