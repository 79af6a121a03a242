//! The rules for what the project is built from: licences, origin, refused crates, doubles, number, and a reason for
//! each. They read the lock file and the manifests only, so they need no advisory service and no installed tool.

use crate::licence;
use crate::packages::Package;
use crate::repository::File;

/// Packages the lock file may name. 272 were there when the limit was set; it leaves 15 % of room. Whoever raises it
/// has looked at what the new ones bring.
const PACKAGES_MAX: usize = 313;

/// The one place dependencies come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that must not be in the lock file at all, with the reason.
const REFUSED: [(&str, &str); 9] = [
    ("aws-lc-rs", "ring is the one cryptography provider; this one needs cmake"),
    ("chrono", "jiff is the one time crate"),
    ("native-tls", "rustls is the one TLS stack"),
    ("openssl", "rustls is the one TLS stack"),
    ("openssl-sys", "rustls is the one TLS stack"),
    ("reqwest", "hyper under the guarded connector is the one HTTP client"),
    ("sqlx", "the store talks to rusqlite and postgres itself"),
    ("time", "jiff is the one time crate"),
    ("diesel", "the store talks to rusqlite and postgres itself"),
];

/// Crates that others may bring but we do not use ourselves, with what to use.
const REFUSED_DIRECTLY: [(&str, &str); 4] = [
    ("async-trait", "a plain `async fn`, or no trait"),
    ("lazy_static", "std::sync::LazyLock"),
    ("once_cell", "std::sync::OnceLock"),
    ("rand", "getrandom at the edge; below it randomness is an argument"),
];

/// Crates of which two versions in one program would be two worlds that do not understand each other.
const ONE_VERSION: [&str; 14] = [
    "axum",
    "bytes",
    "clap",
    "http",
    "hyper",
    "hyper-util",
    "jiff",
    "postgres",
    "rusqlite",
    "rustls",
    "serde",
    "serde_json",
    "tokio",
    "tower",
];

/// What the packages of the lock file break, one sentence each.
pub fn broken_by_packages(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    if packages.len() > PACKAGES_MAX {
        let count = packages.len();
        broken.push(format!("the lock file names {count} packages, more than {PACKAGES_MAX}; do without one of the new ones, or raise PACKAGES_MAX with a reason"));
    }
    for package in packages {
        broken.extend(broken_by_package(package));
    }
    for name in ONE_VERSION {
        let versions: Vec<&str> =
            packages.iter().filter(|package| package.name == name).map(|package| package.version.as_str()).collect();
        if versions.len() > 1 {
            broken.push(format!("{name} is there in the versions {}; bring its users to one", versions.join(" and ")));
        }
    }
    broken
}

fn broken_by_package(package: &Package) -> Vec<String> {
    let Package { name, version, licence, source, uses } = package;
    let mut broken = Vec::new();
    match licence {
        Some(licence) if licence::is_allowed(licence) => {}
        Some(licence) => broken.push(format!("{name} {version} has the licence `{licence}`, which is not allowed")),
        None => broken.push(format!("{name} {version} names no licence")),
    }
    if let Some(source) = source
        && source != REGISTRY
    {
        broken.push(format!("{name} {version} comes from {source}; only the crates registry is allowed"));
    }
    if let Some((_, reason)) = REFUSED.iter().find(|(refused, _)| refused == name) {
        broken.push(format!("{name} is refused: {reason}"));
    }
    if source.is_none() {
        let direct = REFUSED_DIRECTLY.iter().filter(|(refused, _)| uses.iter().any(|used| used == refused));
        broken.extend(direct.map(|(refused, instead)| format!("{name} uses {refused}; use {instead}")));
    }
    broken
}

/// What the manifests break: a dependency without its reason, a version outside the root.
pub fn broken_by_manifests(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        let text = file.text();
        if file.path == "Cargo.toml" {
            for entry in entries(&text, |section| section == "workspace.dependencies") {
                if !entry.has_comment && !entry.text.contains("path =") {
                    broken.push(format!("{} has no comment with its reason in the root Cargo.toml", entry.name));
                }
            }
        } else if is_member_manifest(&file.path) {
            for entry in entries(&text, |section| section.ends_with("dependencies")) {
                if !entry.text.contains("workspace") {
                    let (path, name) = (&file.path, &entry.name);
                    broken.push(format!(
                        "{path} names {name} by itself; name it in the root and write `{name}.workspace = true`"
                    ));
                }
            }
        }
    }
    broken
}

fn is_member_manifest(path: &str) -> bool {
    path == "xtask/Cargo.toml" || (path.starts_with("crates/") && path.ends_with("/Cargo.toml"))
}

struct Entry {
    name: String,
    text: String,
    has_comment: bool,
}

/// The entries of the wanted sections. An entry whose brackets are open goes on in the next line.
fn entries(manifest: &str, wanted: impl Fn(&str) -> bool) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut inside = false;
    let mut open = 0_usize;
    for line in manifest.lines() {
        let (code, has_comment) = without_comment(line);
        if open == 0 && code.trim_start().starts_with('[') {
            inside = wanted(code.trim().trim_matches(['[', ']']));
            continue;
        }
        if !inside || code.trim().is_empty() {
            continue;
        }
        if open == 0 {
            let name = code.split(['.', '=', ' ']).next().unwrap_or_default();
            entries.push(Entry { name: name.trim_matches('"').to_owned(), text: String::new(), has_comment: false });
        }
        if let Some(entry) = entries.last_mut() {
            entry.text.push_str(code);
            entry.has_comment |= has_comment;
        }
        let opened = code.matches(['[', '{']).count();
        let closed = code.matches([']', '}']).count();
        open = (open + opened).saturating_sub(closed);
    }
    entries
}

/// The part of a line of TOML before its comment, and whether there is a comment that says anything.
fn without_comment(line: &str) -> (&str, bool) {
    let mut quoted = false;
    for (at, char) in line.char_indices() {
        match char {
            '"' => quoted = !quoted,
            '#' if !quoted => return (&line[..at], !line[at + 1..].trim().is_empty()),
            _ => {}
        }
    }
    (line, false)
}

#[cfg(test)]
mod tests;
