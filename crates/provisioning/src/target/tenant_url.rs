//! The Tenant URL: the address to which `/Users` and `/Groups` are appended.

use std::fmt;
use std::str::FromStr;

/// Longest Tenant URL in bytes.
pub const TENANT_URL_BYTES_MAX: usize = 2048;
/// The flag that chooses the compliant dialect (scim-wire: appended to the Tenant URL as its query).
const COMPLIANT_FLAG: &str = "aadoptscim062020";
/// The flag that chooses the older forms again.
const LEGACY_FLAG: &str = "azureadscimpatch2017";

/// A Tenant URL that was checked: `http` or `https`, a host, no user information, no fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantUrl {
    text: String,
    uri: http::Uri,
    compliant: Option<bool>,
}

/// Why a text is no Tenant URL. One sentence with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTenantUrl {
    /// It cannot be parsed.
    #[error("the Tenant URL is not an address such as https://app.example.com/scim/v2")]
    NotAnAddress,
    /// Another scheme than `http` and `https`.
    #[error("the Tenant URL must begin with https:// (http:// only inside your own network), not {0}://")]
    Scheme(String),
    /// A user name or password in the address.
    #[error("the Tenant URL must not hold a user name or password; the secret token has its own option")]
    UserInformation,
    /// A fragment.
    #[error("the Tenant URL must not hold a #")]
    Fragment,
    /// `.` or `..` as a path segment, or an encoded slash.
    #[error("the path of the Tenant URL must be plain: no . or .. and no encoded slashes")]
    Path,
    /// Parameters other than Entra's flags.
    #[error("the Tenant URL cannot take the parameter {0}; only aadOptscim062020 and AzureAdScimPatch2017 are known")]
    Parameter(String),
    /// Longer than 2,048 bytes.
    #[error("the Tenant URL has more than {TENANT_URL_BYTES_MAX} bytes")]
    TooLong,
}

impl FromStr for TenantUrl {
    type Err = BadTenantUrl;

    fn from_str(text: &str) -> Result<Self, BadTenantUrl> {
        let text = text.trim();
        if text.len() > TENANT_URL_BYTES_MAX {
            return Err(BadTenantUrl::TooLong);
        }
        if text.contains('#') {
            return Err(BadTenantUrl::Fragment);
        }
        if let Some((scheme, _)) = text.split_once("://")
            && !scheme.eq_ignore_ascii_case("http")
            && !scheme.eq_ignore_ascii_case("https")
        {
            return Err(BadTenantUrl::Scheme(scheme.chars().take(16).collect()));
        }
        let uri: http::Uri = text.parse().map_err(|_| BadTenantUrl::NotAnAddress)?;
        let authority = uri.authority().ok_or(BadTenantUrl::NotAnAddress)?;
        if uri.scheme().is_none() || authority.host().is_empty() {
            return Err(BadTenantUrl::NotAnAddress);
        }
        if authority.as_str().contains('@') || text.contains('\\') {
            return Err(BadTenantUrl::UserInformation);
        }
        // A port that is no number from 0 to 65535 would count as none, and another server be asked.
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err(BadTenantUrl::NotAnAddress);
        }
        let lower = uri.path().to_ascii_lowercase();
        if lower.split('/').any(|part| part == "." || part == "..")
            || ["%2f", "%5c", "%2e", "%00"].iter().any(|code| lower.contains(code))
        {
            return Err(BadTenantUrl::Path);
        }
        let compliant = flags(uri.query())?;
        let base = uri.path().trim_end_matches('/');
        let text = format!("{}://{authority}{base}", uri.scheme_str().unwrap_or("https").to_ascii_lowercase());
        let uri = text.parse().map_err(|_| BadTenantUrl::NotAnAddress)?;
        Ok(Self { text, uri, compliant })
    }
}

