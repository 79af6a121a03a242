//! What may be dialled. The check is made on the final socket address, inside the connector, on every dial: a name that
//! resolves to another address later, or a number spelled oddly, comes to the same check.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::WebAddress;
use crate::address::usual_port;

/// How long a dial may take, all addresses together.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 8;

/// What may be dialled. Services of the cloud machine itself (metadata addresses), link-local, multicast and
/// unspecified addresses are refused always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboundPolicy {
    /// Whether loopback and private networks may be dialled.
    pub private_networks: bool,
    /// Whether `http://` may be used beyond loopback and private networks.
    pub plain_http: bool,
}

impl Default for OutboundPolicy {
    /// Lockstep runs inside the organisation: its own network may be dialled, also without TLS; the internet only with TLS.
    fn default() -> Self {
        Self { private_networks: true, plain_http: false }
    }
}

/// Addresses at which clouds answer requests of their own machines.
const METADATA_V4: [Ipv4Addr; 3] =
    [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(100, 100, 100, 200)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

impl OutboundPolicy {
    /// Whether an address may be dialled; if not, why.
    pub fn check(self, address: IpAddr, encrypted: bool) -> Result<(), &'static str> {
        let address = embedded_v4(address).map_or(address, IpAddr::V4);
        if is_never_a_target(address) {
            return Err("link-local, metadata, multicast and unspecified addresses are never dialled");
        }
        if is_private(address) {
            return if self.private_networks {
                Ok(())
            } else {
                Err("private networks are not allowed by this installation (outbound.private_networks)")
            };
        }
        if encrypted || self.plain_http {
            Ok(())
        } else {
            Err("http:// is only allowed inside your own network; use https://")
        }
    }

    /// Whether a host may be an address at all, as far as that is known before it is dialled: of a number that is an address, and of the
    /// names of the machine itself (RFC 6761 §6.3). Every other name passes, and is looked at when it is dialled.
    pub fn check_host(self, host: &str, encrypted: bool) -> Result<(), &'static str> {
        let host = host.trim_matches(['[', ']']);
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if name == "localhost" || name.ends_with(".localhost") {
            return self.check(Ipv4Addr::LOCALHOST.into(), encrypted);
        }
        host.parse().map_or(Ok(()), |address| self.check(address, encrypted))
    }
}

/// The IPv4 address inside a mapped, NAT64 or 6to4 address.
fn embedded_v4(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let from = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(from(high, low))
        }
        _ => None,
    }
}

fn is_never_a_target(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_link_local()
                || v4.octets()[0] == 0
                || METADATA_V4.contains(&v4)
        }
        IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local() || v6 == METADATA_V6,
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        // 100.64.0.0/10 is shared between a provider and its customers (RFC 6598).
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}

/// Why a dial failed, for the one who set the address.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address.
    #[error("the host {0} cannot be found; check the address")]
    NoAddress(String),
    /// The policy refuses every address of the name.
    #[error("the address of {host} is refused: {reason}")]
    Refused {
        /// The host.
        host: String,
        /// Why.
        reason: &'static str,
    },
    /// Nobody answers.
    #[error("nothing answers at {host}:{port}; check the address and that the server is running ({cause})")]
    NoAnswer {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What the system says.
        cause: String,
    },
}

/// Opens connections to vetted addresses only.
#[derive(Clone, Copy, Debug)]
pub struct Dialler(pub OutboundPolicy);

impl tower::Service<Uri> for Dialler {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let policy = self.0;
        Box::pin(async move {
            let encrypted = uri.scheme_str() == Some("https");
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let port = uri.port_u16().unwrap_or(usual_port(encrypted));
            let no_answer = |cause: String| DialError::NoAnswer { host: host.clone(), port, cause };
            match tokio::time::timeout(CONNECT_TIMEOUT, dial(policy, &host, port, encrypted)).await {
                Ok(Ok(stream)) => Ok(TokioIo::new(stream)),
                Ok(Err(Dialled::Io(error))) => Err(no_answer(error.to_string())),
                Ok(Err(Dialled::NoAddress)) => Err(DialError::NoAddress(host)),
                Ok(Err(Dialled::Refused(reason))) => Err(DialError::Refused { host, reason }),
                Err(_) => Err(no_answer(format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()))),
            }
        })
    }
}

enum Dialled {
    Io(io::Error),
    NoAddress,
    Refused(&'static str),
}

async fn dial(policy: OutboundPolicy, host: &str, port: u16, encrypted: bool) -> Result<TcpStream, Dialled> {
    let mut last = Dialled::NoAddress;
    for address in vetted(policy, host, port, encrypted).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(Dialled::Io)?;
                return Ok(stream);
            }
            Err(error) => last = Dialled::Io(error),
        }
    }
    Err(last)
}

