//! What can be told of an address on the web when it is given, before anything is sent to it.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::Uri;

use crate::OutboundPolicy;

/// An address on the web that means the same to everyone: the scheme, the host and the port of its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress {
    host: String,
    port: u16,
    is_encrypted: bool,
}

/// Why a text is no such address. Nothing of the text is repeated: it may hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not `http` or `https`, no host, a user or a fragment.
    #[error("an address begins with https:// or http://, names a host, and holds no user and no fragment")]
    Form,
    /// A port that is none would be left out, and another server be asked.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// Resolvers read `127.1`, `0x7f.1` and `2130706433` as 127.0.0.1, and people do not.
    #[error("a host that is a number is written like 192.0.2.1 or [2001:db8::1]")]
    Number,
}

impl FromStr for WebAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let uri: Uri = text.parse().map_err(|_| BadAddress::Form)?;
        let authority = uri.authority().ok_or(BadAddress::Form)?;
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(BadAddress::Form),
        };
        if authority.host().is_empty() || authority.as_str().contains('@') || text.contains('#') {
            return Err(BadAddress::Form);
        }
        check_number(authority.host())?;
        let port = match authority.port_u16() {
            Some(port) if port > 0 => port,
            None if authority.as_str() == authority.host() => usual_port(is_encrypted),
            _ => return Err(BadAddress::Port),
        };
        Ok(Self { host: authority.host().to_owned(), port, is_encrypted })
    }
}

impl WebAddress {
    /// The host, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where the text names none.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is reached with TLS.
    pub const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether it may be dialled, as far as that is known without looking its name up; if not, why.
    pub fn check(&self, policy: OutboundPolicy) -> Result<(), &'static str> {
        policy.check_host(&self.host, self.is_encrypted)
    }
}

/// The port of an address that names none (RFC 9110 §4.2).
pub(crate) const fn usual_port(is_encrypted: bool) -> u16 {
    if is_encrypted { 443 } else { 80 }
}

/// A host whose last part is a number is an IPv4 address to resolvers, however it is spelled.
fn check_number(host: &str) -> Result<(), BadAddress> {
    let is_right = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|rest| rest.parse::<Ipv6Addr>().is_ok()),
        None if ends_in_number(host) => host.parse::<Ipv4Addr>().is_ok(),
        // Decoded, it could be a number too.
        None => !host.contains('%'),
    };
    if is_right { Ok(()) } else { Err(BadAddress::Number) }
}

fn ends_in_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let at = |host: &str, port, is_encrypted| Ok(WebAddress { host: host.to_owned(), port, is_encrypted });
        for (text, expected) in [
            ("https://app.example/hook?key=1", at("app.example", 443, true)),
            ("http://app.example", at("app.example", 80, false)),
            ("http://127.0.0.1:8080/", at("127.0.0.1", 8080, false)),
            ("https://[::1]:65535", at("[::1]", 65_535, true)),
            ("https://[::ffff:127.0.0.1]/", at("[::ffff:127.0.0.1]", 443, true)),
            ("https://4chan.example", at("4chan.example", 443, true)),
            ("https://0xbeef.example", at("0xbeef.example", 443, true)),
            ("https://server1:1", at("server1", 1, true)),
            ("https://app.example:65536/", Err(BadAddress::Port)),
            ("https://app.example:99999/", Err(BadAddress::Port)),
            ("https://app.example:0/", Err(BadAddress::Port)),
            ("https://app.example:/", Err(BadAddress::Port)),
            ("https://[::1]:99999/", Err(BadAddress::Port)),
            ("http://127.1/", Err(BadAddress::Number)),
            ("http://0x7f.1/", Err(BadAddress::Number)),
            ("http://2130706433/", Err(BadAddress::Number)),
            ("http://017700000001/", Err(BadAddress::Number)),
            ("http://0x7F000001/", Err(BadAddress::Number)),
            ("http://0177.0.0.1/", Err(BadAddress::Number)),
            ("http://127.0.0.1./", Err(BadAddress::Number)),
            ("http://a.0x/", Err(BadAddress::Number)),
            ("http://256.0.0.1/", Err(BadAddress::Number)),
            ("http://%31%32%37.0.0.1/", Err(BadAddress::Number)),
            ("http://127.0.0.%31/", Err(BadAddress::Number)),
            ("", Err(BadAddress::Form)),
            ("app.example", Err(BadAddress::Form)),
            ("/hook", Err(BadAddress::Form)),
            ("ftp://app.example/", Err(BadAddress::Form)),
            ("https://", Err(BadAddress::Form)),
            ("https://user:word@app.example/", Err(BadAddress::Form)),
            ("https://app.example/#part", Err(BadAddress::Form)),
            ("https://app.example/a b", Err(BadAddress::Form)),
        ] {
            let found = text.parse::<WebAddress>();
            // Where the parser of addresses refuses the spelling itself, that is as well.
            let is_refused = expected == Err(BadAddress::Number) && found == Err(BadAddress::Form);
            assert!(found == expected || is_refused, "{text}: {found:?}");
        }
    }
}
