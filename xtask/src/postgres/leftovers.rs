//! The folders of our servers in the temporary folder, and what to do about one whose owner was killed together with
//! its keeper, so that nobody was left to remove it.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PREFIX: &str = "lockstep-postgres-";

/// The folder of the server that process `owner` keeps.
pub fn folder_of(temporary: &Path, owner: u32) -> PathBuf {
    temporary.join(format!("{PREFIX}{owner}"))
}

/// Stops the servers in `temporary` whose owner is gone and removes their folders. What cannot be removed stays:
/// another user's folder is not our matter.
pub fn remove(temporary: &Path, binaries: &Path) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|owner| owner.parse().ok());
        // Our own number in a name is from an earlier process that had the same.
        if owner.is_some_and(|owner| owner == std::process::id() || !is_running(owner)) {
            stop(&entry.path(), binaries);
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

/// Removes the folder of a server that has stopped. That it is gone already is fine.
pub fn remove_folder(folder: &Path) {
    if let Err(error) = std::fs::remove_dir_all(folder)
        && error.kind() != ErrorKind::NotFound
    {
        eprintln!("warning: cannot remove {}: {error}", folder.display());
    }
}

fn is_running(process: u32) -> bool {
    // A process of another user counts as gone, but then neither its server nor its folder can be touched by us.
    // `kill` is part of the shell; `ps` is not on every machine.
    let mut command = Command::new("sh");
    command.args(["-c", "kill -0 \"$1\"", "sh", &process.to_string()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Without an answer, leave the folder alone.
    command.status().map_or(true, |status| status.success())
}

fn stop(folder: &Path, binaries: &Path) {
    let data = folder.join("data");
    let Ok(metadata) = std::fs::metadata(&data) else {
        return;
    };
    let mut command = Command::new(binaries.join("pg_ctl"));
    command.arg("stop").arg("--silent").arg("--mode=immediate").arg("--pgdata").arg(&data);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // pg_ctl refuses root, as the server does.
    if crate::system_packages::is_root() {
        command.uid(metadata.uid()).gid(metadata.gid());
    }
    // It fails where the server has stopped already, which is what we want.
    drop(command.status());
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::{folder_of, remove};

    #[test]
    fn only_what_nobody_owns_is_removed() {
        let temporary = std::env::temp_dir().join(format!("lockstep-leftovers-{}", std::process::id()));
        let mut ended = Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        let orphaned = folder_of(&temporary, ended.id());
        // Runs until its input closes.
        let mut running = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let owned = folder_of(&temporary, running.id());
        let other = temporary.join("lockstep-postgres-notes");
        for folder in [&orphaned, &owned, &other] {
            fs::create_dir_all(folder).unwrap();
        }
        remove(&temporary, Path::new("/no/binaries"));
        let left = [&orphaned, &owned, &other].map(|folder| folder.exists());
        drop(running.stdin.take());
        running.wait().unwrap();
        fs::remove_dir_all(&temporary).unwrap();
        assert_eq!(left, [false, true, true]);
    }
}