/// The addresses of a name, all of which may be dialled.
async fn vetted(policy: OutboundPolicy, host: &str, port: u16, encrypted: bool) -> Result<Vec<SocketAddr>, Dialled> {
    let addresses: Vec<SocketAddr> =
        tokio::net::lookup_host((host, port)).await.map_err(|_| Dialled::NoAddress)?.take(ADDRESSES_MAX).collect();
    // One refused address refuses the name: a name that mixes public and private addresses is a trap.
    for address in &addresses {
        policy.check(address.ip(), encrypted).map_err(Dialled::Refused)?;
    }
    Ok(addresses)
}

/// Why an address would be refused now, its name looked up; none where it would be dialled, or where the name has no address. It is for
/// a word at once: what counts is looked at again on every dial.
pub async fn look_up(policy: OutboundPolicy, address: &WebAddress) -> Option<&'static str> {
    let host = address.host().trim_matches(['[', ']']);
    let found = vetted(policy, host, address.port(), address.is_encrypted());
    match tokio::time::timeout(CONNECT_TIMEOUT, found).await {
        Ok(Err(Dialled::Refused(reason))) => Some(reason),
        Ok(Ok(_) | Err(Dialled::Io(_) | Dialled::NoAddress)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_dialled() {
        let own = OutboundPolicy::default();
        let hosted = OutboundPolicy { private_networks: false, plain_http: false };
        for (address, own_tls, own_plain, hosted_tls) in [
            ("93.184.216.34", true, false, true),
            ("2606:2800:220:1::1", true, false, true),
            ("127.0.0.1", true, true, false),
            ("::1", true, true, false),
            ("10.1.2.3", true, true, false),
            ("100.64.0.1", true, true, false),
            ("fd12::1", true, true, false),
            ("::ffff:127.0.0.1", true, true, false),
            ("64:ff9b::7f00:1", true, true, false),
            ("2002:7f00:1::", true, true, false),
            ("169.254.169.254", false, false, false),
            ("::ffff:169.254.169.254", false, false, false),
            ("64:ff9b::a9fe:a9fe", false, false, false),
            ("168.63.129.16", false, false, false),
            ("100.100.100.200", false, false, false),
            ("fd00:ec2::254", false, false, false),
            ("fe80::1", false, false, false),
            ("0.0.0.0", false, false, false),
            ("0.1.2.3", false, false, false),
            ("::", false, false, false),
            ("224.0.0.1", false, false, false),
            ("ff02::1", false, false, false),
            ("255.255.255.255", false, false, false),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!(own.check(ip, true).is_ok(), own_tls, "{address} with TLS");
            assert_eq!(own.check(ip, false).is_ok(), own_plain, "{address} without TLS");
            assert_eq!(hosted.check(ip, true).is_ok(), hosted_tls, "{address} hosted");
        }
    }

    #[test]
    fn of_hosts_that_are_known_before_they_are_dialled_it_is_said_at_once() {
        let own = OutboundPolicy::default();
        let hosted = OutboundPolicy { private_networks: false, plain_http: false };
        for (host, own_plain, hosted_tls) in [
            ("127.0.0.1", true, false),
            ("[::1]", true, false),
            ("[::ffff:10.0.0.1]", true, false),
            ("localhost", true, false),
            ("LocalHost.", true, false),
            ("app.localhost", true, false),
            ("169.254.169.254", false, false),
            ("93.184.216.34", false, true),
            ("app.example", true, true),
            ("notlocalhost", true, true),
            ("2130706433", true, true),
        ] {
            let found = (own.check_host(host, false).is_ok(), hosted.check_host(host, true).is_ok());
            assert_eq!(found, (own_plain, hosted_tls), "{host}");
        }
    }

    #[tokio::test]
    async fn odd_spellings_of_loopback_meet_the_same_check() {
        let hosted = OutboundPolicy { private_networks: false, plain_http: true };
        for host in ["127.0.0.1", "2130706433", "0x7f.1", "017700000001", "localhost"] {
            let result = dial(hosted, host, 9, false).await;
            assert!(matches!(result, Err(Dialled::Refused(_) | Dialled::NoAddress)), "{host}");
        }
    }
    #[tokio::test]
    async fn a_name_is_looked_up_before_anything_is_sent() {
        let own = OutboundPolicy::default();
        let hosted = OutboundPolicy { private_networks: false, plain_http: false };
        for (address, own_refuses, hosted_refuses) in [
            ("http://localhost:1", false, true),
            ("http://[::1]:1", false, true),
            ("http://93.184.216.34", true, true),
            ("https://93.184.216.34", false, false),
        ] {
            let address: WebAddress = address.parse().unwrap();
            let found = [look_up(own, &address).await.is_some(), look_up(hosted, &address).await.is_some()];
            assert_eq!(found, [own_refuses, hosted_refuses], "{address:?}");
        }
    }
}
