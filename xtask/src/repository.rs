//! The files of the repository, read once, so that the rules are functions over data.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

/// Folders that hold no source: what is made by building, running and fuzzing, and git's own.
const NOT_SOURCE: [&str; 5] = [".git", "target", "lockstep-data", "artifacts", "coverage"];

/// One file of the repository.
#[derive(Clone, Debug)]
pub struct File {
    /// Path from the root, with `/` between its parts.
    pub path: String,
    /// The whole content.
    pub bytes: Vec<u8>,
}

impl File {
    /// The content as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// Whether the last part of `path` ends in `.` and `extension`.
pub fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// The root of the repository.
pub fn root() -> PathBuf {
    // Two clones that share a target folder share this program; cargo says for which of them it runs.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let own = PathBuf::from(own);
    own.parent().expect("this package is a folder of the repository").to_owned()
}

/// Every file that is in the repository or would be with the next commit.
pub fn files() -> anyhow::Result<Vec<File>> {
    let root = root();
    let paths = match paths_by_git(&root) {
        Some(paths) => paths,
        // A source archive has no `.git`, and a machine may have no git: the rules hold there too.
        None => paths_by_walk(&root)?,
    };
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let full = root.join(&path);
        // git names files whose removal is not committed yet, and links to folders.
        if full.is_file() {
            let bytes = std::fs::read(&full).with_context(|| format!("cannot read {path}"))?;
            files.push(File { path, bytes });
        }
    }
    anyhow::ensure!(!files.is_empty(), "found no files of the repository; run this in a clone of it");
    Ok(files)
}

fn paths_by_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        // A clone made by another user of the machine (continuous integration as root) is fine to list.
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    let listed = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<String> = listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn paths_by_walk(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let path = entry.path();
            // A link to a folder is not one here, so the walk ends.
            if entry.file_type()?.is_dir() {
                let name = entry.file_name();
                if !NOT_SOURCE.iter().any(|skipped| name == *skipped) {
                    folders.push(path);
                }
            } else {
                let below = path.strip_prefix(root).expect("the walk stays below the root");
                paths.push(below.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::{files, has_extension, paths_by_walk, root};

    #[test]
    fn the_repository_holds_its_manifest() {
        let files = files().unwrap();
        let manifest = files.iter().find(|file| file.path == "Cargo.toml").unwrap();
        assert!(manifest.text().contains("[workspace]"));
    }

    #[test]
    fn extensions() {
        for (path, extension, expected) in
            [("a/b.rs", "rs", true), ("a.rs/b", "rs", false), ("b.rss", "rs", false), ("rs", "rs", false)]
        {
            assert_eq!(has_extension(path, extension), expected, "{path}");
        }
    }

    #[test]
    fn without_git_the_walk_finds_the_same_sources() {
        let mut walked = paths_by_walk(&root().join("xtask")).unwrap();
        walked.sort();
        assert!(walked.contains(&"src/main.rs".to_owned()), "{walked:?}");
        assert!(!walked.iter().any(|path| path.starts_with("target/")));
    }
}
