//! Finds PostgreSQL's programs, and has them installed where they are missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::system_packages;

/// The oldest major version the project supports. It has the ICU collations that our servers are made with.
const VERSION_MIN: u32 = 15;

/// What a server is made, kept and asked with. A client alone brings the folder, but not all of them.
const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "pg_isready", "postgres"];

/// Where Debian and Ubuntu keep each major version apart; none of it is in PATH.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The package of Debian and Ubuntu that brings their newest server.
const PACKAGE: &str = "postgresql";

/// The folder of PostgreSQL's programs.
pub fn found_or_installed() -> anyhow::Result<PathBuf> {
    if let Some(folder) = found() {
        return Ok(folder);
    }
    system_packages::install(&[PACKAGE], "leave PostgreSQL out with --sqlite-only")?;
    found().with_context(|| {
        format!("the system's PostgreSQL is older than {VERSION_MIN}; install {VERSION_MIN} or newer from apt.postgresql.org, or leave it out with --sqlite-only")
    })
}

/// The folder of the newest version on this machine that is new enough.
pub fn found() -> Option<PathBuf> {
    newest_below(Path::new(DEBIAN)).or_else(in_path)
}

fn newest_below(folder: &Path) -> Option<PathBuf> {
    let versions = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let binaries = entry.path().join("bin");
        (version >= VERSION_MIN && is_whole(&binaries)).then_some((version, binaries))
    });
    versions.max().map(|(_, binaries)| binaries)
}

fn is_whole(binaries: &Path) -> bool {
    PROGRAMS.iter().all(|program| binaries.join(program).is_file())
}

fn in_path() -> Option<PathBuf> {
    let version = Command::new("initdb").arg("--version").output().ok()?;
    if major_version(&String::from_utf8_lossy(&version.stdout))? < VERSION_MIN {
        return None;
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| is_whole(folder))
}

/// The 15 of `initdb (PostgreSQL) 15.4 (Debian 15.4-1)` or of `… 15beta1`.
fn major_version(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    let end = version.find(|char: char| !char.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{PROGRAMS, major_version, newest_below};

    #[test]
    fn versions_are_read() {
        for (text, expected) in [
            ("initdb (PostgreSQL) 15.4 (Debian 15.4-1)\n", Some(15)),
            ("initdb (PostgreSQL) 18beta1\n", Some(18)),
            ("initdb (PostgreSQL) 17", Some(17)),
            ("initdb (PostgreSQL) ", None),
            ("initdb: not found", None),
            ("", None),
        ] {
            assert_eq!(major_version(text), expected, "{text}");
        }
    }

    #[test]
    fn the_newest_whole_version_is_taken() {
        let folder = std::env::temp_dir().join(format!("lockstep-binaries-{}", std::process::id()));
        for (version, programs) in
            [("9.6", PROGRAMS.as_slice()), ("14", &PROGRAMS), ("15", &PROGRAMS), ("16", &PROGRAMS), ("17", &["psql"])]
        {
            let binaries = folder.join(version).join("bin");
            fs::create_dir_all(&binaries).unwrap();
            for program in programs {
                fs::write(binaries.join(program), "").unwrap();
            }
        }
        let found = newest_below(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, Some(folder.join("16/bin")));
        assert_eq!(newest_below(&folder), None);
    }
}
