//! The real transport: HTTP/1.1 with keep-alive over the guarded client of `outbound`, TLS by the machine's authorities. Redirects
//! are never followed, proxies of the environment never used.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER, USER_AGENT};
use http_body_util::{BodyExt, Full, Limited};
use outbound::{Called, OutboundPolicy, Trust, root_cause, seconds_from};

use super::tenant_url::TenantUrl;
use super::transport::{Method, Request, Response, SendError, Sending, Transport};

/// Longest answer in bytes.
pub const RESPONSE_BYTES_MAX: usize = 16 << 20;
/// Idle connections kept to one target.
const IDLE_CONNECTIONS_MAX: usize = 64;
/// A target, as failures to reach it name it.
const TARGET: Called = Called { server: "target", address: "Tenant URL", program: "application" };
/// Shortest secret token that is looked for in answers; a shorter one may well be an ordinary word of them.
const MASKED_BYTES_MIN: usize = 8;
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/scim+json");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Lockstep/", env!("CARGO_PKG_VERSION")));

/// Carries requests to one target with its secret token.
pub struct HttpTransport {
    client: outbound::Client,
    base: TenantUrl,
    authorization: HeaderValue,
    timeout: Duration,
}

impl HttpTransport {
    /// A transport to the target at `base`. A token that cannot stand in a header is refused.
    pub fn new(
        base: TenantUrl,
        token: &str,
        policy: OutboundPolicy,
        trust: &Trust,
        timeout: Duration,
    ) -> Result<Self, String> {
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| "the secret token holds characters that no token has; copy it again".to_owned())?;
        authorization.set_sensitive(true);
        let client = outbound::client(policy, trust, IDLE_CONNECTIONS_MAX);
        Ok(Self { client, base, authorization, timeout })
    }

    fn request(&self, request: Request) -> Result<http::Request<Full<Bytes>>, SendError> {
        let builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(self.base.join(&request.path))
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, MEDIA_TYPE)
            .header(USER_AGENT, AGENT);
        let builder = if request.body.is_some() { builder.header(CONTENT_TYPE, MEDIA_TYPE) } else { builder };
        builder.body(Full::new(request.body.unwrap_or_default())).map_err(|error| SendError::NotSent(error.to_string()))
    }

    async fn exchange(&self, request: Request) -> Result<Response, SendError> {
        let method = request.method;
        let request = self.request(request)?;
        let answer = self.client.request(request).await.map_err(|error| {
            if error.is_connect() {
                SendError::NotSent(root_cause(&error, TARGET))
            } else {
                SendError::Unknown(root_cause(&error, TARGET))
            }
        })?;
        let (head, body) = answer.into_parts();
        let text =
            |name: http::HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let content_type = text(CONTENT_TYPE);
        let retry_after = text(RETRY_AFTER).and_then(|asked| seconds_from(&asked, text(DATE).as_deref()));
        let body = match Limited::new(body, RESPONSE_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            // A write was answered: its status tells the outcome, whatever becomes of the body. Only a create that was carried out
            // says something there that has to be known.
            Err(_) if method != Method::Get && head.status.is_client_error() => Bytes::new(),
            Err(_) if matches!(method, Method::Patch | Method::Delete) && head.status.is_success() => Bytes::new(),
            Err(error) => {
                return Err(SendError::Unknown(format!(
                    "the answer broke off or is longer than {RESPONSE_BYTES_MAX} bytes: {error}"
                )));
            }
        };
        let token = self.authorization.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default();
        Ok(Response { status: head.status.as_u16(), retry_after, content_type, body: masked(body, token) })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(async move {
            let seconds = self.timeout.as_secs();
            match tokio::time::timeout(self.timeout, self.exchange(request)).await {
                Ok(result) => result,
                Err(_) => Err(SendError::Unknown(format!(
                    "the target gave no answer within {seconds} s; check the Tenant URL and that the application is running"
                ))),
            }
        })
    }
}

