//! Which crate may use which: the wall between the two roles, and the home of each heavy dependency.
//! Development dependencies count like all others, else a test would be the door in the wall.

use crate::packages::Package;

/// The crates of the product, inner ones first.
const ALL: [&str; 9] =
    ["lockstep-scim", "mapping", "outbound", "store", "provider", "webhooks", "directory", "provisioning", "server"];

/// Everything the benchmark may drive.
const ALL_AND_PROGRAM: [&str; 10] = [
    "lockstep-scim",
    "mapping",
    "outbound",
    "store",
    "provider",
    "webhooks",
    "directory",
    "provisioning",
    "server",
    "lockstep",
];

/// Each package of the workspace with the ones it may use. `provider` and `provisioning` never meet: the provisioning
/// service reaches an application over HTTP only, also one that the same process hosts.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("lockstep-scim", &[]),
    ("mapping", &[]),
    // The one door to the network outside: provisioning calls targets through it, webhooks receivers, and the program fetches keys for
    // the server.
    ("outbound", &[]),
    ("store", &["lockstep-scim"]),
    ("provider", &["store", "lockstep-scim"]),
    ("webhooks", &["provider", "store", "outbound"]),
    ("directory", &["store"]),
    ("provisioning", &["directory", "store", "mapping", "lockstep-scim", "outbound"]),
    ("server", &["lockstep-scim", "mapping", "store", "provider", "directory", "provisioning"]),
    ("lockstep", &ALL),
    ("bench", &ALL_AND_PROGRAM),
    ("xtask", &[]),
];

const HTTP_CLIENT: &[&str] = &["outbound", "server", "bench"];
const DATABASE: &[&str] = &["store", "bench"];
const COMMAND_LINE: &[&str] = &["lockstep", "bench"];
const NOT_PURE: &[&str] =
    &["outbound", "store", "provider", "webhooks", "directory", "provisioning", "server", "lockstep", "bench"];

/// Dependencies that belong to one part of the house, with the packages that may use them.
const HOMES: [(&str, &[&str]); 21] = [
    ("aes-gcm", &["provisioning"]),
    ("askama", &["server"]),
    ("axum", &["server", "bench"]),
    ("clap", COMMAND_LINE),
    ("clap_complete", COMMAND_LINE),
    ("comfy-table", COMMAND_LINE),
    ("csv", &["directory"]),
    ("hyper", HTTP_CLIENT),
    ("hyper-rustls", HTTP_CLIENT),
    ("hyper-util", HTTP_CLIENT),
    ("indicatif", COMMAND_LINE),
    ("ldap3", &["directory"]),
    ("lettre", &["provisioning"]),
    ("mimalloc", COMMAND_LINE),
    ("postgres", DATABASE),
    ("ring", &["provider", "server", "webhooks"]),
    ("rusqlite", DATABASE),
    ("rustls", HTTP_CLIENT),
    ("tokio", NOT_PURE),
    ("tokio-postgres", DATABASE),
    ("tracing", NOT_PURE),
];

/// What the packages of the workspace break, one sentence each.
pub fn broken(workspace: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in workspace {
        let name = package.name.as_str();
        let Some((_, allowed)) = MAY_USE.iter().find(|(of, _)| *of == name) else {
            broken.push(format!(
                "{name} has no place in the plan; name in MAY_USE what it may use, and why in ARCHITECTURE.md"
            ));
            continue;
        };
        for used in package.uses.iter().map(String::as_str) {
            let is_ours = workspace.iter().any(|other| other.name == used) || MAY_USE.iter().any(|(of, _)| *of == used);
            if is_ours && !allowed.contains(&used) {
                broken.push(format!("{name} must not use {used}; it may use {}", listed(allowed)));
            }
            if let Some((_, homes)) = HOMES.iter().find(|(heavy, _)| *heavy == used)
                && !homes.contains(&name)
            {
                broken.push(format!("{name} must not use {used}, whose home is {}", listed(homes)));
            }
        }
    }
    broken
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none of ours".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::{HOMES, MAY_USE, broken};
    use crate::packages::Package;

    #[track_caller]
    fn check(name: &str, uses: &[&str], expected: &[&str]) {
        assert_eq!(broken(&[Package::of_ours(name, uses)]), expected);
    }

    #[test]
    fn the_plan_is_allowed() {
        for (name, uses) in MAY_USE {
            check(name, uses, &[]);
        }
        for (heavy, homes) in HOMES {
            for home in homes {
                check(home, &[heavy], &[]);
            }
        }
    }

    #[test]
    fn the_two_roles_never_meet() {
        check(
            "provisioning",
            &["provider"],
            &["provisioning must not use provider; it may use directory, store, mapping, lockstep-scim, outbound"],
        );
        check("provider", &["provisioning"], &["provider must not use provisioning; it may use store, lockstep-scim"]);
    }

    #[test]
    fn nothing_points_outward() {
        for (name, used) in [
            ("lockstep-scim", "store"),
            ("mapping", "lockstep-scim"),
            ("store", "directory"),
            ("directory", "lockstep-scim"),
            ("server", "lockstep"),
            ("lockstep", "bench"),
            ("lockstep", "xtask"),
            ("xtask", "lockstep-scim"),
        ] {
            assert_eq!(broken(&[Package::of_ours(name, &[used])]).len(), 1, "{name} uses {used}");
        }
    }

    #[test]
    fn heavy_dependencies_stay_at_home() {
        check("directory", &["axum"], &["directory must not use axum, whose home is server, bench"]);
        check("provider", &["rusqlite"], &["provider must not use rusqlite, whose home is store, bench"]);
        check(
            "server",
            &["aes-gcm", "clap"],
            &[
                "server must not use aes-gcm, whose home is provisioning",
                "server must not use clap, whose home is lockstep, bench",
            ],
        );
        assert_eq!(broken(&[Package::of_ours("lockstep-scim", &["tokio"])]).len(), 1);
    }

    #[test]
    fn a_new_package_needs_a_place_in_the_plan() {
        let found = broken(&[Package::of_ours("extras", &[]), Package::of_ours("lockstep-scim", &["extras"])]);
        assert_eq!(
            found,
            [
                "extras has no place in the plan; name in MAY_USE what it may use, and why in ARCHITECTURE.md",
                "lockstep-scim must not use extras; it may use none of ours",
            ]
        );
    }
}