fn flags(query: Option<&str>) -> Result<Option<bool>, BadTenantUrl> {
    let mut compliant = None;
    for parameter in query.unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.trim_end_matches('=').to_ascii_lowercase().as_str() {
            COMPLIANT_FLAG => compliant = Some(true),
            LEGACY_FLAG => compliant = Some(false),
            _ => return Err(BadTenantUrl::Parameter(parameter.chars().take(32).collect())),
        }
    }
    Ok(compliant)
}

impl TenantUrl {
    /// The dialect that the address asks for by one of Entra's flags: compliant, or the older forms.
    pub const fn compliant(&self) -> Option<bool> {
        self.compliant
    }

    /// The host, for messages.
    pub fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    /// Scheme, host and port: who is asked, and sent the secret token.
    pub fn origin(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("https");
        let port = self.uri.port_u16().unwrap_or(if scheme == "http" { 80 } else { 443 });
        format!("{scheme}://{}:{port}", self.host().to_ascii_lowercase())
    }

    /// Whether two addresses are those of different servers: the secret token of one is not sent to the other. What is no address is none.
    pub(crate) fn are_of_two_servers(one: &str, other: &str) -> bool {
        Self::differ(one, other, Self::origin)
    }

    /// Whether two addresses are those of different sets of objects, whatever their slash at the end and their flags.
    pub(crate) fn are_of_two_targets(one: &str, other: &str) -> bool {
        Self::differ(one, other, |url| url.join(""))
    }

    fn differ(one: &str, other: &str, part: impl Fn(&Self) -> String) -> bool {
        let of = |text: &str| text.parse().ok().as_ref().map(&part);
        of(one) != of(other)
    }

    /// The address of a path below this one; `path` begins with `/` and is already encoded.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl fmt::Display for TenantUrl {
    /// Without trailing slash; with the flag, so that parsing it again gives the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.compliant {
            Some(true) => f.write_str("?aadOptscim062020"),
            Some(false) => f.write_str("?AzureAdScimPatch2017"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, joined) in [
            ("https://app.example.com/scim/v2/", "https://app.example.com/scim/v2/Users"),
            ("HTTPS://app.example.com", "https://app.example.com/Users"),
            ("http://127.0.0.1:8080/t/acme/scim/v2", "http://127.0.0.1:8080/t/acme/scim/v2/Users"),
            ("https://app.example.com/scim?aadOptscim062020", "https://app.example.com/scim/Users"),
            ("http://[::1]:80/x", "http://[::1]:80/x/Users"),
        ] {
            let url: TenantUrl = text.parse().unwrap();
            assert_eq!(url.join("/Users"), joined);
            assert_eq!(url.to_string().parse::<TenantUrl>().unwrap(), url);
        }
        assert_eq!("https://a/scim?aadOptscim062020".parse::<TenantUrl>().unwrap().compliant(), Some(true));
    }

    #[test]
    fn refusals() {
        use BadTenantUrl as Bad;
        for (text, expected) in [
            ("", Bad::NotAnAddress),
            ("app.example.com/scim", Bad::NotAnAddress),
            ("http://127.0.0.1:99999/scim", Bad::NotAnAddress),
            ("https://[::1]:65536", Bad::NotAnAddress),
            ("gopher://x/", Bad::Scheme("gopher".into())),
            ("file:///etc/passwd", Bad::Scheme("file".into())),
            ("https://user:pass@host/", Bad::UserInformation),
            ("https://good@evil/", Bad::UserInformation),
            ("https://good#@evil/", Bad::Fragment),
            ("https://host/a/../b", Bad::Path),
            ("https://host/a%2F..%2fb", Bad::Path),
            ("https://host/%00", Bad::Path),
            ("https://host/scim?x=1", Bad::Parameter("x=1".into())),
        ] {
            assert_eq!(text.parse::<TenantUrl>().unwrap_err(), expected, "{text}");
        }
        assert_eq!(format!("https://host/{}", "a".repeat(8192)).parse::<TenantUrl>().unwrap_err(), Bad::TooLong);
        assert!("https://host/a\r\nb".parse::<TenantUrl>().is_err());
    }
}
