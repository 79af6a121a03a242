//! The client: HTTP/1.1 with keep-alive over the guarded dialler. Redirects are never followed, proxies of the environment never used.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, DATE, HeaderValue, RETRY_AFTER, USER_AGENT};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::wait::seconds_from;
use crate::{Called, Dialler, OutboundPolicy, Trust, WebAddress, root_cause};

/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Most of an answer to a POST that is read, in bytes.
const POSTED_BYTES_MAX: usize = 64 << 10;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Lockstep/", env!("CARGO_PKG_VERSION")));

/// A client whose every connection is vetted; cheap to clone.
pub type Client = legacy::Client<HttpsConnector<Dialler>, Full<Bytes>>;

/// A client that keeps so many idle connections to one host.
pub fn client(policy: OutboundPolicy, trust: &Trust, idle_max: usize) -> Client {
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(trust.config())
        .https_or_http()
        .enable_http1()
        .wrap_connector(Dialler(policy));
    legacy::Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(idle_max)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_timer(TokioTimer::new())
        .build(connector)
}

/// Fetches a document of at most `bytes_max` bytes: the body of an answer 200. Who waits decides how long.
pub async fn fetch(client: &Client, url: &str, bytes_max: usize, called: Called) -> Result<Bytes, String> {
    let Called { server, address, .. } = called;
    // One that was stored before it was checked might mean another server than it says.
    url.parse::<WebAddress>().map_err(|error| format!("the {address} is no address on the web: {error}"))?;
    let request = http::Request::get(url).header(ACCEPT, "application/json").header(USER_AGENT, AGENT);
    let request = request.body(Full::default()).map_err(|_| format!("the {address} is no address on the web"))?;
    let answer = client.request(request).await.map_err(|error| root_cause(&error, called))?;
    let status = answer.status();
    if status != http::StatusCode::OK {
        return Err(format!("the {server} answered with status {}; check the {address}", status.as_u16()));
    }
    match Limited::new(answer.into_body(), bytes_max).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(format!("the {server} answered with more than {bytes_max} bytes"))
        }
        Err(error) => Err(format!("the answer of the {server} broke off: {error}")),
    }
}

/// An answer to what was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// The status.
    pub status: u16,
    /// The header `Retry-After`, in seconds from now; a wait that is not understood counts as none.
    pub retry_after: Option<u64>,
}

/// Posts a text. What the answer says beside its head is not kept. Who waits decides how long.
pub async fn post(
    client: &Client,
    url: &str,
    headers: &[(&str, &str)],
    body: String,
    called: Called,
) -> Result<Posted, String> {
    let Called { address, .. } = called;
    let mut request = http::Request::post(url).header(USER_AGENT, AGENT);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.into()).map_err(|_| format!("the {address} is no address on the web"))?;
    let answer = client.request(request).await.map_err(|error| root_cause(&error, called))?;
    let (head, body) = answer.into_parts();
    // Read, so that the connection can be used again; a long answer is cut off with it.
    drop(Limited::new(body, POSTED_BYTES_MAX).collect().await);
    let text = |name: http::HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after = text(RETRY_AFTER).and_then(|asked| seconds_from(asked, text(DATE)));
    Ok(Posted { status: head.status.as_u16(), retry_after })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const CALLED: Called = Called { server: "identity provider", address: "address of the keys", program: "provider" };

    /// Answers one request with these bytes.
    async fn answers(text: &'static str) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_ne!(stream.read(&mut [0; 4096]).await.unwrap(), 0);
            stream.write_all(text.as_bytes()).await.unwrap();
        });
        format!("http://{address}/keys")
    }

    #[tokio::test]
    async fn a_document_is_fetched_within_bounds_and_no_redirect_is_followed() {
        let trust = Trust::new(None).unwrap();
        let own = client(OutboundPolicy::default(), &trust, 1);
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", Ok(&b"{}"[..])),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{\"a\":\"b\"}", Err("more than 8 bytes")),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}", Err("broke off")),
            ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", Err("status 302")),
        ] {
            let fetched = fetch(&own, &answers(answer).await, 8, CALLED).await;
            match (fetched, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(told), Err(expected)) => assert!(told.contains(expected), "{told}"),
                (fetched, _) => panic!("{answer}: {fetched:?}"),
            }
        }
    }

    #[tokio::test]
    async fn what_is_posted_is_answered_by_a_status_and_a_wait() {
        let trust = Trust::new(None).unwrap();
        let own = client(OutboundPolicy::default(), &trust, 1);
        let long = format!("HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n{}", "x".repeat(200_000));
        for (answer, expected) in [
            ("HTTP/1.1 204 No Content\r\n\r\n", Ok((204, None))),
            ("HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", Ok((429, Some(7)))),
            ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", Ok((302, None))),
            (long.leak(), Ok((200, None))),
            ("", Err("broke off")),
        ] {
            let posted = post(&own, &answers(answer).await, &[("webhook-id", "1")], "{}".to_owned(), CALLED).await;
            match (posted, expected) {
                (Ok(posted), Ok(expected)) => assert_eq!((posted.status, posted.retry_after), expected),
                (Err(told), Err(expected)) => assert!(told.contains(expected), "{told}"),
                (posted, _) => panic!("{answer:.40}: {posted:?}"),
            }
        }
        let hosted = client(OutboundPolicy { private_networks: false, plain_http: true }, &trust, 1);
        let refused = post(&hosted, "http://127.0.0.1:1/", &[], String::new(), CALLED).await.unwrap_err();
        assert!(refused.contains("refused"), "{refused}");
    }

    #[tokio::test]
    async fn what_the_policy_refuses_is_not_dialled() {
        let trust = Trust::new(None).unwrap();
        let hosted = client(OutboundPolicy { private_networks: false, plain_http: true }, &trust, 1);
        for url in ["http://127.0.0.1:1/", "http://169.254.169.254/keys", "http://[::1]:1/", "not an address"] {
            let told = fetch(&hosted, url, 8, CALLED).await.unwrap_err();
            assert!(told.contains("refused") || told.contains("no address on the web"), "{told}");
        }
        let own = client(OutboundPolicy::default(), &trust, 1);
        for url in ["http://127.0.0.1:65616/", "http://127.1:1/", "http://2130706433:1/"] {
            let told = fetch(&own, url, 8, CALLED).await.unwrap_err();
            assert!(told.contains("no address on the web: "), "{url}: {told}");
        }
    }
}
