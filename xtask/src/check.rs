//! `check`: all that is verified without running the product. Every step runs, so that one run shows all there is to do.

use std::process::{Command, ExitCode};

use crate::{architecture, cargo, dependencies, packages, repository};

/// The fuzz targets are a workspace of their own, which `--all` does not reach.
const FUZZ_MANIFEST: &str = "fuzz/Cargo.toml";

/// The crates that are published for others. Each package holds the two licences, which cargo takes from the crate's folder only.
const PUBLISHED: [(&str, &str); 1] = [("lockstep-scim", "crates/scim")];

/// Runs every step; the exit code tells whether all of them passed.
pub fn check() -> anyhow::Result<ExitCode> {
    // The rules come first: they take a second, clippy takes minutes.
    let mut failed = Vec::new();
    if !keeps("architecture", &architecture::broken()?) {
        failed.push("architecture");
    }
    if !keeps("dependencies", &dependency_rules_broken()?) {
        failed.push("dependencies");
    }
    for (name, mut command) in steps() {
        announce(name);
        if !cargo::status(&mut command)?.success() {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        println!("==> all checks passed");
        return Ok(ExitCode::SUCCESS);
    }
    anyhow::bail!("these steps failed, see above: {}", failed.join(", "))
}

fn dependency_rules_broken() -> anyhow::Result<Vec<String>> {
    let mut broken = dependencies::broken_by_packages(&packages::of_lock_file()?);
    broken.extend(dependencies::broken_by_manifests(&repository::files()?));
    Ok(broken)
}

fn keeps(rules: &str, broken: &[String]) -> bool {
    announce(rules);
    for sentence in broken {
        println!("{sentence}");
    }
    broken.is_empty()
}

fn announce(step: &str) {
    println!("==> {step}");
}

fn steps() -> Vec<(&'static str, Command)> {
    let cargo = |arguments: &[&str]| {
        let mut command = cargo::command();
        command.args(arguments);
        command
    };
    let mut documentation = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    documentation.env("RUSTDOCFLAGS", "-Dwarnings");
    let mut steps = vec![("format", cargo(&["fmt", "--all", "--check"]))];
    if repository::root().join(FUZZ_MANIFEST).exists() {
        steps.push(("format of the fuzz targets", cargo(&["fmt", "--check", "--manifest-path", FUZZ_MANIFEST])));
    }
    steps.push(("clippy", cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])));
    steps.push(("documentation", documentation));
    for (package, _) in PUBLISHED {
        // Clippy has built it, and what is packed is the same files; that they are all there and can be published is seen here.
        steps.push(("package", cargo(&["package", "--package", package, "--no-verify", "--allow-dirty", "--offline"])));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::{PUBLISHED, dependencies, keeps, repository, steps};

    /// Largest file of a package; schemas and sources are far smaller.
    const PACKED_FILE_BYTES_MAX: usize = 64 * 1024;

    // The rules for the lock file are not here: they may have to fetch, and tests need no network.
    #[test]
    fn the_manifests_keep_their_rules() {
        let broken = dependencies::broken_by_manifests(&repository::files().unwrap());
        assert!(broken.is_empty(), "{} rules are broken:\n{}", broken.len(), broken.join("\n"));
    }

    #[test]
    fn warnings_are_failures() {
        let commands = steps().into_iter().map(|(name, command)| (name, format!("{command:?}")));
        for (name, text) in commands {
            match name {
                "clippy" => assert!(text.contains(r#""-D" "warnings""#), "{text}"),
                "documentation" => assert!(text.contains("-Dwarnings"), "{text}"),
                "package" => assert!(text.contains("lockstep-scim"), "{text}"),
                _ => assert!(text.contains("--check"), "{text}"),
            }
        }
    }

    #[test]
    fn what_is_published_holds_its_licences_and_nothing_large() {
        let files = repository::files().unwrap();
        let bytes = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.bytes.as_slice());
        for (package, folder) in PUBLISHED {
            for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
                let own = bytes(&format!("{folder}/{licence}"));
                assert!(own.is_some() && own == bytes(licence), "{package}: copy {licence} to {folder}");
            }
            let packed = files.iter().filter(|file| file.path.starts_with(&format!("{folder}/")));
            let largest = packed.max_by_key(|file| file.bytes.len()).unwrap();
            assert!(largest.bytes.len() <= PACKED_FILE_BYTES_MAX, "{} is too large to be published", largest.path);
        }
    }

    #[test]
    fn a_broken_rule_fails_its_step() {
        assert!(keeps("example", &[]));
        assert!(!keeps("example", &["a is b".to_owned()]));
    }
}
