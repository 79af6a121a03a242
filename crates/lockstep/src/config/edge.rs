//! The part of the configuration about those who call in: limits, the request log, metrics.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use super::{Keys, must_be_within, socket_address};

/// Fewest and most requests of a tenant in a second; 0 is for no limit.
const REQUESTS: RangeInclusive<u64> = 0..=1_000_000;
/// Fewest and most connections.
const CONNECTIONS: RangeInclusive<u64> = 8..=1_000_000;
/// Least and most days that request logs are kept.
const DAYS: RangeInclusive<u64> = 1..=365;
/// The same unless said otherwise.
const DAYS_DEFAULT: u64 = 14;
/// Least and most megabytes of a tenant's request log.
const MEGABYTES: RangeInclusive<u64> = 1..=10_000;
/// The same unless said otherwise.
const MEGABYTES_DEFAULT: u64 = 32;

/// Limits, the request log, metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeConfig {
    /// Requests of one tenant in a second while others are served; 0 for no limit.
    pub requests_per_second: u32,
    /// Connections at a time, where it is not the usual number.
    pub connections: Option<usize>,
    /// Of these, of one address.
    pub connections_per_address: Option<usize>,
    /// Whether requests are logged.
    pub log: bool,
    /// Days that lines are kept.
    pub log_days: u64,
    /// Megabytes of each tenant.
    pub log_megabytes: u64,
    /// Where metrics are served, if they are.
    pub metrics: Option<SocketAddr>,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            requests_per_second: server::REQUESTS_PER_SECOND,
            connections: None,
            connections_per_address: None,
            log: true,
            log_days: DAYS_DEFAULT,
            log_megabytes: MEGABYTES_DEFAULT,
            metrics: None,
        }
    }
}

impl EdgeConfig {
    pub(super) fn read(keys: &mut Keys) -> Self {
        let usual = Self::default();
        let number = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok());
        let requests = keys.number("limits.requests_per_second", REQUESTS, "requests");
        Self {
            requests_per_second: requests.and_then(|rate| rate.try_into().ok()).unwrap_or(usual.requests_per_second),
            connections: number(keys.number("limits.connections", CONNECTIONS, "connections")),
            connections_per_address: number(keys.number("limits.connections_per_address", CONNECTIONS, "connections")),
            log: keys.flag("request_log.on").unwrap_or(usual.log),
            log_days: keys.number("request_log.days", DAYS, "days").unwrap_or(usual.log_days),
            log_megabytes: keys.number("request_log.megabytes", MEGABYTES, "MB").unwrap_or(usual.log_megabytes),
            metrics: keys.take("metrics.listen", "must be an address with a port, like \"127.0.0.1:9464\"", |value| {
                socket_address(value.as_str()?).ok()
            }),
        }
    }
}

/// Requests of one tenant in a second, as an option names them.
pub fn requests_per_second(text: &str) -> Result<u32, String> {
    let rate = text.parse().ok().filter(|rate| REQUESTS.contains(rate));
    rate.and_then(|rate| u32::try_from(rate).ok()).ok_or_else(|| must_be_within(&REQUESTS, "requests"))
}
