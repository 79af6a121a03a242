//! The part of the configuration about traces: the collector, what it is told who we are, and how many requests it is told of.

use std::fmt;

use outbound::{OutboundPolicy, WebAddress};
use percent_encoding::percent_decode_str;

use super::{Checks, ConfigFile, base_url};
use crate::cli::GlobalArgs;

/// The share of requests that are traced although no caller says so, unless set.
const SHARE_DEFAULT: f64 = 0.01;
/// The name of the service, unless set.
const SERVICE_DEFAULT: &str = "lockstep";
/// Longest name of the service, in bytes.
const SERVICE_BYTES_MAX: usize = 255;
/// What a collector's address for traces ends with (OTLP/HTTP, "Request").
const PATH: &str = "/v1/traces";
/// Most headers for the collector.
const HEADERS_MAX: usize = 16;
/// Longest list of them, in bytes.
const HEADERS_BYTES_MAX: usize = 8 << 10;
/// Headers that are the exporter's own.
const OWN_HEADERS: [&str; 5] = ["content-type", "content-length", "host", "user-agent", "transfer-encoding"];

/// Traces, where they are on.
#[derive(Clone, Debug, PartialEq)]
pub struct TracesConfig {
    /// Where batches are posted.
    pub url: String,
    /// What is sent with each.
    pub headers: CollectorHeaders,
    /// What the collector is told that this service is called.
    pub service_name: String,
    /// From 0 to 1.
    pub share: f64,
}

/// Headers for the collector, which may hold a key of its.
#[derive(Clone, Default, PartialEq)]
pub struct CollectorHeaders(pub Vec<(String, String)>);

impl fmt::Debug for CollectorHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// The words of the file.
#[derive(Clone, Default, PartialEq)]
pub(super) struct TracesFile {
    endpoint: Option<String>,
    headers: Option<String>,
    service_name: Option<String>,
    share: Option<f64>,
}

impl fmt::Debug for TracesFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, headers, service_name, share } = self;
        write!(f, "{endpoint:?} {:?} {service_name:?} {share:?}", headers.as_ref().map(|_| "***"))
    }
}

impl TracesFile {
    pub(super) fn read(keys: &mut super::Keys) -> Self {
        Self {
            endpoint: keys.text("traces.endpoint"),
            headers: keys.text("traces.headers"),
            service_name: keys.text("traces.service_name"),
            share: keys.take("traces.share", "must be a number between 0 (none) and 1 (all), like 0.05", |value| {
                let whole = value.as_integer().and_then(|whole| i32::try_from(whole).ok()).map(f64::from);
                value.as_float().or(whole).filter(|share| (0.0..=1.0).contains(share))
            }),
        }
    }
}

/// Checks all of it, also where no collector is named and traces are off.
pub(super) fn check(checks: &mut Checks<'_>, args: &GlobalArgs, file: &ConfigFile) -> Option<TracesConfig> {
    let (file, plain_http) = (&file.traces, file.outbound.plain_http.unwrap_or(false));
    // An empty variable is one that is not set.
    let [endpoint, headers] =
        [&args.otlp_endpoint, &args.otlp_headers].map(|text| text.as_ref().filter(|text| !text.is_empty()));
    let option = "--otlp-endpoint or OTEL_EXPORTER_OTLP_ENDPOINT";
    let policy = collector_policy(plain_http);
    let url = |text: &str| collector_url(text, policy);
    let url = checks.pick_at("traces.endpoint", option, endpoint, file.endpoint.as_ref(), url);
    let variable = "OTEL_EXPORTER_OTLP_HEADERS";
    let headers = checks.pick_at("traces.headers", variable, headers, file.headers.as_ref(), collector_headers);
    let service = checks.pick_at("traces.service_name", "", None, file.service_name.as_ref(), service_name);
    Some(TracesConfig {
        url: url?,
        headers: headers.unwrap_or_default(),
        service_name: service.unwrap_or_else(|| SERVICE_DEFAULT.to_owned()),
        share: file.share.unwrap_or(SHARE_DEFAULT),
    })
}

/// What may be dialled for a collector, which the operator names: it may be on private networks.
pub const fn collector_policy(plain_http: bool) -> OutboundPolicy {
    OutboundPolicy { private_networks: true, plain_http }
}

/// The address for traces of a collector, whose own address it begins with. It is not repeated in the message: it may hold a key.
pub(super) fn collector_url(text: &str, policy: OutboundPolicy) -> Result<String, String> {
    let like = "is no address of a collector, like http://127.0.0.1:4318";
    let url = base_url(text).ok_or(like)?;
    let address: WebAddress = url.parse().map_err(|error| format!("{like}: {error}"))?;
    address.check(policy).map_err(|reason| format!("nothing could be sent there: {reason}"))?;
    Ok(if url.ends_with(PATH) { url } else { url + PATH })
}

/// `name=value,name=value`, with values percent-encoded where they need to be, as the variable of OpenTelemetry has it. Nothing of it is
/// repeated in the message.
pub(super) fn collector_headers(text: &str) -> Result<CollectorHeaders, String> {
    let parts: Vec<_> = text.split(',').filter(|part| !part.trim().is_empty()).collect();
    if text.len() > HEADERS_BYTES_MAX || parts.len() > HEADERS_MAX {
        return Err(format!("must be at most {HEADERS_MAX} headers, in {HEADERS_BYTES_MAX} bytes"));
    }
    let headers = parts.into_iter().map(one_header).collect::<Option<_>>();
    headers.map(CollectorHeaders).ok_or_else(|| {
        format!("must be headers like x-key=abc,authorization=Bearer%20abc, and none of {}", OWN_HEADERS.join(", "))
    })
}

fn one_header(part: &str) -> Option<(String, String)> {
    let (name, value) = part.split_once('=')?;
    let name = name.trim().to_ascii_lowercase();
    let value = percent_decode_str(value.trim()).decode_utf8().ok()?.into_owned();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let is_value = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (is_name && is_value && !OWN_HEADERS.contains(&name.as_str())).then_some((name, value))
}

fn service_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.len() > SERVICE_BYTES_MAX {
        return Err(format!("must have 1 to {SERVICE_BYTES_MAX} bytes"));
    }
    Ok(text.to_owned())
}