/// An answer without the secret token. Some targets repeat a request in their errors, and what they say is stored, logged and shown.
fn masked(body: Bytes, token: &[u8]) -> Bytes {
    if token.len() < MASKED_BYTES_MIN {
        return body;
    }
    let body = masked_once(body, token);
    if !token.contains(&b'/') {
        return body;
    }
    // Some JSON writers put a backslash before each slash.
    let escaped = token.iter().flat_map(|byte| if *byte == b'/' { &b"\\/"[..] } else { std::slice::from_ref(byte) });
    let escaped: Vec<u8> = escaped.copied().collect();
    masked_once(body, &escaped)
}

fn masked_once(body: Bytes, secret: &[u8]) -> Bytes {
    // Every answer is searched: most places are told apart by their ends, without a comparison of the whole.
    let is_it = |bytes: &[u8]| bytes.first() == secret.first() && bytes.last() == secret.last() && bytes == secret;
    let next = |text: &[u8]| text.windows(secret.len()).position(is_it);
    let mut rest = &body[..];
    let mut kept = Vec::new();
    while let Some(at) = next(rest) {
        kept.extend_from_slice(&rest[..at]);
        kept.extend_from_slice(b"***");
        rest = &rest[at + secret.len()..];
    }
    if rest.len() == body.len() {
        return body;
    }
    kept.extend_from_slice(rest);
    kept.into()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn waits_are_seconds_or_dates() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        for (asked, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:57 GMT", Some(20)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(seconds_from(asked, now), expected, "{asked}");
        }
        assert_eq!(seconds_from("Sun, 06 Nov 1994 08:49:57 GMT", None), None);
    }

    /// Answers one request with a status and a body that breaks off.
    fn breaks_off(status: &'static str) -> TenantUrl {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            // All of a short request comes at once.
            assert_ne!(client.read(&mut [0; 4096]).unwrap(), 0);
            write!(client, "HTTP/1.1 {status}\r\ncontent-length: 100\r\n\r\n{{\"id\":").unwrap();
        });
        format!("http://{address}/scim").parse().unwrap()
    }

    #[tokio::test]
    async fn the_status_of_a_write_counts_also_where_the_answer_breaks_off() {
        use Method::{Delete, Get, Patch, Post};
        let trust = Trust::new(None).unwrap();
        for (method, status, expected) in [
            (Patch, "200 OK", Some(200)),
            (Delete, "200 OK", Some(200)),
            (Post, "201 Created", None),
            (Post, "409 Conflict", Some(409)),
            (Patch, "400 Bad Request", Some(400)),
            (Patch, "500 Internal Server Error", None),
            (Get, "200 OK", None),
        ] {
            let timeout = Duration::from_secs(10);
            let policy = OutboundPolicy::default();
            let transport = HttpTransport::new(breaks_off(status), "secret", policy, &trust, timeout).unwrap();
            let request = Request { method, path: "/Users/u1".to_owned(), body: None };
            let answered = transport.send(request).await.ok().map(|answer| answer.status);
            assert_eq!(answered, expected, "{method:?} {status}");
        }
    }

    #[test]
    fn answers_are_kept_without_the_token() {
        for (token, body, expected) in [
            ("s3cret-t0ken", "no Bearer s3cret-t0ken, s3cret-t0ken!", "no Bearer ***, ***!"),
            ("s3cret/t0ken", r#"{"detail":"s3cret\/t0ken s3cret/t0ken"}"#, r#"{"detail":"*** ***"}"#),
            ("s3cret-t0ken", r#"{"id":"1"}"#, r#"{"id":"1"}"#),
            ("s3cret-t0ken", "", ""),
            ("id", r#"{"id":"1"}"#, r#"{"id":"1"}"#),
        ] {
            assert_eq!(masked(Bytes::from_static(body.as_bytes()), token.as_bytes()), expected, "{body}");
        }
    }
}
