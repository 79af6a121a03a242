//! Shows on small examples that each rule for dependencies bites.

use super::{ONE_VERSION, PACKAGES_MAX, REGISTRY, broken_by_manifests, broken_by_packages};
use crate::packages::Package;
use crate::repository::File;

fn crate_of_registry(name: &str, version: &str) -> Package {
    Package { version: version.to_owned(), source: Some(REGISTRY.to_owned()), ..Package::of_ours(name, &[]) }
}

#[track_caller]
fn check(packages: &[Package], expected: &[&str]) {
    assert_eq!(broken_by_packages(packages), expected);
}

#[test]
fn an_ordinary_crate_is_fine() {
    check(&[crate_of_registry("serde", "1.0.0"), Package::of_ours("scim", &["serde"])], &[]);
}

#[test]
fn licences() {
    let with =
        |licence: Option<&str>| [Package { licence: licence.map(str::to_owned), ..crate_of_registry("a", "1.0.0") }];
    check(&with(Some("MIT OR GPL-3.0-only")), &[]);
    check(&with(Some("GPL-3.0-only")), &["a 1.0.0 has the licence `GPL-3.0-only`, which is not allowed"]);
    check(&with(None), &["a 1.0.0 names no licence"]);
}

#[test]
fn origin() {
    let forked = Package { source: Some("git+https://example.com/a".to_owned()), ..crate_of_registry("a", "1.0.0") };
    check(&[forked], &["a 1.0.0 comes from git+https://example.com/a; only the crates registry is allowed"]);
}

#[test]
fn refused_crates() {
    check(&[crate_of_registry("openssl", "1.0.0")], &["openssl is refused: rustls is the one TLS stack"]);
    check(&[crate_of_registry("lazy_static", "1.0.0")], &[]);
    check(&[Package::of_ours("scim", &["lazy_static"])], &["scim uses lazy_static; use std::sync::LazyLock"]);
}

#[test]
fn doubles_of_the_big_ones() {
    let twice = [crate_of_registry("tokio", "1.0.0"), crate_of_registry("tokio", "2.0.0")];
    check(&twice, &["tokio is there in the versions 1.0.0 and 2.0.0; bring its users to one"]);
    assert!(!ONE_VERSION.contains(&"syn"));
    check(&[crate_of_registry("syn", "1.0.0"), crate_of_registry("syn", "2.0.0")], &[]);
}

#[test]
fn the_number_of_packages_is_bounded() {
    let many = |count: usize| -> Vec<Package> {
        (0..count).map(|at| crate_of_registry(&format!("crate-{at}"), "1.0.0")).collect()
    };
    assert_eq!(broken_by_packages(&many(PACKAGES_MAX)).len(), 0);
    let broken = broken_by_packages(&many(PACKAGES_MAX + 1));
    assert!(broken[0].starts_with("the lock file names"), "{broken:?}");
}

#[track_caller]
fn check_manifest(path: &str, text: &str, expected: &[&str]) {
    let file = File { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
    assert_eq!(broken_by_manifests(&[file]), expected, "{text}");
}

#[test]
fn each_workspace_dependency_has_its_reason() {
    let heading = "[workspace]\nresolver = \"3\"\n[workspace.dependencies]\n";
    for (entry, expected) in [
        ("csv = \"1\" # records with positions", vec![]),
        ("scim = { path = \"crates/scim\" }", vec![]),
        ("# a heading is no reason\ncsv = \"1\"", vec!["csv has no comment with its reason in the root Cargo.toml"]),
        ("csv = \"1\" #", vec!["csv has no comment with its reason in the root Cargo.toml"]),
        ("csv = \"1#2\"", vec!["csv has no comment with its reason in the root Cargo.toml"]),
        ("csv = { version = \"1\", features = [\n  \"a\",\n] } # over several lines", vec![]),
        ("[workspace.lints.rust]\nunsafe_code = \"forbid\"", vec![]),
    ] {
        check_manifest("Cargo.toml", &format!("{heading}{entry}\n"), &expected);
    }
}

#[test]
fn versions_live_in_the_root() {
    for (entry, expected) in [
        ("csv.workspace = true", vec![]),
        ("csv = { workspace = true, features = [\"a\"] }", vec![]),
        (
            "csv = \"1\"",
            vec!["crates/store/Cargo.toml names csv by itself; name it in the root and write `csv.workspace = true`"],
        ),
    ] {
        check_manifest("crates/store/Cargo.toml", &format!("[dev-dependencies]\n{entry}\n"), &expected);
    }
    // The fuzz targets are a workspace of their own.
    check_manifest("fuzz/Cargo.toml", "[dependencies]\nlibfuzzer-sys = \"0.4\"\n", &[]);
}
