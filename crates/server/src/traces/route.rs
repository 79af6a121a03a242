//! Addresses as templates: what a span tells instead of the address, which may name people.

/// What the address of every tenant's endpoint begins with.
const BASE: &str = "/t/{tenant}/scim/v2";

/// The template of an address, where it is one that is served.
pub(super) fn template(path: &str) -> Option<&'static str> {
    let path = path.strip_suffix('/').unwrap_or(path);
    match path {
        "/healthz" => return Some("/healthz"),
        "/readyz" => return Some("/readyz"),
        _ => {}
    }
    let (_, rest) = path.strip_prefix("/t/")?.split_once('/')?;
    if rest == "oauth2/token" {
        return Some("/t/{tenant}/oauth2/token");
    }
    if rest == "schema" {
        return Some("/t/{tenant}/schema");
    }
    let mut parts = rest.strip_prefix("scim/v2")?.split('/');
    if parts.next() != Some("") {
        return None;
    }
    let in_one_case = |word| if str::eq_ignore_ascii_case(word, ".search") { ".search" } else { word };
    let (first, second) = (parts.next().map(in_one_case), parts.next().map(in_one_case));
    if parts.next().is_some() {
        return None;
    }
    Some(match (first, second) {
        (None, _) => BASE,
        (Some(".search"), None) => "/t/{tenant}/scim/v2/.search",
        (Some("Users"), None) => "/t/{tenant}/scim/v2/Users",
        (Some("Users"), Some(".search")) => "/t/{tenant}/scim/v2/Users/.search",
        (Some("Users"), Some(_)) => "/t/{tenant}/scim/v2/Users/{id}",
        (Some("Groups"), None) => "/t/{tenant}/scim/v2/Groups",
        (Some("Groups"), Some(".search")) => "/t/{tenant}/scim/v2/Groups/.search",
        (Some("Groups"), Some(_)) => "/t/{tenant}/scim/v2/Groups/{id}",
        (Some("Schemas"), None) => "/t/{tenant}/scim/v2/Schemas",
        (Some("Schemas"), Some(_)) => "/t/{tenant}/scim/v2/Schemas/{id}",
        (Some("ResourceTypes"), None) => "/t/{tenant}/scim/v2/ResourceTypes",
        (Some("ResourceTypes"), Some(_)) => "/t/{tenant}/scim/v2/ResourceTypes/{id}",
        (Some("ServiceProviderConfig"), None) => "/t/{tenant}/scim/v2/ServiceProviderConfig",
        (Some("Me"), None) => "/t/{tenant}/scim/v2/Me",
        (Some("Bulk"), None) => "/t/{tenant}/scim/v2/Bulk",
        // The names of types that tenants define are theirs, and whoever asks may make one up.
        (Some(_), None) => "/t/{tenant}/scim/v2/{endpoint}",
        (Some(_), Some(".search")) => "/t/{tenant}/scim/v2/{endpoint}/.search",
        (Some(_), Some(_)) => "/t/{tenant}/scim/v2/{endpoint}/{id}",
    })
}

/// The part of a template that tells most: without the tenant's address.
pub(super) fn short(template: &'static str) -> &'static str {
    match template.strip_prefix(BASE) {
        Some("") => "/",
        Some(rest) => rest,
        None => template,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_its_template() {
        for (path, expected) in [
            ("/healthz", Some("/healthz")),
            ("/t/acme/schema", Some("/t/{tenant}/schema")),
            ("/t/acme/oauth2/token", Some("/t/{tenant}/oauth2/token")),
            ("/t/acme/scim/v2", Some("/")),
            ("/t/acme/scim/v2/", Some("/")),
            ("/t/acme/scim/v2/.search", Some("/.search")),
            ("/t/acme/scim/v2/Users", Some("/Users")),
            ("/t/acme/scim/v2/Users/", Some("/Users")),
            ("/t/acme/scim/v2/Users/ann@contoso.example", Some("/Users/{id}")),
            ("/t/acme/scim/v2/Users/.search", Some("/Users/.search")),
            ("/t/acme/scim/v2/Users/.SEARCH/", Some("/Users/.search")),
            ("/t/acme/scim/v2/.Search", Some("/.search")),
            ("/t/acme/scim/v2/Groups/7/", Some("/Groups/{id}")),
            ("/t/acme/scim/v2/Schemas/urn:x", Some("/Schemas/{id}")),
            ("/t/acme/scim/v2/Me", Some("/Me")),
            ("/t/acme/scim/v2/Ann", Some("/{endpoint}")),
            ("/t/acme/scim/v2/Ann/Example", Some("/{endpoint}/{id}")),
            ("/t/acme/scim/v2/users", Some("/{endpoint}")),
            ("/t/acme/scim/v2/Users/1/2", None),
            ("/t/acme/scim/v2x", None),
            ("/t/acme/scim", None),
            ("/t/acme", None),
            ("/api/v2/scim/Users", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(template(path).map(short), expected, "{path}");
        }
    }
}
