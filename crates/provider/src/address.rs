//! The address of a tenant's endpoint: the usual one, or one of its own, so that it looks like the application that it stands for.
//!
//! An address is no secret and opens nothing: whose endpoint is meant, the token tells. So two tenants may have the same.

use serde::{Deserialize, Serialize};

use crate::TenantError;

/// Most segments of the path of an own address.
pub const ADDRESS_SEGMENTS_MAX: usize = 4;
/// Longest path of an own address, in bytes.
pub const ADDRESS_PATH_BYTES_MAX: usize = 128;
/// Longest name of a host, in bytes (RFC 1123 §2.1).
const HOST_BYTES_MAX: usize = 253;
/// Longest label of a host name, in bytes (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// The path where only a host is named.
const USUAL_PATH: &str = "/scim/v2";
/// First segments of the server's own addresses, which no tenant's begins with.
pub const RESERVED_SEGMENTS: [&str; 4] = ["t", "healthz", "readyz", "metrics"];

/// An address of a tenant's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The host, in lower case, with a port where it has one; any host where there is none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    host: Option<String>,
    /// The path of the endpoint, with a slash at its beginning only.
    path: String,
}

impl Address {
    /// Checks an address: a host name that may have a port, and a path of 1 to 4 segments of unreserved characters (RFC 3986 §2.3).
    /// What is left empty is the server's own host, and `/scim/v2`.
    ///
    /// # Errors
    /// [`TenantError::BadHost`], [`TenantError::BadPath`].
    pub fn new(host: &str, path: &str) -> Result<Self, TenantError> {
        let host = host.to_ascii_lowercase();
        if !host.is_empty() && !is_host(&host) {
            return Err(TenantError::BadHost(host));
        }
        let trimmed = path.strip_suffix('/').unwrap_or(path);
        let path = if path.is_empty() { USUAL_PATH } else { trimmed };
        if !is_path(path) {
            return Err(TenantError::BadPath(path.to_owned()));
        }
        Ok(Self { host: Some(host).filter(|host| !host.is_empty()), path: path.to_owned() })
    }

    /// The host, where it is another than the server's.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The path of the endpoint.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What of a request's path is behind this address: empty, or with a slash at its beginning; `None` where the request is for
    /// another address. A host without a port is met at every port, as the server may be reached through another program; a dot at the end
    /// of its name says that the name is whole (RFC 3986 §3.2.2), which it is without one too.
    pub fn rest<'p>(&self, host: Option<&str>, path: &'p str) -> Option<&'p str> {
        let is_host = |own: &str| {
            host.is_some_and(|asked| {
                let ((name, port), (own, own_port)) = (name_and_port(asked), name_and_port(own));
                let is_port = own_port.is_none_or(|own| port == Some(own));
                name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case(own) && is_port
            })
        };
        let rest = path.strip_prefix(self.path.as_str())?;
        let is_below = rest.is_empty() || rest.starts_with('/');
        (is_below && self.host().is_none_or(is_host)).then_some(rest)
    }

    /// The whole address. `public_url` is the server's, without a slash at its end.
    pub fn base(&self, public_url: &str) -> String {
        match (self.host(), public_url.split_once("://")) {
            (Some(host), Some((scheme, _))) => format!("{scheme}://{host}{}", self.path),
            _ => format!("{public_url}{}", self.path),
        }
    }
}

/// The parts of a host as it is written: its name, and its port where it has one.
fn name_and_port(host: &str) -> (&str, Option<&str>) {
    host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)))
}

fn is_host(text: &str) -> bool {
    let (name, port) = name_and_port(text);
    let is_label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_port = |port: &str| !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok();
    name.len() <= HOST_BYTES_MAX && name.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_path(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else { return false };
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved);
    path.len() <= ADDRESS_PATH_BYTES_MAX
        && segments.split('/').count() <= ADDRESS_SEGMENTS_MAX
        && segments.split('/').all(is_segment)
        && !segments.split('/').next().is_some_and(|first| RESERVED_SEGMENTS.contains(&first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_an_address_may_be() {
        let long = format!("/{}", "a".repeat(ADDRESS_PATH_BYTES_MAX - 1));
        let name = format!("{}.{}", "a".repeat(LABEL_BYTES_MAX), vec!["b"; 90].join("."));
        for (host, path, expected) in [
            ("", "/api/v2/scim", "https://x.example/api/v2/scim"),
            ("", "/SCIM/V2", "https://x.example/SCIM/V2"),
            ("", "/scim/", "https://x.example/scim"),
            ("", "/a/b/c/d", "https://x.example/a/b/c/d"),
            ("", "/a~b.c_d-e", "https://x.example/a~b.c_d-e"),
            ("", &long, &format!("https://x.example{long}")),
            ("Acme.Example", "", "https://acme.example/scim/v2"),
            ("acme.example:8443", "/x", "https://acme.example:8443/x"),
            (&name, "/x", &format!("https://{name}/x")),
            ("192.0.2.7", "/x", "https://192.0.2.7/x"),
        ] {
            assert_eq!(Address::new(host, path).unwrap().base("https://x.example"), expected);
        }
    }

    #[test]
    fn what_an_address_may_not_be() {
        let long = format!("/{}", "a".repeat(ADDRESS_PATH_BYTES_MAX));
        for path in [
            "/",
            "//",
            "a",
            "/a//b",
            "/a/b/c/d/e",
            "/./a",
            "/a/..",
            "/a b",
            "/a%20b",
            "/a?b",
            "/a#b",
            "/é",
            "/a:b",
            "/t",
            "/t/acme",
            "/healthz",
            "/readyz",
            "/metrics/x",
            &long,
            "/a//",
        ] {
            assert!(matches!(Address::new("", path), Err(TenantError::BadPath(_))), "{path}");
        }
        let (label, name) = ("a".repeat(LABEL_BYTES_MAX + 1), vec!["b"; 128].join("."));
        for host in [
            "a b",
            "a..b",
            ".a",
            "a.",
            "-a",
            "a-",
            "a_b",
            "a/b",
            "a@b",
            "é",
            "[::1]",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a:1:2",
            "https://a",
            ":80",
            &label,
            &name,
        ] {
            assert!(matches!(Address::new(host, "/x"), Err(TenantError::BadHost(_))), "{host}");
        }
    }

    #[test]
    fn what_is_behind_an_address() {
        for (own, host, path, expected) in [
            ("", Some("any"), "/api/scim", Some("")),
            ("", None, "/api/scim/Users", Some("/Users")),
            ("", None, "/api/scim/", Some("/")),
            ("", None, "/api/scimx", None),
            ("", None, "/api/SCIM", None),
            ("", None, "/api", None),
            ("acme.example", Some("ACME.example"), "/api/scim", Some("")),
            ("acme.example", Some("acme.example:8080"), "/api/scim", Some("")),
            ("acme.example", Some("other.example"), "/api/scim", None),
            ("acme.example", Some("acme.example.evil.example"), "/api/scim", None),
            ("acme.example", None, "/api/scim", None),
            ("acme.example:8080", Some("acme.example:8080"), "/api/scim", Some("")),
            ("acme.example:8080", Some("acme.example"), "/api/scim", None),
            ("acme.example", Some("acme.example."), "/api/scim/x", Some("/x")),
            ("acme.example", Some("Acme.Example.:8080"), "/api/scim", Some("")),
            ("acme.example:8080", Some("acme.example.:8080"), "/api/scim", Some("")),
            ("acme.example:8080", Some("acme.example.:80"), "/api/scim", None),
            ("acme.example", Some("acme.example.."), "/api/scim", None),
            ("acme.example", Some("."), "/api/scim", None),
            ("acme.example", Some(""), "/api/scim", None),
        ] {
            let address = Address::new(own, "/api/scim").unwrap();
            assert_eq!(address.rest(host, path), expected, "{own} {host:?} {path}");
        }
    }

    proptest! {
        #[test]
        fn an_address_that_is_taken_is_one_and_leads_to_itself(host in "[a-zA-Z0-9.:-]{0,12}", path in "[/a-z.~%?]{0,12}") {
            if let Ok(address) = Address::new(&host, &path) {
                let base = address.base("https://x.example");
                let (_, rest) = base.split_once("://").unwrap();
                let (host, path) = rest.split_at(rest.find('/').unwrap());
                prop_assert_eq!(address.rest(Some(host), path), Some(""));
                let stored = serde_json::to_string(&address).unwrap();
                prop_assert_eq!(serde_json::from_str::<Address>(&stored).unwrap(), address);
            }
        }
    }
}
